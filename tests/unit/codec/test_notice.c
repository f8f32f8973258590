/* Notices, by the golden vectors. */
#include "shared/codec/notice.h"

#include "tests/unit/support/check.h"
#include "tests/unit/support/vectors.h"

#include <string.h>

static int load(void **state)
{
    *state = vectors_load("schemas/vectors/notice.json");
    return 0;
}

static int unload(void **state)
{
    yyjson_doc_free(*state);
    return 0;
}

static void check_place(yyjson_val *vector, const struct feed_notice *notice)
{
    uint64_t seq;
    struct feed_str epoch = vector_bytes(vector, "epoch");
    vector_check(vector, feed_str_to_u64(vector_text(vector, "seq"), UINT64_MAX, &seq) == FEED_OK);
    vector_check(vector, notice->seq == seq);
    vector_check(vector, epoch.len == FEED_EPOCH_BYTES);
    vector_check(vector, memcmp(notice->epoch, epoch.data, FEED_EPOCH_BYTES) == 0);
    free_copy(epoch);
}

static void check_both_ways(yyjson_val *vector, enum feed_notice_kind kind, const char *member_name)
{
    struct feed_str bytes = vector_bytes(vector, "hex");
    struct feed_str member = member_name ? vector_bytes(vector, member_name) : (struct feed_str){NULL, 0};
    struct feed_notice notice;
    vector_check(vector, feed_notice_decode(bytes, &notice) == FEED_OK);
    vector_check(vector, notice.kind == kind);
    check_place(vector, &notice);
    vector_check(vector, notice.published_ms == yyjson_get_sint(yyjson_obj_get(vector, "published_ms")));
    vector_check(vector, feed_str_eq(notice.entry, member));

    struct feed_buf out;
    feed_buf_init(&out, FEED_NOTICE_MAX);
    feed_notice_encode(&notice, &out);
    vector_check(vector, out.error == FEED_OK);
    vector_check(vector, feed_str_eq(feed_buf_view(&out), bytes) == yyjson_is_true(yyjson_obj_get(vector, "written")));
    struct feed_notice again;
    vector_check(vector, feed_notice_decode(feed_buf_view(&out), &again) == FEED_OK);
    check_place(vector, &again);
    feed_buf_fini(&out);
    free_copy(bytes);
    if (member_name)
        free_copy(member);
}

static void vectors_are_decoded_and_encoded(void **state)
{
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(*state, "valid"), i, max, vector)
    {
        check_both_ways(vector, FEED_NOTICE_ADD, "entry");
    }
    yyjson_arr_foreach(vectors_list(*state, "removed"), i, max, vector)
    {
        check_both_ways(vector, FEED_NOTICE_REMOVE, "member");
    }
    yyjson_arr_foreach(vectors_list(*state, "sources"), i, max, vector)
    {
        check_both_ways(vector, FEED_NOTICE_SOURCES, NULL);
    }
}

static void unknown_kinds_tell_their_place(void **state)
{
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(*state, "unsupported"), i, max, vector)
    {
        struct feed_str bytes = vector_bytes(vector, "hex");
        struct feed_notice notice;
        vector_check(vector, feed_notice_decode(bytes, &notice) == FEED_E_UNSUPPORTED);
        check_place(vector, &notice);
        free_copy(bytes);
    }
}

static void what_is_no_notice_is_refused(void **state)
{
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(*state, "invalid"), i, max, vector)
    {
        struct feed_str bytes = vector_bytes(vector, "hex");
        struct feed_notice notice;
        vector_check(vector, feed_notice_decode(bytes, &notice) == FEED_E_INVALID);
        free_copy(bytes);
    }
}

static void every_cut_is_refused(void **state)
{
    static const char *const lists[] = {"valid", "removed", "sources", "unsupported"};
    for (size_t l = 0; l < 4; l++) {
        size_t i, max;
        yyjson_val *vector;
        yyjson_arr_foreach(vectors_list(*state, lists[l]), i, max, vector)
        {
            struct feed_str bytes = vector_bytes(vector, "hex");
            for (size_t len = 0; len < bytes.len; len++) {
                struct feed_str cut = exact_copy((struct feed_str){bytes.data, len});
                struct feed_notice notice;
                vector_check(vector, feed_notice_decode(cut, &notice) == FEED_E_INVALID);
                free_copy(cut);
            }
            free_copy(bytes);
        }
    }
}

static void longer_than_any_notice_is_refused_unread(void **state)
{
    (void)state;
    static char bytes[FEED_NOTICE_MAX + 1];
    struct feed_notice notice;
    assert_int_equal(feed_notice_decode((struct feed_str){bytes, sizeof(bytes)}, &notice), FEED_E_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_are_decoded_and_encoded),
        cmocka_unit_test(unknown_kinds_tell_their_place),
        cmocka_unit_test(what_is_no_notice_is_refused),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(longer_than_any_notice_is_refused_unread),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
