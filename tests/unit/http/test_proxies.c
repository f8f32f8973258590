/* Who is believed about where a request came from, and what nobody is believed. */
#include "shared/http/proxies.h"

#include "tests/unit/support/check.h"

static struct feed_address address(const char *text)
{
    struct feed_address address;
    assert_true(feed_address_parse(feed_str_of(text), &address));
    return address;
}

struct row {
    const char *proxies, *peer, *header, *client;
};

static void check(const char *header_name, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct feed_proxies proxies;
        char text[FEED_ADDRESS_TEXT + 1];
        assert_int_equal(feed_proxies_parse(feed_str_of(rows[i].proxies), feed_str_of(header_name), &proxies), FEED_OK);
        struct feed_address peer = address(rows[i].peer);
        struct feed_address client = feed_proxies_client(&proxies, &peer, feed_str_of(rows[i].header));
        feed_address_text(&client, text);
        if (!feed_str_eq(feed_str_of(text), feed_str_of(rows[i].client)))
            fail_msg("%s | %s | %s: %s", rows[i].proxies, rows[i].peer, rows[i].header, text);
    }
}

static void test_x_forwarded_for(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* nobody is trusted */
        {"", "192.0.2.9", "203.0.113.1", "192.0.2.9"},
        {"0", "192.0.2.9", "203.0.113.1", "192.0.2.9"},
        /* networks */
        {"10.0.0.0/8", "10.1.2.3", "203.0.113.1", "203.0.113.1"},
        {"10.0.0.0/8", "10.1.2.3", "198.51.100.7, 203.0.113.1", "203.0.113.1"}, /* the client wrote the left one */
        {"10.0.0.0/8", "10.1.2.3", "203.0.113.1, 10.9.9.9", "203.0.113.1"},
        {"10.0.0.0/8", "10.1.2.3", "10.0.0.1,10.9.9.9", "10.0.0.1"},
        {"10.0.0.0/8", "192.0.2.9", "203.0.113.1", "192.0.2.9"}, /* not a proxy: may say what it likes */
        {"10.0.0.0/8", "10.1.2.3", "", "10.1.2.3"},
        {"10.0.0.0/8", "10.1.2.3", "203.0.113.1, unknown", "10.1.2.3"},
        {"10.0.0.0/8", "10.1.2.3", "203.0.113.1,", "10.1.2.3"},
        {"10.0.0.0/8", "10.1.2.3", ",,,,203.0.113.1:4711", "203.0.113.1"},
        {"10.0.0.0/8", "10.1.2.3", "unknown, 203.0.113.1", "203.0.113.1"},
        {"10.0.0.0/8", "10.1.2.3", "2001:db8::7", "2001:db8::7"},
        {"10.1.2.3", "10.1.2.3", "203.0.113.1", "203.0.113.1"},
        {"10.1.2.3", "10.1.2.4", "203.0.113.1", "10.1.2.4"},
        {"10.0.0.0/9", "10.128.0.1", "203.0.113.1", "10.128.0.1"},
        {"0.0.0.0/0", "10.128.0.1", "203.0.113.1", "203.0.113.1"},
        {"0.0.0.0/0", "2001:db8::1", "203.0.113.1", "2001:db8::1"},
        {"fd00::/8, ::1", "::1", "203.0.113.1, fd00::7", "203.0.113.1"},
        /* so many hops */
        {"1", "192.0.2.9", "198.51.100.7, 203.0.113.1", "203.0.113.1"},
        {"2", "192.0.2.9", "198.51.100.7, 203.0.113.1", "198.51.100.7"},
        {"3", "192.0.2.9", "198.51.100.7, 203.0.113.1", "192.0.2.9"},
        {"1", "192.0.2.9", "", "192.0.2.9"},
        {"2", "192.0.2.9", "unknown, 203.0.113.1", "192.0.2.9"},
    };
    check("x-forwarded-for", rows, sizeof rows / sizeof rows[0]);
}

static void test_forwarded(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"10.0.0.0/8", "10.1.2.3", "for=203.0.113.1", "203.0.113.1"},
        {"10.0.0.0/8", "10.1.2.3", "For=203.0.113.1;proto=https;by=10.1.2.3", "203.0.113.1"},
        {"10.0.0.0/8", "10.1.2.3", "proto=https; for=\"[2001:db8::7]:4711\"", "2001:db8::7"},
        {"10.0.0.0/8", "10.1.2.3", "for=198.51.100.7, for=203.0.113.1", "203.0.113.1"},
        {"10.0.0.0/8", "10.1.2.3", "for=\"198.51.100.7, for=203.0.113.1",
         "203.0.113.1"}, /* a quote that is not closed */
        {"10.0.0.0/8", "10.1.2.3", "for=203.0.113.1;for=198.51.100.7", "10.1.2.3"},
        {"10.0.0.0/8", "10.1.2.3", "for=_hidden", "10.1.2.3"},
        {"10.0.0.0/8", "10.1.2.3", "203.0.113.1", "10.1.2.3"},
        {"10.0.0.0/8", "10.1.2.3", "proto=https", "10.1.2.3"},
    };
    check("forwarded", rows, sizeof rows / sizeof rows[0]);
}

static void test_configuration(void **state)
{
    (void)state;
    static const char *const bad[] = {"17", "-1",          "10.0.0.0/33", "10.0.0.0/", "::1/129", "proxy.example",
                                      ",",  "10.0.0.0/8/8"};
    struct feed_proxies proxies;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (feed_proxies_parse(feed_str_of(bad[i]), FEED_STR("x-forwarded-for"), &proxies) == FEED_OK)
            fail_msg("%s", bad[i]);
    }
    assert_int_equal(feed_proxies_parse(FEED_STR("1"), FEED_STR("x-real-ip"), &proxies), FEED_E_INVALID);
    struct feed_buf many;
    feed_buf_init(&many, 4096);
    for (int i = 0; i < 33; i++)
        feed_buf_printf(&many, "%s10.0.0.%d", i ? "," : "", i);
    assert_int_equal(feed_proxies_parse(feed_buf_view(&many), FEED_STR("forwarded"), &proxies), FEED_E_TOO_LARGE);
    feed_buf_fini(&many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_x_forwarded_for), cmocka_unit_test(test_forwarded),
                                       cmocka_unit_test(test_configuration)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
