/* Activities as Kafka records, by the golden vectors and by random activities. */
#include "shared/model/activity.h"

#include "tests/unit/support/check.h"
#include "tests/unit/support/random.h"
#include "tests/unit/support/vectors.h"

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

/* The value is to be freed by the caller. */
static struct feed_record record_of(yyjson_val *vector)
{
    struct feed_record record = {.key = vector_text(vector, "key"), .value = vector_bytes(vector, "value_hex")};
    size_t i, max;
    yyjson_val *name, *value;
    yyjson_obj_foreach(yyjson_obj_get(vector, "headers"), i, max, name, value)
    {
        vector_check(vector, record.header_count < 8);
        record.headers[record.header_count++] =
            (struct feed_record_header){yyjson_get_str(name), {yyjson_get_str(value), yyjson_get_len(value)}};
    }
    return record;
}

static struct feed_str header(const struct feed_record *record, const char *name)
{
    for (size_t i = 0; i < record->header_count; i++) {
        if (strcmp(record->headers[i].name, name) == 0)
            return record->headers[i].value;
    }
    return (struct feed_str){NULL, 0};
}

static void check_written_alike(yyjson_val *vector, const struct feed_activity *activity,
                                const struct feed_record *record)
{
    struct feed_buf value;
    struct feed_record_parts parts;
    feed_buf_init(&value, FEED_RECORD_MAX);
    feed_activity_encode_value(activity, &value);
    feed_activity_make_record(activity, header(record, "traceparent"), feed_buf_view(&value), &parts);
    vector_check(vector, feed_str_eq(parts.record.key, record->key));
    vector_check(vector, feed_str_eq(parts.record.value, record->value));
    vector_check(vector, parts.record.header_count == record->header_count);
    for (size_t i = 0; i < record->header_count; i++)
        vector_check(vector, feed_str_eq(header(&parts.record, record->headers[i].name), record->headers[i].value));
    feed_buf_fini(&value);
}

static void valid_records_give_their_entry(void **state)
{
    struct feed_activity activity;
    feed_activity_init(&activity);
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(*state, "records"), i, max, vector)
    {
        struct feed_record record = record_of(vector);
        struct feed_activity_problem problem;
        if (feed_activity_from_record(&record, &activity, &problem) != FEED_OK)
            fail_msg("case \"%s\": %s %s", vector_name(vector), problem.field, problem.text);
        vector_check(vector, feed_str_eq(activity.tenant, vector_text(vector, "tenant")));
        vector_check(vector, feed_str_eq(activity.source, vector_text(vector, "source")));
        vector_check(vector, feed_str_eq(activity.id, vector_text(vector, "id")));
        vector_check(vector, activity.published_ms == yyjson_get_sint(yyjson_obj_get(vector, "published_ms")));
        vector_check(vector, activity.imported == yyjson_get_bool(yyjson_obj_get(vector, "imported")));
        vector_check(vector, feed_activity_fills_feed(&activity) == yyjson_get_bool(yyjson_obj_get(vector, "fills")));
        if (yyjson_is_true(yyjson_obj_get(vector, "written")))
            check_written_alike(vector, &activity, &record);
        free_copy(record.value);

        struct feed_buf out;
        struct feed_str expected = vector_bytes(vector, "entry_hex");
        struct feed_entry entry = feed_activity_entry(&activity);
        feed_buf_init(&out, FEED_ENTRY_MAX);
        feed_entry_encode(&entry, &out);
        vector_check(vector, feed_str_eq(feed_buf_view(&out), expected));
        feed_buf_fini(&out);
        free_copy(expected);
    }
    feed_activity_fini(&activity);
}

static void invalid_records_name_the_part(void **state)
{
    struct feed_activity activity;
    feed_activity_init(&activity);
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(*state, "invalid_records"), i, max, vector)
    {
        struct feed_record record = record_of(vector);
        struct feed_activity_problem problem;
        enum feed_error error = feed_activity_from_record(&record, &activity, &problem);
        if (!feed_str_eq(feed_str_of(feed_error_name(error)), vector_text(vector, "error")) ||
            !feed_str_eq(feed_str_of(problem.field), vector_text(vector, "field")))
            fail_msg("case \"%s\": %s, \"%s\" %s", vector_name(vector), feed_error_name(error), problem.field,
                     problem.text);
        vector_check(vector, problem.text[0] != '\0');
        vector_check(vector, !activity.actor.data);
        free_copy(record.value);
    }
    feed_activity_fini(&activity);
}

