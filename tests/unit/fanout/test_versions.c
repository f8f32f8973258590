/* Records of an older and a newer version, as fan-out reads them; and those that are too new for it. */
#include "fanout/record.h"

#include "tests/unit/support/check.h"
#include "tests/unit/support/vectors.h"

#include <string.h>
#include <yyjson.h>

static int load(void **state)
{
    *state = vectors_load("schemas/vectors/versions.json");
    return 0;
}

static int unload(void **state)
{
    yyjson_doc_free(*state);
    return 0;
}

/* The value is to be freed by the caller. */
static struct fan_record record_of(yyjson_val *vector)
{
    struct fan_record record = {.key = vector_text(vector, "key"), .value = vector_bytes(vector, "value_hex")};
    size_t i, max;
    yyjson_val *name, *value;
    yyjson_obj_foreach(yyjson_obj_get(vector, "headers"), i, max, name, value)
    {
        vector_check(vector, record.header_count < FAN_HEADERS_MAX);
        record.headers[record.header_count++] =
            (struct feed_record_header){yyjson_get_str(name), {yyjson_get_str(value), yyjson_get_len(value)}};
    }
    return record;
}

static void check_entry(yyjson_val *vector, const struct feed_activity *activity)
{
    struct feed_str expected = vector_bytes(vector, "entry_hex");
    struct feed_entry entry = feed_activity_entry(activity);
    struct feed_buf out;
    feed_buf_init(&out, FEED_ENTRY_MAX);
    feed_entry_encode(&entry, &out);
    vector_check(vector, feed_str_eq(feed_buf_view(&out), expected));
    feed_buf_fini(&out);
    free_copy(expected);
}

static void both_versions_give_the_entry_of_version_1(void **state)
{
    static const char *const lists[] = {"records_older", "records_newer"};
    struct feed_activity activity;
    feed_activity_init(&activity);
    for (size_t l = 0; l < 2; l++) {
        size_t i, max;
        yyjson_val *vector;
        yyjson_arr_foreach(vectors_list(*state, lists[l]), i, max, vector)
        {
            struct fan_record record = record_of(vector);
            const char *reason;
            struct feed_activity_problem problem;
            if (fan_record_read(&record, &activity, &reason, &problem) != FEED_OK)
                fail_msg("case \"%s\": %s %s", vector_name(vector), problem.field, problem.text);
            vector_check(vector, feed_str_eq(activity.id, vector_text(vector, "id")));
            vector_check(vector, feed_str_eq(activity.source, vector_text(vector, "source")));
            vector_check(vector, activity.published_ms == yyjson_get_sint(yyjson_obj_get(vector, "published_ms")));
            check_entry(vector, &activity);
            free_copy(record.value);
        }
    }
    feed_activity_fini(&activity);
}

static void what_is_too_new_is_told_from_what_is_wrong(void **state)
{
    struct feed_activity activity;
    feed_activity_init(&activity);
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(*state, "records_too_new"), i, max, vector)
    {
        struct fan_record record = record_of(vector);
        const char *reason;
        struct feed_activity_problem problem;
        vector_check(vector, fan_record_read(&record, &activity, &reason, &problem) == FEED_E_UNSUPPORTED);
        vector_check(vector, strcmp(reason, "unsupported") == 0);
        vector_check(vector, feed_str_eq(feed_str_of(problem.field), vector_text(vector, "field")));
        vector_check(vector, problem.text[0] != '\0');
        free_copy(record.value);
    }
    feed_activity_fini(&activity);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_versions_give_the_entry_of_version_1),
        cmocka_unit_test(what_is_too_new_is_told_from_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
