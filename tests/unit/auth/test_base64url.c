/* Base64url: one text for each byte sequence, and nothing else is read. */
#include "shared/auth/base64url.h"

#include "tests/unit/support/check.h"

static void test_vectors(void **state)
{
    (void)state;
    /* RFC 4648, 10, without padding; the last one has both characters that differ from base64 */
    const struct {
        struct feed_str bytes, text;
    } rows[] = {{FEED_STR(""), FEED_STR("")},
                {FEED_STR("f"), FEED_STR("Zg")},
                {FEED_STR("fo"), FEED_STR("Zm8")},
                {FEED_STR("foo"), FEED_STR("Zm9v")},
                {FEED_STR("foob"), FEED_STR("Zm9vYg")},
                {FEED_STR("fooba"), FEED_STR("Zm9vYmE")},
                {FEED_STR("foobar"), FEED_STR("Zm9vYmFy")},
                {FEED_STR("\xfb\xff\x00\x01"), FEED_STR("-_8AAQ")}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct feed_buf out;
        char back[16];
        size_t len = 0;
        feed_buf_init(&out, 64);
        feed_base64url_encode(rows[i].bytes, &out);
        assert_true(feed_str_eq(feed_buf_view(&out), rows[i].text));
        assert_int_equal(feed_base64url_decode(rows[i].text, back, sizeof(back), &len), FEED_OK);
        assert_true(feed_str_eq((struct feed_str){back, len}, rows[i].bytes));
        feed_buf_fini(&out);
    }
}

static void test_refused(void **state)
{
    (void)state;
    const struct feed_str bad[] = {FEED_STR("Zg=="),  FEED_STR("Zm8="),  FEED_STR("Z"),           FEED_STR("Zm9vY"),
                                   FEED_STR("Zm9vA"), FEED_STR("A"),     FEED_STR("Zh"), /* trailing bits */
                                   FEED_STR("Zm9"),   FEED_STR("Zm 9v"), FEED_STR("+w"),          FEED_STR("/w"),
                                   FEED_STR("Zg\n"),  FEED_STR("Zg."),   FEED_STR("Zm\x00\x39v"), FEED_STR("\xff\xff")};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char out[16];
        size_t len;
        assert_int_equal(feed_base64url_decode(bad[i], out, sizeof(out), &len), FEED_E_INVALID);
    }
}

static void test_room(void **state)
{
    (void)state;
    char out[3];
    size_t len;
    assert_int_equal(feed_base64url_decode(FEED_STR("Zm9v"), out, 3, &len), FEED_OK);
    assert_int_equal(feed_base64url_decode(FEED_STR("Zm9vYg"), out, 3, &len), FEED_E_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
