/* Deadlines: order, refreshing, changing lists, leaving. */
#include "shared/http/expiry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_due_only_when_the_time_has_come(void **state)
{
    (void)state;
    struct feed_expiry_list list;
    struct feed_expiry a = {0};
    feed_expiry_list_init(&list, 100);
    assert_null(feed_expiry_take_due(&list, 1000000));
    feed_expiry_set(&a, &list, 1000);
    assert_true(feed_expiry_pending(&a));
    assert_null(feed_expiry_take_due(&list, 1099));
    assert_ptr_equal(feed_expiry_take_due(&list, 1100), &a);
    assert_false(feed_expiry_pending(&a));
    assert_null(feed_expiry_take_due(&list, 1000000));
}

static void test_taken_in_the_order_of_their_times(void **state)
{
    (void)state;
    struct feed_expiry_list list;
    struct feed_expiry items[5] = {0};
    feed_expiry_list_init(&list, 10);
    for (int i = 0; i < 5; i++)
        feed_expiry_set(&items[i], &list, i);
    feed_expiry_set(&items[1], &list, 20); /* heard from: waits anew, behind all others */
    feed_expiry_clear(&items[3]);
    assert_ptr_equal(feed_expiry_take_due(&list, 14), &items[0]);
    assert_ptr_equal(feed_expiry_take_due(&list, 14), &items[2]);
    assert_ptr_equal(feed_expiry_take_due(&list, 14), &items[4]);
    assert_null(feed_expiry_take_due(&list, 29));
    assert_ptr_equal(feed_expiry_take_due(&list, 30), &items[1]);
}

static void test_moves_between_lists(void **state)
{
    (void)state;
    struct feed_expiry_list shorter, longer;
    struct feed_expiry a = {0}, b = {0};
    feed_expiry_list_init(&shorter, 10);
    feed_expiry_list_init(&longer, 1000);
    feed_expiry_set(&a, &shorter, 0);
    feed_expiry_set(&b, &shorter, 0);
    feed_expiry_set(&a, &longer, 5);
    assert_ptr_equal(feed_expiry_take_due(&shorter, 100), &b);
    assert_null(feed_expiry_take_due(&shorter, 100));
    assert_null(feed_expiry_take_due(&longer, 1004));
    assert_ptr_equal(feed_expiry_take_due(&longer, 1005), &a);
}

static void test_clearing_twice_is_harmless(void **state)
{
    (void)state;
    struct feed_expiry_list list;
    struct feed_expiry a = {0};
    feed_expiry_list_init(&list, 10);
    feed_expiry_clear(&a);
    feed_expiry_set(&a, &list, 0);
    feed_expiry_clear(&a);
    feed_expiry_clear(&a);
    assert_null(feed_expiry_take_due(&list, 100));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_due_only_when_the_time_has_come),
        cmocka_unit_test(test_taken_in_the_order_of_their_times),
        cmocka_unit_test(test_moves_between_lists),
        cmocka_unit_test(test_clearing_twice_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
