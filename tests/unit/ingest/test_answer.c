/* Answers: what callers and browsers need is in them. */
#include "ingest/answer.h"

#include "tests/unit/support/check.h"

#include <string.h>
#include <yyjson.h>

static const struct feed_str origin = {"http://localhost:8000", 21};
static const struct feed_str no_origin = {NULL, 0};

/* "" when the header is absent. */
static const char *header(const struct ing_answer *answer, const char *name)
{
    static char value[256];
    value[0] = '\0';
    for (size_t i = 0; i < answer->response.header_count; i++) {
        if (strcmp(answer->response.headers[i].name, name) == 0) {
            assert_string_equal(value, ""); /* not twice */
            assert_int_equal(feed_str_copy(answer->response.headers[i].value, value, sizeof(value)), FEED_OK);
        }
    }
    return value;
}

static yyjson_doc *body(const struct ing_answer *answer)
{
    yyjson_doc *doc = yyjson_read(answer->response.body.data, answer->response.body.len, 0);
    assert_non_null(doc);
    return doc;
}

static yyjson_val *at(yyjson_doc *doc, const char *pointer)
{
    return yyjson_doc_ptr_get(doc, pointer);
}

static void test_refusals(void **state)
{
    (void)state;
    const struct {
        unsigned status;
        const char *header, *value;
    } rows[] = {{401, "www-authenticate", "Bearer"}, {405, "allow", "POST, OPTIONS"}, {404, "vary", "Origin"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ing_answer answer;
        struct ing_gate gate = {
            .verdict = ING_GATE_REFUSE, .status = rows[i].status, .detail = "Because.", .methods = "POST"};
        ing_answer_refusal(&answer, &gate);
        assert_int_equal(answer.response.status, rows[i].status);
        assert_string_equal(answer.response.content_type, "application/problem+json");
        assert_string_equal(header(&answer, rows[i].header), rows[i].value);
        assert_string_equal(header(&answer, "access-control-allow-origin"), "");
        yyjson_doc *doc = body(&answer);
        assert_int_equal(yyjson_get_int(at(doc, "/status")), rows[i].status);
        assert_string_equal(yyjson_get_str(at(doc, "/detail")), "Because.");
        yyjson_doc_free(doc);
        ing_answer_fini(&answer);
    }
}

static void test_preflight(void **state)
{
    (void)state;
    struct ing_answer answer;
    struct ing_gate gate = {.verdict = ING_GATE_PREFLIGHT, .origin = origin, .methods = "POST"};
    ing_answer_preflight(&answer, &gate);
    assert_int_equal(answer.response.status, 204);
    assert_int_equal(answer.response.body.len, 0);
    assert_string_equal(header(&answer, "access-control-allow-origin"), "http://localhost:8000");
    assert_string_equal(header(&answer, "access-control-allow-methods"), "POST");
    assert_string_equal(header(&answer, "access-control-allow-headers"),
                        "authorization, ce-id, ce-source, ce-specversion, ce-time, ce-type, content-type, "
                        "idempotency-key, traceparent");
    assert_string_equal(header(&answer, "vary"), "Origin");
    ing_answer_fini(&answer);
    gate.origin = no_origin;
    gate.methods = "DELETE";
    ing_answer_preflight(&answer, &gate);
    assert_string_equal(header(&answer, "access-control-allow-methods"), "");
    assert_string_equal(header(&answer, "allow"), "DELETE, OPTIONS");
    ing_answer_fini(&answer);
}

static void test_problems(void **state)
{
    (void)state;
    struct ing_answer answer;
    struct ing_submission submission = {.status = 422, .problem_count = 2, .problem_total = 2};
    strcpy(submission.detail, "2 of 9 are invalid.");
    submission.problems[0] = (struct ing_problem){.index = 4, .what = {.field = "to[3]", .text = "must be text"}};
    submission.problems[1] = (struct ing_problem){.index = 6, .line = 8, .what = {.field = "", .text = "no \"way\""}};
    ing_answer_problems(&answer, &submission, origin);
    assert_string_equal(header(&answer, "access-control-allow-origin"), "http://localhost:8000");
    yyjson_doc *doc = body(&answer);
    assert_string_equal(yyjson_get_str(at(doc, "/detail")), "2 of 9 are invalid.");
    assert_int_equal(yyjson_get_int(at(doc, "/errors/0/index")), 4);
    assert_string_equal(yyjson_get_str(at(doc, "/errors/0/field")), "to[3]");
    assert_string_equal(yyjson_get_str(at(doc, "/errors/0/detail")), "must be text");
    assert_null(at(doc, "/errors/0/line"));
    assert_int_equal(yyjson_get_int(at(doc, "/errors/1/line")), 8);
    assert_string_equal(yyjson_get_str(at(doc, "/errors/1/detail")), "no \"way\"");
    assert_null(at(doc, "/errors/2"));
    yyjson_doc_free(doc);
    ing_answer_fini(&answer);
}

static struct ing_batch *batch_of_two(void)
{
    struct ing_batch *batch = ing_batch_new(2, NULL);
    ing_batch_set(batch, 0, FEED_STR("first \"id\""), 1);
    ing_batch_set(batch, 1, FEED_STR("second"), INT64_C(1767323045678));
    ing_batch_produced(batch, 0, 0);
    ing_batch_produced(batch, 1, 0);
    return batch;
}

static void test_accepted(void **state)
{
    (void)state;
    struct ing_answer answer;
    struct ing_batch *batch = batch_of_two();
    ing_batch_delivered(&batch->items[0], &(struct feed_kafka_delivery){.partition = 3, .offset = INT64_C(1) << 40});
    ing_batch_delivered(&batch->items[1], &(struct feed_kafka_delivery){.partition = 0, .offset = 0});
    ing_answer_batch(&answer, batch, false, no_origin);
    assert_int_equal(answer.response.status, 202);
    assert_string_equal(answer.response.content_type, "application/json");
    assert_string_equal(header(&answer, "retry-after"), "");
    yyjson_doc *doc = body(&answer);
    assert_int_equal(yyjson_get_int(at(doc, "/accepted")), 2);
    assert_string_equal(yyjson_get_str(at(doc, "/activities/0/id")), "first \"id\"");
    assert_string_equal(yyjson_get_str(at(doc, "/activities/0/published")), "1970-01-01T00:00:00.001Z");
    assert_int_equal(yyjson_get_int(at(doc, "/activities/0/partition")), 3);
    assert_true(yyjson_get_sint(at(doc, "/activities/0/offset")) == INT64_C(1) << 40);
    assert_int_equal(yyjson_get_int(at(doc, "/activities/1/index")), 1);
    assert_string_equal(yyjson_get_str(at(doc, "/activities/1/published")), "2026-01-02T03:04:05.678Z");
    assert_null(at(doc, "/unacknowledged"));
    yyjson_doc_free(doc);
    ing_answer_fini(&answer);
    ing_batch_free(batch);
}

static void test_partly_accepted(void **state)
{
    (void)state;
    struct ing_answer answer;
    struct ing_batch *batch = batch_of_two();
    ing_batch_delivered(&batch->items[0], &(struct feed_kafka_delivery){.error = FEED_E_TIMEOUT});
    ing_batch_delivered(&batch->items[1], &(struct feed_kafka_delivery){.partition = 1, .offset = 7});
    ing_answer_batch(&answer, batch, false, no_origin);
    assert_int_equal(answer.response.status, 503);
    assert_string_equal(answer.response.content_type, "application/problem+json");
    assert_string_equal(header(&answer, "retry-after"), "5");
    yyjson_doc *doc = body(&answer);
    assert_int_equal(yyjson_get_int(at(doc, "/status")), 503);
    assert_int_equal(yyjson_get_int(at(doc, "/accepted")), 1);
    assert_string_equal(yyjson_get_str(at(doc, "/activities/0/id")), "second");
    assert_null(at(doc, "/activities/1"));
    assert_string_equal(yyjson_get_str(at(doc, "/unacknowledged/0/id")), "first \"id\"");
    assert_string_equal(yyjson_get_str(at(doc, "/unacknowledged/0/published")), "1970-01-01T00:00:00.001Z");
    assert_string_equal(yyjson_get_str(at(doc, "/unacknowledged/0/reason")), "timeout");
    assert_null(at(doc, "/unacknowledged/1"));
    yyjson_doc_free(doc);
    ing_answer_fini(&answer);
    ing_batch_free(batch);
}

static void test_unavailable(void **state)
{
    (void)state;
    struct ing_answer answer;
    ing_answer_unavailable(&answer, "It is away.", 7, origin);
    assert_int_equal(answer.response.status, 503);
    assert_string_equal(header(&answer, "retry-after"), "7");
    assert_string_equal(header(&answer, "access-control-allow-origin"), "http://localhost:8000");
    assert_string_equal(header(&answer, "access-control-expose-headers"),
                        "Retry-After, Idempotent-Replayed, RateLimit, RateLimit-Policy, X-RateLimit-Limit, "
                        "X-RateLimit-Remaining, X-RateLimit-Reset");
    yyjson_doc *doc = body(&answer);
    assert_int_equal(yyjson_get_int(at(doc, "/accepted")), 0);
    assert_true(yyjson_is_int(at(doc, "/accepted")));
    yyjson_doc_free(doc);
    ing_answer_fini(&answer);
}

static void test_limited(void **state)
{
    (void)state;
    struct ing_answer answer;
    struct ing_limit_verdict verdict = {.limited = true,
                                        .kind = FEED_RATE_ACTOR,
                                        .limit = {.per_s = 3, .burst = 100},
                                        .remaining = 40,
                                        .wait_us = 2000001};
    ing_answer_limited(&answer, &verdict, origin);
    assert_int_equal(answer.response.status, 429);
    assert_string_equal(header(&answer, "retry-after"), "3"); /* never too early */
    assert_string_equal(header(&answer, "x-ratelimit-limit"), "100");
    assert_string_equal(header(&answer, "x-ratelimit-remaining"), "40");
    assert_string_equal(header(&answer, "x-ratelimit-reset"), "3");
    assert_string_equal(header(&answer, "ratelimit"), "\"actor\";r=40;t=3");
    assert_string_equal(header(&answer, "ratelimit-policy"), "\"actor\";q=100;w=34");
    ing_answer_fini(&answer);
    verdict.wait_us = 0;
    ing_answer_limited(&answer, &verdict, no_origin);
    assert_string_equal(header(&answer, "retry-after"), "1");
    ing_answer_fini(&answer);
}

/* A share of what is under way is told like a rate, but has no window. */
static void test_in_flight(void **state)
{
    (void)state;
    struct ing_answer answer;
    const struct ing_limit_verdict verdict = {
        .limited = true, .kind = ING_LIMIT_IN_FLIGHT, .limit = {.burst = 50}, .remaining = 3, .wait_us = 1000000};
    ing_answer_limited(&answer, &verdict, no_origin);
    assert_int_equal(answer.response.status, 429);
    assert_string_equal(header(&answer, "retry-after"), "1");
    assert_string_equal(header(&answer, "x-ratelimit-limit"), "50");
    assert_string_equal(header(&answer, "ratelimit"), "\"in_flight\";r=3;t=1");
    assert_string_equal(header(&answer, "ratelimit-policy"), "\"in_flight\";q=50");
    ing_answer_fini(&answer);
}

/* The largest answer there can be is made whole. */
static void test_largest(void **state)
{
    (void)state;
    char id[FEED_ACTIVITY_ID_MAX];
    struct ing_answer answer;
    memset(id, '"', sizeof(id));
    struct ing_batch *batch = ing_batch_new(FEED_BATCH_MAX, NULL);
    for (size_t i = 0; i < FEED_BATCH_MAX; i++) {
        ing_batch_set(batch, i, (struct feed_str){id, sizeof(id)}, FEED_TIME_MAX_MS);
        ing_batch_produced(batch, i, 0);
        ing_batch_delivered(&batch->items[i],
                            &(struct feed_kafka_delivery){.partition = INT32_MAX, .offset = INT64_MAX});
    }
    ing_answer_batch(&answer, batch, false, no_origin);
    assert_int_equal(answer.response.status, 202);
    yyjson_doc *doc = body(&answer);
    assert_int_equal(yyjson_arr_size(at(doc, "/activities")), FEED_BATCH_MAX);
    yyjson_doc_free(doc);
    ing_answer_fini(&answer);
    ing_batch_free(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_preflight),       cmocka_unit_test(test_problems),
        cmocka_unit_test(test_accepted), cmocka_unit_test(test_partly_accepted), cmocka_unit_test(test_unavailable),
        cmocka_unit_test(test_limited),  cmocka_unit_test(test_in_flight),       cmocka_unit_test(test_largest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
