/* Times as text. What is refused stands with the activities in schemas/vectors/activity.json. */
#include "shared/base/time_text.h"

#include "shared/base/limits.h"
#include "tests/unit/support/check.h"
#include "tests/unit/support/random.h"
#include "tests/unit/support/vectors.h"

#include <string.h>
#include <time.h>

static void reads_rfc_3339(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t unix_ms;
    } cases[] = {
        {"1970-01-01T00:00:00.001Z", 1},
        {"1970-01-01T00:00:00.0019Z", 1},
        {"1970-01-01T01:00:00.5+00:59", 60500},
        {"1969-12-31T23:59:00-00:01", 0},
        {"2000-02-29T12:00:00Z", 951825600000},
        {"2004-12-31T23:59:59.999Z", 1104537599999},
        {"2016-12-31T23:59:60Z", 1483228799999},
        {"2017-01-01T00:59:60.25+01:00", 1483228799999},
        {"2026-01-02T03:04:05.678-00:00", 1767323045678},
        {"9999-12-31T23:59:59.999Z", FEED_TIME_MAX_MS},
        {"9999-12-31T23:59:59.9999999999999999999999999Z", FEED_TIME_MAX_MS},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t unix_ms = -1;
        enum feed_error error = feed_time_parse(feed_str_of(cases[i].text), &unix_ms);
        assert_int_equal(error, cases[i].unix_ms > 0 ? FEED_OK : FEED_E_INVALID);
        if (error == FEED_OK)
            assert_int_equal(unix_ms, cases[i].unix_ms);
    }
}

/* Against the C library, over the whole range. */
static void writes_what_it_reads(void **state)
{
    (void)state;
    struct test_random random = {3};
    for (int round = 0; round < 20000; round++) {
        int64_t unix_ms = 1 + (int64_t)test_random_below(&random, FEED_TIME_MAX_MS);
        char text[FEED_TIME_TEXT + 1], expected[80], seconds[40];
        feed_time_format(unix_ms, text);
        time_t at = (time_t)(unix_ms / 1000);
        struct tm tm;
        assert_non_null(gmtime_r(&at, &tm));
        strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &tm);
        snprintf(expected, sizeof(expected), "%s.%03dZ", seconds, (int)(unix_ms % 1000));
        assert_string_equal(text, expected);
        int64_t back = 0;
        assert_int_equal(feed_time_parse(feed_str_of(text), &back), FEED_OK);
        assert_int_equal(back, unix_ms);
    }
}

static void writes_the_ends_of_the_range_and_of_years(void **state)
{
    (void)state;
    static const struct {
        int64_t unix_ms;
        const char *text;
    } cases[] = {{FEED_TIME_MIN_MS, "1970-01-01T00:00:00.001Z"}, {31535999999, "1970-12-31T23:59:59.999Z"},
                 {31536000000, "1971-01-01T00:00:00.000Z"},      {951782399999, "2000-02-28T23:59:59.999Z"},
                 {951782400000, "2000-02-29T00:00:00.000Z"},     {951868800000, "2000-03-01T00:00:00.000Z"},
                 {4107542399999, "2100-02-28T23:59:59.999Z"},    {4107542400000, "2100-03-01T00:00:00.000Z"},
                 {FEED_TIME_MAX_MS, "9999-12-31T23:59:59.999Z"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[FEED_TIME_TEXT + 1];
        feed_time_format(cases[i].unix_ms, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void refuses_every_beginning_of_a_time(void **state)
{
    (void)state;
    static const char whole[] = "2026-01-02T03:04:05.678+01:30";
    int64_t unix_ms;
    for (size_t len = 0; len < sizeof(whole) - 1; len++) {
        struct feed_str cut = exact_copy((struct feed_str){whole, len});
        assert_int_equal(feed_time_parse(cut, &unix_ms), FEED_E_INVALID);
        free_copy(cut);
    }
    assert_int_equal(feed_time_parse(feed_str_of(whole), &unix_ms), FEED_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_rfc_3339),
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(writes_the_ends_of_the_range_and_of_years),
        cmocka_unit_test(refuses_every_beginning_of_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
