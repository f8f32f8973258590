/* Edges of an import: rules, both formats, and the record that stands for one. */
#include "shared/model/edge.h"

#include "tests/unit/support/check.h"

#include <string.h>
#include <yyjson.h>

static const int64_t now_ms = INT64_C(1700000000000);

static enum feed_error from_json(const char *text, struct feed_edge *edge, struct feed_activity_problem *problem,
                                 yyjson_doc **doc)
{
    *doc = yyjson_read(text, strlen(text), 0);
    assert_non_null(*doc);
    return feed_edge_from_yyjson(yyjson_doc_get_root(*doc), now_ms, edge, problem);
}

static void json_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t since_ms;
    } rows[] = {
        {"{\"actor\":\"ann\",\"object\":\"bob\"}", 0},
        {"{\"object\":\"bob\",\"since\":null,\"actor\":\"ann\",\"x\":1,\"x\":2}", 0},
        {"{\"actor\":\"ann\",\"object\":\"bob\",\"since\":\"2020-01-02T03:04:05Z\"}", INT64_C(1577934245000)},
        {"{\"actor\":\"ann\",\"object\":\"bob\",\"since\":\"1970-01-01T00:00:00.001Z\"}", 1},
        {"{\"actor\":\"ann\",\"object\":\"bob\",\"since\":100000000000}", INT64_C(100000000000)},
        {"{\"actor\":\"ann\",\"object\":\"bob\",\"since\":1700000060000}", INT64_C(1700000060000)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct feed_edge edge;
        struct feed_activity_problem problem;
        yyjson_doc *doc;
        assert_int_equal(from_json(rows[i].text, &edge, &problem, &doc), FEED_OK);
        assert_str_equal(edge.actor, "ann");
        assert_str_equal(edge.object, "bob");
        assert_int_equal(edge.since_ms, rows[i].since_ms);
        yyjson_doc_free(doc);
    }
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *field, *problem;
    } rows[] = {
        {"[]", "", "must be an object"},
        {"{\"object\":\"bob\"}", "actor", "is missing"},
        {"{\"actor\":\"ann\"}", "object", "is missing"},
        {"{\"actor\":null,\"object\":\"bob\"}", "actor", "must be text"},
        {"{\"actor\":\"a b\",\"object\":\"bob\"}", "actor", "must be 1 to 128"},
        {"{\"actor\":\"ann\",\"object\":\"\"}", "object", "must be 1 to 128"},
        {"{\"actor\":\"ann\",\"object\":\"ann\"}", "object", "must be another user"},
        {"{\"actor\":\"ann\",\"object\":\"bob\",\"object\":\"cy\"}", "object", "is there more than once"},
        {"{\"actor\":\"ann\",\"object\":\"bob\",\"since\":1700000060001}", "since", "must not be in the future"},
        {"{\"actor\":\"ann\",\"object\":\"bob\",\"since\":1700000000}", "since", "seems to be in seconds"},
        {"{\"actor\":\"ann\",\"object\":\"bob\",\"since\":0}", "since", "seems to be in seconds"},
        {"{\"actor\":\"ann\",\"object\":\"bob\",\"since\":253402300800000}", "since", "must be an RFC 3339"},
        {"{\"actor\":\"ann\",\"object\":\"bob\",\"since\":1.5}", "since", "must be an RFC 3339"},
        {"{\"actor\":\"ann\",\"object\":\"bob\",\"since\":\"\"}", "since", "must be an RFC 3339"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct feed_edge edge;
        struct feed_activity_problem problem;
        yyjson_doc *doc;
        assert_int_not_equal(from_json(rows[i].text, &edge, &problem, &doc), FEED_OK);
        assert_string_equal(problem.field, rows[i].field);
        assert_ptr_equal(strstr(problem.text, rows[i].problem), problem.text);
        yyjson_doc_free(doc);
    }
}