static void every_cut_is_refused(void **state)
{
    struct feed_activity activity;
    feed_activity_init(&activity);
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(*state, "records"), i, max, vector)
    {
        struct feed_record record = record_of(vector);
        struct feed_str whole = record.value;
        for (size_t len = 0; len < whole.len; len++) {
            struct feed_activity_problem problem;
            record.value = exact_copy((struct feed_str){whole.data, len});
            vector_check(vector, feed_activity_from_record(&record, &activity, &problem) != FEED_OK);
            vector_check(vector, strcmp(problem.field, "value") == 0);
            free_copy(record.value);
        }
        free_copy(whole);
    }
    feed_activity_fini(&activity);
}

static void damaged_records_harm_nothing(void **state)
{
    struct test_random random = {13};
    struct feed_activity activity;
    feed_activity_init(&activity);
    yyjson_val *list = vectors_list(*state, "records");
    unsigned accepted = 0, refused = 0;
    for (int round = 0; round < 20000; round++) {
        struct feed_activity_problem problem;
        struct feed_record record = record_of(yyjson_arr_get(list, test_random_below(&random, yyjson_arr_size(list))));
        char *at = (char *)record.value.data;
        for (int i = 0; i < 2; i++)
            at[test_random_below(&random, record.value.len)] = (char)test_random_next(&random);
        if (feed_activity_from_record(&record, &activity, &problem) == FEED_OK) {
            struct feed_buf out;
            struct feed_entry entry = feed_activity_entry(&activity);
            feed_buf_init(&out, FEED_ENTRY_MAX);
            feed_entry_encode(&entry, &out); /* which asserts that everything is within its limits */
            assert_int_equal(out.error, FEED_OK);
            feed_buf_fini(&out);
            accepted++;
        } else {
            refused++;
        }
        free_copy(record.value);
    }
    assert_true(accepted > 100 && refused > 100);
    feed_activity_fini(&activity);
}

/* ---- random activities ---- */

static struct feed_str random_name(struct test_random *random, const char *first, const char *alphabet, size_t max,
                                   char *out)
{
    size_t len = 1 + test_random_below(random, max);
    for (size_t i = 0; i < len; i++) {
        const char *letters = i == 0 ? first : alphabet;
        out[i] = letters[test_random_below(random, strlen(letters))];
    }
    return (struct feed_str){out, len};
}

struct texts {
    char id[FEED_ACTIVITY_ID_MAX], source[FEED_SOURCE_MAX], tenant[FEED_TENANT_MAX], actor[FEED_USER_MAX],
        verb[FEED_VERB_MAX], type[2][FEED_TYPE_MAX], object[2][FEED_OBJECT_ID_MAX], owner[FEED_USER_MAX],
        to[FEED_TO_MAX][FEED_USER_MAX];
};

static void random_activity(struct test_random *random, struct texts *texts, struct feed_activity *out)
{
    static const char tenant[] = "abc019-", user[] = "abzABZ019_.:@|+=~-", word[] = "az09_-";
    out->id = random_name(random, user, user, FEED_ACTIVITY_ID_MAX, texts->id);
    out->source = random_name(random, user, user, FEED_SOURCE_MAX, texts->source);
    out->tenant = random_name(random, tenant, tenant, FEED_TENANT_MAX, texts->tenant);
    out->actor = random_name(random, user, user, FEED_USER_MAX, texts->actor);
    out->verb = random_name(random, "az", word, FEED_VERB_MAX, texts->verb);
    out->object_type = random_name(random, "az", word, FEED_TYPE_MAX, texts->type[0]);
    out->object_id = random_name(random, "az {}/\"\\~", "az {}/\"\\~", FEED_OBJECT_ID_MAX, texts->object[0]);
    if (test_random_below(random, 2))
        out->object_owner = random_name(random, user, user, FEED_USER_MAX, texts->owner);
    if (test_random_below(random, 2)) {
        out->target_type = random_name(random, "az", word, FEED_TYPE_MAX, texts->type[1]);
        out->target_id = random_name(random, "az {}", "az {}", FEED_OBJECT_ID_MAX, texts->object[1]);
    }
    size_t to_count = test_random_below(random, 3) == 0 ? FEED_TO_MAX : test_random_below(random, 5);
    for (size_t i = 0; i < to_count; i++) { /* begins with its number: no repetitions */
        struct feed_str name = random_name(random, user, user, FEED_USER_MAX - 3, texts->to[i] + 3);
        char number[24];
        snprintf(number, sizeof(number), "%03zu", i);
        memcpy(texts->to[i], number, 3);
        out->to[i] = (struct feed_str){texts->to[i], name.len + 3};
    }
    out->to_count = to_count;
    if (test_random_below(random, 2))
        out->data = FEED_STR("\x82\xa1k\x93\x01\xc0\xa3xyz\xa1l\xcb\x3f\xe0\0\0\0\0\0\0");
    out->published_ms = 1 + (int64_t)test_random_below(random, FEED_TIME_MAX_MS);
}

