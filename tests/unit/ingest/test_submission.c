/* Submissions: bodies become checked activities, or a complete list of what is wrong with them. */
#include "ingest/submission.h"

#include "shared/model/activity.h"
#include "tests/unit/support/check.h"

#include <string.h>

#define REST "\"verb\":\"like\",\"object\":{\"type\":\"post\",\"id\":\"7\"}"
#define ANN "{\"actor\":\"ann\"," REST "}"
#define BOB "{\"actor\":\"bob\"," REST "}"
#define BAD "{\"actor\":\"ann\",\"verb\":\"like\"}"
#define WITH(members) "{\"actor\":\"ann\"," members "," REST "}"

static const int64_t NOW_MS = INT64_C(1767323045678); /* 2026-01-02T03:04:05.678Z */

static const struct feed_token_claims user = {.tenant = "demo", .subject = "ann"};
static const struct feed_token_claims service = {.tenant = "demo", .subject = "service:x", .may_publish = true};

/* What is good is completed as well. */
static void read_as(struct ing_submission *s, enum ing_media media, const struct feed_token_claims *claims,
                    struct feed_str body)
{
    const struct ing_submission_input input = {
        .media = media, .body = body, .claims = claims, .data_max = FEED_DATA_MAX, .now_ms = NOW_MS};
    struct ing_stamp stamp = {.first_ms = NOW_MS};
    memset(stamp.seed, 0xEE, sizeof(stamp.seed));
    ing_submission_read(s, &input);
    if (s->status == 0) {
        ing_submission_complete(s, claims, &stamp);
    }
}

static void read_json(struct ing_submission *s, struct feed_str body)
{
    read_as(s, ING_MEDIA_JSON, &service, body);
}

static void test_one(void **state)
{
    (void)state;
    struct ing_submission s;
    read_json(&s, FEED_STR(" " ANN "\n"));
    assert_int_equal(s.status, 0);
    assert_int_equal(s.count, 1);
    const struct feed_activity *activity = &s.elements[0].activity;
    assert_str_equal(activity->actor, "ann");
    assert_str_equal(activity->tenant, "demo");
    assert_str_equal(activity->source, "/feedwire");
    assert_int_equal(activity->published_ms, NOW_MS);
    ing_submission_fini(&s);
}

static void test_list_gets_ascending_ids(void **state)
{
    (void)state;
    struct ing_submission s;
    read_json(&s, FEED_STR("[" ANN "," BOB "," ANN "]"));
    assert_int_equal(s.status, 0);
    assert_int_equal(s.count, 3);
    assert_str_equal(s.elements[0].activity.id, "019b7ca9-8f2e-7000-aeee-eeeeeeeeeeee");
    assert_str_equal(s.elements[1].activity.id, "019b7ca9-8f2e-7001-aeee-eeeeeeeeeeee");
    assert_str_equal(s.elements[2].activity.id, "019b7ca9-8f2e-7002-aeee-eeeeeeeeeeee");
    assert_str_equal(s.elements[1].activity.actor, "bob");
    ing_submission_fini(&s);
}

static void test_ndjson(void **state)
{
    (void)state;
    struct ing_submission s;
    read_as(&s, ING_MEDIA_NDJSON, &service, FEED_STR("\n" ANN "\r\n  \n" BOB "\n\n" ANN));
    assert_int_equal(s.status, 0);
    assert_int_equal(s.count, 3);
    assert_str_equal(s.elements[1].activity.actor, "bob");
    assert_int_equal(s.elements[0].line, 2);
    assert_int_equal(s.elements[1].line, 4);
    assert_int_equal(s.elements[2].line, 6);
    ing_submission_fini(&s);
}

