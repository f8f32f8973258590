/* feedctl's reports: figures, JSON form, and that nothing foreign reaches the terminal unescaped. */
#include "feedctl/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static int set_up(void **state)
{
    static struct feed_buf out;
    feed_buf_init(&out, 1 << 20);
    *state = &out;
    return 0;
}

static int tear_down(void **state)
{
    feed_buf_fini(*state);
    return 0;
}

static const char *text(struct feed_buf *out)
{
    feed_buf_char(out, '\0');
    assert_int_equal(out->error, FEED_OK);
    return out->data;
}

static void entry_bytes(struct feed_buf *bytes, const char *object_id)
{
    struct feed_entry entry = {
        .verb = FEED_STR("like"),
        .actor = FEED_STR("ann"),
        .object_type = FEED_STR("post"),
        .object_id = feed_str_of(object_id),
    };
    memset(entry.id.bytes, 0x11, sizeof entry.id.bytes);
    feed_buf_init(bytes, 4096);
    feed_entry_encode(&entry, bytes);
}

static void report_one(struct feed_buf *out, bool json, const char *object_id)
{
    struct ctl_feed feed = {
        .tenant = FEED_STR("demo"), .user = FEED_STR("bob"), .feed = FEED_STR("home"), .position = {.seq = 7}};
    struct ctl_feed_report report = {.json = json, .out = out};
    struct feed_buf bytes;
    entry_bytes(&bytes, object_id);
    ctl_feed_open(&report, &feed);
    ctl_feed_entry(&report, feed_buf_view(&bytes), 1000);
    ctl_feed_close(&report);
    feed_buf_fini(&bytes);
}

static void feed_as_text(void **state)
{
    report_one(*state, false, "9");
    const char *shown = text(*state);
    assert_non_null(strstr(shown, "home of bob (tenant demo), position v1.0000000000000000.7\n"));
    assert_non_null(strstr(shown, "1970-01-01T00:00:01.000Z  11111111-1111-1111-1111-111111111111  ann like post:9\n"));
    assert_non_null(strstr(shown, "1 entries\n"));
}

static void feed_as_json(void **state)
{
    report_one(*state, true, "9");
    const char *shown = text(*state);
    assert_non_null(strstr(shown, "\"entries\":[{\"id\":\"11111111-1111-1111-1111-111111111111\""));
    assert_string_equal(shown + strlen(shown) - 3, "]}\n");
}

static void control_characters_are_escaped(void **state)
{
    report_one(*state, false, "a\x1b[2J\xc2\x9b\x7f");
    const char *shown = text(*state);
    assert_null(strchr(shown, '\x1b'));
    assert_null(strstr(shown, "\xc2\x9b"));
    assert_non_null(strstr(shown, "a\\x1b[2J\\xc2"));
}

static void bytes_that_are_no_entry_are_named(void **state)
{
    struct ctl_feed_report report = {.json = false, .out = *state};
    ctl_feed_entry(&report, FEED_STR("short"), 1000);
    assert_non_null(strstr(text(*state), "an entry of 5 bytes that cannot be decoded: "));
}

static void lag_counts_from_the_committed_offset(void **state)
{
    (void)state;
    struct ctl_partition some = {.begin = 0, .end = 100, .committed = 60};
    struct ctl_partition none = {.begin = 10, .end = 100, .committed = -1};
    struct ctl_partition expired = {.begin = 80, .end = 100, .committed = 60};
    struct ctl_partition ahead = {.begin = 0, .end = 50, .committed = 60};
    assert_int_equal(ctl_partition_lag(&some), 40);
    assert_int_equal(ctl_partition_lag(&none), 90);
    assert_int_equal(ctl_partition_lag(&expired), 20);
    assert_int_equal(ctl_partition_lag(&ahead), 0);
}

static void lag_report_sums(void **state)
{
    struct ctl_partition rows[] = {{.partition = 0, .end = 10, .committed = 4},
                                   {.partition = 1, .end = 5, .committed = -1}};
    ctl_lag(false, FEED_STR("activities"), FEED_STR("g"), rows, 2, *state);
    assert_non_null(strstr(text(*state), "\n11 records waiting\n"));
}

static void lag_report_as_json(void **state)
{
    struct ctl_partition rows[] = {{.partition = 3, .end = 10, .committed = -1}};
    ctl_lag(true, FEED_STR("activities"), FEED_STR("g"), rows, 1, *state);
    assert_string_equal(
        text(*state),
        "{\"topic\":\"activities\",\"group\":\"g\",\"waiting\":10,\"partitions\":[{\"partition\":3,\"begin\":0,"
        "\"committed\":null,\"end\":10,\"waiting\":10}]}\n");
}

static void followers_as_text_and_json(void **state)
{
    struct ctl_follower rows[] = {{.user = FEED_STR("cy"), .since_ms = 2000}};
    ctl_followers(false, FEED_STR("demo"), FEED_STR("ann"), FEED_STR(""), rows, 1, 5, *state);
    ctl_followers(true, FEED_STR("demo"), FEED_STR("ann"), FEED_STR("on"), rows, 1, 5, *state);
    const char *shown = text(*state);
    assert_non_null(strstr(shown, "1970-01-01T00:00:02.000Z  cy\n5 followers of ann, 1 shown\n"));
    assert_non_null(strstr(
        shown,
        "\"total\":5,\"broadcast\":\"on\",\"followers\":[{\"user\":\"cy\",\"since\":\"1970-01-01T00:00:02.000Z\"}]}"));
}

static void a_dead_letter_without_headers_is_shown(void **state)
{
    struct ctl_dead_letter letter = {.key = FEED_STR("demo/ann"), .value_bytes = 3};
    ctl_dead_letter(false, &letter, *state);
    assert_string_equal(text(*state), "-  (unknown source)  (no reason):   key demo/ann, 3 bytes\n");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(feed_as_text),
        CASE(feed_as_json),
        CASE(control_characters_are_escaped),
        CASE(bytes_that_are_no_entry_are_named),
        CASE(lag_counts_from_the_committed_offset),
        CASE(lag_report_sums),
        CASE(lag_report_as_json),
        CASE(followers_as_text_and_json),
        CASE(a_dead_letter_without_headers_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
