/* Activity ids. */
#include "shared/base/id.h"

#include "tests/unit/support/check.h"

#include <string.h>

static const uint8_t some_bytes[FEED_ID_BYTES] = {0x01, 0x98, 0xc0, 0xde, 0x00, 0x00, 0x70, 0x00,
                                                  0x80, 0x00, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab};
#define SOME_TEXT "0198c0de-0000-7000-8000-0123456789ab"

static void uuids_go_both_ways(void **state)
{
    (void)state;
    struct feed_id id;
    char text[FEED_ID_TEXT + 1];
    assert_int_equal(feed_id_parse(FEED_STR(SOME_TEXT), &id), FEED_OK);
    assert_memory_equal(id.bytes, some_bytes, FEED_ID_BYTES);
    assert_int_equal(feed_id_parse(FEED_STR("0198C0DE-0000-7000-8000-0123456789AB"), &id), FEED_OK);
    assert_memory_equal(id.bytes, some_bytes, FEED_ID_BYTES);
    feed_id_format(&id, text);
    assert_string_equal(text, SOME_TEXT);
}

static void other_forms_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "0198c0de000070008000 0123456789ab",
                                      "0198c0de00007000800001234567890ab",
                                      "0198c0de-0000-7000-8000-0123456789a",
                                      "0198c0de-0000-7000-8000-0123456789abc",
                                      "0198c0de-0000-7000-8000-0123456789ag",
                                      "0198c0de-0000-7000-80000-123456789ab",
                                      "0198c0de_0000_7000_8000_0123456789ab",
                                      "{198c0de-0000-7000-8000-0123456789a}",
                                      "-198c0de-0000-7000-8000-0123456789ab"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct feed_id id;
        assert_int_equal(feed_id_parse(feed_str_of(bad[i]), &id), FEED_E_INVALID);
    }
}

static void other_texts_are_hashed_with_their_source(void **state)
{
    (void)state;
    /* printf '/feedwire\0order 4711' | sha256sum */
    static const uint8_t expected[FEED_ID_BYTES] = {0xdf, 0x37, 0xe1, 0xf1, 0x85, 0xf1, 0x64, 0x9d,
                                                    0xb5, 0x1a, 0x1a, 0x05, 0x2f, 0x40, 0x6c, 0xe8};
    struct feed_id id = feed_id_from_text(FEED_STR("/feedwire"), FEED_STR("order 4711"));
    assert_memory_equal(id.bytes, expected, FEED_ID_BYTES);
    struct feed_id other = feed_id_from_text(FEED_STR("/feedwir"), FEED_STR("eorder 4711"));
    assert_memory_not_equal(other.bytes, expected, FEED_ID_BYTES);
    struct feed_id uuid = feed_id_from_text(FEED_STR("/any"), FEED_STR(SOME_TEXT));
    assert_memory_equal(uuid.bytes, some_bytes, FEED_ID_BYTES);
    (void)feed_id_from_text((struct feed_str){NULL, 0}, (struct feed_str){NULL, 0});
}

/* The example of RFC 9562, A.6. */
static void version_7_is_that_of_the_rfc(void **state)
{
    (void)state;
    const uint8_t random[10] = {0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f};
    struct feed_id id = feed_id_v7(INT64_C(0x017F22E279B0), random);
    char text[FEED_ID_TEXT + 1];
    feed_id_format(&id, text);
    assert_string_equal(text, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

static void version_7_follows_time(void **state)
{
    (void)state;
    uint8_t low[10], high[10];
    memset(low, 0x00, sizeof(low));
    memset(high, 0xff, sizeof(high));
    struct feed_id earlier = feed_id_v7(1767323045678, high);
    struct feed_id later = feed_id_v7(1767323045679, low);
    assert_true(feed_id_cmp(&earlier, &later) < 0);
    assert_true(feed_id_cmp(&later, &earlier) > 0);
    assert_int_equal(feed_id_cmp(&later, &later), 0);
    assert_int_equal(earlier.bytes[6] >> 4, 7);
    assert_int_equal(earlier.bytes[8] >> 6, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uuids_go_both_ways),
        cmocka_unit_test(other_forms_are_refused),
        cmocka_unit_test(other_texts_are_hashed_with_their_source),
        cmocka_unit_test(version_7_is_that_of_the_rfc),
        cmocka_unit_test(version_7_follows_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
