/* Scanning, reading and writing msgpack. */
#include "shared/codec/msgpack_read.h"
#include "shared/codec/msgpack_scan.h"
#include "shared/codec/msgpack_write.h"

#include "tests/unit/support/check.h"
#include "tests/unit/support/random.h"
#include "tests/unit/support/vectors.h"

#include <string.h>

static const struct feed_msgpack_limits limits = {4, 100};

static enum feed_error scan(const char *hex, size_t *used)
{
    uint8_t bytes[64];
    size_t len = strlen(hex) / 2;
    assert_true(len <= sizeof(bytes));
    assert_int_equal(feed_unhex(feed_str_of(hex), bytes, len), FEED_OK);
    struct feed_str copy = exact_copy((struct feed_str){(const char *)bytes, len});
    enum feed_error error = feed_msgpack_scan(copy, &limits, used);
    free_copy(copy);
    return error;
}

/* One of each form. */
static const char *const forms[] = {"00",
                                    "7f",
                                    "80",
                                    "90",
                                    "a0",
                                    "a161",
                                    "c0",
                                    "c2",
                                    "c3",
                                    "c400",
                                    "c40161",
                                    "c5000161",
                                    "c60000000161",
                                    "c7010561",
                                    "c700ff",
                                    "c800010561",
                                    "c9000000010561",
                                    "ca3f800000",
                                    "cb3ff0000000000000",
                                    "ccff",
                                    "cdffff",
                                    "ceffffffff",
                                    "cfffffffffffffffff",
                                    "d0ff",
                                    "d1ffff",
                                    "d2ffffffff",
                                    "d3ffffffffffffffff",
                                    "d40161",
                                    "d5016161",
                                    "d60161616161",
                                    "d7016161616161616161",
                                    "d80161616161616161616161616161616161",
                                    "d90161",
                                    "da000161",
                                    "db0000000161",
                                    "dc000100",
                                    "dd0000000100",
                                    "de00010000",
                                    "df000000010000",
                                    "e0",
                                    "ff",
                                    "91c0",
                                    "81a161c0",
                                    "9391c081a16190c0",
                                    "9191919100"};

static void measures_every_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        size_t used = 0;
        assert_int_equal(scan(forms[i], &used), FEED_OK);
        assert_int_equal(used, strlen(forms[i]) / 2);
        char longer[80];
        snprintf(longer, sizeof(longer), "%s00", forms[i]);
        assert_int_equal(scan(longer, &used), FEED_OK);
        assert_int_equal(used, strlen(forms[i]) / 2); /* what follows is not looked at */
    }
}

static void refuses_every_form_that_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        for (size_t bytes = 0; bytes < strlen(forms[i]) / 2; bytes++) {
            char cut[80];
            size_t used;
            snprintf(cut, sizeof(cut), "%.*s", (int)(2 * bytes), forms[i]);
            assert_int_not_equal(scan(cut, &used), FEED_OK);
        }
    }
}

static void refuses_what_is_hostile(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        enum feed_error error;
    } cases[] = {
        {"c1", FEED_E_INVALID},
        {"91c1", FEED_E_INVALID},
        {"dbffffffff61", FEED_E_INVALID},
        {"c6ffffffff61", FEED_E_INVALID},
        {"c9ffffffff0161", FEED_E_INVALID},
        {"ddffffffff00", FEED_E_TOO_LARGE},
        {"dfffffffff00", FEED_E_TOO_LARGE},
        {"df8000000000", FEED_E_TOO_LARGE},
        {"dcffff", FEED_E_TOO_LARGE},
        {"9f00", FEED_E_TOO_LARGE},
        {"8200", FEED_E_TOO_LARGE},
        {"919191919100", FEED_E_TOO_LARGE},
        {"8100810081008100810000", FEED_E_TOO_LARGE},
        {"9191919190", FEED_E_TOO_LARGE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t used;
        assert_int_equal(scan(cases[i].hex, &used), cases[i].error);
    }
}

static void counts_elements_and_depth(void **state)
{
    (void)state;
    char bytes[102];
    size_t used;
    bytes[0] = (char)0xdc;
    bytes[1] = 0;
    bytes[2] = 99;
    memset(bytes + 3, 0, 99);
    assert_int_equal(feed_msgpack_scan((struct feed_str){bytes, 102}, &limits, &used), FEED_OK);
    const struct feed_msgpack_limits fewer = {4, 99};
    assert_int_equal(feed_msgpack_scan((struct feed_str){bytes, 102}, &fewer, &used), FEED_E_TOO_LARGE);
    const struct feed_msgpack_limits flat = {0, 10};
    assert_int_equal(feed_msgpack_scan(FEED_STR("\xa1x"), &flat, &used), FEED_OK);
    assert_int_equal(feed_msgpack_scan(FEED_STR("\x90"), &flat, &used), FEED_E_TOO_LARGE);
    const struct feed_msgpack_limits deepest = {FEED_MSGPACK_DEPTH_MAX, 1000};
    memset(bytes, 0x91, sizeof(bytes));
    assert_int_equal(feed_msgpack_scan((struct feed_str){bytes, 102}, &deepest, &used), FEED_E_TOO_LARGE);
    bytes[FEED_MSGPACK_DEPTH_MAX] = 0;
    assert_int_equal(feed_msgpack_scan((struct feed_str){bytes, 102}, &deepest, &used), FEED_OK);
    assert_int_equal(used, FEED_MSGPACK_DEPTH_MAX + 1);
}

