/* What a request's head may say: tables of good, borderline and hostile heads. */
#include "shared/http/request_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static struct feed_str absent_or(const char *text)
{
    return text ? feed_str_of(text) : (struct feed_str){NULL, 0};
}

static void test_body(void **state)
{
    (void)state;
    static const struct {
        enum feed_http_method method;
        unsigned status;
        const char *length, *coding;
        uint64_t expected;
    } rows[] = {
        {FEED_HTTP_POST, 0, "0", NULL, 0},
        {FEED_HTTP_POST, 0, "1000", NULL, 1000},
        {FEED_HTTP_POST, 0, "0000005", NULL, 5},
        {FEED_HTTP_POST, 413, "1001", NULL, 0},
        {FEED_HTTP_POST, 413, "18446744073709551616", NULL, 0},
        {FEED_HTTP_POST, 413, "99999999999999999999999999999999", NULL, 0},
        {FEED_HTTP_POST, 400, "", NULL, 0},
        {FEED_HTTP_POST, 400, "-1", NULL, 0},
        {FEED_HTTP_POST, 400, "+1", NULL, 0},
        {FEED_HTTP_POST, 400, "1 2", NULL, 0},
        {FEED_HTTP_POST, 400, "5,5", NULL, 0},
        {FEED_HTTP_POST, 400, "0x10", NULL, 0},
        {FEED_HTTP_POST, 400, "5", "chunked", 0},
        {FEED_HTTP_GET, 400, "5", "identity", 0},
        {FEED_HTTP_POST, 0, NULL, "chunked", 0},
        {FEED_HTTP_POST, 0, NULL, "Chunked", 0},
        {FEED_HTTP_GET, 411, NULL, "chunked", 0},
        {FEED_HTTP_PUT, 411, NULL, "chunked", 0},
        {FEED_HTTP_GET, 400, NULL, "", 0},
        {FEED_HTTP_POST, 400, NULL, "identity", 0},
        {FEED_HTTP_POST, 400, NULL, "gzip, chunked", 0},
        {FEED_HTTP_POST, 400, NULL, "chunked, chunked", 0},
        {FEED_HTTP_POST, 400, NULL, "chunked,", 0},
        {FEED_HTTP_POST, 400, NULL, "chunked;q=1", 0},
        {FEED_HTTP_POST, 400, NULL, "xchunked", 0},
        {FEED_HTTP_POST, 400, NULL, "\vchunked", 0},
        {FEED_HTTP_POST, 411, NULL, NULL, 0},
        {FEED_HTTP_PUT, 0, NULL, NULL, 0},
        {FEED_HTTP_OTHER, 411, NULL, NULL, 0},
        {FEED_HTTP_GET, 0, NULL, NULL, 0},
        {FEED_HTTP_HEAD, 0, NULL, NULL, 0},
        {FEED_HTTP_DELETE, 0, NULL, NULL, 0},
        {FEED_HTTP_OPTIONS, 0, NULL, NULL, 0},
        {FEED_HTTP_DELETE, 0, "7", NULL, 7},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t length = 12345;
        bool chunked = false;
        struct feed_http_framed head = {rows[i].method, true, absent_or(rows[i].length), absent_or(rows[i].coding)};
        struct feed_http_verdict v = feed_http_check_body(&head, 1000, &length, &chunked);
        if (v.status != rows[i].status || (v.status == 0 && length != rows[i].expected) || !v.detail != !v.status ||
            chunked != (v.status == 0 && rows[i].coding != NULL))
            fail_msg("row %zu: status %u, length %llu", i, v.status, (unsigned long long)length);
        head.http11 = false;
        if (rows[i].coding)
            assert_int_equal(feed_http_check_body(&head, 1000, &length, &chunked).status, 400);
    }
}

