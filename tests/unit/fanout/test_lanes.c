/* Lanes: who waits for whom. */
#include "fanout/lanes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct ready {
    struct fan_lane_ticket *tickets[16];
    size_t count;
};

static void on_ready(void *arg, struct fan_lane_ticket *ticket)
{
    struct ready *ready = arg;
    ready->tickets[ready->count++] = ticket;
}

static struct fan_lanes *lanes_new(void)
{
    struct fan_lanes *lanes = malloc(sizeof *lanes);
    fan_lanes_init(lanes);
    return lanes;
}

static void one_lane_is_first_in_first_out(void **state)
{
    (void)state;
    struct fan_lanes *lanes = lanes_new();
    struct fan_lane_ticket a, b, c;
    struct ready ready = {.count = 0};
    const uint32_t lane[] = {7};
    assert_true(fan_lanes_join(lanes, &a, lane, 1));
    assert_false(fan_lanes_join(lanes, &b, lane, 1));
    assert_false(fan_lanes_join(lanes, &c, lane, 1));
    fan_lanes_leave(lanes, &a, on_ready, &ready);
    assert_int_equal(ready.count, 1);
    assert_ptr_equal(ready.tickets[0], &b);
    fan_lanes_leave(lanes, &b, on_ready, &ready);
    assert_ptr_equal(ready.tickets[1], &c);
    fan_lanes_leave(lanes, &c, on_ready, &ready);
    assert_int_equal(ready.count, 2);
    assert_true(fan_lanes_join(lanes, &a, lane, 1));
    free(lanes);
}

static void lanes_do_not_wait_for_each_other(void **state)
{
    (void)state;
    struct fan_lanes *lanes = lanes_new();
    struct fan_lane_ticket a, b;
    assert_true(fan_lanes_join(lanes, &a, (const uint32_t[]){1}, 1));
    assert_true(fan_lanes_join(lanes, &b, (const uint32_t[]){2}, 1));
    free(lanes);
}

static void two_lanes_wait_for_both(void **state)
{
    (void)state;
    struct fan_lanes *lanes = lanes_new();
    struct fan_lane_ticket a, b, both, later;
    struct ready ready = {.count = 0};
    assert_true(fan_lanes_join(lanes, &a, (const uint32_t[]){1}, 1));
    assert_true(fan_lanes_join(lanes, &b, (const uint32_t[]){2}, 1));
    assert_false(fan_lanes_join(lanes, &both, (const uint32_t[]){1, 2}, 2));
    assert_false(fan_lanes_join(lanes, &later, (const uint32_t[]){2}, 1));
    fan_lanes_leave(lanes, &a, on_ready, &ready);
    assert_int_equal(ready.count, 0);
    fan_lanes_leave(lanes, &b, on_ready, &ready);
    assert_int_equal(ready.count, 1);
    assert_ptr_equal(ready.tickets[0], &both);
    fan_lanes_leave(lanes, &both, on_ready, &ready);
    assert_ptr_equal(ready.tickets[1], &later);
    free(lanes);
}

static void the_same_lane_twice_is_one(void **state)
{
    (void)state;
    struct fan_lanes *lanes = lanes_new();
    struct fan_lane_ticket a, b;
    struct ready ready = {.count = 0};
    assert_true(fan_lanes_join(lanes, &a, (const uint32_t[]){3, 3}, 2));
    assert_false(fan_lanes_join(lanes, &b, (const uint32_t[]){3, 3}, 2));
    fan_lanes_leave(lanes, &a, on_ready, &ready);
    assert_int_equal(ready.count, 1);
    free(lanes);
}

static void the_lane_of_a_user_depends_on_the_tenant(void **state)
{
    (void)state;
    assert_int_equal(fan_lane_of(FEED_STR("demo"), FEED_STR("ann")), fan_lane_of(FEED_STR("demo"), FEED_STR("ann")));
    assert_int_not_equal(fan_lane_of(FEED_STR("demo"), FEED_STR("ann")),
                         fan_lane_of(FEED_STR("other"), FEED_STR("ann")));
    assert_in_range(fan_lane_of(FEED_STR("demo"), FEED_STR("bob")), 0, FAN_LANES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_lane_is_first_in_first_out),
        cmocka_unit_test(lanes_do_not_wait_for_each_other),
        cmocka_unit_test(two_lanes_wait_for_both),
        cmocka_unit_test(the_same_lane_twice_is_one),
        cmocka_unit_test(the_lane_of_a_user_depends_on_the_tenant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
