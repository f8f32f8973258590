/* Activities as requests, by the golden vectors. */
#include "shared/model/activity.h"

#include "tests/unit/support/check.h"
#include "tests/unit/support/random.h"
#include "tests/unit/support/vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int load(void **state)
{
    *state = vectors_load("schemas/vectors/activity.json");
    return 0;
}

static int unload(void **state)
{
    yyjson_doc_free(*state);
    return 0;
}

/* The request's text, in memory of exactly its length. */
static struct feed_str request_of(yyjson_val *vector)
{
    if (yyjson_obj_get(vector, "text_hex"))
        return vector_bytes(vector, "text_hex");
    if (yyjson_obj_get(vector, "text"))
        return exact_copy(vector_text(vector, "text"));
    size_t len = 0;
    char *text = yyjson_val_write(yyjson_obj_get(vector, "activity"), YYJSON_WRITE_NOFLAG, &len);
    vector_check(vector, text);
    struct feed_str copy = exact_copy((struct feed_str){text, len});
    free(text);
    return copy;
}

/* What ingest adds. */
static void complete(struct feed_activity *activity)
{
    activity->source = FEED_STR(FEED_SOURCE_DEFAULT);
    activity->tenant = FEED_STR("demo");
    if (!activity->id.data)
        activity->id = FEED_STR("assigned");
    if (activity->published_ms == 0)
        activity->published_ms = 1;
}

static void check_valid(yyjson_val *vector, struct feed_activity *activity)
{
    yyjson_val *published = yyjson_obj_get(vector, "published_ms");
    vector_check(vector, activity->published_ms == yyjson_get_sint(published)); /* 0 without */
    vector_check(vector, !activity->id.data == !vector_text(vector, "id").data);
    vector_check(vector, feed_str_eq(activity->id, vector_text(vector, "id")));
    vector_check(vector, !activity->tenant.data && !activity->source.data);
    bool has_id = activity->id.data;
    complete(activity);

    struct feed_buf out;
    struct feed_str expected = vector_bytes(vector, "value_hex");
    feed_buf_init(&out, FEED_RECORD_MAX);
    feed_activity_encode_value(activity, &out);
    vector_check(vector, out.error == FEED_OK);
    vector_check(vector, feed_str_eq(feed_buf_view(&out), expected));
    free_copy(expected);
    if (has_id) {
        struct feed_entry entry = feed_activity_entry(activity);
        expected = vector_bytes(vector, "entry_hex");
        feed_buf_reset(&out);
        feed_entry_encode(&entry, &out);
        vector_check(vector, feed_str_eq(feed_buf_view(&out), expected));
        free_copy(expected);
    }
    feed_buf_fini(&out);
}

static void valid_ones_become_records_and_entries(void **state)
{
    struct feed_activity activity;
    feed_activity_init(&activity);
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(*state, "valid"), i, max, vector)
    {
        struct feed_activity_problem problem;
        struct feed_str text = request_of(vector);
        enum feed_error error = feed_activity_from_json(text, &activity, &problem);
        free_copy(text); /* nothing points into it any more */
        if (error != FEED_OK)
            fail_msg("case \"%s\": %s %s", vector_name(vector), problem.field, problem.text);
        check_valid(vector, &activity);
    }
    feed_activity_fini(&activity);
}

static void invalid_ones_name_the_field(void **state)
{
    struct feed_activity activity;
    feed_activity_init(&activity);
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(*state, "invalid"), i, max, vector)
    {
        struct feed_activity_problem problem;
        struct feed_str text = request_of(vector);
        enum feed_error error = feed_activity_from_json(text, &activity, &problem);
        free_copy(text);
        if (!feed_str_eq(feed_str_of(feed_error_name(error)), vector_text(vector, "error")) ||
            !feed_str_eq(feed_str_of(problem.field), vector_text(vector, "field")))
            fail_msg("case \"%s\": %s, \"%s\" %s", vector_name(vector), feed_error_name(error), problem.field,
                     problem.text);
        vector_check(vector, problem.text[0] != '\0');
        vector_check(vector, !activity.actor.data && activity.to_count == 0); /* nothing half read is left */
    }
    feed_activity_fini(&activity);
}

static void values_that_are_parsed_already_are_taken(void **state)
{
    yyjson_val *list = vectors_list(*state, "valid");
    struct feed_activity activity;
    struct feed_activity_problem problem;
    feed_activity_init(&activity);
    yyjson_val *first = yyjson_arr_get_first(list);
    assert_int_equal(feed_activity_from_yyjson(yyjson_obj_get(first, "activity"), &activity, &problem), FEED_OK);
    check_valid(first, &activity);
    assert_int_equal(feed_activity_from_yyjson(list, &activity, &problem), FEED_E_INVALID);
    assert_string_equal(problem.field, "");
    assert_int_equal(feed_activity_from_yyjson(NULL, &activity, &problem), FEED_E_INVALID);
    feed_activity_fini(&activity);
}

