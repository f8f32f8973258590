/* Which option somebody may have meant. */
#include "shared/config/nearest.h"

#include "tests/unit/support/check.h"

#include <string.h>

static const struct feed_option table[] = {
    {.name = "http.port"}, {.name = "admin.port"}, {.name = "kafka.brokers"}, {.name = "json"}, {.name = NULL}};

static void test_nearest(void **state)
{
    (void)state;
    const struct {
        const char *said, *meant;
    } rows[] = {
        {"http.prot", "http.port"},
        {"htp.port", "http.port"},
        {"http-port", "http.port"},
        {"brokers", "kafka.brokers"},
        {"kafka.broker", "kafka.brokers"},
        {"jsn", "json"},
        {"hepl", "help"},
        {"verison", "version"},
        {"something.else.altogether", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *got = feed_option_nearest(table, feed_str_of(rows[i].said));
        if (rows[i].meant) {
            assert_non_null(got);
            assert_string_equal(got, rows[i].meant);
        } else {
            assert_null(got);
        }
    }
}

static void test_endless_name(void **state)
{
    (void)state;
    static char name[100000];
    memset(name, 'a', sizeof(name));
    assert_null(feed_option_nearest(table, (struct feed_str){name, sizeof(name)}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_nearest), cmocka_unit_test(test_endless_name)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
