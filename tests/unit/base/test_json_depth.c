/* The depth of JSON text. */
#include "shared/base/json_depth.h"

#include "tests/unit/support/check.h"

#include <string.h>

static void counts_what_stands_inside_each_other(void **state)
{
    (void)state;
    assert_int_equal(feed_json_check_depth(FEED_STR("1"), 0), FEED_OK);
    assert_int_equal(feed_json_check_depth(FEED_STR("[]"), 0), FEED_E_TOO_LARGE);
    assert_int_equal(feed_json_check_depth(FEED_STR("[[],{},[],{}]"), 2), FEED_OK);
    assert_int_equal(feed_json_check_depth(FEED_STR("[{\"a\":[]}]"), 3), FEED_OK);
    assert_int_equal(feed_json_check_depth(FEED_STR("[{\"a\":[]}]"), 2), FEED_E_TOO_LARGE);
}

static void brackets_in_text_do_not_count(void **state)
{
    (void)state;
    assert_int_equal(feed_json_check_depth(FEED_STR("[\"[[[[{{{{\"]"), 1), FEED_OK);
    assert_int_equal(feed_json_check_depth(FEED_STR("[\"\\\"[[[\\\\\"]"), 1), FEED_OK);
    assert_int_equal(feed_json_check_depth(FEED_STR("[\"\\\\\",[]]"), 1), FEED_E_TOO_LARGE);
}

static void takes_text_that_is_no_json(void **state)
{
    (void)state;
    assert_int_equal(feed_json_check_depth((struct feed_str){NULL, 0}, 1), FEED_OK);
    assert_int_equal(feed_json_check_depth(FEED_STR("]]]}}}[]"), 1), FEED_OK);
    assert_int_equal(feed_json_check_depth(FEED_STR("\"\\"), 1), FEED_OK);
    static char deep[1 << 20];
    memset(deep, '[', sizeof(deep));
    assert_int_equal(feed_json_check_depth((struct feed_str){deep, sizeof(deep)}, 32), FEED_E_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_what_stands_inside_each_other),
        cmocka_unit_test(brackets_in_text_do_not_count),
        cmocka_unit_test(takes_text_that_is_no_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
