/* Records of commands, by the golden vectors. */
#include "shared/model/command.h"

#include "tests/unit/support/check.h"
#include "tests/unit/support/vectors.h"

static int load(void **state)
{
    *state = vectors_load("schemas/vectors/command.json");
    return 0;
}

static int unload(void **state)
{
    yyjson_doc_free(*state);
    return 0;
}

static enum feed_command_kind kind_of(yyjson_val *vector)
{
    static const char *const names[FEED_COMMAND_KINDS] = {"wake", "rebuild", "purge"};
    unsigned kind = 0;
    while (!feed_str_eq(vector_text(vector, "kind"), feed_str_of(names[kind])))
        kind++;
    return kind;
}

static void vectors_are_read_and_written(void **state)
{
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(*state, "valid"), i, max, vector)
    {
        struct feed_str key = vector_text(vector, "key"), value = vector_bytes(vector, "hex");
        struct feed_command command;
        vector_check(vector, feed_command_read(key, value, &command) == FEED_OK);
        vector_check(vector, command.kind == kind_of(vector));
        vector_check(vector, command.until_ms == yyjson_get_sint(yyjson_obj_get(vector, "until_ms")));
        vector_check(vector, feed_str_eq(command.tenant, vector_text(vector, "tenant")));
        vector_check(vector, feed_str_eq(command.user, vector_text(vector, "user")));

        struct feed_buf out;
        feed_buf_init(&out, FEED_COMMAND_VALUE_MAX);
        feed_command_key(&command, &out);
        vector_check(vector, out.error == FEED_OK && feed_str_eq(feed_buf_view(&out), key));
        feed_buf_reset(&out);
        feed_command_value(&command, &out);
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
        struct feed_command command;
        struct feed_str key = exact_copy(vector_text(vector, "key"));
        struct feed_str value =
            vector_text(vector, "hex").data ? vector_bytes(vector, "hex") : (struct feed_str){NULL, 0};
        vector_check(vector, feed_command_read(key, value, &command) == expected);
        free_copy(key);
        if (value.data)
            free_copy(value);
    }
}

static void what_is_not_known_yet_is_told_apart(void **state)
{
    check_all(*state, "unsupported", FEED_E_UNSUPPORTED);
}

static void what_is_no_command_is_refused(void **state)
{
    check_all(*state, "invalid", FEED_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_are_read_and_written),
        cmocka_unit_test(what_is_not_known_yet_is_told_apart),
        cmocka_unit_test(what_is_no_command_is_refused),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