static bool same_field(struct feed_str a, struct feed_str b)
{
    return !a.data == !b.data && feed_str_eq(a, b);
}

static void assert_same(const struct feed_activity *a, const struct feed_activity *b)
{
    assert_true(same_field(a->id, b->id) && same_field(a->source, b->source) && same_field(a->tenant, b->tenant));
    assert_true(same_field(a->actor, b->actor) && same_field(a->verb, b->verb));
    assert_true(same_field(a->object_type, b->object_type) && same_field(a->object_id, b->object_id));
    assert_true(same_field(a->object_owner, b->object_owner));
    assert_true(same_field(a->target_type, b->target_type) && same_field(a->target_id, b->target_id));
    assert_true(same_field(a->data, b->data));
    assert_int_equal(a->published_ms, b->published_ms);
    assert_int_equal(a->to_count, b->to_count);
    for (size_t i = 0; i < a->to_count; i++)
        assert_true(feed_str_eq(a->to[i], b->to[i]));
}

static void random_activities_come_back_from_their_records(void **state)
{
    (void)state;
    struct test_random random = {14};
    struct feed_activity read;
    struct feed_buf value;
    static struct texts texts;
    feed_activity_init(&read);
    feed_buf_init(&value, FEED_RECORD_MAX);
    for (int round = 0; round < 2000; round++) {
        struct feed_activity written = {.published_ms = 0};
        struct feed_record_parts parts;
        struct feed_activity_problem problem;
        random_activity(&random, &texts, &written);
        feed_buf_reset(&value);
        feed_activity_encode_value(&written, &value);
        assert_int_equal(value.error, FEED_OK);
        feed_activity_make_record(&written, (struct feed_str){NULL, 0}, feed_buf_view(&value), &parts);
        if (feed_activity_from_record(&parts.record, &read, &problem) != FEED_OK)
            fail_msg("round %d: %s %s", round, problem.field, problem.text);
        assert_same(&read, &written);
    }
    feed_activity_fini(&read);
    feed_buf_fini(&value);
}

static void a_value_beyond_its_limit_is_not_looked_at(void **state)
{
    (void)state;
    static char bytes[FEED_RECORD_MAX + 1];
    struct feed_activity activity;
    struct feed_activity_problem problem;
    feed_activity_init(&activity);
    struct feed_record record = {
        .key = FEED_STR("demo/ana"), .headers = {{"ce_tenant", FEED_STR("demo")}}, .header_count = 1};
    record.value = (struct feed_str){bytes, sizeof(bytes)};
    assert_int_equal(feed_activity_from_record(&record, &activity, &problem), FEED_E_TOO_LARGE);
    assert_string_equal(problem.field, "value");
    memset(bytes, 0x91, sizeof(bytes));
    record.value.len--;
    assert_int_equal(feed_activity_from_record(&record, &activity, &problem), FEED_E_TOO_LARGE);
    record.value = (struct feed_str){NULL, 0}; /* a tombstone */
    assert_int_equal(feed_activity_from_record(&record, &activity, &problem), FEED_E_MISSING);
    assert_string_equal(problem.field, "value");
    feed_activity_fini(&activity);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_records_give_their_entry),
        cmocka_unit_test(invalid_records_name_the_part),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(damaged_records_harm_nothing),
        cmocka_unit_test(random_activities_come_back_from_their_records),
        cmocka_unit_test(a_value_beyond_its_limit_is_not_looked_at),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
