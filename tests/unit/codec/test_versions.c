/* Older and newer entries, notices and positions: what today's code reads of either. */
#include "shared/base/json_out.h"
#include "shared/codec/entry.h"
#include "shared/codec/notice.h"
#include "shared/codec/position.h"
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

static void check_json(yyjson_val *vector, const struct feed_entry *entry)
{
    struct feed_buf buf;
    struct feed_json_out out;
    feed_buf_init(&buf, 1 << 16);
    feed_json_out_init(&out, &buf);
    feed_entry_to_json(entry, yyjson_get_sint(yyjson_obj_get(vector, "published_ms")), &out);
    yyjson_doc *doc = yyjson_read(buf.data, buf.len, YYJSON_READ_NOFLAG);
    vector_check(vector, yyjson_equals(yyjson_doc_get_root(doc), yyjson_obj_get(vector, "json")));
    yyjson_doc_free(doc);
    feed_buf_fini(&buf);
}

static bool written_alike(const struct feed_entry *entry, const struct feed_str *to, size_t to_count,
                          struct feed_str bytes)
{
    struct feed_buf out;
    feed_buf_init(&out, FEED_OUTBOX_ENTRY_MAX);
    feed_entry_encode_outbox(entry, to, to_count, &out);
    bool same = out.error == FEED_OK && feed_str_eq(feed_buf_view(&out), bytes);
    feed_buf_fini(&out);
    return same;
}

/* An older one is what is written today, to the byte: else two workers would make two entries of one activity. */
static void check_entries(yyjson_val *list, bool written)
{
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(list, i, max, vector)
    {
        struct feed_str bytes = vector_bytes(vector, "hex");
        struct feed_entry entry;
        vector_check(vector, feed_entry_decode(bytes, &entry) == FEED_OK);
        check_json(vector, &entry);
        vector_check(vector, written_alike(&entry, NULL, 0, bytes) == written);
        free_copy(bytes);
    }
}

static void entries_of_both_versions_are_read(void **state)
{
    check_entries(vectors_list(*state, "entries_older"), true);
    check_entries(vectors_list(*state, "entries_newer"), false);
}

static void check_outbox(yyjson_val *list, bool written)
{
    size_t i, max, j, users;
    yyjson_val *vector, *user;
    yyjson_arr_foreach(list, i, max, vector)
    {
        struct feed_str bytes = vector_bytes(vector, "hex"), to[FEED_TO_MAX];
        struct feed_entry entry;
        size_t to_count;
        vector_check(vector, feed_entry_decode_outbox(bytes, &entry, to, &to_count) == FEED_OK);
        check_json(vector, &entry);
        vector_check(vector, to_count == yyjson_arr_size(yyjson_obj_get(vector, "to")));
        yyjson_arr_foreach(yyjson_obj_get(vector, "to"), j, users, user)
        {
            vector_check(vector, feed_str_eq(to[j], feed_str_of(yyjson_get_str(user))));
        }
        vector_check(vector, written_alike(&entry, to, to_count, bytes) == written);
        free_copy(bytes);
    }
}

static void copies_in_outboxes_of_both_versions_are_read(void **state)
{
    check_outbox(vectors_list(*state, "outbox_older"), true);
    check_outbox(vectors_list(*state, "outbox_newer"), false);
}

static void check_place(yyjson_val *vector, const struct feed_notice *notice)
{
    struct feed_str epoch = vector_bytes(vector, "epoch");
    uint64_t seq;
    vector_check(vector, feed_str_to_u64(vector_text(vector, "seq"), UINT64_MAX, &seq) == FEED_OK);
    vector_check(vector, notice->seq == seq && epoch.len == FEED_EPOCH_BYTES);
    vector_check(vector, memcmp(notice->epoch, epoch.data, FEED_EPOCH_BYTES) == 0);
    free_copy(epoch);
}

static void notices_of_both_versions_are_read(void **state)
{
    static const char *const lists[] = {"notices_older", "notices_newer"};
    for (size_t l = 0; l < 2; l++) {
        size_t i, max;
        yyjson_val *vector;
        yyjson_arr_foreach(vectors_list(*state, lists[l]), i, max, vector)
        {
            struct feed_str bytes = vector_bytes(vector, "hex"), member = vector_bytes(vector, "member_hex");
            struct feed_notice notice;
            vector_check(vector, feed_notice_decode(bytes, &notice) == FEED_OK);
            vector_check(vector, (int64_t)notice.kind == yyjson_get_sint(yyjson_obj_get(vector, "kind")));
            vector_check(vector, notice.published_ms == yyjson_get_sint(yyjson_obj_get(vector, "published_ms")));
            vector_check(vector, feed_str_eq(notice.entry, member));
            check_place(vector, &notice);
            free_copy(bytes);
            free_copy(member);
        }
    }
}

/* So that the reader knows where to read the window from. */
static void kinds_made_later_tell_their_place(void **state)
{
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(*state, "notices_unknown"), i, max, vector)
    {
        struct feed_str bytes = vector_bytes(vector, "hex");
        struct feed_notice notice;
        vector_check(vector, feed_notice_decode(bytes, &notice) == FEED_E_UNSUPPORTED);
        check_place(vector, &notice);
        free_copy(bytes);
    }
}

static void older_positions_are_read_and_returned(void **state)
{
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(*state, "positions_older"), i, max, vector)
    {
        struct feed_position position;
        char again[FEED_POSITION_TEXT_MAX + 1];
        struct feed_str text = vector_text(vector, "text");
        vector_check(vector, feed_position_parse(text, &position) == FEED_OK);
        vector_check(vector, feed_seen_none(&position.seen) == !yyjson_obj_get(vector, "seen"));
        feed_position_format(&position, again);
        vector_check(vector, feed_str_eq(text, feed_str_of(again)));
    }
}

/* Half a position would be taken for a whole one: better a feed that comes anew. */
static void newer_positions_are_not_understood(void **state)
{
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(*state, "positions_too_new"), i, max, vector)
    {
        struct feed_position position;
        vector_check(vector, feed_position_parse(vector_text(vector, "text"), &position) == FEED_E_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_of_both_versions_are_read),
        cmocka_unit_test(copies_in_outboxes_of_both_versions_are_read),
        cmocka_unit_test(notices_of_both_versions_are_read),
        cmocka_unit_test(kinds_made_later_tell_their_place),
        cmocka_unit_test(older_positions_are_read_and_returned),
        cmocka_unit_test(newer_positions_are_not_understood),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
