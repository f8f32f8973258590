/* Who holds how much of something. */
#include "shared/tenant/tally.h"

#include "tests/unit/support/check.h"

#include <stdio.h>

#define ACME FEED_STR("acme")
#define OTHER FEED_STR("other")

static void test_share(void **state)
{
    (void)state;
    struct feed_tally tally = {NULL};
    assert_int_equal(feed_tally_of(&tally, ACME), 0);
    assert_true(feed_tally_take(&tally, ACME, 3, 5));
    assert_false(feed_tally_take(&tally, ACME, 3, 5));
    assert_int_equal(feed_tally_of(&tally, ACME), 3); /* what was refused is not held */
    assert_true(feed_tally_take(&tally, ACME, 2, 5));
    assert_false(feed_tally_take(&tally, ACME, 1, 5));
    assert_true(feed_tally_take(&tally, OTHER, 5, 5)); /* another's share */
    feed_tally_give(&tally, ACME, 3);
    assert_true(feed_tally_take(&tally, ACME, 3, 5));
    assert_false(feed_tally_take(&tally, ACME, 1, 2)); /* a limit that was lowered meanwhile */
    feed_tally_give(&tally, ACME, 5);
    feed_tally_give(&tally, OTHER, 5);
    assert_null(tally.rows); /* who holds nothing costs nothing */
}

/* More than a whole share passes when nothing else is held, and then nothing beside it. */
static void test_larger_than_a_share(void **state)
{
    (void)state;
    struct feed_tally tally = {NULL};
    assert_true(feed_tally_take(&tally, ACME, 1000, 10));
    assert_false(feed_tally_take(&tally, ACME, 1, 10));
    feed_tally_give(&tally, ACME, 1000);
    assert_true(feed_tally_take(&tally, ACME, 1, 10));
    assert_false(feed_tally_take(&tally, ACME, 1000, 10));
    feed_tally_fini(&tally);
    assert_null(tally.rows);
}

static void test_many(void **state)
{
    (void)state;
    struct feed_tally tally = {NULL};
    char name[16];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 5000; i++) {
            int len = snprintf(name, sizeof name, "user%d", i);
            assert_true(feed_tally_take(&tally, (struct feed_str){name, (size_t)len}, 1, 2));
        }
    }
    for (int i = 0; i < 5000; i++) {
        int len = snprintf(name, sizeof name, "user%d", i);
        assert_false(feed_tally_take(&tally, (struct feed_str){name, (size_t)len}, 1, 2));
        feed_tally_give(&tally, (struct feed_str){name, (size_t)len}, 2);
    }
    assert_null(tally.rows);
}

static void test_hold(void **state)
{
    (void)state;
    struct feed_tally tally = {NULL};
    struct feed_tally_row *one = feed_tally_hold(&tally, ACME, 2), *two = feed_tally_hold(&tally, ACME, 2);
    assert_non_null(one);
    assert_ptr_equal(one, two);
    assert_null(feed_tally_hold(&tally, ACME, 2));
    assert_str_equal(feed_tally_name(one), "acme");
    feed_tally_release(&tally, one);
    feed_tally_release(&tally, NULL);
    assert_int_equal(feed_tally_of(&tally, ACME), 1);
    feed_tally_release(&tally, two);
    assert_null(tally.rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_share), cmocka_unit_test(test_larger_than_a_share),
                                       cmocka_unit_test(test_many), cmocka_unit_test(test_hold)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
