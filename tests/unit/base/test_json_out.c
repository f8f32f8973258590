/* The JSON writer: what it writes must always be JSON, which yyjson decides here. */
#include "shared/base/json_out.h"

#include "tests/unit/support/check.h"
#include "tests/unit/support/random.h"

#include <math.h>
#include <string.h>
#include <yyjson.h>

struct fixture {
    struct feed_buf buf;
    struct feed_json_out out;
};

static int setup(void **state)
{
    static struct fixture fixture;
    feed_buf_init(&fixture.buf, 1 << 20);
    feed_json_out_init(&fixture.out, &fixture.buf);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    feed_buf_fini(&f->buf);
    return 0;
}

static yyjson_doc *read_back(struct fixture *f)
{
    yyjson_doc *doc = yyjson_read(f->buf.data, f->buf.len, YYJSON_READ_NOFLAG);
    if (!doc)
        fail_msg("not JSON: %.*s", (int)f->buf.len, f->buf.data);
    return doc;
}

/* Each byte at each place of a text that is longer than what the writer looks at in one step. */
static void escapes_every_byte_wherever_it_stands(void **state)
{
    struct fixture *f = *state;
    enum { LEN = 21 };
    for (unsigned c = 0; c < 0x80; c++) {
        for (size_t at = 0; at < LEN; at++) {
            char text[LEN];
            memset(text, 'a' + (int)(at % 26), sizeof text);
            text[at] = (char)c;
            feed_buf_reset(&f->buf);
            feed_json_out_init(&f->out, &f->buf);
            feed_json_str(&f->out, (struct feed_str){text, LEN});
            yyjson_doc *doc = read_back(f);
            assert_int_equal(yyjson_get_len(yyjson_doc_get_root(doc)), LEN);
            assert_memory_equal(yyjson_get_str(yyjson_doc_get_root(doc)), text, LEN);
            yyjson_doc_free(doc);
        }
    }
}

static void puts_commas_where_they_belong(void **state)
{
    struct fixture *f = *state;
    struct feed_json_out *out = &f->out;
    feed_json_open(out);
    feed_json_member(out, "a", FEED_STR("x"));
    feed_json_key(out, "b");
    feed_json_open_list(out);
    feed_json_i64(out, -1);
    feed_json_u64(out, UINT64_MAX);
    feed_json_open_list(out);
    feed_json_close_list(out);
    feed_json_open(out);
    feed_json_close(out);
    feed_json_bool(out, true);
    feed_json_null(out);
    feed_json_close_list(out);
    feed_json_key(out, "c");
    feed_json_raw(out, FEED_STR("{\"r\":[1,2]}"));
    feed_json_key_str(out, FEED_STR("d\"\0"));
    feed_json_bool(out, false);
    feed_json_close(out);
    assert_str_equal(feed_buf_view(&f->buf), "{\"a\":\"x\",\"b\":[-1,18446744073709551615,[],{},true,null],"
                                             "\"c\":{\"r\":[1,2]},\"d\\\"\\u0000\":false}");
}

static void escapes_what_must_be(void **state)
{
    struct fixture *f = *state;
    feed_json_str(&f->out, FEED_STR("\"\\/\b\f\n\r\t\x1f\x7f\0é🎉"));
    assert_str_equal(feed_buf_view(&f->buf), "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u001f\x7f\\u0000é🎉\"");
}

static void replaces_each_byte_that_is_no_utf8(void **state)
{
    struct fixture *f = *state;
    feed_json_str(&f->out, FEED_STR("a\xff\xc3(\xe2\x82z\xed\xa0\x80"));
    assert_str_equal(feed_buf_view(&f->buf), "\"a\xEF\xBF\xBD\xEF\xBF\xBD(\xEF\xBF\xBD\xEF\xBF\xBDz"
                                             "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

static void any_bytes_give_json(void **state)
{
    struct fixture *f = *state;
    struct test_random random = {1};
    for (int round = 0; round < 2000; round++) {
        char bytes[40];
        size_t len = test_random_below(&random, sizeof(bytes));
        for (size_t i = 0; i < len; i++)
            bytes[i] = (char)test_random_next(&random);
        feed_buf_reset(&f->buf);
        feed_json_out_init(&f->out, &f->buf);
        feed_json_str(&f->out, (struct feed_str){bytes, len});
        yyjson_doc *doc = read_back(f);
        if (feed_str_utf8((struct feed_str){bytes, len})) {
            yyjson_val *root = yyjson_doc_get_root(doc);
            assert_int_equal(yyjson_get_len(root), len);
            assert_memory_equal(yyjson_get_str(root), bytes, len);
        }
        yyjson_doc_free(doc);
    }
}

static void write_double(struct fixture *f, double value)
{
    feed_buf_reset(&f->buf);
    feed_json_out_init(&f->out, &f->buf);
    feed_json_double(&f->out, value);
}

static void doubles_are_as_short_as_can_be(void **state)
{
    struct fixture *f = *state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"},
                 {0.1, "0.1"},
                 {-2.5, "-2.5"},
                 {100, "100"},
                 {1e300, "1e+300"},
                 {5e-324, "5e-324"},
                 {0.1 + 0.2, "0.30000000000000004"},
                 {NAN, "null"},
                 {INFINITY, "null"},
                 {-INFINITY, "null"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        write_double(f, cases[i].value);
        feed_buf_char(&f->buf, '\0');
        assert_string_equal(f->buf.data, cases[i].text);
    }
}

static void doubles_read_back_the_same(void **state)
{
    struct fixture *f = *state;
    struct test_random random = {2};
    for (int round = 0; round < 5000; round++) {
        uint64_t bits = test_random_next(&random);
        double value;
        memcpy(&value, &bits, sizeof(value));
        if (!isfinite(value))
            continue;
        write_double(f, value);
        yyjson_doc *doc = read_back(f);
        double back = yyjson_get_num(yyjson_doc_get_root(doc));
        assert_memory_equal(&back, &value, sizeof(value));
        yyjson_doc_free(doc);
    }
}

static void nests_to_its_limit(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < FEED_JSON_OUT_DEPTH_MAX; i++)
        feed_json_open_list(&f->out);
    feed_json_i64(&f->out, 1);
    feed_json_i64(&f->out, 2);
    for (int i = 0; i < FEED_JSON_OUT_DEPTH_MAX; i++)
        feed_json_close_list(&f->out);
    yyjson_doc_free(read_back(f));
    assert_int_equal(f->buf.error, FEED_OK);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(escapes_every_byte_wherever_it_stands),
        CASE(puts_commas_where_they_belong),
        CASE(escapes_what_must_be),
        CASE(replaces_each_byte_that_is_no_utf8),
        CASE(any_bytes_give_json),
        CASE(doubles_are_as_short_as_can_be),
        CASE(doubles_read_back_the_same),
        CASE(nests_to_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
