/* Records and dead letters: what is read, what is refused with which words, what a letter carries. */
#include "fanout/letter.h"
#include "sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct sample post = {.partition = 3,
                                   .offset = 77,
                                   .id = 1,
                                   .published_ms = 1700000000123,
                                   .actor = "bob",
                                   .verb = "post",
                                   .object = "n1"};

static enum feed_error read_record(const struct fan_record *record, const char **reason,
                                   struct feed_activity_problem *problem)
{
    struct feed_activity activity;
    feed_activity_init(&activity);
    enum feed_error error = fan_record_read(record, &activity, reason, problem);
    feed_activity_fini(&activity);
    return error;
}

static void expect_refusal(const struct fan_record *record, const char *reason, const char *field)
{
    const char *given;
    struct feed_activity_problem problem;
    assert_int_not_equal(read_record(record, &given, &problem), FEED_OK);
    assert_string_equal(given, reason);
    if (field)
        assert_string_equal(problem.field, field);
    assert_true(problem.text[0]);
}

static void reads_an_activity(void **state)
{
    (void)state;
    struct sample_record made;
    sample_make(&post, &made);
    struct feed_activity activity;
    feed_activity_init(&activity);
    const char *reason;
    struct feed_activity_problem problem;
    assert_int_equal(fan_record_read(&made.record, &activity, &reason, &problem), FEED_OK);
    assert_true(feed_str_eq(activity.actor, FEED_STR("bob")));
    assert_int_equal(activity.published_ms, 1700000000123);
    feed_activity_fini(&activity);
}

static void unknown_headers_do_not_push_known_ones_out(void **state)
{
    (void)state;
    struct sample_record made;
    sample_make(&post, &made);
    struct fan_record *record = &made.record;
    memmove(record->headers + 12, record->headers, 4 * sizeof record->headers[0]);
    for (size_t i = 0; i < 12; i++)
        record->headers[i] = (struct feed_record_header){"x-mirror", FEED_STR("1")};
    record->header_count = 16;
    const char *reason;
    struct feed_activity_problem problem;
    assert_int_equal(read_record(record, &reason, &problem), FEED_OK);
}

static void a_known_header_twice_is_refused(void **state)
{
    (void)state;
    struct sample_record made;
    sample_make(&post, &made);
    made.record.headers[made.record.header_count++] = (struct feed_record_header){"ce_tenant", FEED_STR("other")};
    expect_refusal(&made.record, "malformed", "ce_tenant");
}

static void too_many_headers_are_refused(void **state)
{
    (void)state;
    struct sample_record made;
    sample_make(&post, &made);
    made.record.headers_cut = true;
    expect_refusal(&made.record, "malformed", "headers");
}

static void a_large_value_is_refused(void **state)
{
    (void)state;
    struct sample_record made;
    sample_make(&post, &made);
    char *large = calloc(1, FEED_RECORD_MAX + 1);
    made.record.value = (struct feed_str){large, FEED_RECORD_MAX + 1};
    expect_refusal(&made.record, "malformed", "value");
    free(large);
}

static void rubbish_is_refused(void **state)
{
    (void)state;
    const struct feed_str values[] = {
        {NULL, 0}, FEED_STR(""), FEED_STR("{"), FEED_STR("[1,2]"), FEED_STR("\xdd\xff\xff\xff\xff")};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        for (size_t json = 0; json < 2; json++) {
            struct sample_record made;
            sample_make(&post, &made);
            made.record.value = values[i];
            if (!json)
                made.record.header_count--;
            const char *reason;
            struct feed_activity_problem problem;
            assert_int_not_equal(read_record(&made.record, &reason, &problem), FEED_OK);
        }
    }
}

static void a_broken_rule_names_the_field(void **state)
{
    (void)state;
    struct sample sample = post;
    sample.verb = "No Verb";
    struct sample_record made;
    sample_make(&sample, &made);
    expect_refusal(&made.record, "invalid", "verb");
}

static void a_key_of_somebody_else_is_refused(void **state)
{
    (void)state;
    struct sample_record made;
    sample_make(&post, &made);
    made.record.key = FEED_STR("demo/eve");
    expect_refusal(&made.record, "invalid", NULL);
}

