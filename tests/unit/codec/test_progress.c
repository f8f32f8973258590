/* Progress of the fan-out, by the golden vectors. */
#include "shared/codec/progress.h"

#include "tests/unit/support/check.h"
#include "tests/unit/support/vectors.h"

static int load(void **state)
{
    *state = vectors_load("schemas/vectors/progress.json");
    return 0;
}

static int unload(void **state)
{
    yyjson_doc_free(*state);
    return 0;
}

static void check_rows(yyjson_val *vector, const struct feed_progress *progress)
{
    yyjson_val *rows = yyjson_obj_get(vector, "rows"), *row;
    size_t i, max;
    vector_check(vector, progress->count == yyjson_arr_size(rows));
    yyjson_arr_foreach(rows, i, max, row)
    {
        const struct feed_progress_row *read = &progress->rows[i];
        vector_check(vector, read->partition == yyjson_get_sint(yyjson_obj_get(row, "partition")));
        vector_check(vector, read->next_offset == yyjson_get_sint(yyjson_obj_get(row, "next_offset")));
        vector_check(vector, read->lag_ms == yyjson_get_sint(yyjson_obj_get(row, "lag_ms")));
        vector_check(vector, read->replaying == yyjson_get_bool(yyjson_obj_get(row, "replaying")));
    }
}

static void vectors_are_decoded(void **state)
{
    static const char *const lists[] = {"valid", "accepted"};
    for (size_t list = 0; list < 2; list++) {
        size_t i, max;
        yyjson_val *vector;
        yyjson_arr_foreach(vectors_list(*state, lists[list]), i, max, vector)
        {
            struct feed_str bytes = vector_bytes(vector, "hex");
            struct feed_progress progress;
            vector_check(vector, feed_progress_decode(bytes, &progress) == FEED_OK);
            check_rows(vector, &progress);
            free_copy(bytes);
        }
    }
}

static void what_redis_writes_is_encoded_alike(void **state)
{
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(*state, "valid"), i, max, vector)
    {
        struct feed_str bytes = vector_bytes(vector, "hex");
        struct feed_progress progress;
        vector_check(vector, feed_progress_decode(bytes, &progress) == FEED_OK);
        struct feed_buf out;
        feed_buf_init(&out, 1 << 16);
        feed_progress_encode(&progress, &out);
        vector_check(vector, feed_str_eq(feed_buf_view(&out), bytes));
        feed_buf_fini(&out);
        free_copy(bytes);
    }
}

static void what_is_none_is_refused(void **state)
{
    static const struct {
        const char *list;
        enum feed_error error;
    } lists[] = {{"unsupported", FEED_E_UNSUPPORTED}, {"invalid", FEED_E_INVALID}, {"too_large", FEED_E_TOO_LARGE}};
    for (size_t list = 0; list < 3; list++) {
        size_t i, max;
        yyjson_val *vector;
        yyjson_arr_foreach(vectors_list(*state, lists[list].list), i, max, vector)
        {
            struct feed_str bytes = vector_bytes(vector, "hex");
            struct feed_progress progress;
            vector_check(vector, feed_progress_decode(bytes, &progress) == lists[list].error);
            free_copy(bytes);
        }
    }
}

static void every_cut_is_refused(void **state)
{
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(*state, "valid"), i, max, vector)
    {
        struct feed_str bytes = vector_bytes(vector, "hex");
        for (size_t len = 0; len < bytes.len; len++) {
            struct feed_str cut = exact_copy((struct feed_str){bytes.data, len});
            struct feed_progress progress;
            vector_check(vector, feed_progress_decode(cut, &progress) == FEED_E_INVALID);
            free_copy(cut);
        }
        free_copy(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_are_decoded),
        cmocka_unit_test(what_redis_writes_is_encoded_alike),
        cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(every_cut_is_refused),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