static void every_cut_is_refused(void **state)
{
    struct feed_activity activity;
    feed_activity_init(&activity);
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(*state, "valid"), i, max, vector)
    {
        struct feed_str text = request_of(vector);
        size_t end = text.len; /* white space at the end may be cut */
        while (text.data[end - 1] != '}')
            end--;
        for (size_t len = 0; len < end && len < 700; len++) {
            struct feed_activity_problem problem;
            struct feed_str cut = exact_copy((struct feed_str){text.data, len});
            vector_check(vector, feed_activity_from_json(cut, &activity, &problem) == FEED_E_INVALID);
            free_copy(cut);
        }
        free_copy(text);
    }
    feed_activity_fini(&activity);
}

static void damaged_requests_harm_nothing(void **state)
{
    struct test_random random = {12};
    struct feed_activity activity;
    feed_activity_init(&activity);
    yyjson_val *list = vectors_list(*state, "valid");
    unsigned accepted = 0, refused = 0;
    for (int round = 0; round < 10000; round++) {
        struct feed_activity_problem problem;
        struct feed_str text = request_of(yyjson_arr_get(list, test_random_below(&random, yyjson_arr_size(list))));
        char *at = (char *)text.data;
        for (int i = 0; i < 2; i++)
            at[test_random_below(&random, text.len)] = (char)test_random_next(&random);
        if (feed_activity_from_json(text, &activity, &problem) == FEED_OK) {
            struct feed_buf out;
            feed_buf_init(&out, FEED_RECORD_MAX);
            complete(&activity);
            struct feed_entry entry = feed_activity_entry(&activity);
            feed_entry_encode(&entry, &out); /* which asserts that everything is within its limits */
            assert_int_equal(out.error, FEED_OK);
            feed_buf_fini(&out);
            accepted++;
        } else {
            refused++;
        }
        free_copy(text);
    }
    assert_true(accepted > 100 && refused > 100);
    feed_activity_fini(&activity);
}

static enum feed_error parse(const char *text, size_t len, struct feed_activity_problem *problem)
{
    struct feed_activity activity;
    feed_activity_init(&activity);
    enum feed_error error = feed_activity_from_json((struct feed_str){text, len}, &activity, problem);
    feed_activity_fini(&activity);
    return error;
}

/* Too large for a file of vectors. */
static void large_and_deep_requests_are_refused(void **state)
{
    (void)state;
    struct feed_activity_problem problem;
    struct feed_buf text;
    feed_buf_init(&text, FEED_BODY_MAX + 1);
    for (int i = 0; i < FEED_BODY_MAX; i++)
        feed_buf_char(&text, '[');
    assert_int_equal(parse(text.data, text.len, &problem), FEED_E_TOO_LARGE);
    assert_string_equal(problem.field, "");

    feed_buf_reset(&text);
    feed_buf_text(&text, "{\"actor\":\"a\",\"verb\":\"like\",\"object\":{\"type\":\"x\",\"id\":\"1\"},\"data\":[0");
    while (text.len < FEED_BODY_MAX - 4)
        feed_buf_text(&text, ",0");
    feed_buf_text(&text, "]}");
    assert_int_equal(parse(text.data, text.len, &problem), FEED_E_TOO_LARGE);
    assert_string_equal(problem.field, "data");

    while (text.len < FEED_BODY_MAX + 1)
        feed_buf_char(&text, ' ');
    assert_int_equal(parse(text.data, text.len, &problem), FEED_E_TOO_LARGE);
    assert_string_equal(problem.field, "");
    feed_buf_fini(&text);
}

/* Whoever parses the body itself may forget to look at its depth: data that nests without end must not be followed. */
static void deep_data_is_not_followed(void **state)
{
    (void)state;
    enum { DEPTH = 400000 };
    struct feed_buf text;
    feed_buf_init(&text, 2 * DEPTH + 100);
    feed_buf_text(&text, "{\"actor\":\"a\",\"verb\":\"like\",\"object\":{\"type\":\"x\",\"id\":\"1\"},\"data\":");
    for (int i = 0; i < DEPTH; i++)
        feed_buf_char(&text, '[');
    for (int i = 0; i < DEPTH; i++)
        feed_buf_char(&text, ']');
    feed_buf_char(&text, '}');
    yyjson_doc *doc = yyjson_read(text.data, text.len, YYJSON_READ_NOFLAG);
    assert_non_null(doc);
    struct feed_activity activity;
    struct feed_activity_problem problem;
    feed_activity_init(&activity);
    assert_int_equal(feed_activity_from_yyjson(yyjson_doc_get_root(doc), &activity, &problem), FEED_E_TOO_LARGE);
    assert_string_equal(problem.field, "data");
    assert_true(activity.memory.capacity < 100); /* it stopped early */
    feed_activity_fini(&activity);
    yyjson_doc_free(doc);
    feed_buf_fini(&text);
}

