/* A submission of follows: what becomes of it, who fills a feed, and what is refused. */
#include "ingest/edges.h"

#include "ingest/submission.h"
#include "shared/model/edge.h"
#include "tests/unit/support/check.h"

#include <string.h>

static const int64_t now_ms = INT64_C(1767323045678);
static const struct feed_token_claims admin = {.tenant = "demo", .subject = "service:x", .may_import = true};

static void read_as(struct ing_submission *s, enum ing_media media, struct feed_str body)
{
    const struct ing_submission_input input = {
        .media = media, .body = body, .imports = true, .claims = &admin, .data_max = FEED_DATA_MAX, .now_ms = now_ms};
    struct ing_stamp stamp = {.first_ms = now_ms};
    memset(stamp.seed, 0xEE, sizeof(stamp.seed));
    ing_submission_read(s, &input);
    if (s->status == 0)
        ing_submission_complete(s, &admin, &stamp);
}

static void edges_become_imported_follows(void **state)
{
    (void)state;
    struct ing_submission s;
    read_as(&s, ING_MEDIA_JSON,
            FEED_STR("[{\"actor\":\"ann\",\"object\":\"bob\",\"since\":\"2020-01-02T03:04:05Z\"},"
                     "{\"actor\":\"cy\",\"object\":\"bob\"}]"));
    assert_int_equal(s.status, 0);
    assert_int_equal(s.count, 2);
    const struct feed_activity *first = &s.elements[0].activity, *second = &s.elements[1].activity;
    const struct feed_edge edge = {
        .actor = FEED_STR("ann"), .object = FEED_STR("bob"), .since_ms = INT64_C(1577934245000)};
    char id[FEED_ID_TEXT + 1];
    feed_edge_id(FEED_STR("demo"), &edge, id);
    assert_int_equal(feed_activity_act(first), FEED_ACT_IMPORT);
    assert_str_equal(first->actor, "ann");
    assert_str_equal(first->object_id, "bob");
    assert_int_equal(first->published_ms, edge.since_ms);
    assert_true(feed_str_eq(first->id, feed_str_of(id)));
    assert_int_equal(feed_activity_act(second), FEED_ACT_IMPORT);
    assert_int_equal(second->published_ms, now_ms); /* that of the request */
    assert_int_equal(second->id.len, FEED_ID_TEXT);
    ing_submission_fini(&s);
}

static void the_last_of_each_actor_fills_the_feed(void **state)
{
    (void)state;
    static const bool fills[] = {false, false, true, true, true};
    struct ing_submission s;
    read_as(&s, ING_MEDIA_NDJSON,
            FEED_STR("{\"actor\":\"ann\",\"object\":\"a\"}\n{\"actor\":\"bob\",\"object\":\"a\"}\n\n"
                     "{\"actor\":\"ann\",\"object\":\"b\"}\n{\"actor\":\"bob\",\"object\":\"b\"}\n"
                     "{\"actor\":\"cy\",\"object\":\"b\"}"));
    assert_int_equal(s.count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(feed_activity_fills_feed(&s.elements[i].activity), fills[i]);
    ing_submission_fini(&s);
}

static void what_is_wrong_is_told_for_each(void **state)
{
    (void)state;
    struct ing_submission s;
    read_as(&s, ING_MEDIA_NDJSON,
            FEED_STR("{\"actor\":\"ann\",\"object\":\"bob\"}\n{\"actor\":\"ann\",\"object\":\"ann\"}\n"
                     "{\"object\":\"bob\",\"verb\":\"follow\"}\n"));
    assert_int_equal(s.status, 422);
    assert_int_equal(s.problem_total, 2);
    assert_int_equal(s.problems[0].index, 1);
    assert_int_equal(s.problems[0].line, 2);
    assert_string_equal(s.problems[0].what.field, "object");
    assert_int_equal(s.problems[1].index, 2);
    assert_string_equal(s.problems[1].what.field, "actor");
    assert_string_equal(s.problems[1].what.text, "is missing");
    ing_submission_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges_become_imported_follows),
        cmocka_unit_test(the_last_of_each_actor_fills_the_feed),
        cmocka_unit_test(what_is_wrong_is_told_for_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
