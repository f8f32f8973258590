/* Readiness: all conditions hold, and the page names those that do not. */
#include "shared/observe/health.h"

#include "tests/unit/support/check.h"

#include <string.h>

static void text_is(const struct feed_health *health, const char *expected)
{
    struct feed_buf out;
    feed_buf_init(&out, 4096);
    feed_health_render(health, &out);
    feed_buf_char(&out, '\0');
    assert_int_equal(out.error, FEED_OK);
    assert_string_equal(out.data, expected);
    feed_buf_fini(&out);
}

static void test_starts_unready(void **state)
{
    (void)state;
    struct feed_health health = {.count = 0};
    feed_health_add(&health, "redis");
    assert_false(feed_health_ready(&health));
    text_is(&health, "{\"ready\":false,\"conditions\":[{\"name\":\"redis\",\"ok\":false,\"reason\":\"starting\"}]}");
}

static void test_ready_when_all_hold(void **state)
{
    (void)state;
    struct feed_health health = {.count = 0};
    unsigned redis = feed_health_add(&health, "redis"), kafka = feed_health_add(&health, "kafka");
    feed_health_set(&health, redis, true, NULL);
    assert_false(feed_health_ready(&health));
    feed_health_set(&health, kafka, true, "left over");
    assert_true(feed_health_ready(&health));
    text_is(&health,
            "{\"ready\":true,\"conditions\":[{\"name\":\"redis\",\"ok\":true},{\"name\":\"kafka\",\"ok\":true}]}");
    feed_health_set(&health, redis, false, "refused \"it\"");
    assert_false(feed_health_ready(&health));
    text_is(&health,
            "{\"ready\":false,\"conditions\":[{\"name\":\"redis\",\"ok\":false,\"reason\":\"refused \\\"it\\\"\"},"
            "{\"name\":\"kafka\",\"ok\":true}]}");
}

static void test_long_reason_is_cut(void **state)
{
    (void)state;
    struct feed_health health = {.count = 0};
    char reason[1000];
    memset(reason, 'x', sizeof(reason));
    reason[sizeof(reason) - 1] = '\0';
    feed_health_set(&health, feed_health_add(&health, "kafka"), false, reason);
    assert_int_equal(strlen(health.conditions[0].reason), sizeof(health.conditions[0].reason) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_starts_unready),
        cmocka_unit_test(test_ready_when_all_hold),
        cmocka_unit_test(test_long_reason_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