static enum feed_act act_of(const char *verb)
{
    struct feed_activity activity = {.verb = feed_str_of(verb)};
    return feed_activity_act(&activity);
}

static void knows_the_verbs_that_have_a_meaning(void **state)
{
    (void)state;
    assert_int_equal(act_of("follow"), FEED_ACT_FOLLOW);
    assert_int_equal(act_of("unfollow"), FEED_ACT_UNFOLLOW);
    assert_int_equal(act_of("undo"), FEED_ACT_UNDO);
    assert_int_equal(act_of("mute"), FEED_ACT_MUTE);
    assert_int_equal(act_of("unmute"), FEED_ACT_UNMUTE);
    assert_int_equal(act_of("block"), FEED_ACT_BLOCK);
    assert_int_equal(act_of("unblock"), FEED_ACT_UNBLOCK);
    assert_int_equal(act_of("filter"), FEED_ACT_FILTER);
    assert_int_equal(act_of("follows"), FEED_ACT_ENTRY);
    assert_true(feed_act_on_user(FEED_ACT_FOLLOW) && feed_act_on_user(FEED_ACT_UNFOLLOW));
    assert_true(feed_act_on_user(FEED_ACT_MUTE) && feed_act_on_user(FEED_ACT_UNBLOCK));
    assert_true(!feed_act_on_user(FEED_ACT_FILTER) && !feed_act_on_user(FEED_ACT_UNDO) &&
                !feed_act_on_user(FEED_ACT_ENTRY));
}

static void from_json(const char *json, struct feed_activity *activity)
{
    struct feed_activity_problem problem;
    feed_activity_init(activity);
    assert_int_equal(feed_activity_from_json(feed_str_of(json), activity, &problem), FEED_OK);
}

static void an_unfollow_purges_unless_told_to_keep(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        bool keeps;
    } rows[] = {{"", false},
                {",\"data\":{\"entries\":\"keep\"}", true},
                {",\"data\":{\"entries\":\"purge\"}", false},
                {",\"data\":{\"x\":1}", false},
                {",\"data\":\"keep\"", false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char json[256];
        struct feed_activity activity;
        snprintf(json, sizeof json,
                 "{\"actor\":\"ann\",\"verb\":\"unfollow\",\"object\":{\"type\":\"user\",\"id\":\"bob\"}%s}",
                 rows[i].data);
        from_json(json, &activity);
        assert_int_equal(feed_activity_keeps_entries(&activity), rows[i].keeps);
        feed_activity_fini(&activity);
    }
}

static void a_filter_lists_each_verb_once(void **state)
{
    (void)state;
    struct feed_activity activity;
    struct feed_str verbs[FEED_EXCLUDE_MAX];
    from_json("{\"actor\":\"ann\",\"verb\":\"filter\",\"object\":{\"type\":\"feed\",\"id\":\"home\"},"
              "\"data\":{\"x\":[1],\"exclude\":[\"like\",\"share\",\"like\"]}}",
              &activity);
    assert_int_equal(feed_activity_excluded(&activity, verbs), 2);
    assert_str_equal(verbs[0], "like");
    assert_str_equal(verbs[1], "share");
    feed_activity_fini(&activity);
}

static void an_undo_names_the_id_of_what_it_undoes(void **state)
{
    (void)state;
    struct feed_activity activity = {.source = FEED_STR("/shop"), .object_id = FEED_STR("order-7")};
    struct feed_id expected = feed_id_from_text(FEED_STR("/shop"), FEED_STR("order-7"));
    struct feed_id id = feed_activity_undone_id(&activity);
    assert_memory_equal(id.bytes, expected.bytes, FEED_ID_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_ones_become_records_and_entries),
        cmocka_unit_test(invalid_ones_name_the_field),
        cmocka_unit_test(values_that_are_parsed_already_are_taken),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(damaged_requests_harm_nothing),
        cmocka_unit_test(large_and_deep_requests_are_refused),
        cmocka_unit_test(deep_data_is_not_followed),
        cmocka_unit_test(knows_the_verbs_that_have_a_meaning),
        cmocka_unit_test(an_unfollow_purges_unless_told_to_keep),
        cmocka_unit_test(a_filter_lists_each_verb_once),
        cmocka_unit_test(an_undo_names_the_id_of_what_it_undoes),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
