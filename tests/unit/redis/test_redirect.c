/* Redirections, as Redis gives them and as nobody should. */
#include "shared/redis/redirect.h"

#include "tests/unit/support/check.h"

#include <stdio.h>
#include <string.h>

static struct feed_redirect out;

static bool parse(const char *text)
{
    memset(&out, 0xA5, sizeof out);
    return feed_redirect_parse(feed_str_of(text), "asked.example", &out);
}

static void expect(const char *text, bool ask, unsigned slot, const char *host, int port)
{
    if (!parse(text))
        fail_msg("not taken: %s", text);
    assert_int_equal(out.ask, ask);
    assert_int_equal(out.slot, slot);
    assert_string_equal(out.to.host, host);
    assert_int_equal(out.to.port, port);
}

static void redirections_name_a_server(void **state)
{
    (void)state;
    expect("MOVED 3999 127.0.0.1:6381", false, 3999, "127.0.0.1", 6381);
    expect("ASK 0 10.1.2.3:1", true, 0, "10.1.2.3", 1);
    expect("MOVED 16383 redis-2.redis.svc:65535", false, 16383, "redis-2.redis.svc", 65535);
    expect("MOVED 5 ::1:7003", false, 5, "::1", 7003);
    expect("ASK 5 fe80::1%eth0:7003", true, 5, "fe80::1%eth0", 7003);
}

static void an_empty_host_is_the_one_that_was_asked(void **state)
{
    (void)state;
    expect("MOVED 7 :6381", false, 7, "asked.example", 6381);
}

static void other_errors_are_no_redirections(void **state)
{
    (void)state;
    char long_host[400];
    snprintf(long_host, sizeof long_host, "MOVED 1 %0300d:6379", 7);
    const char *const texts[] = {"",
                                 "MOVED",
                                 "MOVED ",
                                 "MOVED 1",
                                 "MOVED 1 ",
                                 "MOVED 16384 h:1",
                                 "MOVED -1 h:1",
                                 "MOVED x h:1",
                                 "MOVED 1 h",
                                 "MOVED 1 h:",
                                 "MOVED 1 h:0",
                                 "MOVED 1 h:65536",
                                 "MOVED 1 h:1 more",
                                 "MOVED 1 h h:1",
                                 "MOVED 1 ?:6379",
                                 "MOVED 1 h\r\n:1",
                                 "MOVED  1 h:1",
                                 "moved 1 h:1",
                                 "MOVEDX 1 h:1",
                                 "ASKING 1 h:1",
                                 "CLUSTERDOWN Hash slot not served",
                                 "WRONGTYPE 1 h:1",
                                 long_host};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (parse(texts[i]))
            fail_msg("taken: %s", texts[i]);
    }
}

static void endpoints_are_compared_without_case(void **state)
{
    (void)state;
    struct feed_endpoint a, b, c;
    assert_true(feed_endpoint_set(&a, FEED_STR("Redis-1"), 1, ""));
    assert_true(feed_endpoint_set(&b, FEED_STR("redis-1"), 1, ""));
    assert_true(feed_endpoint_set(&c, FEED_STR("redis-1"), 2, ""));
    assert_true(feed_endpoint_equal(&a, &b));
    assert_false(feed_endpoint_equal(&a, &c));
    assert_false(feed_endpoint_set(&a, FEED_STR(""), 1, ""));
    assert_false(feed_endpoint_set(&a, (struct feed_str){"a\0b", 3}, 1, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(redirections_name_a_server),
        cmocka_unit_test(an_empty_host_is_the_one_that_was_asked),
        cmocka_unit_test(other_errors_are_no_redirections),
        cmocka_unit_test(endpoints_are_compared_without_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
