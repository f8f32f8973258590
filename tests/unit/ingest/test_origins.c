/* The list of web origins: exact matches only. */
#include "ingest/origins.h"

#include "tests/unit/support/check.h"

static void test_list(void **state)
{
    (void)state;
    struct ing_origins origins;
    assert_int_equal(
        ing_origins_parse(FEED_STR(" http://localhost:8000 ,,https://feeds.example,http://[::1]:80"), &origins),
        FEED_OK);
    assert_int_equal(origins.count, 3);
    assert_str_equal(ing_origins_find(&origins, FEED_STR("http://localhost:8000")), "http://localhost:8000");
    assert_str_equal(ing_origins_find(&origins, FEED_STR("https://feeds.example")), "https://feeds.example");
    assert_str_equal(ing_origins_find(&origins, FEED_STR("http://[::1]:80")), "http://[::1]:80");
}

static void test_no_match(void **state)
{
    (void)state;
    struct ing_origins origins;
    assert_int_equal(ing_origins_parse(FEED_STR("https://feeds.example"), &origins), FEED_OK);
    const struct feed_str foreign[] = {FEED_STR("http://feeds.example"),
                                       FEED_STR("https://feeds.example:443"),
                                       FEED_STR("https://feeds.example/"),
                                       FEED_STR("https://feeds.example.evil"),
                                       FEED_STR("https://evil.feeds.example"),
                                       FEED_STR("HTTPS://FEEDS.EXAMPLE"),
                                       FEED_STR("null"),
                                       FEED_STR("*"),
                                       FEED_STR(""),
                                       FEED_STR("https://feeds.example, https://feeds.example")};
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        assert_null(ing_origins_find(&origins, foreign[i]).data);
    }
}

static void test_bad_lists(void **state)
{
    (void)state;
    struct ing_origins origins;
    const struct feed_str bad[] = {FEED_STR("*"),
                                   FEED_STR("null"),
                                   FEED_STR("localhost:8000"),
                                   FEED_STR("http://"),
                                   FEED_STR("http://a/"),
                                   FEED_STR("http://a/path"),
                                   FEED_STR("http://*.example"),
                                   FEED_STR("http://A.example"),
                                   FEED_STR("http://a b"),
                                   FEED_STR("http://u@a"),
                                   FEED_STR("http://a\r\nx: y"),
                                   FEED_STR("http://a\0"),
                                   FEED_STR("ftp://a"),
                                   FEED_STR("http://a;http://b")};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(ing_origins_parse(bad[i], &origins), FEED_E_INVALID);
    }
    struct feed_buf many;
    feed_buf_init(&many, 4096);
    for (int i = 0; i <= ING_ORIGINS_MAX; i++) {
        assert_int_equal(ing_origins_parse(feed_buf_view(&many), &origins), FEED_OK);
        feed_buf_printf(&many, "http://a%d,", i);
    }
    assert_int_equal(ing_origins_parse(feed_buf_view(&many), &origins), FEED_E_TOO_LARGE);
    feed_buf_fini(&many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_list), cmocka_unit_test(test_no_match),
                                       cmocka_unit_test(test_bad_lists)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
