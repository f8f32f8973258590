/* The `data` of activities. schemas/vectors/activity.json has the cases; here is what holds for any value. */
#include "shared/codec/data.h"

#include "shared/base/json_out.h"
#include "shared/codec/msgpack_scan.h"
#include "shared/codec/msgpack_write.h"
#include "tests/unit/support/check.h"
#include "tests/unit/support/random.h"
#include "tests/unit/support/vectors.h"

#include <string.h>
#include <yyjson.h>

static void random_value(struct test_random *random, struct feed_buf *out, unsigned depth)
{
    uint64_t kind = test_random_below(random, depth > 0 ? 8 : 6);
    uint64_t count = test_random_below(random, 5);
    char key[2] = "a";
    switch (kind) {
    case 0:
        feed_msgpack_nil(out);
        break;
    case 1:
        feed_msgpack_bool(out, test_random_below(random, 2));
        break;
    case 2:
        feed_msgpack_u64(out, test_random_next(random) >> test_random_below(random, 64));
        break;
    case 3:
        feed_msgpack_i64(out, -(int64_t)(test_random_next(random) >> (1 + test_random_below(random, 63))));
        break;
    case 4:
        feed_msgpack_double(out, (double)(int64_t)test_random_next(random) / 1024);
        break;
    case 5:
        feed_msgpack_str(out, (struct feed_str){"abcdefghijklmnopqrstuvwxyz0123456789", test_random_below(random, 36)});
        break;
    case 6:
        feed_msgpack_array(out, count);
        for (uint64_t i = 0; i < count; i++)
            random_value(random, out, depth - 1);
        break;
    default:
        feed_msgpack_map(out, count);
        for (uint64_t i = 0; i < count; i++, key[0]++) {
            feed_msgpack_str(out, feed_str_of(key));
            random_value(random, out, depth - 1);
        }
    }
}

/* The same value with every header longer than it need be. */
static void write_long(struct feed_buf *out, char first, uint64_t number, size_t bytes)
{
    feed_buf_char(out, first);
    for (size_t i = bytes; i-- > 0;)
        feed_buf_char(out, (char)(number >> (8 * i)));
}

static void lengthen(struct feed_str in, struct feed_buf *out)
{
    while (in.len > 0) {
        unsigned char first = (unsigned char)in.data[0];
        size_t head = 1, body = 0;
        if (first < 0x80) {
            write_long(out, (char)0xd3, first, 8);
        } else if (first < 0x90) {
            write_long(out, (char)0xdf, first & 15, 4);
        } else if (first < 0xa0) {
            write_long(out, (char)0xdd, first & 15, 4);
        } else if (first < 0xc0 || first == 0xd9) {
            head = first == 0xd9 ? 2 : 1;
            body = first == 0xd9 ? (unsigned char)in.data[1] : first & 31;
            write_long(out, (char)0xdb, body, 4);
        } else {
            static const uint8_t sizes[] = {[0x0b] = 9, [0x0c] = 2, [0x0d] = 3, [0x0e] = 5, [0x0f] = 9,
                                            [0x10] = 2, [0x11] = 3, [0x12] = 5, [0x13] = 9};
            head = 0;
            body = first < 0xe0 && first - 0xc0u < sizeof(sizes) && sizes[first - 0xc0] ? sizes[first - 0xc0] : 1;
        }
        feed_buf_append(out, in.data + head, body);
        in.data += head + body;
        in.len -= head + body;
    }
}

