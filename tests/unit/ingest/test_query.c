/* Parameters of a query. */
#include "ingest/query.h"

#include "tests/unit/support/check.h"

static void test_find(void **state)
{
    (void)state;
    const struct {
        struct feed_str query;
        const char *value; /* NULL: not there */
        enum feed_error error;
    } rows[] = {
        {FEED_STR("a=1"), "1", FEED_OK},
        {FEED_STR("b=2&a=1&c"), "1", FEED_OK},
        {FEED_STR("a="), "", FEED_OK},
        {FEED_STR("a=b=c"), "b=c", FEED_OK},
        {FEED_STR(""), NULL, FEED_OK},
        {FEED_STR("a"), NULL, FEED_OK},
        {FEED_STR("aa=1&A=2"), NULL, FEED_OK},
        {FEED_STR("&&a=1&&"), "1", FEED_OK},
        {FEED_STR("=a&==&"), NULL, FEED_OK},
        {FEED_STR("a=1&a=1"), NULL, FEED_E_INVALID},
        {FEED_STR("a=&a="), NULL, FEED_E_INVALID},
        {FEED_STR("a=\xff"), NULL, FEED_E_INVALID},
        {FEED_STR("b=\xff&b=1&a=1"), "1", FEED_OK},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct feed_str value;
        assert_int_equal(ing_query_find(rows[i].query, FEED_STR("a"), &value), rows[i].error);
        if (rows[i].error != FEED_OK)
            continue;
        assert_true((value.data != NULL) == (rows[i].value != NULL));
        assert_true(feed_str_eq(value, feed_str_of(rows[i].value)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_find)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