static void csv_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int64_t since_ms; /* -1: not read */
    } rows[] = {
        {"ann,bob", 0},
        {"ann,bob,", 0},
        {" \"ann\" ,\tbob , 2020-01-02T03:04:05Z\r", INT64_C(1577934245000)},
        {"ann,bob,1577934245000", INT64_C(1577934245000)},
        {"", -1},
        {"ann", -1},
        {",bob", -1},
        {"ann,", -1},
        {"ann,bob,,", -1},
        {"ann,bob,1577934245", -1},
        {"ann,bob,99999999999999999999", -1},
        {"\"ann,bob\"", -1},
        {"ann;bob", -1},
        {"ann,bob,2030-01-02T03:04:05Z", -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct feed_edge edge;
        struct feed_activity_problem problem;
        enum feed_error error = feed_edge_from_csv(feed_str_of(rows[i].line), now_ms, &edge, &problem);
        assert_int_equal(error == FEED_OK, rows[i].since_ms >= 0);
        if (error != FEED_OK)
            continue;
        assert_str_equal(edge.actor, "ann");
        assert_str_equal(edge.object, "bob");
        assert_int_equal(edge.since_ms, rows[i].since_ms);
    }
}

static void a_head_is_known(void **state)
{
    (void)state;
    assert_true(feed_edge_is_csv_head(FEED_STR("actor,object")));
    assert_true(feed_edge_is_csv_head(FEED_STR("\"actor\",\"object\",\"since\"\r")));
    assert_true(feed_edge_is_csv_head(FEED_STR("actor,object,created_at")));
    assert_false(feed_edge_is_csv_head(FEED_STR("actor")));
    assert_false(feed_edge_is_csv_head(FEED_STR("ann,bob")));
    assert_false(feed_edge_is_csv_head(FEED_STR("")));
}

/* Written as a record and read again. */
static void check_record(bool fill)
{
    const struct feed_edge edge = {.actor = FEED_STR("ann"), .object = FEED_STR("bob"), .since_ms = 70};
    struct feed_activity activity, read;
    struct feed_activity_problem problem;
    struct feed_record_parts parts;
    struct feed_buf value;
    char id[FEED_ID_TEXT + 1];
    feed_activity_init(&activity);
    feed_activity_init(&read);
    feed_buf_init(&value, FEED_RECORD_MAX);
    feed_edge_activity(&edge, fill, &activity);
    feed_edge_id(FEED_STR("demo"), &edge, id);
    activity.tenant = FEED_STR("demo");
    activity.source = FEED_STR(FEED_SOURCE_DEFAULT);
    activity.published_ms = edge.since_ms;
    activity.id = feed_str_of(id);
    feed_activity_encode_value(&activity, &value);
    feed_activity_make_record(&activity, (struct feed_str){NULL, 0}, feed_buf_view(&value), &parts);
    assert_int_equal(feed_activity_from_record(&parts.record, &read, &problem), FEED_OK);
    assert_int_equal(feed_activity_act(&read), FEED_ACT_IMPORT);
    assert_true(feed_act_on_user(FEED_ACT_IMPORT));
    assert_int_equal(feed_activity_fills_feed(&read), fill);
    assert_str_equal(read.actor, "ann");
    assert_str_equal(read.object_id, "bob");
    assert_int_equal(read.published_ms, 70);
    feed_activity_fini(&read);
    feed_activity_fini(&activity);
    feed_buf_fini(&value);
}

static void it_becomes_a_record(void **state)
{
    (void)state;
    check_record(false);
    check_record(true);
}

static void its_id_is_that_of_the_edge(void **state)
{
    (void)state;
    struct feed_edge edge = {.actor = FEED_STR("ann"), .object = FEED_STR("bob"), .since_ms = 70};
    char first[FEED_ID_TEXT + 1], second[FEED_ID_TEXT + 1];
    feed_edge_id(FEED_STR("demo"), &edge, first);
    feed_edge_id(FEED_STR("demo"), &edge, second);
    assert_string_equal(first, second);
    edge.since_ms++;
    feed_edge_id(FEED_STR("demo"), &edge, second);
    assert_string_not_equal(first, second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_read),        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(csv_is_read),         cmocka_unit_test(a_head_is_known),
        cmocka_unit_test(it_becomes_a_record), cmocka_unit_test(its_id_is_that_of_the_edge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
