/* Who may ask the admin port. */
#include "shared/http/admin_access.h"

#include "tests/unit/support/check.h"

static const char token[] = "0123456789abcdef0123456789abcdef";

static void test_beyond_loopback_a_token_is_required(void **state)
{
    (void)state;
    static const char *const inside[] = {"127.0.0.1", "127.8.9.10", "::1"};
    static const char *const outside[] = {"0.0.0.0",          "::",  "10.0.0.1",  "128.0.0.1", "::2",
                                          "::ffff:127.0.0.1", "::0", "localhost", "127.1",     ""};
    for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
        assert_null(feed_admin_problem(inside[i], NULL));
        assert_null(feed_admin_problem(inside[i], token));
    }
    for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
        assert_non_null(feed_admin_problem(outside[i], NULL));
        assert_null(feed_admin_problem(outside[i], token));
    }
}

static void test_a_token_can_stand_in_a_header(void **state)
{
    (void)state;
    assert_non_null(feed_admin_problem("127.0.0.1", "0123456789abcdef 123456789abcdef"));
    assert_non_null(feed_admin_problem("127.0.0.1", "0123456789abcdef\n123456789abcdef"));
    assert_non_null(feed_admin_problem("127.0.0.1", "0123456789abcdef\xc3\xa9"
                                                    "123456789abcdef"));
}

static void test_the_probes_are_open_and_all_else_is_not(void **state)
{
    (void)state;
    static const char *const open[] = {"/livez", "/readyz"};
    static const char *const closed[] = {"/metrics", "/", "", "/livez/", "/LIVEZ", "/readyz/x", "/nonsense"};
    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
        assert_true(feed_admin_allowed(token, feed_str_of(open[i]), (struct feed_str){NULL, 0}));
    for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++) {
        assert_false(feed_admin_allowed(token, feed_str_of(closed[i]), (struct feed_str){NULL, 0}));
        assert_true(feed_admin_allowed(NULL, feed_str_of(closed[i]), (struct feed_str){NULL, 0}));
        assert_true(
            feed_admin_allowed(token, feed_str_of(closed[i]), FEED_STR("bearer 0123456789abcdef0123456789abcdef")));
    }
}

static void test_only_the_whole_token_opens(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "Bearer",
        "Bearer ",
        "Basic 0123456789abcdef0123456789abcdef",
        "0123456789abcdef0123456789abcdef",
        "Bearer 0123456789abcdef0123456789abcde",
        "Bearer 0123456789abcdef0123456789abcdef0",
        "Bearer 0123456789ABCDEF0123456789abcdef",
        "Bearer 0123456789abcdef0123456789abcdef,",
        "Bearer x0123456789abcdef0123456789abcdef",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(feed_admin_allowed(token, FEED_STR("/metrics"), feed_str_of(wrong[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_beyond_loopback_a_token_is_required),
        cmocka_unit_test(test_a_token_can_stand_in_a_header),
        cmocka_unit_test(test_the_probes_are_open_and_all_else_is_not),
        cmocka_unit_test(test_only_the_whole_token_opens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
