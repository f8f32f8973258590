/* CloudEvents, structured and binary, as submissions. */
#include "ingest/event.h"

#include "ingest/submission.h"
#include "tests/unit/support/check.h"

#include <string.h>

#define ACTIVITY "{\"actor\":\"ann\",\"verb\":\"like\",\"object\":{\"type\":\"post\",\"id\":\"7\"}}"
#define HEAD "\"specversion\":\"1.0\",\"type\":\"feedwire.activity.v1\",\"source\":\"/shop\",\"id\":\"e-1\""
#define EVENT "{" HEAD ",\"time\":\"2003-01-01T00:00:00Z\",\"data\":" ACTIVITY "}"

static const int64_t NOW_MS = INT64_C(1767323045678), YEAR_2003 = INT64_C(1041379200000);
static const struct feed_token_claims claims = {.tenant = "demo", .subject = "service:x", .may_publish = true};
static const struct ing_stamp stamp = {.first_ms = INT64_C(1767323045678)};

static void read(struct ing_submission *s, enum ing_media media, const struct feed_http_request *event,
                 struct feed_str body)
{
    const struct ing_submission_input input = {
        .media = media, .body = body, .event = event, .claims = &claims, .data_max = FEED_DATA_MAX, .now_ms = NOW_MS};
    ing_submission_read(s, &input);
    if (s->status == 0)
        ing_submission_complete(s, &claims, &stamp);
}

static void test_structured(void **state)
{
    (void)state;
    struct ing_submission s;
    read(&s, ING_MEDIA_EVENT, NULL, FEED_STR(EVENT));
    assert_int_equal(s.status, 0);
    assert_int_equal(s.count, 1);
    const struct feed_activity *activity = &s.elements[0].activity;
    assert_str_equal(activity->id, "e-1");
    assert_str_equal(activity->source, "/shop");
    assert_str_equal(activity->actor, "ann");
    assert_int_equal(activity->published_ms, YEAR_2003);
    ing_submission_fini(&s);
    /* The attributes win over members of data; without a time it is the first time. */
    read(&s, ING_MEDIA_EVENT, NULL,
         FEED_STR("{" HEAD
                  ",\"datacontenttype\":\"application/json\",\"x\":1,\"data\":{\"id\":\"no\",\"actor\":\"ann\","
                  "\"verb\":\"like\",\"object\":{\"type\":\"post\",\"id\":\"7\"}}}"));
    assert_int_equal(s.status, 0);
    assert_str_equal(s.elements[0].activity.id, "e-1");
    assert_int_equal(s.elements[0].activity.published_ms, NOW_MS);
    ing_submission_fini(&s);
}

static void test_batch(void **state)
{
    (void)state;
    struct ing_submission s;
    read(&s, ING_MEDIA_EVENTS, NULL, FEED_STR("[" EVENT "," EVENT "]"));
    assert_int_equal(s.status, 0);
    assert_int_equal(s.count, 2);
    ing_submission_fini(&s);
    read(&s, ING_MEDIA_EVENTS, NULL, FEED_STR("[" EVENT "," ACTIVITY ",7]"));
    assert_int_equal(s.status, 422);
    assert_int_equal(s.problem_count, 2);
    assert_int_equal(s.problems[0].index, 1);
    ing_submission_fini(&s);
}

static void test_shapes(void **state)
{
    (void)state;
    struct ing_submission s;
    read(&s, ING_MEDIA_EVENT, NULL, FEED_STR("[" EVENT "]"));
    assert_int_equal(s.status, 422);
    ing_submission_fini(&s);
    read(&s, ING_MEDIA_EVENTS, NULL, FEED_STR(EVENT));
    assert_int_equal(s.status, 422);
    ing_submission_fini(&s);
}

