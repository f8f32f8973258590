/* Marks of shards: keys, and what their answers mean. */
#include "fanout/marks.h"

#include "shared/redis/slot.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char life[] = "aaaaaaaaaaaaaaaa";

static void every_slot_has_a_key(void **state)
{
    (void)state;
    for (unsigned slot = 0; slot < FEED_SLOTS; slot += 331) {
        char key[FAN_MARK_KEY_MAX + 1];
        fan_mark_key(slot, key);
        assert_int_equal(feed_slot_of(feed_str_of(key)), slot);
    }
}

static struct fan_mark wanted(void)
{
    struct fan_mark mark = {.slot = FAN_MARK_NONE};
    assert_true(fan_mark_good(&mark, 7));
    fan_mark_want(&mark, 5461);
    assert_false(fan_mark_good(&mark, 7));
    assert_int_equal(mark.state, FAN_MARK_LISTED);
    return mark;
}

static struct fan_mark marked(void)
{
    struct fan_mark mark = wanted();
    assert_true(fan_mark_took(&mark, feed_str_of(life), life, 1));
    assert_true(fan_mark_took(&mark, feed_str_of(life), life, 1));
    assert_int_equal(mark.state, FAN_MARK_MARKED);
    return mark;
}

static void a_shard_without_one_gets_one(void **state)
{
    (void)state;
    static const char *const before[] = {"", "bbbbbbbbbbbbbbbb"};
    for (int i = 0; i < 2; i++) {
        struct fan_mark mark = wanted();
        assert_true(fan_mark_took(&mark, feed_str_of(before[i]), life, 1)); /* not listed in this life */
        assert_true(fan_mark_took(&mark, feed_str_of(before[i]), life, 1));
        assert_int_equal(mark.state, FAN_MARK_WRITE);
        assert_true(fan_mark_took(&mark, FEED_STR("OK"), life, 1));
        assert_int_equal(mark.state, FAN_MARK_LIST);
        assert_true(fan_mark_took(&mark, FEED_STR("1"), life, 1));
        assert_false(fan_mark_good(&mark, 1)); /* it was not looked at yet */
        assert_true(fan_mark_took(&mark, feed_str_of(life), life, 2));
        assert_true(fan_mark_good(&mark, 2));
        assert_true(fan_mark_good(&mark, 1));
        assert_false(fan_mark_good(&mark, 3));
    }
}

static void one_that_was_written_and_not_listed_is_listed(void **state)
{
    (void)state;
    struct fan_mark mark = wanted();
    assert_true(fan_mark_took(&mark, FEED_STR(""), life, 1));
    assert_true(fan_mark_took(&mark, feed_str_of(life), life, 1));
    assert_int_equal(mark.state, FAN_MARK_LIST);
}

static void one_that_is_listed_must_be_there(void **state)
{
    (void)state;
    struct fan_mark mark = wanted();
    assert_true(fan_mark_took(&mark, feed_str_of(life), life, 1));
    assert_false(fan_mark_took(&mark, FEED_STR(""), life, 1));
    assert_false(fan_mark_took(&mark, FEED_STR("bbbbbbbbbbbbbbbb"), life, 1)); /* asked again, found again */
}

static void one_that_goes_was_lost(void **state)
{
    (void)state;
    struct fan_mark mark = marked();
    assert_true(fan_mark_took(&mark, feed_str_of(life), life, 2));
    assert_false(fan_mark_took(&mark, FEED_STR(""), life, 3));
    assert_false(fan_mark_good(&mark, 3));
}

static void another_slot_and_another_life_begin_anew(void **state)
{
    (void)state;
    struct fan_mark mark = marked();
    fan_mark_want(&mark, 5461);
    assert_int_equal(mark.state, FAN_MARK_MARKED);
    fan_mark_want(&mark, 5462);
    assert_int_equal(mark.state, FAN_MARK_LISTED);
    mark = marked();
    fan_mark_forget(&mark);
    assert_int_equal(mark.state, FAN_MARK_LISTED);
    assert_false(fan_mark_good(&mark, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_slot_has_a_key),
        cmocka_unit_test(a_shard_without_one_gets_one),
        cmocka_unit_test(one_that_was_written_and_not_listed_is_listed),
        cmocka_unit_test(one_that_is_listed_must_be_there),
        cmocka_unit_test(one_that_goes_was_lost),
        cmocka_unit_test(another_slot_and_another_life_begin_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
