/* traceparent: valid ones pass, all others are replaced. */
#include "ingest/trace.h"

#include "tests/unit/support/check.h"

#include <string.h>

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"

static const uint8_t random_bytes[ING_TRACE_RANDOM] = {1, 2, 3};
static const char fresh[] = "00-01020300000000000000000000000001-0000000000000001-00";

static void becomes(struct feed_str received, const char *expected)
{
    char out[ING_TRACEPARENT_TEXT + 1];
    ing_traceparent(received, random_bytes, out);
    assert_string_equal(out, expected);
}

static void test_valid(void **state)
{
    (void)state;
    becomes(FEED_STR("00-" TRACE "-" PARENT "-01"), "00-" TRACE "-" PARENT "-01");
    becomes(FEED_STR("00-" TRACE "-" PARENT "-00"), "00-" TRACE "-" PARENT "-00");
    becomes(FEED_STR("cc-" TRACE "-" PARENT "-01-what-comes-later"), "00-" TRACE "-" PARENT "-01");
    becomes(FEED_STR("cc-" TRACE "-" PARENT "-01"), "00-" TRACE "-" PARENT "-01");
}

static void test_invalid(void **state)
{
    (void)state;
    const struct feed_str bad[] = {
        {NULL, 0},
        FEED_STR(""),
        FEED_STR("00"),
        FEED_STR("00-" TRACE "-" PARENT "-0"),
        FEED_STR("00-" TRACE "-" PARENT "-01-more"),
        FEED_STR("00-" TRACE "-" PARENT "-01 "),
        FEED_STR("cc-" TRACE "-" PARENT "-01.more"),
        FEED_STR("ff-" TRACE "-" PARENT "-01"),
        FEED_STR("0x-" TRACE "-" PARENT "-01"),
        FEED_STR("00-00000000000000000000000000000000-" PARENT "-01"),
        FEED_STR("00-" TRACE "-0000000000000000-01"),
        FEED_STR("00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01"),
        FEED_STR("00_" TRACE "-" PARENT "-01"),
        FEED_STR("00-" TRACE "-" PARENT "-0g"),
        FEED_STR("00-" TRACE "-" PARENT "-01,00-" TRACE "-" PARENT "-01"),
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        becomes(bad[i], fresh);
    }
    assert_int_equal(strlen(fresh), ING_TRACEPARENT_TEXT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_valid), cmocka_unit_test(test_invalid)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