static void any_bytes_are_scanned_and_read_within_bounds(void **state)
{
    (void)state;
    struct test_random random = {4};
    unsigned good = 0;
    for (int round = 0; round < 50000; round++) {
        char bytes[24];
        size_t len = 1 + test_random_below(&random, sizeof(bytes) - 1);
        for (size_t i = 0; i < len; i++)
            bytes[i] = (char)test_random_next(&random);
        struct feed_str copy = exact_copy((struct feed_str){bytes, len});
        size_t used = 0;
        if (feed_msgpack_scan(copy, &limits, &used) == FEED_OK) {
            struct feed_str rest = copy;
            assert_int_equal(feed_msgpack_take(&rest).len, used);
            assert_int_equal(rest.len, len - used);
            good++;
        }
        free_copy(copy);
    }
    assert_true(good > 1000);
}

static void numbers_come_back(void **state)
{
    (void)state;
    struct test_random random = {5};
    for (int round = 0; round < 20000; round++) {
        struct feed_buf buf;
        struct feed_msgpack_item item;
        feed_buf_init(&buf, 100);
        uint64_t any = test_random_next(&random) >> test_random_below(&random, 64);
        int64_t negative = -1 - (int64_t)(any >> 1);
        double number = (double)any / 3;
        feed_msgpack_u64(&buf, any);
        feed_msgpack_i64(&buf, negative);
        feed_msgpack_i64(&buf, (int64_t)(any >> 1));
        feed_msgpack_double(&buf, number);
        struct feed_str rest = feed_buf_view(&buf);
        assert_int_equal(feed_msgpack_next(&rest, &item), FEED_OK);
        assert_true(item.type == FEED_MSGPACK_UINT && item.uint == any);
        assert_int_equal(feed_msgpack_next(&rest, &item), FEED_OK);
        assert_true(item.type == FEED_MSGPACK_NEGATIVE && item.negative == negative);
        assert_int_equal(feed_msgpack_next(&rest, &item), FEED_OK);
        assert_true(item.type == FEED_MSGPACK_UINT && item.uint == any >> 1);
        assert_int_equal(feed_msgpack_next(&rest, &item), FEED_OK);
        assert_true(item.type == FEED_MSGPACK_FLOAT && item.number == number);
        assert_int_equal(rest.len, 0);
        feed_buf_fini(&buf);
    }
}

static void signed_forms_of_positive_numbers_are_the_same_numbers(void **state)
{
    (void)state;
    struct feed_str rest = FEED_STR("\xd0\x05\xd1\x00\x05\xd2\x00\x00\x00\x05\xd3\x00\x00\x00\x00\x00\x00\x00\x05");
    struct feed_msgpack_item item;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(feed_msgpack_next(&rest, &item), FEED_OK);
        assert_true(item.type == FEED_MSGPACK_UINT && item.uint == 5);
    }
    assert_int_equal(rest.len, 0);
}

static void writes_the_shortest_headers(void **state)
{
    (void)state;
    struct feed_buf buf;
    feed_buf_init(&buf, 1 << 20);
    static char text[70000];
    memset(text, 'x', sizeof(text));
    static const struct {
        size_t len;
        size_t header;
    } sizes[] = {{0, 1}, {31, 1}, {32, 2}, {255, 2}, {256, 3}, {65535, 3}, {65536, 5}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        feed_buf_reset(&buf);
        feed_msgpack_str(&buf, (struct feed_str){text, sizes[i].len});
        assert_int_equal(buf.len, sizes[i].header + sizes[i].len);
    }
    feed_buf_reset(&buf);
    feed_msgpack_str(&buf, (struct feed_str){NULL, 0});
    feed_msgpack_nil(&buf);
    feed_msgpack_bool(&buf, true);
    feed_msgpack_bool(&buf, false);
    feed_msgpack_array(&buf, 15);
    feed_msgpack_array(&buf, 16);
    feed_msgpack_map(&buf, 15);
    feed_msgpack_map(&buf, 16);
    assert_str_equal(feed_buf_view(&buf), "\xa0\xc0\xc3\xc2\x9f\xdc\x00\x10\x8f\xde\x00\x10");
    feed_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures_every_form),
        cmocka_unit_test(refuses_every_form_that_is_cut),
        cmocka_unit_test(refuses_what_is_hostile),
        cmocka_unit_test(counts_elements_and_depth),
        cmocka_unit_test(any_bytes_are_scanned_and_read_within_bounds),
        cmocka_unit_test(numbers_come_back),
        cmocka_unit_test(signed_forms_of_positive_numbers_are_the_same_numbers),
        cmocka_unit_test(writes_the_shortest_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
