/* The gate: what is refused for the head alone, with which status, and in which order the questions are asked. */
#include "ingest/gate.h"

#include "tests/unit/support/check.h"

#include <string.h>

enum { NOW_S = 1000 };

struct fixture {
    struct ing_gate_rules rules;
    struct feed_buf authorization;
    struct feed_http_request head; /* a good one, for each test to spoil */
};

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    const struct feed_auth_settings auth = {.secret = FEED_STR("0123456789abcdef0123456789abcdef")};
    f.rules.auth = feed_auth_new(&auth);
    assert_non_null(f.rules.auth);
    assert_int_equal(ing_origins_parse(FEED_STR("http://localhost:8000"), &f.rules.origins), FEED_OK);
    feed_buf_init(&f.authorization, 8192);
    feed_buf_text(&f.authorization, "Bearer ");
    feed_token_sign(auth.secret, FEED_STR("demo"), FEED_STR("ann"), 2000, FEED_STR(""), &f.authorization);
    f.head.method = FEED_HTTP_POST;
    f.head.path = FEED_STR("/v1/activities");
    f.head.headers[FEED_HTTP_AUTHORIZATION] = feed_buf_view(&f.authorization);
    f.head.headers[FEED_HTTP_CONTENT_TYPE] = FEED_STR("application/json");
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    feed_buf_fini(&f->authorization);
    feed_auth_free(f->rules.auth);
    return 0;
}

static struct ing_gate decide(const struct fixture *f)
{
    return ing_gate_decide(&f->rules, &f->head, NOW_S);
}

static void refused(const struct fixture *f, unsigned status)
{
    struct ing_gate gate = decide(f);
    assert_int_equal(gate.verdict, ING_GATE_REFUSE);
    assert_int_equal(gate.status, status);
    assert_non_null(gate.detail);
}

static void test_good(void **state)
{
    struct fixture *f = *state;
    struct ing_gate gate = decide(f);
    assert_int_equal(gate.verdict, ING_GATE_PUBLISH);
    assert_int_equal(gate.media, ING_MEDIA_JSON);
    assert_string_equal(gate.claims.tenant, "demo");
    assert_string_equal(gate.claims.subject, "ann");
    assert_null(gate.origin.data);
    f->head.headers[FEED_HTTP_CONTENT_TYPE] = FEED_STR("application/x-ndjson");
    assert_int_equal(decide(f).media, ING_MEDIA_NDJSON);
}

/* Only who administrates brings a graph, and nothing else follows from that. */
static void test_imports_need_their_scope(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *path, *scope;
        unsigned status; /* 0: goes on */
    } rows[] = {
        {"/v1/follows", "admin", 0},      {"/v1/follows", "publish admin", 0},
        {"/v1/follows", "publish", 403},  {"/v1/follows", "read", 403},
        {"/v1/follows", "", 403},         {"/v1/activities", "admin", 403},
        {"/v1/activities", "publish", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct feed_buf authorization;
        feed_buf_init(&authorization, 8192);
        feed_buf_text(&authorization, "Bearer ");
        feed_token_sign(FEED_STR("0123456789abcdef0123456789abcdef"), FEED_STR("demo"), FEED_STR("service:x"), 2000,
                        feed_str_of(rows[i].scope), &authorization);
        f->head.path = feed_str_of(rows[i].path);
        f->head.headers[FEED_HTTP_AUTHORIZATION] = feed_buf_view(&authorization);
        struct ing_gate gate = decide(f);
        assert_int_equal(gate.verdict == ING_GATE_REFUSE ? gate.status : 0, rows[i].status);
        if (rows[i].status == 0)
            assert_int_equal(gate.verdict, i < 2 ? ING_GATE_IMPORT : ING_GATE_PUBLISH);
        feed_buf_fini(&authorization);
    }
}

static void test_imports_are_json(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *type;
        unsigned status;
    } rows[] = {{"application/json", 0},
                {"application/x-ndjson", 0},
                {"application/cloudevents+json", 415},
                {"application/cloudevents-batch+json", 415},
                {"text/csv", 415}};
    struct feed_buf authorization;
    feed_buf_init(&authorization, 8192);
    feed_buf_text(&authorization, "Bearer ");
    feed_token_sign(FEED_STR("0123456789abcdef0123456789abcdef"), FEED_STR("demo"), FEED_STR("service:x"), 2000,
                    FEED_STR("admin"), &authorization);
    f->head.path = FEED_STR("/v1/follows");
    f->head.headers[FEED_HTTP_AUTHORIZATION] = feed_buf_view(&authorization);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        f->head.headers[FEED_HTTP_CONTENT_TYPE] = feed_str_of(rows[i].type);
        struct ing_gate gate = decide(f);
        assert_int_equal(gate.verdict == ING_GATE_REFUSE ? gate.status : 0, rows[i].status);
    }
    f->head.method = FEED_HTTP_PUT;
    refused(f, 405);
    feed_buf_fini(&authorization);
}

