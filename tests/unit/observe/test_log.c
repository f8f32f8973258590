/* Log lines: one line of valid JSON each, whatever the values are; bounded in length and in number. */
#include "shared/observe/log.h"

#include "tests/unit/support/check.h"

#include <stdio.h>
#include <string.h>
#include <yyjson.h>

struct sink {
    struct feed_log *log;
    int64_t now_ms;
    unsigned lines;
    char last[2 * FEED_LOG_LINE_MAX];
    size_t last_len;
    yyjson_doc *doc; /* of the last line */
};

static void on_line(void *arg, struct feed_str line)
{
    struct sink *sink = arg;
    sink->lines++;
    sink->last_len = line.len;
    assert_true(line.len < sizeof(sink->last));
    memcpy(sink->last, line.data, line.len);
    sink->last[line.len] = '\0';
    assert_ptr_equal(memchr(line.data, '\n', line.len), line.data + line.len - 1);
    yyjson_doc_free(sink->doc);
    sink->doc = yyjson_read(line.data, line.len, 0);
    assert_non_null(sink->doc);
}

static int64_t on_clock(void *arg)
{
    return ((struct sink *)arg)->now_ms;
}

static int setup(void **state)
{
    static struct sink sink;
    memset(&sink, 0, sizeof(sink));
    sink.now_ms = INT64_C(1767323045678);
    sink.log = feed_log_new("test", FEED_LOG_INFO, on_line, on_clock, &sink);
    *state = &sink;
    return 0;
}

static int teardown(void **state)
{
    struct sink *sink = *state;
    yyjson_doc_free(sink->doc);
    feed_log_free(sink->log);
    return 0;
}

static yyjson_val *member(const struct sink *sink, const char *name)
{
    return yyjson_obj_get(yyjson_doc_get_root(sink->doc), name);
}

static void test_line(void **state)
{
    struct sink *sink = *state;
    FEED_LOG(sink->log, FEED_LOG_WARN, "kafka_down", "it is away", FEED_LOG_TEXT("tenant", FEED_STR("demo")),
             FEED_LOG_NUMBER("port", -5));
    assert_string_equal(
        sink->last, "{\"time\":\"2026-01-02T03:04:05.678Z\",\"level\":\"warn\",\"service\":\"test\",\"event\":\"kafka_"
                    "down\",\"message\":\"it is away\",\"tenant\":\"demo\",\"port\":-5}\n");
}

static void test_level(void **state)
{
    struct sink *sink = *state;
    FEED_LOG(sink->log, FEED_LOG_DEBUG, "detail", NULL);
    assert_int_equal(sink->lines, 0);
    FEED_LOG(sink->log, FEED_LOG_INFO, "detail", NULL);
    assert_int_equal(sink->lines, 1);
    assert_null(member(sink, "message"));
    enum feed_log_level level;
    assert_int_equal(feed_log_level_from_name(FEED_STR("error"), &level), FEED_OK);
    assert_int_equal(level, FEED_LOG_ERROR);
    assert_int_equal(feed_log_level_from_name(FEED_STR("loud"), &level), FEED_E_INVALID);
}

static void test_no_second_line(void **state)
{
    struct sink *sink = *state;
    FEED_LOG(sink->log, FEED_LOG_INFO, "input", "a\nb\r\0",
             FEED_LOG_TEXT("user", FEED_STR("x\n{\"level\":\"error\"}\n\xff\x00\"")));
    assert_int_equal(sink->lines, 1);
    assert_string_equal(yyjson_get_str(member(sink, "level")), "info");
    assert_string_equal(yyjson_get_str(member(sink, "message")), "a\nb\r");
}

static void test_long_values_are_cut(void **state)
{
    struct sink *sink = *state;
    char value[3000];
    memset(value, 'a', sizeof(value));
    /* the cut falls into the middle of a character of three bytes */
    memcpy(value + FEED_LOG_VALUE_MAX - 1, "\xe2\x82\xac", 3);
    FEED_LOG(sink->log, FEED_LOG_INFO, "input", NULL,
             FEED_LOG_TEXT("value", ((struct feed_str){value, sizeof(value)})));
    const char *got = yyjson_get_str(member(sink, "value"));
    assert_int_equal(strspn(got, "a"), FEED_LOG_VALUE_MAX - 1);
    assert_string_equal(got + FEED_LOG_VALUE_MAX - 1, "...(cut)");
}

static void test_long_lines_are_bounded(void **state)
{
    struct sink *sink = *state;
    char value[FEED_LOG_VALUE_MAX];
    struct feed_log_field fields[40];
    memset(value, 1, sizeof(value)); /* six bytes each when escaped */
    for (size_t i = 0; i < 40; i++) {
        fields[i] = FEED_LOG_TEXT("value", ((struct feed_str){value, sizeof(value)}));
    }
    fields[39] = FEED_LOG_NUMBER("last", 7);
    feed_log_event(sink->log, FEED_LOG_INFO, "input", NULL, fields, 40);
    assert_true(sink->last_len <= FEED_LOG_LINE_MAX);
    assert_true(yyjson_get_bool(member(sink, "truncated")));
    assert_int_equal(yyjson_get_int(member(sink, "last")), 7);
}

static void test_one_event_is_rate_limited(void **state)
{
    struct sink *sink = *state;
    for (unsigned i = 0; i < FEED_LOG_EVENT_RATE + 5; i++) {
        FEED_LOG(sink->log, FEED_LOG_INFO, "often", NULL);
    }
    assert_int_equal(sink->lines, FEED_LOG_EVENT_RATE);
    FEED_LOG(sink->log, FEED_LOG_INFO, "other", NULL);
    assert_int_equal(sink->lines, FEED_LOG_EVENT_RATE + 1);
    assert_null(member(sink, "suppressed"));
    sink->now_ms += 1000;
    FEED_LOG(sink->log, FEED_LOG_INFO, "often", NULL);
    assert_int_equal(yyjson_get_int(member(sink, "suppressed")), 5);
    FEED_LOG(sink->log, FEED_LOG_INFO, "often", NULL);
    assert_null(member(sink, "suppressed"));
}

static void test_more_events_than_slots(void **state)
{
    struct sink *sink = *state;
    static char names[300][16];
    for (unsigned i = 0; i < 300; i++) {
        snprintf(names[i], sizeof(names[i]), "event%u", i);
        FEED_LOG(sink->log, FEED_LOG_INFO, names[i], NULL);
    }
    /* those beyond the table share one budget, the others have their own */
    assert_in_range(sink->lines, 128, 128 + FEED_LOG_EVENT_RATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_line, setup, teardown),
        cmocka_unit_test_setup_teardown(test_level, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_second_line, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_values_are_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_lines_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_event_is_rate_limited, setup, teardown),
        cmocka_unit_test_setup_teardown(test_more_events_than_slots, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
