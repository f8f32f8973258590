/* Slots of keys, with figures that a real server gave (CLUSTER KEYSLOT). */
#include "shared/redis/slot.h"

#include "tests/unit/support/check.h"

static const struct {
    const char *key;
    unsigned slot;
} rows[] = {
    {"", 0},
    {"123456789", 12739},
    {"foo", 12182},
    {"{user1000}.following", 3443},
    {"foo{}{bar}", 8363},
    {"foo{{bar}}zap", 4015},
    {"foo{bar}{zap}", 5061},
    {"foo{bar", 15278},
    {"f:{demo/ann}", 4000},
    {"o:{acme-1/x@y.z|k}", 11003},
    {"g:{demo/ann/0}", 4875},
    {"\303\251\303\250{\303\274}", 9552},
    {"}{a}", 15495},
    {"{", 4092},
    {"{}", 15257},
};

static void slots_are_those_of_redis(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (feed_slot_of(feed_str_of(rows[i].key)) != rows[i].slot)
            fail_msg("%s: %u, not %u", rows[i].key, feed_slot_of(feed_str_of(rows[i].key)), rows[i].slot);
    }
}

static void all_keys_of_a_user_share_a_slot(void **state)
{
    (void)state;
    unsigned slot = feed_slot_of(FEED_STR("f:{demo/ann}"));
    assert_int_equal(feed_slot_of(FEED_STR("n:{demo/ann}")), slot);
    assert_int_equal(feed_slot_of(FEED_STR("demo/ann")), slot);
    assert_int_not_equal(feed_slot_of(FEED_STR("f:{demo/bob}")), slot);
}

static struct feed_str key_of(const char *a, const char *b, const char *c, const char *d)
{
    const struct feed_str argv[] = {feed_str_of(a), feed_str_of(b), feed_str_of(c), feed_str_of(d)};
    size_t argc = d ? 4 : c ? 3 : b ? 2 : a ? 1 : 0;
    return feed_slot_key(argv, argc);
}

static void the_first_key_of_a_command_decides(void **state)
{
    (void)state;
    assert_true(feed_str_eq(key_of("FCALL", "feedwire_v1_add", "1", "f:{a/b}"), FEED_STR("f:{a/b}")));
    assert_true(feed_str_eq(key_of("fcall_ro", "feedwire_v1_window", "1", "f:{a/b}"), FEED_STR("f:{a/b}")));
    assert_true(feed_str_eq(key_of("ZADD", "h:{a/b}", "LT", "1"), FEED_STR("h:{a/b}")));
    assert_true(feed_str_eq(key_of("SSUBSCRIBE", "f:{a/b}", NULL, NULL), FEED_STR("f:{a/b}")));
    assert_null(key_of("PING", NULL, NULL, NULL).data);
    assert_null(key_of("FCALL", "f", "0", NULL).data);
    assert_null(feed_slot_key(NULL, 0).data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_are_those_of_redis),
        cmocka_unit_test(all_keys_of_a_user_share_a_slot),
        cmocka_unit_test(the_first_key_of_a_command_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
