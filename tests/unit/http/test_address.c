/* Addresses: what is one, and which count as one. */
#include "shared/http/address.h"

#include "tests/unit/support/check.h"

#include <string.h>

static void test_texts(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"192.0.2.1", "192.0.2.1"},
        {"192.0.2.1:80", "192.0.2.1"},
        {"2001:db8::1", "2001:db8::1"},
        {"[2001:db8::1]", "2001:db8::1"},
        {"[2001:db8::1]:443", "2001:db8::1"},
        {"::1", "::1"},
        {"::ffff:192.0.2.1", "192.0.2.1"}, /* the same address, however it is written */
        {"", NULL},
        {"unknown", NULL},
        {"_hidden", NULL},
        {"192.0.2", NULL},
        {"192.0.2.256", NULL},
        {"192.0.2.1:", NULL},
        {"192.0.2.1:http", NULL},
        {"192.0.2.1:65536", NULL},
        {"192.0.2.1, 192.0.2.2", NULL},
        {"[2001:db8::1", NULL},
        {"[2001:db8::1]443", NULL},
        {"[2001:db8::1]:", NULL},
        {"2001:db8::1]:443", NULL},
        {"2001:db8::1%eth0", NULL},
        {"1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16:17:18:19:20:21:22:23", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct feed_address address;
        char text[FEED_ADDRESS_TEXT + 1];
        if (feed_address_parse(feed_str_of(rows[i][0]), &address) != (rows[i][1] != NULL))
            fail_msg("%s", rows[i][0]);
        if (!rows[i][1])
            continue;
        feed_address_text(&address, text);
        assert_string_equal(text, rows[i][1]);
    }
    struct feed_address address;
    assert_false(feed_address_parse(FEED_STR("192.0.2.1\0x"), &address));
}

static bool same_bucket(const char *one, const char *other)
{
    struct feed_address a, b;
    assert_true(feed_address_parse(feed_str_of(one), &a) && feed_address_parse(feed_str_of(other), &b));
    return feed_str_eq(feed_address_bucket(&a), feed_address_bucket(&b));
}

static void test_buckets(void **state)
{
    (void)state;
    assert_true(same_bucket("192.0.2.1:1", "192.0.2.1:2"));
    assert_false(same_bucket("192.0.2.1", "192.0.2.2"));
    assert_true(same_bucket("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff"));
    assert_false(same_bucket("2001:db8::1", "2001:db8:0:1::1"));
    assert_true(same_bucket("::ffff:192.0.2.1", "192.0.2.1"));
    assert_false(same_bucket("::ffff:192.0.2.1", "::1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_texts), cmocka_unit_test(test_buckets)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
