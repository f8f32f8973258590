/* The growing buffer. */
#include "shared/base/str.h"

#include "tests/unit/support/check.h"

#include <string.h>

static void appends_of_every_kind(void **state)
{
    (void)state;
    struct feed_buf buf;
    feed_buf_init(&buf, 1000);
    assert_null(buf.data);
    feed_buf_append(&buf, NULL, 0);
    feed_buf_text(&buf, "a");
    feed_buf_str(&buf, FEED_STR("b\0c"));
    feed_buf_char(&buf, '|');
    feed_buf_u64(&buf, 0);
    feed_buf_char(&buf, '|');
    feed_buf_u64(&buf, UINT64_MAX);
    feed_buf_char(&buf, '|');
    feed_buf_i64(&buf, INT64_MIN);
    feed_buf_printf(&buf, "|%s-%d", "x", 5);
    assert_int_equal(buf.error, FEED_OK);
    assert_str_equal(feed_buf_view(&buf), "ab\0c|0|18446744073709551615|-9223372036854775808|x-5");
    feed_buf_reset(&buf);
    assert_int_equal(buf.len, 0);
    assert_non_null(buf.data);
    feed_buf_fini(&buf);
    assert_null(buf.data);
    assert_int_equal(buf.max, 1000);
}

static void never_holds_more_than_its_limit(void **state)
{
    (void)state;
    struct feed_buf buf;
    feed_buf_init(&buf, 100);
    for (int i = 0; i < 100; i++)
        feed_buf_char(&buf, 'x');
    assert_int_equal(buf.error, FEED_OK);
    assert_int_equal(buf.len, 100);
    feed_buf_char(&buf, 'y');
    assert_int_equal(buf.error, FEED_E_TOO_LARGE);
    assert_int_equal(buf.len, 100);
    assert_true(buf.capacity <= 100);
    feed_buf_reset(&buf);
    feed_buf_text(&buf, "abc");
    feed_buf_append(&buf, "abc", SIZE_MAX - 1); /* with what is there, this is more than a size_t can say */
    assert_int_equal(buf.error, FEED_E_TOO_LARGE);
    assert_int_equal(buf.len, 3);
    feed_buf_fini(&buf);
}

static void the_first_failure_sticks(void **state)
{
    (void)state;
    struct feed_buf buf;
    feed_buf_init(&buf, 4);
    feed_buf_text(&buf, "ab");
    feed_buf_text(&buf, "cde");
    feed_buf_text(&buf, "f"); /* would fit; yet a piece in between is lacking */
    assert_int_equal(buf.error, FEED_E_TOO_LARGE);
    assert_str_equal(feed_buf_view(&buf), "ab");
    feed_buf_reset(&buf);
    feed_buf_text(&buf, "f");
    assert_int_equal(buf.error, FEED_OK);
    feed_buf_fini(&buf);
}

/* printf needs room for a NUL that is not part of the content: exactly full, one too many, and every size between. */
static void printf_fits_to_the_last_byte(void **state)
{
    (void)state;
    for (int max = 1; max < 200; max++) {
        struct feed_buf buf;
        feed_buf_init(&buf, (size_t)max);
        feed_buf_printf(&buf, "%0*d", max, 7);
        assert_int_equal(buf.error, FEED_OK);
        assert_int_equal(buf.len, max);
        assert_int_equal(buf.data[max - 1], '7');
        feed_buf_printf(&buf, "%s", "");
        assert_int_equal(buf.error, FEED_OK);
        feed_buf_printf(&buf, "%d", 1);
        assert_int_equal(buf.error, FEED_E_TOO_LARGE);
        feed_buf_fini(&buf);
    }
}

static void grows_without_losing_anything(void **state)
{
    (void)state;
    struct feed_buf buf;
    feed_buf_init(&buf, 1 << 20);
    for (unsigned i = 0; i < 20000; i++) {
        feed_buf_append(&buf, &i, sizeof(i));
    }
    assert_int_equal(buf.error, FEED_OK);
    for (unsigned i = 0; i < 20000; i++) {
        unsigned value;
        memcpy(&value, buf.data + i * sizeof(value), sizeof(value));
        assert_int_equal(value, i);
    }
    feed_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_of_every_kind),         cmocka_unit_test(never_holds_more_than_its_limit),
        cmocka_unit_test(the_first_failure_sticks),      cmocka_unit_test(printf_fits_to_the_last_byte),
        cmocka_unit_test(grows_without_losing_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