static void a_copy_outlives_its_record(void **state)
{
    (void)state;
    struct sample_record *made = malloc(sizeof *made);
    sample_make(&post, made);
    made->record.headers[made->record.header_count++] = (struct feed_record_header){"empty", {NULL, 0}};
    struct fan_record copy;
    struct feed_buf memory;
    feed_buf_init(&memory, SIZE_MAX);
    assert_int_equal(fan_record_copy(&made->record, &copy, &memory), FEED_OK);
    struct feed_str id = made->record.headers[0].value;
    assert_ptr_not_equal(copy.headers[0].value.data, id.data);
    memset(made, 0xee, sizeof *made);
    free(made);
    assert_true(feed_str_eq(copy.key, FEED_STR("demo/bob")));
    assert_string_equal(copy.headers[1].name, "ce_tenant");
    assert_true(feed_str_eq(copy.headers[1].value, FEED_STR("demo")));
    assert_string_equal(copy.headers[4].name, "empty");
    assert_null(copy.headers[4].value.data);
    const char *reason;
    struct feed_activity_problem problem;
    assert_int_equal(read_record(&copy, &reason, &problem), FEED_OK);
    feed_buf_fini(&memory);
}

static void an_empty_record_can_be_copied(void **state)
{
    (void)state;
    const struct fan_record empty = {.partition = 1};
    struct fan_record copy;
    struct feed_buf memory;
    feed_buf_init(&memory, SIZE_MAX);
    assert_int_equal(fan_record_copy(&empty, &copy, &memory), FEED_OK);
    assert_null(copy.key.data);
    assert_null(copy.value.data);
    feed_buf_fini(&memory);
}

static struct feed_str header(const struct fan_letter_headers *headers, const char *name)
{
    for (size_t i = 0; i < headers->count; i++) {
        if (strcmp(headers->list[i].name, name) == 0)
            return headers->list[i].value;
    }
    return (struct feed_str){NULL, 0};
}

static void a_letter_says_why_and_where_and_keeps_the_headers(void **state)
{
    (void)state;
    struct sample_record made;
    sample_make(&post, &made);
    made.record.headers[made.record.header_count++] = (struct feed_record_header){"dlq_reason", FEED_STR("forged")};
    const struct fan_letter letter = {.reason = "invalid", .detail = "verb: must be a word", .attempts = 1};
    struct fan_letter_headers headers;
    fan_letter_headers(&letter, &made.record, "activities", 1700000000000, &headers);
    assert_int_equal(headers.count, 9);
    assert_true(feed_str_eq(header(&headers, "dlq_reason"), FEED_STR("invalid")));
    assert_true(feed_str_eq(header(&headers, "dlq_detail"), FEED_STR("verb: must be a word")));
    assert_true(feed_str_eq(header(&headers, "dlq_source"), FEED_STR("activities/3/77")));
    assert_true(feed_str_eq(header(&headers, "dlq_attempts"), FEED_STR("1")));
    assert_true(feed_str_eq(header(&headers, "dlq_time"), FEED_STR("2023-11-14T22:13:20.000Z")));
    assert_true(feed_str_eq(header(&headers, "ce_tenant"), FEED_STR("demo")));
}

static void a_bare_letter_has_only_its_own_headers(void **state)
{
    (void)state;
    struct sample_record made;
    sample_make(&post, &made);
    const struct fan_letter letter = {.reason = "malformed", .detail = "x", .attempts = 1, .cut = FAN_LETTER_BARE};
    struct fan_letter_headers headers;
    fan_letter_headers(&letter, &made.record, "activities", 1700000000000, &headers);
    assert_int_equal(headers.count, FAN_LETTER_OWN_HEADERS);
    assert_true(feed_str_eq(header(&headers, "dlq_detail"), FEED_STR("x (value and headers left out: too large)")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_an_activity),
        cmocka_unit_test(unknown_headers_do_not_push_known_ones_out),
        cmocka_unit_test(a_known_header_twice_is_refused),
        cmocka_unit_test(too_many_headers_are_refused),
        cmocka_unit_test(a_large_value_is_refused),
        cmocka_unit_test(rubbish_is_refused),
        cmocka_unit_test(a_broken_rule_names_the_field),
        cmocka_unit_test(a_key_of_somebody_else_is_refused),
        cmocka_unit_test(a_copy_outlives_its_record),
        cmocka_unit_test(an_empty_record_can_be_copied),
        cmocka_unit_test(a_letter_says_why_and_where_and_keeps_the_headers),
        cmocka_unit_test(a_bare_letter_has_only_its_own_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
