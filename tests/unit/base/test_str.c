/* Views, numbers, hexadecimal and UTF-8. */
#include "shared/base/str.h"

#include "tests/unit/support/check.h"
#include "tests/unit/support/vectors.h"

static const struct feed_str nothing = {NULL, 0};

static void compares_by_bytes(void **state)
{
    (void)state;
    assert_true(feed_str_eq(nothing, FEED_STR("")));
    assert_false(feed_str_eq(FEED_STR("a"), FEED_STR("b")));
    assert_false(feed_str_eq(FEED_STR("a"), FEED_STR("ab")));
    assert_true(feed_str_eq(FEED_STR("a\0b"), FEED_STR("a\0b")));
    assert_false(feed_str_eq(FEED_STR("a\0b"), FEED_STR("a\0c")));
    assert_true(feed_str_cmp(FEED_STR("a"), FEED_STR("ab")) < 0);
    assert_true(feed_str_cmp(FEED_STR("b"), FEED_STR("ab")) > 0);
    assert_true(feed_str_cmp(nothing, FEED_STR("a")) < 0);
    assert_true(feed_str_cmp(FEED_STR("\xff"), FEED_STR("a")) > 0);
    assert_int_equal(feed_str_cmp(nothing, nothing), 0);
    assert_int_equal(feed_str_of(NULL).len, 0);
    assert_int_equal(feed_str_of("abc").len, 3);
}

static void copies_only_what_fits(void **state)
{
    (void)state;
    char out[4] = "xxx";
    assert_int_equal(feed_str_copy(FEED_STR("abc"), out, sizeof(out)), FEED_OK);
    assert_string_equal(out, "abc");
    assert_int_equal(feed_str_copy(FEED_STR("abcd"), out, sizeof(out)), FEED_E_TOO_LARGE);
    assert_string_equal(out, "");
    assert_int_equal(feed_str_copy(nothing, out, 1), FEED_OK);
    assert_string_equal(out, "");
}

static void reads_decimal_numbers_up_to_a_maximum(void **state)
{
    (void)state;
    uint64_t value = 0;
    assert_int_equal(feed_str_to_u64(FEED_STR("0"), 9, &value), FEED_OK);
    assert_int_equal(value, 0);
    assert_int_equal(feed_str_to_u64(FEED_STR("18446744073709551615"), UINT64_MAX, &value), FEED_OK);
    assert_true(value == UINT64_MAX);
    assert_int_equal(feed_str_to_u64(FEED_STR("65535"), 65535, &value), FEED_OK);
    static const char *const bad[] = {"", "-1", "+1", " 1", "1 ", "1.0", "0x1", "65536", "99999999999999999999999",
                                      "a"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(feed_str_to_u64(feed_str_of(bad[i]), 65535, &value), FEED_E_INVALID);
    assert_int_equal(feed_str_to_u64(FEED_STR("18446744073709551616"), UINT64_MAX, &value), FEED_E_INVALID);
    assert_int_equal(value, 65535); /* untouched by failures */
}

static void hexadecimal_goes_both_ways(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0x00, 0x0f, 0xa5, 0xff};
    char text[9];
    feed_hex(bytes, sizeof(bytes), text);
    assert_string_equal(text, "000fa5ff");
    uint8_t back[4] = {0};
    assert_int_equal(feed_unhex(FEED_STR("000FA5fF"), back, sizeof(back)), FEED_OK);
    assert_memory_equal(back, bytes, sizeof(bytes));
    static const char *const bad[] = {"", "000fa5f", "000fa5ff0", "000fa5ff00", "000fa5fg", "0x0fa5ff", " 00fa5ff"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(feed_unhex(feed_str_of(bad[i]), back, sizeof(back)), FEED_E_INVALID);
}

/* names.json has more cases. */
static void knows_utf8(void **state)
{
    (void)state;
    static const char *const good[] = {"", "a", "é", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf", "\xc2\x80"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(feed_str_utf8(feed_str_of(good[i])));
    static const char *const bad[] = {
        "\x80",         "\xc3",         "\xc3(",     "\xc1\xbf",         "\xe0\x9f\xbf",     "\xed\xa0\x80",
        "\xed\xbf\xbf", "\xe2\x82",     "\xe2(\x82", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xfe",         "\xf0\x9f\x8e", "a\xff"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct feed_str copy = exact_copy(feed_str_of(bad[i]));
        assert_false(feed_str_utf8(copy));
        free_copy(copy);
    }
    assert_true(feed_str_utf8(FEED_STR("a\0b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_by_bytes),
        cmocka_unit_test(copies_only_what_fits),
        cmocka_unit_test(reads_decimal_numbers_up_to_a_maximum),
        cmocka_unit_test(hexadecimal_goes_both_ways),
        cmocka_unit_test(knows_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
