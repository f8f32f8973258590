/* Records of the graph, by the golden vectors. */
#include "shared/model/relation.h"

#include "tests/unit/support/check.h"
#include "tests/unit/support/vectors.h"

static int load(void **state)
{
    *state = vectors_load("schemas/vectors/relation.json");
    return 0;
}

static int unload(void **state)
{
    yyjson_doc_free(*state);
    return 0;
}

static int64_t number(yyjson_val *vector, const char *member)
{
    return yyjson_get_sint(yyjson_obj_get(vector, member));
}

/* The word in the key; "follow" need not be named in a vector. */
static struct feed_str kind_of(const struct feed_relation *relation)
{
    static const char *const names[] = {"", "purge", "settings", "filter"};
    return feed_str_of(names[relation->kind]);
}

static enum feed_error read_vector(yyjson_val *vector, struct feed_relation *out)
{
    struct feed_str key = exact_copy(vector_text(vector, "key"));
    struct feed_str value = vector_text(vector, "hex").data ? vector_bytes(vector, "hex") : (struct feed_str){NULL, 0};
    enum feed_error error = feed_relation_read(key, value, out);
    free_copy(key);
    if (value.data)
        free_copy(value);
    return error;
}

static void vectors_are_read_and_written(void **state)
{
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(*state, "valid"), i, max, vector)
    {
        struct feed_str key = vector_text(vector, "key"), value = vector_bytes(vector, "hex");
        struct feed_relation relation;
        vector_check(vector, feed_relation_read(key, value, &relation) == FEED_OK);
        vector_check(vector, feed_str_eq(kind_of(&relation), vector_text(vector, "kind")));
        vector_check(vector, feed_str_eq(relation.tenant, vector_text(vector, "tenant")));
        vector_check(vector, feed_str_eq(relation.user, vector_text(vector, "user")));
        vector_check(vector, feed_str_eq(relation.subject, vector_text(vector, "subject")));
        vector_check(vector, relation.since_ms == number(vector, "since_ms"));
        vector_check(vector, relation.ended_ms == number(vector, "ended_ms"));
        vector_check(vector, relation.latest_ms == number(vector, "latest_ms"));
        vector_check(vector, relation.blocks == yyjson_is_true(yyjson_obj_get(vector, "blocks")));
        vector_check(vector, feed_str_eq(relation.texts[0], vector_text(vector, "first")));
        vector_check(vector, feed_str_eq(relation.texts[1], vector_text(vector, "second")));

        struct feed_buf out;
        feed_buf_init(&out, FEED_RELATION_KEY_MAX);
        feed_relation_key(&relation, &out);
        vector_check(vector, out.error == FEED_OK && feed_str_eq(feed_buf_view(&out), key));
        feed_buf_reset(&out);
        feed_relation_value(&relation, &out);
        vector_check(vector, out.error == FEED_OK);
        vector_check(vector,
                     feed_str_eq(feed_buf_view(&out), value) == yyjson_is_true(yyjson_obj_get(vector, "written")));
        feed_buf_fini(&out);
        free_copy(value);
    }
}

static void check_all(yyjson_doc *doc, const char *list, enum feed_error expected)
{
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(doc, list), i, max, vector)
    {
        struct feed_relation relation;
        vector_check(vector, read_vector(vector, &relation) == expected);
    }
}

static void an_absent_value_is_a_deleted_relation(void **state)
{
    check_all(*state, "deleted", FEED_E_MISSING);
}

static void kinds_of_later_versions_are_unsupported(void **state)
{
    check_all(*state, "unsupported", FEED_E_UNSUPPORTED);
}

static void what_is_no_relation_is_refused(void **state)
{
    check_all(*state, "invalid", FEED_E_INVALID);
}

/* The largest filter, and one byte more than any value may have. */
static void values_up_to_the_limit_are_read(void **state)
{
    (void)state;
    static char text[FEED_RELATION_VALUE_MAX];
    struct feed_buf value;
    feed_buf_init(&value, SIZE_MAX);
    for (int too_long = 0; too_long < 2; too_long++) {
        size_t len = 0, rules = too_long ? FEED_RELATION_VALUE_MAX / 8 : FEED_VERB_RULES_MAX;
        for (size_t i = 0; i < rules && len + 80 < sizeof text; i++)
            len += (size_t)snprintf(text + len, sizeof text - len, "%sv%0*zu %lld %lld", i ? " " : "",
                                    FEED_VERB_MAX - 1, i, (long long)FEED_TIME_MAX_MS, (long long)FEED_TIME_MAX_MS);
        struct feed_relation relation = {.kind = FEED_RELATION_FILTER, .texts = {FEED_STR("7"), {text, len}}};
        feed_buf_reset(&value);
        feed_relation_value(&relation, &value);
        while (too_long && value.len <= FEED_RELATION_VALUE_MAX)
            feed_buf_char(&value, '\0');
        assert_int_equal(feed_relation_read(FEED_STR("demo/filter/ann/ann"), feed_buf_view(&value), &relation),
                         too_long ? FEED_E_INVALID : FEED_OK);
    }
    feed_buf_fini(&value);
}

static void every_cut_is_refused(void **state)
{
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(*state, "valid"), i, max, vector)
    {
        struct feed_str value = vector_bytes(vector, "hex");
        for (size_t len = 0; len < value.len; len++) {
            struct feed_str cut = exact_copy((struct feed_str){value.data, len});
            struct feed_relation relation;
            vector_check(vector, feed_relation_read(vector_text(vector, "key"), cut, &relation) == FEED_E_INVALID);
            free_copy(cut);
        }
        free_copy(value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_are_read_and_written),
        cmocka_unit_test(an_absent_value_is_a_deleted_relation),
        cmocka_unit_test(kinds_of_later_versions_are_unsupported),
        cmocka_unit_test(what_is_no_relation_is_refused),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(values_up_to_the_limit_are_read),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