static void test_path(void **state)
{
    (void)state;
    static const struct {
        struct feed_str path;
        unsigned status;
    } rows[] = {
        {FEED_STR("/"), 0},
        {FEED_STR("/v1/activities"), 0},
        {FEED_STR("/v1//x/"), 0},
        {FEED_STR("/.hidden/..x/x../..."), 0},
        {FEED_STR("/s\xc3\xb6 \xff"), 0},
        {FEED_STR(""), 400},
        {FEED_STR("v1"), 400},
        {FEED_STR("*"), 400},
        {FEED_STR("/."), 400},
        {FEED_STR("/.."), 400},
        {FEED_STR("/a/./b"), 400},
        {FEED_STR("/a/../b"), 400},
        {FEED_STR("/a/.."), 400},
        {FEED_STR("/a\0b"), 400},
        {FEED_STR("/a\\b"), 400},
        {FEED_STR("/a\r\nb"), 400},
        {FEED_STR("/a\x7f"), 400},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (feed_http_check_path(rows[i].path).status != rows[i].status)
            fail_msg("row %zu", i);
    char longest[FEED_HTTP_PATH_MAX + 1];
    memset(longest, 'a', sizeof(longest));
    longest[0] = '/';
    assert_int_equal(feed_http_check_path((struct feed_str){longest, FEED_HTTP_PATH_MAX}).status, 0);
    assert_int_equal(feed_http_check_path((struct feed_str){longest, FEED_HTTP_PATH_MAX + 1}).status, 414);
}

static void test_header_names(void **state)
{
    (void)state;
    assert_true(feed_http_header_name_valid(FEED_STR("x-request-id")));
    assert_true(feed_http_header_name_valid(FEED_STR("A!#$%&'*+-.^_`|~9z")));
    static const struct feed_str bad[] = {FEED_STR(""),     FEED_STR("a b"), FEED_STR("a "),   FEED_STR(" a"),
                                          FEED_STR("a\0b"), FEED_STR("a:"),  FEED_STR("a\r"),  FEED_STR("(a)"),
                                          FEED_STR("a/b"),  FEED_STR("@"),   FEED_STR("a\xff")};
    for (size_t i = 0; i < COUNT(bad); i++)
        if (feed_http_header_name_valid(bad[i]))
            fail_msg("row %zu", i);
}

static void test_lists(void **state)
{
    (void)state;
    assert_true(feed_http_list_has(FEED_STR("keep-alive, Upgrade"), FEED_STR("upgrade"), true));
    assert_true(feed_http_list_has(FEED_STR("\tupgrade ,x"), FEED_STR("upgrade"), false));
    assert_true(feed_http_list_has(FEED_STR(",,a,"), FEED_STR("a"), false));
    assert_false(feed_http_list_has(FEED_STR("Upgrade"), FEED_STR("upgrade"), false));
    assert_false(feed_http_list_has(FEED_STR("upgrades"), FEED_STR("upgrade"), true));
    assert_false(feed_http_list_has(FEED_STR("up,grade"), FEED_STR("upgrade"), true));
    assert_false(feed_http_list_has((struct feed_str){NULL, 0}, FEED_STR("a"), true));
}

static void test_trim(void **state)
{
    (void)state;
    assert_true(feed_str_eq(feed_http_trim(FEED_STR(" \t a b\t ")), FEED_STR("a b")));
    assert_int_equal(feed_http_trim(FEED_STR("  \t")).len, 0);
    assert_int_equal(feed_http_trim((struct feed_str){NULL, 0}).len, 0);
}

static const struct feed_ws_offer good = {.upgrade = FEED_STR("WebSocket"),
                                          .connection = FEED_STR("keep-alive, Upgrade"),
                                          .version = FEED_STR("13"),
                                          .key = FEED_STR("dGhlIHNhbXBsZSBub25jZQ=="),
                                          .protocols = FEED_STR("other, feedwire.v1.json"),
                                          .host = FEED_STR("localhost")};

static unsigned upgrade_status(enum feed_http_method method, struct feed_ws_offer offer)
{
    return feed_http_check_upgrade(method, &offer, FEED_STR("feedwire.v1.json")).status;
}

static void test_upgrade(void **state)
{
    (void)state;
    char many[200];
    memset(many, ',', sizeof(many)); /* empty members */
    struct feed_ws_offer o = good;
    assert_int_equal(upgrade_status(FEED_HTTP_GET, o), 0);
    assert_int_equal(upgrade_status(FEED_HTTP_POST, o), 405);
    assert_int_equal(upgrade_status(FEED_HTTP_GET, (o = good, o.upgrade = FEED_STR("h2c"), o)), 400);
    assert_int_equal(upgrade_status(FEED_HTTP_GET, (o = good, o.connection = FEED_STR("close"), o)), 400);
    assert_int_equal(upgrade_status(FEED_HTTP_GET, (o = good, o.version = FEED_STR("8"), o)), 426);
    assert_int_equal(upgrade_status(FEED_HTTP_GET, (o = good, o.version = FEED_STR("13, 8"), o)), 426);
    assert_int_equal(upgrade_status(FEED_HTTP_GET, (o = good, o.key = FEED_STR("short"), o)), 400);
    assert_int_equal(upgrade_status(FEED_HTTP_GET, (o = good, o.host = FEED_STR(""), o)), 400);
    assert_int_equal(upgrade_status(FEED_HTTP_GET, (o = good, o.protocols = FEED_STR(""), o)), 400);
    assert_int_equal(upgrade_status(FEED_HTTP_GET, (o = good, o.protocols = FEED_STR("feedwire.v1"), o)), 400);
    assert_int_equal(upgrade_status(FEED_HTTP_GET, (o = good, o.protocols = FEED_STR("a b, feedwire.v1.json"), o)),
                     400);
    assert_int_equal(upgrade_status(FEED_HTTP_GET, (o = good, o.protocols = (struct feed_str){many, 200}, o)), 400);
    struct feed_str none = {NULL, 0};
    assert_int_equal(feed_http_check_upgrade(FEED_HTTP_GET, &good, none).status, 400);
    o = (o = good, o.protocols = FEED_STR(""), o);
    assert_int_equal(feed_http_check_upgrade(FEED_HTTP_GET, &o, none).status, 0);
}

static void test_header_values(void **state)
{
    (void)state;
    static const struct feed_str fine[] = {FEED_STR(""), FEED_STR("a b\tc"), FEED_STR("\xc3\xa9~!\"")};
    static const struct feed_str bad[] = {FEED_STR("a\0"),     FEED_STR("a\rb"), FEED_STR("\n"),
                                          FEED_STR("\x1b[2J"), FEED_STR("\x7f"), FEED_STR("\x0b")};
    for (size_t i = 0; i < COUNT(fine); i++)
        assert_true(feed_http_header_value_valid(fine[i]));
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(feed_http_header_value_valid(bad[i]));
}

static void test_hosts(void **state)
{
    (void)state;
    static const char *const fine[] = {"x",   "localhost:8080", "a-b.example.", "127.0.0.1", "[::1]:80",
                                       "a_b", "fe80::1%25eth0"};
    static const char *const bad[] = {"",    "a,b",  "a b",  "a/b",      "user@a", "a?b",
                                      "a#b", "a\\b", "a\tb", "\xc3\xa9", "a;b",    "<a>"};
    for (size_t i = 0; i < COUNT(fine); i++)
        assert_true(feed_http_host_valid(feed_str_of(fine[i])));
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(feed_http_host_valid(feed_str_of(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_body), cmocka_unit_test(test_header_values), cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_path), cmocka_unit_test(test_header_names),  cmocka_unit_test(test_lists),
        cmocka_unit_test(test_trim), cmocka_unit_test(test_upgrade),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