static void test_faults(void **state)
{
    (void)state;
    const struct {
        struct feed_str body;
        const char *field;
    } rows[] = {
        {FEED_STR(ACTIVITY), "data"},
        {FEED_STR("{\"data\":" ACTIVITY "}"), "specversion"},
        {FEED_STR(
             "{\"specversion\":\"0.3\",\"type\":\"feedwire.activity.v1\",\"source\":\"/s\",\"id\":\"1\",\"data\":{}}"),
         "specversion"},
        {FEED_STR("{\"specversion\":\"1.0\",\"type\":\"x\",\"source\":\"/s\",\"id\":\"1\",\"data\":{}}"), "type"},
        {FEED_STR("{\"specversion\":\"1.0\",\"type\":\"feedwire.activity.v1\",\"source\":\"/s\",\"data\":{}}"), "id"},
        {FEED_STR(
             "{\"specversion\":\"1.0\",\"type\":\"feedwire.activity.v1\",\"source\":\"\",\"id\":\"1\",\"data\":{}}"),
         "source"},
        {FEED_STR("{\"specversion\":\"1.0\",\"type\":\"feedwire.activity.v1\",\"source\":\"/s\",\"id\":7,\"data\":{}}"),
         "id"},
        {FEED_STR("{" HEAD ",\"id\":\"e-1\",\"data\":" ACTIVITY "}"), "id"},
        {FEED_STR("{" HEAD ",\"time\":\"yesterday\",\"data\":" ACTIVITY "}"), "time"},
        {FEED_STR("{" HEAD ",\"time\":\"2999-01-01T00:00:00Z\",\"data\":" ACTIVITY "}"), "published"},
        {FEED_STR("{" HEAD "}"), "data"},
        {FEED_STR("{" HEAD ",\"data\":7}"), "data"},
        {FEED_STR("{" HEAD ",\"data\":" ACTIVITY ",\"data\":" ACTIVITY "}"), "data"},
        {FEED_STR("{" HEAD ",\"data_base64\":\"e30=\"}"), "data_base64"},
        {FEED_STR("{" HEAD ",\"datacontenttype\":\"text/xml\",\"data\":" ACTIVITY "}"), "datacontenttype"},
        {FEED_STR("{" HEAD ",\"data\":{\"actor\":\"ann\"}}"), "data.verb"},
        {FEED_STR("{" HEAD ",\"id\\u0000x\":\"other\",\"data\":{\"actor\":7}}"), "data.actor"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ing_submission s;
        read(&s, ING_MEDIA_EVENT, NULL, rows[i].body);
        assert_int_equal(s.status, 422);
        assert_string_equal(s.problems[0].what.field, rows[i].field);
        ing_submission_fini(&s);
    }
}

static struct feed_http_request binary(void)
{
    struct feed_http_request http = {.method = FEED_HTTP_POST};
    http.headers[FEED_HTTP_CE_SPECVERSION] = FEED_STR("1.0");
    http.headers[FEED_HTTP_CE_TYPE] = FEED_STR("feedwire.activity.v1");
    http.headers[FEED_HTTP_CE_SOURCE] = FEED_STR("/sh%20op");
    http.headers[FEED_HTTP_CE_ID] = FEED_STR("\"e%C3%A41\"");
    http.headers[FEED_HTTP_CE_TIME] = FEED_STR("2003-01-01T00:00:00Z");
    return http;
}

static void test_binary(void **state)
{
    (void)state;
    struct ing_submission s;
    struct feed_http_request http = binary();
    assert_true(ing_event_binary(&http));
    read(&s, ING_MEDIA_JSON, &http, FEED_STR(ACTIVITY));
    assert_int_equal(s.status, 0);
    assert_str_equal(s.elements[0].activity.id, "e\xc3\xa4"
                                                "1");
    assert_str_equal(s.elements[0].activity.source, "/sh op");
    assert_int_equal(s.elements[0].activity.published_ms, YEAR_2003);
    ing_submission_fini(&s);
    read(&s, ING_MEDIA_JSON, &http, FEED_STR("[" ACTIVITY "]"));
    assert_int_equal(s.status, 422);
    ing_submission_fini(&s);
    read(&s, ING_MEDIA_JSON, &http, FEED_STR("{\"actor\":\"ann\"}"));
    assert_string_equal(s.problems[0].what.field, "verb");
    ing_submission_fini(&s);
}

static void test_binary_faults(void **state)
{
    (void)state;
    static char longest[FEED_SOURCE_MAX + 1];
    memset(longest, 'x', sizeof(longest));
    const struct {
        enum feed_http_header header;
        struct feed_str value;
        const char *field;
    } rows[] = {
        {FEED_HTTP_CE_ID, {NULL, 0}, "ce-id"},
        {FEED_HTTP_CE_ID, FEED_STR("%"), "ce-id"},
        {FEED_HTTP_CE_ID, FEED_STR("%0"), "ce-id"},
        {FEED_HTTP_CE_ID, FEED_STR("%zz"), "ce-id"},
        {FEED_HTTP_CE_ID, FEED_STR("a%0D%0Ab"), "ce-id"},
        {FEED_HTTP_CE_ID, FEED_STR("%00"), "ce-id"},
        {FEED_HTTP_CE_ID, FEED_STR("%ff"), "ce-id"},
        {FEED_HTTP_CE_SOURCE, {longest, sizeof(longest)}, "ce-source"},
        {FEED_HTTP_CE_SOURCE, {NULL, 0}, "ce-source"},
        {FEED_HTTP_CE_TYPE, FEED_STR("feedwire.activity.v2"), "ce-type"},
        {FEED_HTTP_CE_SPECVERSION, FEED_STR("1.1"), "ce-specversion"},
        {FEED_HTTP_CE_TIME, FEED_STR("now"), "ce-time"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ing_submission s;
        struct feed_http_request http = binary();
        http.headers[rows[i].header] = rows[i].value;
        read(&s, ING_MEDIA_JSON, &http, FEED_STR(ACTIVITY));
        assert_int_equal(s.status, 422);
        assert_string_equal(s.problems[0].what.field, rows[i].field);
        ing_submission_fini(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_structured), cmocka_unit_test(test_batch),
                                       cmocka_unit_test(test_shapes),     cmocka_unit_test(test_faults),
                                       cmocka_unit_test(test_binary),     cmocka_unit_test(test_binary_faults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
