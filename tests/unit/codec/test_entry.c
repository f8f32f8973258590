/* Entries, by the golden vectors and by random ones. */
#include "shared/codec/entry.h"

#include "shared/base/json_out.h"
#include "shared/codec/msgpack_write.h"
#include "tests/unit/support/check.h"
#include "tests/unit/support/random.h"
#include "tests/unit/support/vectors.h"

#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

static int load(void **state)
{
    *state = vectors_load("schemas/vectors/entry.json");
    return 0;
}

static int unload(void **state)
{
    yyjson_doc_free(*state);
    return 0;
}

/* The entry of a vector: its JSON form, with data in msgpack beside it. */
static struct feed_entry entry_of(yyjson_val *vector, struct feed_str data)
{
    yyjson_val *json = yyjson_obj_get(vector, "json");
    yyjson_val *object = yyjson_obj_get(json, "object");
    yyjson_val *target = yyjson_obj_get(json, "target");
    struct feed_entry entry = {.verb = vector_text(json, "verb"),
                               .actor = vector_text(json, "actor"),
                               .object_type = vector_text(object, "type"),
                               .object_id = vector_text(object, "id"),
                               .target_type = vector_text(target, "type"),
                               .target_id = vector_text(target, "id"),
                               .owner = vector_text(object, "owner"),
                               .data = data};
    vector_check(vector, feed_id_parse(vector_text(json, "id"), &entry.id) == FEED_OK);
    return entry;
}

static bool same_field(struct feed_str a, struct feed_str b)
{
    return !a.data == !b.data && feed_str_eq(a, b);
}

static bool same_entry(const struct feed_entry *a, const struct feed_entry *b)
{
    return feed_id_cmp(&a->id, &b->id) == 0 && same_field(a->verb, b->verb) && same_field(a->actor, b->actor) &&
           same_field(a->object_type, b->object_type) && same_field(a->object_id, b->object_id) &&
           same_field(a->target_type, b->target_type) && same_field(a->target_id, b->target_id) &&
           same_field(a->owner, b->owner) && same_field(a->data, b->data);
}

static void check_json(yyjson_val *vector, const struct feed_entry *entry)
{
    struct feed_buf buf;
    struct feed_json_out out;
    feed_buf_init(&buf, 1 << 20);
    feed_json_out_init(&out, &buf);
    feed_entry_to_json(entry, yyjson_get_sint(yyjson_obj_get(vector, "published_ms")), &out);
    vector_check(vector, buf.error == FEED_OK);
    yyjson_doc *doc = yyjson_read(buf.data, buf.len, YYJSON_READ_NOFLAG);
    vector_check(vector, doc);
    vector_check(vector, yyjson_equals(yyjson_doc_get_root(doc), yyjson_obj_get(vector, "json")));
    yyjson_doc_free(doc);
    feed_buf_fini(&buf);
}

static void vectors_are_encoded_and_decoded(void **state)
{
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(*state, "encode"), i, max, vector)
    {
        struct feed_str expected = vector_bytes(vector, "hex");
        bool has_data = yyjson_obj_get(vector, "data_hex");
        struct feed_str data = {NULL, 0};
        if (has_data)
            data = vector_bytes(vector, "data_hex");
        struct feed_entry entry = entry_of(vector, data);
        struct feed_id id = feed_id_from_text(vector_text(vector, "source"), vector_text(vector, "source_id"));
        vector_check(vector, feed_id_cmp(&id, &entry.id) == 0);

        struct feed_buf out;
        feed_buf_init(&out, FEED_ENTRY_MAX);
        feed_entry_encode(&entry, &out);
        vector_check(vector, out.error == FEED_OK);
        vector_check(vector, feed_str_eq(feed_buf_view(&out), expected));

        struct feed_entry decoded;
        vector_check(vector, feed_entry_decode(expected, &decoded) == FEED_OK);
        vector_check(vector, same_entry(&decoded, &entry));
        check_json(vector, &decoded);
        feed_buf_fini(&out);
        free_copy(expected);
        free_copy(data);
    }
}

static void other_writings_are_read(void **state)
{
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(*state, "decode"), i, max, vector)
    {
        struct feed_str bytes = vector_bytes(vector, "hex");
        struct feed_entry entry;
        vector_check(vector, feed_entry_decode(bytes, &entry) == FEED_OK);
        check_json(vector, &entry);
        free_copy(bytes);
    }
}

static void what_is_no_entry_is_refused(void **state)
{
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(*state, "invalid"), i, max, vector)
    {
        struct feed_str bytes = vector_bytes(vector, "hex");
        struct feed_entry entry;
        enum feed_error error = feed_entry_decode(bytes, &entry);
        vector_check(vector, feed_str_eq(feed_str_of(feed_error_name(error)), vector_text(vector, "error")));
        free_copy(bytes);
    }
}