/* The caller's time counts only with the caller's id. */
static void test_published(void **state)
{
    (void)state;
    const struct {
        struct feed_str body;
        unsigned status;
        int64_t published_ms;
    } rows[] = {
        {FEED_STR(WITH("\"id\":\"x\",\"published\":\"2003-01-01T00:00:00Z\"")), 0, INT64_C(1041379200000)},
        {FEED_STR(WITH("\"published\":\"2003-01-01T00:00:00Z\"")), 0, INT64_C(1767323045678)},
        {FEED_STR(WITH("\"published\":\"2999-01-01T00:00:00Z\"")), 0, INT64_C(1767323045678)},
        {FEED_STR(WITH("\"id\":\"x\"")), 0, INT64_C(1767323045678)},
        {FEED_STR(WITH("\"id\":\"x\",\"published\":\"2026-01-02T03:05:05.678Z\"")), 0, INT64_C(1767323105678)},
        {FEED_STR(WITH("\"id\":\"x\",\"published\":\"2026-01-02T03:05:05.679Z\"")), 422, 0},
        {FEED_STR(WITH("\"id\":\"x\",\"published\":\"yesterday\"")), 422, 0},
        {FEED_STR(WITH("\"published\":\"yesterday\"")), 422, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ing_submission s;
        read_json(&s, rows[i].body);
        assert_int_equal(s.status, rows[i].status);
        if (s.status == 0) {
            assert_int_equal(s.elements[0].activity.published_ms, rows[i].published_ms);
        } else {
            assert_string_equal(s.problems[0].what.field, "published");
        }
        ing_submission_fini(&s);
    }
}

static void test_not_json(void **state)
{
    (void)state;
    const struct {
        struct feed_str body;
        const char *place;
    } rows[] = {
        {FEED_STR("{"), "line 1, column 2"},      {FEED_STR("[\n" ANN ",\nnope]"), "line 3, column 1 "},
        {FEED_STR(ANN ANN), "line 1, column "},   {FEED_STR("{\"a\":'b'}"), "column 6 (byte 5)"},
        {FEED_STR("\xff\xfe{"), "byte 0"},        {FEED_STR("{\"a\":\"\xff\"}"), "line 1"},
        {FEED_STR("{\"a\":1,}"), "line 1"},       {FEED_STR("{\"a\":NaN}"), "line 1"},
        {FEED_STR("\0\0\0\0"), "byte 0"},         {FEED_STR("// c\n{}"), "byte 0"},
        {FEED_STR("\xef\xbb\xbf" ANN), "byte 0"}, {FEED_STR("   "), "line 1"},
        {FEED_STR("{\"a\":1e999999}"), "line 1"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ing_submission s;
        read_json(&s, rows[i].body);
        assert_int_equal(s.status, 400);
        if (!strstr(s.detail, rows[i].place)) {
            fail_msg("row %zu: %s", i, s.detail);
        }
        ing_submission_fini(&s);
    }
}

static void test_empty(void **state)
{
    (void)state;
    struct ing_submission s;
    read_json(&s, (struct feed_str){NULL, 0});
    assert_int_equal(s.status, 400);
    ing_submission_fini(&s);
    read_json(&s, FEED_STR("[]"));
    assert_int_equal(s.status, 422);
    ing_submission_fini(&s);
    read_as(&s, ING_MEDIA_NDJSON, &service, FEED_STR("\n \n"));
    assert_int_equal(s.status, 422);
    ing_submission_fini(&s);
}

static void test_wrong_root(void **state)
{
    (void)state;
    const struct feed_str bodies[] = {FEED_STR("1"), FEED_STR("\"x\""), FEED_STR("null"), FEED_STR("true")};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct ing_submission s;
        read_json(&s, bodies[i]);
        assert_int_equal(s.status, 422);
        ing_submission_fini(&s);
    }
}

static void test_ndjson_faults(void **state)
{
    (void)state;
    struct ing_submission s;
    read_as(&s, ING_MEDIA_NDJSON, &service, FEED_STR(ANN "\n" BAD "\n{\"actor\":\n"));
    assert_int_equal(s.status, 400);
    assert_non_null(strstr(s.detail, "line 3, column 10"));
    assert_int_equal(s.problem_count, 0);
    ing_submission_fini(&s);
    read_as(&s, ING_MEDIA_NDJSON, &service, FEED_STR("[" ANN "]"));
    assert_int_equal(s.status, 422);
    assert_string_equal(s.problems[0].what.text, "must be an object");
    ing_submission_fini(&s);
}

static void test_depth(void **state)
{
    (void)state;
    static char deep[2 * 100000];
    struct ing_submission s;
    memset(deep, '[', 100000);
    memset(deep + 100000, ']', 100000);
    read_json(&s, (struct feed_str){deep, sizeof(deep)});
    assert_int_equal(s.status, 400);
    assert_non_null(strstr(s.detail, "deeper than 32"));
    ing_submission_fini(&s);
}

static void test_all_problems_are_told(void **state)
{
    (void)state;
    struct ing_submission s;
    read_json(&s, FEED_STR("[" ANN "," BAD "," ANN ",7," WITH("\"id\":\"\"") "]"));
    assert_int_equal(s.status, 422);
    assert_int_equal(s.problem_count, 3);
    assert_int_equal(s.problems[0].index, 1);
    assert_string_equal(s.problems[0].what.field, "object");
    assert_int_equal(s.problems[1].index, 3);
    assert_int_equal(s.problems[2].index, 4);
    assert_string_equal(s.problems[2].what.field, "id");
    assert_non_null(strstr(s.detail, "3 of 5"));
    assert_null(strstr(s.detail, "Only the first"));
    ing_submission_fini(&s);
}

static void test_number_of_problems_is_bounded(void **state)
{
    (void)state;
    struct feed_buf body;
    struct ing_submission s;
    feed_buf_init(&body, 1 << 20);
    for (int i = 0; i < 30; i++) {
        feed_buf_text(&body, BAD "\n");
    }
    read_as(&s, ING_MEDIA_NDJSON, &service, feed_buf_view(&body));
    assert_int_equal(s.status, 422);
    assert_int_equal(s.problem_count, ING_PROBLEMS_MAX);
    assert_int_equal(s.problem_total, 30);
    assert_non_null(strstr(s.detail, "30 of 30"));
    assert_non_null(strstr(s.detail, "Only the first"));
    ing_submission_fini(&s);
    feed_buf_fini(&body);
}

/* count elements as JSON or NDJSON */
static unsigned status_of_batch(enum ing_media media, size_t count)
{
    struct feed_buf body;
    struct ing_submission s;
    feed_buf_init(&body, 1 << 20);
    feed_buf_text(&body, media == ING_MEDIA_JSON ? "[" : "");
    for (size_t i = 0; i < count; i++) {
        feed_buf_text(&body, i == 0 ? "" : media == ING_MEDIA_JSON ? "," : "\n");
        feed_buf_text(&body, ANN);
    }
    feed_buf_text(&body, media == ING_MEDIA_JSON ? "]" : "");
    assert_int_equal(body.error, FEED_OK);
    read_as(&s, media, &service, feed_buf_view(&body));
    unsigned status = s.status;
    assert_true(status != 0 || s.count == count);
    ing_submission_fini(&s);
    feed_buf_fini(&body);
    return status;
}

static void test_size_of_batch(void **state)
{
    (void)state;
    assert_int_equal(status_of_batch(ING_MEDIA_JSON, FEED_BATCH_MAX), 0);
    assert_int_equal(status_of_batch(ING_MEDIA_JSON, FEED_BATCH_MAX + 1), 413);
    assert_int_equal(status_of_batch(ING_MEDIA_NDJSON, FEED_BATCH_MAX), 0);
    assert_int_equal(status_of_batch(ING_MEDIA_NDJSON, FEED_BATCH_MAX + 1), 413);
}

static void test_actors(void **state)
{
    (void)state;
    struct ing_submission s;
    read_as(&s, ING_MEDIA_JSON, &user, FEED_STR("[" ANN "," BOB "]"));
    assert_int_equal(s.status, 403);
    assert_int_equal(s.problem_count, 1);
    assert_int_equal(s.problems[0].index, 1);
    assert_string_equal(s.problems[0].what.field, "actor");
    ing_submission_fini(&s);
    read_as(&s, ING_MEDIA_JSON, &user, FEED_STR("[" ANN "," ANN "]"));
    assert_int_equal(s.status, 0);
    ing_submission_fini(&s);
    read_as(&s, ING_MEDIA_JSON, &user, FEED_STR("[" BOB "," BAD "]"));
    assert_int_equal(s.status, 422); /* what is invalid comes before what is forbidden */
    assert_int_equal(s.problem_count, 1);
    ing_submission_fini(&s);
}

/* What was read goes into a record and comes back the same. */
static void test_record(void **state)
{
    (void)state;
    struct ing_submission s;
    struct feed_buf value;
    struct feed_record_parts parts;
    struct feed_activity back;
    struct feed_activity_problem problem;
    read_json(&s, FEED_STR(WITH("\"to\":[\"bob\",\"cy\"],\"data\":{\"n\":[1,null]}")));
    assert_int_equal(s.status, 0);
    feed_buf_init(&value, FEED_RECORD_MAX);
    feed_activity_encode_value(&s.elements[0].activity, &value);
    feed_activity_make_record(&s.elements[0].activity, FEED_STR(""), feed_buf_view(&value), &parts);
    feed_activity_init(&back);
    assert_int_equal(feed_activity_from_record(&parts.record, &back, &problem), FEED_OK);
    assert_str_equal(parts.record.key, "demo/ann");
    assert_true(feed_str_eq(back.id, s.elements[0].activity.id));
    assert_int_equal(back.published_ms, NOW_MS);
    assert_int_equal(back.to_count, 2);
    feed_activity_fini(&back);
    feed_buf_fini(&value);
    ing_submission_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one),
        cmocka_unit_test(test_list_gets_ascending_ids),
        cmocka_unit_test(test_ndjson),
        cmocka_unit_test(test_published),
        cmocka_unit_test(test_not_json),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_wrong_root),
        cmocka_unit_test(test_ndjson_faults),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_all_problems_are_told),
        cmocka_unit_test(test_number_of_problems_is_bounded),
        cmocka_unit_test(test_size_of_batch),
        cmocka_unit_test(test_actors),
        cmocka_unit_test(test_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
