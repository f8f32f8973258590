/* Which commands erase users from which keys, and which records of the graph name them. */
#include "fanout/purge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct fan_purge purge_of(const char *user, int64_t until_ms)
{
    struct fan_purge purge;
    fan_purge_init(&purge, FEED_STR("demo"), 100);
    assert_true(fan_purge_add(&purge, FEED_STR("demo"), feed_str_of(user), until_ms));
    return purge;
}

/* The command, with blanks between; "-": none. */
static void expect(const struct fan_purge *purge, const char *key, const char *expected)
{
    struct fan_call call;
    char text[600] = "-";
    size_t used = 0;
    if (fan_purge_build(purge, feed_str_of(key), &call)) {
        for (size_t i = 0; i < call.argc; i++)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%.*s", used ? " " : "", (int)call.argv[i].len,
                                     call.argv[i].data);
    }
    assert_string_equal(text, expected);
}

#define ERASE "FCALL feedwire_v1_erase "

static void each_kind_of_key_has_its_command(void **state)
{
    (void)state;
    struct fan_purge purge = purge_of("gone", 10);
    expect(&purge, "f:{demo/ann}", ERASE "1 f:{demo/ann} 100  gone 10");
    expect(&purge, "o:{demo/gone}", ERASE "1 o:{demo/gone} 100 10 gone 10");
    expect(&purge, "k:{demo/ann/3}",
           ERASE "4 g:{demo/ann/3} k:{demo/ann/3} l:{demo/ann/3} q:{demo/ann/3} 100  gone 10");
    expect(&purge, "q:{demo/gone/0}",
           ERASE "4 g:{demo/gone/0} k:{demo/gone/0} l:{demo/gone/0} q:{demo/gone/0} 100 10 gone 10");
    expect(&purge, "b:{demo/ann}", ERASE "2 b:{demo/ann} f:{demo/ann} 100  gone 10");
    expect(&purge, "i:{demo/gone/key}", ERASE "1 i:{demo/gone/key} 100 10 gone 10");
    expect(&purge, "a:{demo/gone}", ERASE "1 a:{demo/gone} 100 10 gone 10");
}

static void other_keys_are_left_alone(void **state)
{
    static const char *const keys[] = {"q:{demo/ann/0}",
                                       "a:{demo/ann}",
                                       "i:{demo/ann/key}",
                                       "s:{demo/ann}", /* name nobody else */
                                       "f:{shop/gone}",
                                       "f:{demo}",
                                       "f:{demo/}",
                                       "p:{demo/0}",
                                       "f:{demo/go ne}",
                                       "f{demo/gone}",
                                       "",
                                       "g:{demo/gone/x}",
                                       "g:{demo/gone}",
                                       "g:{demo/gone/99999999999999}",
                                       "life:{feedwire}"};
    (void)state;
    struct fan_purge purge = purge_of("gone", 10);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        expect(&purge, keys[i], "-");
}

static void several_users_of_a_tenant_go_together(void **state)
{
    (void)state;
    struct fan_purge purge = purge_of("gone", 10);
    assert_false(fan_purge_add(&purge, FEED_STR("shop"), FEED_STR("other"), 20));
    assert_true(fan_purge_add(&purge, FEED_STR("demo"), FEED_STR("other"), 20));
    assert_true(fan_purge_add(&purge, FEED_STR("demo"), FEED_STR("gone"), 30));
    assert_true(fan_purge_add(&purge, FEED_STR("demo"), FEED_STR("gone"), 5));
    assert_int_equal(purge.count, 2);
    expect(&purge, "h:{demo/other}", ERASE "1 h:{demo/other} 100 20 gone 30 other 20");
    for (size_t i = purge.count; i < FAN_PURGE_USERS_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "u%zu", i);
        assert_true(fan_purge_add(&purge, FEED_STR("demo"), feed_str_of(name), 1));
    }
    assert_false(fan_purge_add(&purge, FEED_STR("demo"), FEED_STR("more"), 1));
    assert_true(fan_purge_add(&purge, FEED_STR("demo"), FEED_STR("gone"), 1));
}

static void a_pattern_finds_the_keys_of_the_tenant(void **state)
{
    (void)state;
    struct fan_purge purge = purge_of("gone", 10);
    char pattern[FAN_PURGE_PATTERN_MAX + 1];
    assert_int_equal(fan_purge_pattern(&purge, pattern), 10);
    assert_string_equal(pattern, "?:{demo/*}");
}

static bool ends(const struct fan_purge *purge, const char *key, const char *value, size_t len)
{
    return fan_purge_ends_relation(purge, feed_str_of(key), (struct feed_str){value, len});
}

static void relations_of_any_kind_end_if_they_are_not_younger(void **state)
{
    (void)state;
    struct fan_purge purge = purge_of("gone", 10);
    assert_true(ends(&purge, "demo/follow/gone/ann", "\x92\x0a\x00", 3));
    assert_true(ends(&purge, "demo/follow/ann/gone", "\x92\x00\x0a", 3));
    assert_true(ends(&purge, "demo/later/ann/gone", "\xc0", 1));
    assert_true(ends(&purge, "demo/settings/ann/gone", "\x92\xa3m10\xa0", 6));
    assert_false(ends(&purge, "demo/settings/ann/gone", "\x92\xa3m11\xa0", 6));
    assert_false(ends(&purge, "demo/follow/ann/gone", "\x92\x0b\x00", 3));
    assert_false(ends(&purge, "demo/follow/ann/gone", "\x93\x05\x00\x0b", 4));
    assert_false(ends(&purge, "demo/follow/ann/gone", NULL, 0)); /* it is deleted already */
    assert_false(ends(&purge, "demo/follow/ann/bob", "\x92\x01\x00", 3));
    assert_false(ends(&purge, "shop/follow/ann/gone", "\x92\x01\x00", 3));
    assert_false(ends(&purge, "demo/purge/gone/-", "\x92\x01\x00", 3));
    assert_false(ends(&purge, "demo/follow/gone", "\x92\x01\x00", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_key_has_its_command),
        cmocka_unit_test(other_keys_are_left_alone),
        cmocka_unit_test(several_users_of_a_tenant_go_together),
        cmocka_unit_test(a_pattern_finds_the_keys_of_the_tenant),
        cmocka_unit_test(relations_of_any_kind_end_if_they_are_not_younger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