static void every_cut_of_a_vector_is_refused(void **state)
{
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(*state, "encode"), i, max, vector)
    {
        struct feed_str bytes = vector_bytes(vector, "hex");
        for (size_t len = 0; len < bytes.len; len++) {
            struct feed_str cut = exact_copy((struct feed_str){bytes.data, len});
            struct feed_entry entry;
            vector_check(vector, feed_entry_decode(cut, &entry) == FEED_E_INVALID);
            free_copy(cut);
        }
        free_copy(bytes);
    }
}

/* The form for clients, to the last character. */
static void the_json_form_has_this_order(void **state)
{
    (void)state;
    struct feed_entry entry = {
        .id = {{0x01, 0x98, 0xc0, 0xde, 0, 0, 0x70, 0, 0x80, 0, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab}},
        .verb = FEED_STR("like"),
        .actor = FEED_STR("ana"),
        .object_type = FEED_STR("photo"),
        .object_id = FEED_STR("p1"),
        .target_type = FEED_STR("album"),
        .target_id = FEED_STR("a1"),
        .owner = FEED_STR("ben"),
        .data = FEED_STR("\x81\xa1n\x05")};
    struct feed_buf buf;
    struct feed_json_out out;
    feed_buf_init(&buf, 1000);
    feed_json_out_init(&out, &buf);
    feed_entry_to_json(&entry, 1767323045678, &out);
    assert_str_equal(feed_buf_view(&buf),
                     "{\"id\":\"0198c0de-0000-7000-8000-0123456789ab\",\"actor\":\"ana\",\"verb\":\"like\","
                     "\"object\":{\"type\":\"photo\",\"id\":\"p1\",\"owner\":\"ben\"},"
                     "\"target\":{\"type\":\"album\",\"id\":\"a1\"},"
                     "\"published\":\"2026-01-02T03:04:05.678Z\",\"data\":{\"n\":5}}");
    feed_buf_fini(&buf);
}

static const char letters[] =
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghij"
    "klmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrst"
    "uvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcd";

static struct feed_str random_text(struct test_random *random, size_t max)
{
    size_t len = 1 + test_random_below(random, max);
    return (struct feed_str){letters + test_random_below(random, sizeof(letters) - len), len};
}

static void random_entries_come_back(void **state)
{
    (void)state;
    struct test_random random = {9};
    struct feed_buf data, bytes, again;
    feed_buf_init(&data, FEED_DATA_MAX);
    feed_buf_init(&bytes, FEED_ENTRY_MAX);
    feed_buf_init(&again, FEED_ENTRY_MAX);
    for (int round = 0; round < 5000; round++) {
        struct feed_entry entry = {.verb = random_text(&random, FEED_VERB_MAX),
                                   .actor = random_text(&random, FEED_USER_MAX),
                                   .object_type = random_text(&random, FEED_TYPE_MAX),
                                   .object_id = random_text(&random, FEED_OBJECT_ID_MAX)};
        for (size_t i = 0; i < FEED_ID_BYTES; i++)
            entry.id.bytes[i] = (uint8_t)test_random_next(&random);
        if (test_random_below(&random, 2)) {
            entry.target_type = random_text(&random, FEED_TYPE_MAX);
            entry.target_id = random_text(&random, FEED_OBJECT_ID_MAX);
        }
        if (test_random_below(&random, 2))
            entry.owner = random_text(&random, FEED_USER_MAX);
        feed_buf_reset(&data);
        if (test_random_below(&random, 2)) {
            feed_msgpack_array(&data, 2);
            feed_msgpack_u64(&data, test_random_next(&random));
            feed_msgpack_str(&data, random_text(&random, 200));
            entry.data = feed_buf_view(&data);
        }
        feed_buf_reset(&bytes);
        feed_entry_encode(&entry, &bytes);
        assert_int_equal(bytes.error, FEED_OK);
        struct feed_str copy = exact_copy(feed_buf_view(&bytes));
        struct feed_entry decoded;
        assert_int_equal(feed_entry_decode(copy, &decoded), FEED_OK);
        assert_true(same_entry(&decoded, &entry));
        feed_buf_reset(&again);
        feed_entry_encode(&decoded, &again);
        assert_true(feed_str_eq(feed_buf_view(&again), copy));
        free_copy(copy);
    }
    feed_buf_fini(&data);
    feed_buf_fini(&bytes);
    feed_buf_fini(&again);
}