static void canonical_form_is_the_same_for_every_writing(void **state)
{
    (void)state;
    struct test_random random = {6};
    unsigned kept = 0;
    for (int round = 0; round < 5000; round++) {
        struct feed_buf value, longer, canonical;
        feed_buf_init(&value, 1 << 20);
        feed_buf_init(&longer, 1 << 20);
        feed_buf_init(&canonical, 1 << 20);
        random_value(&random, &value, 4);
        lengthen(feed_buf_view(&value), &longer);
        struct feed_str copy = exact_copy(feed_buf_view(&longer));
        enum feed_error error = feed_data_canonical(copy, &canonical);
        if (value.len <= FEED_DATA_MAX) {
            assert_int_equal(error, FEED_OK);
            assert_int_equal(canonical.len, value.len);
            assert_memory_equal(canonical.data, value.data, value.len);
            assert_int_equal(feed_data_check(feed_buf_view(&canonical)), FEED_OK);
            kept++;
        } else {
            assert_int_equal(error, FEED_E_TOO_LARGE);
        }
        free_copy(copy);
        feed_buf_fini(&value);
        feed_buf_fini(&longer);
        feed_buf_fini(&canonical);
    }
    assert_true(kept > 4000);
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    struct test_random random = {7};
    for (int round = 0; round < 300; round++) {
        struct feed_buf value, out;
        feed_buf_init(&value, 1 << 20);
        feed_buf_init(&out, 1 << 20);
        random_value(&random, &value, 3);
        for (size_t len = 0; len < value.len; len++) {
            struct feed_str cut = exact_copy((struct feed_str){value.data, len});
            feed_buf_reset(&out);
            assert_int_not_equal(feed_data_canonical(cut, &out), FEED_OK);
            assert_int_not_equal(feed_data_check(cut), FEED_OK);
            free_copy(cut);
        }
        feed_buf_fini(&value);
        feed_buf_fini(&out);
    }
}

/* What passes is JSON; what passes the scan alone gives JSON too, with null for what JSON cannot say. */
static void any_bytes_give_json_or_an_error(void **state)
{
    (void)state;
    static const struct feed_msgpack_limits limits = {FEED_DATA_DEPTH_MAX, FEED_DATA_MAX};
    struct test_random random = {8};
    unsigned good = 0;
    for (int round = 0; round < 50000; round++) {
        char bytes[16];
        struct feed_buf json;
        struct feed_json_out out;
        size_t used;
        size_t len = 1 + test_random_below(&random, sizeof(bytes) - 1);
        for (size_t i = 0; i < len; i++)
            bytes[i] = (char)test_random_next(&random);
        struct feed_str value = {bytes, len};
        if (feed_msgpack_scan(value, &limits, &used) != FEED_OK)
            continue;
        feed_buf_init(&json, 1 << 20);
        feed_json_out_init(&out, &json);
        struct feed_str copy = exact_copy((struct feed_str){bytes, used});
        feed_data_to_json(copy, &out);
        yyjson_doc *doc = yyjson_read(json.data, json.len, YYJSON_READ_NOFLAG);
        if (!doc)
            fail_msg("not JSON: %.*s", (int)json.len, json.data);
        yyjson_doc_free(doc);
        free_copy(copy);
        feed_buf_fini(&json);
        good++;
    }
    assert_true(good > 1000);
}

static void a_map_of_many_members_is_checked(void **state)
{
    (void)state;
    struct feed_buf value, out;
    feed_buf_init(&value, 1 << 20);
    feed_buf_init(&out, 1 << 20);
    for (unsigned last = 0; last < 2; last++) {
        feed_buf_reset(&value);
        feed_buf_reset(&out);
        feed_msgpack_map(&value, 200);
        for (unsigned i = 0; i < 200; i++) {
            char key[8];
            snprintf(key, sizeof(key), "%x", i == 199 && last == 1 ? 5 : i + 16);
            feed_msgpack_str(&value, feed_str_of(i == 100 ? "5" : key));
            feed_msgpack_u64(&value, 0);
        }
        assert_int_equal(feed_data_canonical(feed_buf_view(&value), &out), last == 1 ? FEED_E_INVALID : FEED_OK);
    }
    feed_buf_fini(&value);
    feed_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_form_is_the_same_for_every_writing),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(any_bytes_give_json_or_an_error),
        cmocka_unit_test(a_map_of_many_members_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