static void test_origins(void **state)
{
    struct fixture *f = *state;
    f->head.headers[FEED_HTTP_ORIGIN] = FEED_STR("http://localhost:8000");
    struct ing_gate gate = decide(f);
    assert_int_equal(gate.verdict, ING_GATE_PUBLISH);
    assert_str_equal(gate.origin, "http://localhost:8000");
    f->head.headers[FEED_HTTP_ORIGIN] = FEED_STR("http://localhost:8001");
    refused(f, 403);
    f->head.headers[FEED_HTTP_ORIGIN] = FEED_STR("null");
    refused(f, 403);
    f->head.headers[FEED_HTTP_ORIGIN] = FEED_STR("");
    refused(f, 403);
}

static void test_preflight(void **state)
{
    struct fixture *f = *state;
    f->head.method = FEED_HTTP_OPTIONS;
    f->head.headers[FEED_HTTP_AUTHORIZATION] = (struct feed_str){NULL, 0};
    f->head.headers[FEED_HTTP_ORIGIN] = FEED_STR("http://localhost:8000");
    assert_int_equal(decide(f).verdict, ING_GATE_PREFLIGHT);
    f->head.headers[FEED_HTTP_ORIGIN] = FEED_STR("http://evil.example");
    refused(f, 403);
    f->head.headers[FEED_HTTP_ORIGIN] = FEED_STR("http://localhost:8000");
    f->head.path = FEED_STR("/else");
    refused(f, 404);
}

static void test_paths_and_methods(void **state)
{
    struct fixture *f = *state;
    const enum feed_http_method methods[] = {FEED_HTTP_GET, FEED_HTTP_HEAD, FEED_HTTP_PUT, FEED_HTTP_DELETE,
                                             FEED_HTTP_OTHER};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        f->head.method = methods[i];
        refused(f, 405);
    }
    const struct feed_str paths[] = {FEED_STR("/"), FEED_STR("/v1/activities/"), FEED_STR("/v1/activitie"),
                                     FEED_STR("/V1/activities")};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        f->head.path = paths[i];
        refused(f, 404);
    }
}

static void test_one_activity(void **state)
{
    struct fixture *f = *state;
    f->head.path = FEED_STR("/v1/activities/a/b c");
    refused(f, 405);
    assert_string_equal(decide(f).methods, "DELETE");
    f->head.method = FEED_HTTP_DELETE;
    f->head.headers[FEED_HTTP_CONTENT_TYPE] = (struct feed_str){NULL, 0};
    assert_int_equal(decide(f).verdict, ING_GATE_UNDO);
    f->head.headers[FEED_HTTP_AUTHORIZATION] = (struct feed_str){NULL, 0};
    refused(f, 401);
    f->head.method = FEED_HTTP_OPTIONS;
    assert_int_equal(decide(f).verdict, ING_GATE_PREFLIGHT);
    assert_string_equal(decide(f).methods, "DELETE");
    f->head.path = FEED_STR("/v1/activities");
    assert_string_equal(decide(f).methods, "POST");
}

static void test_tokens(void **state)
{
    struct fixture *f = *state;
    f->authorization.data[f->authorization.len - 5] ^= 1;
    refused(f, 401);
    const struct feed_str bad[] = {
        {NULL, 0}, FEED_STR(""), FEED_STR("Bearer"), FEED_STR("Bearer x"), FEED_STR("Basic YTpi")};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        f->head.headers[FEED_HTTP_AUTHORIZATION] = bad[i];
        refused(f, 401);
    }
}

static void test_expired_token(void **state)
{
    struct fixture *f = *state;
    struct ing_gate gate = ing_gate_decide(&f->rules, &f->head, 2000 + FEED_TOKEN_LEEWAY_S);
    assert_int_equal(gate.status, 401);
    assert_string_equal(gate.detail, "The credential has expired.");
}

static void test_media(void **state)
{
    struct fixture *f = *state;
    f->head.headers[FEED_HTTP_CONTENT_ENCODING] = FEED_STR("gzip");
    refused(f, 415);
    f->head.headers[FEED_HTTP_CONTENT_ENCODING] = FEED_STR("identity");
    assert_int_equal(decide(f).verdict, ING_GATE_PUBLISH);
    f->head.headers[FEED_HTTP_CONTENT_TYPE] = FEED_STR("text/plain");
    refused(f, 415);
    f->head.headers[FEED_HTTP_CONTENT_TYPE] = (struct feed_str){NULL, 0};
    refused(f, 415);
    f->head.headers[FEED_HTTP_AUTHORIZATION] = (struct feed_str){NULL, 0}; /* strangers hear only that */
    refused(f, 401);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(test_good),
                                       CASE(test_origins),
                                       CASE(test_preflight),
                                       CASE(test_paths_and_methods),
                                       CASE(test_tokens),
                                       CASE(test_expired_token),
                                       CASE(test_media),
                                       CASE(test_one_activity),
                                       CASE(test_imports_need_their_scope),
                                       CASE(test_imports_are_json)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