/* Whatever a damaged entry is read as, it can be written and shown. */
static void damaged_entries_harm_nothing(void **state)
{
    struct test_random random = {10};
    yyjson_val *list = vectors_list(*state, "encode");
    unsigned read = 0;
    for (int round = 0; round < 20000; round++) {
        struct feed_str bytes =
            vector_bytes(yyjson_arr_get(list, test_random_below(&random, yyjson_arr_size(list))), "hex");
        char *at = (char *)bytes.data;
        for (uint64_t i = test_random_below(&random, 3); i < 3; i++)
            at[test_random_below(&random, bytes.len)] = (char)test_random_next(&random);
        struct feed_entry entry;
        if (feed_entry_decode(bytes, &entry) == FEED_OK) {
            struct feed_buf out;
            struct feed_json_out json;
            feed_buf_init(&out, 1 << 20);
            feed_entry_encode(&entry, &out);
            feed_buf_reset(&out);
            feed_json_out_init(&json, &out);
            feed_entry_to_json(&entry, 1, &json);
            yyjson_doc *doc = yyjson_read(out.data, out.len, YYJSON_READ_NOFLAG);
            assert_non_null(doc);
            yyjson_doc_free(doc);
            feed_buf_fini(&out);
            read++;
        }
        free_copy(bytes);
    }
    assert_true(read > 1000);
}

static void the_copy_in_the_outbox_tells_to_whom(void **state)
{
    size_t i, max, j, users;
    yyjson_val *vector, *user;
    yyjson_arr_foreach(vectors_list(*state, "outbox"), i, max, vector)
    {
        struct feed_str plain = vector_bytes(vector, "hex"), copy = vector_bytes(vector, "outbox_hex");
        struct feed_str to[FEED_TO_MAX];
        size_t to_count;
        struct feed_entry entry, again;
        vector_check(vector, feed_entry_decode_outbox(copy, &entry, to, &to_count) == FEED_OK);
        vector_check(vector, to_count == yyjson_arr_size(yyjson_obj_get(vector, "to")));
        yyjson_arr_foreach(yyjson_obj_get(vector, "to"), j, users, user)
        {
            vector_check(vector, feed_str_eq(to[j], feed_str_of(yyjson_get_str(user))));
        }
        vector_check(vector, feed_entry_decode(copy, &again) == FEED_OK); /* others ignore it */
        vector_check(vector, same_entry(&entry, &again));

        struct feed_buf out;
        feed_buf_init(&out, FEED_OUTBOX_ENTRY_MAX);
        feed_entry_encode_outbox(&entry, to, to_count, &out);
        vector_check(vector, feed_str_eq(feed_buf_view(&out), copy));
        feed_buf_reset(&out);
        feed_entry_encode(&entry, &out);
        vector_check(vector, feed_str_eq(feed_buf_view(&out), plain));
        feed_buf_fini(&out);
        free_copy(plain);
        free_copy(copy);
    }
}

static void marks_are_told_from_entries(void **state)
{
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(*state, "marks"), i, max, vector)
    {
        struct feed_str bytes = vector_bytes(vector, "hex");
        struct feed_id id;
        struct feed_buf out;
        feed_buf_init(&out, FEED_MARK_BYTES);
        vector_check(vector, feed_id_parse(vector_text(vector, "id"), &id) == FEED_OK);
        feed_mark_encode(&id, &out);
        vector_check(vector, feed_str_eq(feed_buf_view(&out), bytes));
        vector_check(vector, feed_mark_is(bytes));
        struct feed_entry entry;
        vector_check(vector, feed_entry_decode(bytes, &entry) == FEED_E_INVALID);
        feed_buf_fini(&out);
        free_copy(bytes);
    }
    yyjson_arr_foreach(vectors_list(*state, "no_marks"), i, max, vector)
    {
        struct feed_str bytes = vector_bytes(vector, "hex");
        vector_check(vector, !feed_mark_is(bytes));
        free_copy(bytes);
    }
}

static void newest_first_is_by_time_then_id(void **state)
{
    (void)state;
    struct feed_id low = {{0}}, high = {{0}};
    high.bytes[FEED_ID_BYTES - 1] = 1;
    assert_true(feed_entry_order(2, &low, 1, &high) > 0);
    assert_true(feed_entry_order(1, &high, 2, &low) < 0);
    assert_true(feed_entry_order(1, &high, 1, &low) > 0);
    assert_int_equal(feed_entry_order(1, &low, 1, &low), 0);
    high.bytes[0] = 0xff; /* bytes are unsigned */
    assert_true(feed_entry_order(1, &high, 1, &low) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_are_encoded_and_decoded),      cmocka_unit_test(other_writings_are_read),
        cmocka_unit_test(what_is_no_entry_is_refused),          cmocka_unit_test(every_cut_of_a_vector_is_refused),
        cmocka_unit_test(the_json_form_has_this_order),         cmocka_unit_test(random_entries_come_back),
        cmocka_unit_test(damaged_entries_harm_nothing),         cmocka_unit_test(newest_first_is_by_time_then_id),
        cmocka_unit_test(the_copy_in_the_outbox_tells_to_whom), cmocka_unit_test(marks_are_told_from_entries),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
