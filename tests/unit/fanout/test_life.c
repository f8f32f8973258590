/* The life of Redis as a state machine: who loads the graph, when work may begin, what a lost marker does. */
#include "fanout/life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct feed_str none = {"", 0};
#define A FEED_STR("aaaaaaaaaaaaaaaa")
#define B FEED_STR("bbbbbbbbbbbbbbbb")

static struct fan_life looking(void)
{
    struct fan_life life = {.state = FAN_LIFE_DOWN};
    assert_int_equal(fan_life_up(&life), FAN_LIFE_LOOK);
    return life;
}

static struct fan_life loading(void)
{
    struct fan_life life = looking();
    assert_int_equal(fan_life_looked(&life, none, FAN_LIFE_LEASE_TAKEN, 1000), FAN_LIFE_LOAD);
    return life;
}

static struct fan_life known(void)
{
    struct fan_life life = looking();
    assert_int_equal(fan_life_looked(&life, A, FAN_LIFE_LEASE_OTHERS, 1000), FAN_LIFE_GO);
    return life;
}

static void a_life_that_is_there_is_taken(void **state)
{
    (void)state;
    struct fan_life life = known();
    assert_string_equal(life.id, "aaaaaaaaaaaaaaaa");
}

static void without_a_life_the_graph_is_loaded_and_one_begun(void **state)
{
    (void)state;
    struct fan_life life = loading();
    assert_int_equal(fan_life_loaded(&life, true, 1100), FAN_LIFE_BEGIN);
    assert_int_equal(fan_life_began(&life, B), FAN_LIFE_GO);
    assert_int_equal(life.state, FAN_LIFE_KNOWN);
    assert_string_equal(life.id, "bbbbbbbbbbbbbbbb");
}

static void while_another_loads_one_looks_again_and_again(void **state)
{
    (void)state;
    struct fan_life life = looking();
    int64_t now_ms = 1000;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(fan_life_looked(&life, none, FAN_LIFE_LEASE_OTHERS, now_ms), FAN_LIFE_WAIT);
        assert_int_equal(fan_life_tick(&life, now_ms + FAN_LIFE_LOOK_MS - 1), FAN_LIFE_NOTHING);
        now_ms += FAN_LIFE_LOOK_MS;
        assert_int_equal(fan_life_tick(&life, now_ms), FAN_LIFE_LOOK);
        assert_int_equal(fan_life_tick(&life, now_ms), FAN_LIFE_NOTHING);
    }
    assert_int_equal(fan_life_looked(&life, B, FAN_LIFE_LEASE_OTHERS, now_ms), FAN_LIFE_GO);
}

static void the_lease_of_one_that_was_killed_is_taken(void **state)
{
    (void)state;
    struct fan_life life = looking();
    fan_life_looked(&life, none, FAN_LIFE_LEASE_OTHERS, 1000);
    assert_int_equal(fan_life_tick(&life, 2000), FAN_LIFE_LOOK);
    assert_int_equal(fan_life_looked(&life, none, FAN_LIFE_LEASE_TAKEN, 2000), FAN_LIFE_LOAD);
}

static void the_lease_is_renewed_while_it_loads(void **state)
{
    (void)state;
    struct fan_life life = loading();
    int64_t now_ms = 1000;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(fan_life_tick(&life, now_ms + FAN_LIFE_RENEW_MS - 1), FAN_LIFE_NOTHING);
        now_ms += FAN_LIFE_RENEW_MS;
        assert_int_equal(fan_life_tick(&life, now_ms), FAN_LIFE_LOOK);
        assert_int_equal(fan_life_looked(&life, none, FAN_LIFE_LEASE_RENEWED, now_ms), FAN_LIFE_NOTHING);
        assert_int_equal(life.state, FAN_LIFE_LOADING);
    }
    assert_true(FAN_LIFE_RENEW_MS * 3 < FAN_LIFE_LEASE_MS);
}

static void a_lease_taken_anew_means_that_the_load_begins_again(void **state)
{
    (void)state;
    struct fan_life life = loading();
    fan_life_tick(&life, 1000 + FAN_LIFE_RENEW_MS);
    assert_int_equal(fan_life_looked(&life, none, FAN_LIFE_LEASE_TAKEN, 5000), FAN_LIFE_LOAD);
    assert_int_equal(life.state, FAN_LIFE_LOADING);
}

/* The load is through while the lease is being renewed. Were the life begun at once, a lease that this very renewal
 * has taken anew would let it, although everything had been lost. */
static void no_life_is_begun_before_the_renewal_is_answered(void **state)
{
    (void)state;
    struct fan_life life = loading();
    fan_life_tick(&life, 1000 + FAN_LIFE_RENEW_MS);
    assert_int_equal(fan_life_loaded(&life, true, 5000), FAN_LIFE_NOTHING);
    assert_int_equal(fan_life_looked(&life, none, FAN_LIFE_LEASE_RENEWED, 5000), FAN_LIFE_BEGIN);

    life = loading();
    fan_life_tick(&life, 1000 + FAN_LIFE_RENEW_MS);
    assert_int_equal(fan_life_loaded(&life, true, 5000), FAN_LIFE_NOTHING);
    assert_int_equal(fan_life_looked(&life, none, FAN_LIFE_LEASE_TAKEN, 5000), FAN_LIFE_LOAD);
    assert_int_equal(fan_life_tick(&life, 5000 + FAN_LIFE_RENEW_MS), FAN_LIFE_LOOK);
    assert_int_equal(fan_life_looked(&life, none, FAN_LIFE_LEASE_RENEWED, 8000), FAN_LIFE_NOTHING);
}

static void a_lease_that_another_has_now_ends_the_load(void **state)
{
    (void)state;
    struct fan_life life = loading();
    fan_life_tick(&life, 1000 + FAN_LIFE_RENEW_MS);
    assert_int_equal(fan_life_looked(&life, none, FAN_LIFE_LEASE_OTHERS, 5000), FAN_LIFE_WAIT);
    assert_int_equal(fan_life_loaded(&life, true, 5001), FAN_LIFE_NOTHING);
}

static void another_that_was_faster_is_followed(void **state)
{
    (void)state;
    struct fan_life life = loading();
    fan_life_tick(&life, 1000 + FAN_LIFE_RENEW_MS);
    assert_int_equal(fan_life_looked(&life, B, FAN_LIFE_LEASE_OTHERS, 5000), FAN_LIFE_GO);
    life = loading();
    fan_life_loaded(&life, true, 1100);
    assert_int_equal(fan_life_began(&life, A), FAN_LIFE_GO);
    assert_string_equal(life.id, "aaaaaaaaaaaaaaaa");
}

static void a_refused_beginning_starts_over(void **state)
{
    (void)state;
    struct fan_life life = loading();
    fan_life_loaded(&life, true, 1100);
    assert_int_equal(fan_life_began(&life, none), FAN_LIFE_LOOK);
    assert_int_equal(fan_life_looked(&life, none, FAN_LIFE_LEASE_TAKEN, 1200), FAN_LIFE_LOAD);
}

static void a_load_that_failed_is_tried_again(void **state)
{
    (void)state;
    struct fan_life life = loading();
    assert_int_equal(fan_life_loaded(&life, false, 1100), FAN_LIFE_WAIT);
    assert_int_equal(fan_life_tick(&life, 1100 + FAN_LIFE_AGAIN_MS - 1), FAN_LIFE_NOTHING);
    assert_int_equal(fan_life_tick(&life, 1100 + FAN_LIFE_AGAIN_MS), FAN_LIFE_LOOK);
    assert_int_equal(fan_life_looked(&life, none, FAN_LIFE_LEASE_RENEWED, 4000), FAN_LIFE_LOAD);
}

static void a_known_life_is_checked_all_the_time(void **state)
{
    (void)state;
    struct fan_life life = known();
    for (int i = 0; i < 5; i++) {
        assert_int_equal(fan_life_tick(&life, 2000 + i), FAN_LIFE_CHECK);
        assert_int_equal(fan_life_tick(&life, 2000 + i), FAN_LIFE_NOTHING);
        assert_int_equal(fan_life_checked(&life, A), FAN_LIFE_NOTHING);
    }
}

static void a_marker_that_is_gone_or_another_stops_everything(void **state)
{
    (void)state;
    const struct feed_str found[] = {none, B};
    for (int i = 0; i < 2; i++) {
        struct fan_life life = known();
        fan_life_tick(&life, 2000);
        assert_int_equal(fan_life_checked(&life, found[i]), FAN_LIFE_STOP);
        assert_int_equal(life.state, FAN_LIFE_LOOKING);
        assert_int_equal(fan_life_looked(&life, B, FAN_LIFE_LEASE_OTHERS, 2001), FAN_LIFE_GO);
        assert_string_equal(life.id, "bbbbbbbbbbbbbbbb");
    }
}

static void a_lost_connection_asks_again_and_late_answers_do_nothing(void **state)
{
    (void)state;
    struct fan_life life = loading();
    fan_life_gone(&life);
    assert_int_equal(fan_life_loaded(&life, true, 1100), FAN_LIFE_NOTHING);
    assert_int_equal(fan_life_looked(&life, A, FAN_LIFE_LEASE_OTHERS, 1100), FAN_LIFE_NOTHING);
    assert_int_equal(fan_life_began(&life, A), FAN_LIFE_NOTHING);
    assert_int_equal(fan_life_checked(&life, B), FAN_LIFE_NOTHING);
    assert_int_equal(fan_life_tick(&life, 99999), FAN_LIFE_NOTHING);
    assert_int_equal(life.state, FAN_LIFE_DOWN);
    assert_int_equal(fan_life_up(&life), FAN_LIFE_LOOK);
    assert_int_equal(fan_life_up(&life), FAN_LIFE_NOTHING);
}

static void a_question_that_could_not_be_sent_is_asked_again(void **state)
{
    (void)state;
    struct fan_life life = looking();
    fan_life_unasked(&life, 1000);
    assert_int_equal(fan_life_tick(&life, 1100), FAN_LIFE_LOOK);
    life = loading();
    fan_life_loaded(&life, true, 1100);
    fan_life_unasked(&life, 1100);
    assert_int_equal(fan_life_tick(&life, 1200), FAN_LIFE_LOOK);
    assert_int_equal(fan_life_looked(&life, none, FAN_LIFE_LEASE_RENEWED, 1200), FAN_LIFE_LOAD);
    life = known();
    fan_life_tick(&life, 2000);
    fan_life_unasked(&life, 2000);
    assert_int_equal(fan_life_tick(&life, 2100), FAN_LIFE_CHECK);
}

static void a_marker_of_any_length_is_one_life(void **state)
{
    (void)state;
    struct fan_life life = looking();
    struct feed_str longer = FEED_STR("something that somebody else wrote");
    assert_int_equal(fan_life_looked(&life, longer, FAN_LIFE_LEASE_OTHERS, 1), FAN_LIFE_GO);
    fan_life_tick(&life, 2);
    assert_int_equal(fan_life_checked(&life, longer), FAN_LIFE_NOTHING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_life_that_is_there_is_taken),
        cmocka_unit_test(without_a_life_the_graph_is_loaded_and_one_begun),
        cmocka_unit_test(while_another_loads_one_looks_again_and_again),
        cmocka_unit_test(the_lease_of_one_that_was_killed_is_taken),
        cmocka_unit_test(the_lease_is_renewed_while_it_loads),
        cmocka_unit_test(a_lease_taken_anew_means_that_the_load_begins_again),
        cmocka_unit_test(no_life_is_begun_before_the_renewal_is_answered),
        cmocka_unit_test(a_lease_that_another_has_now_ends_the_load),
        cmocka_unit_test(another_that_was_faster_is_followed),
        cmocka_unit_test(a_refused_beginning_starts_over),
        cmocka_unit_test(a_load_that_failed_is_tried_again),
        cmocka_unit_test(a_known_life_is_checked_all_the_time),
        cmocka_unit_test(a_marker_that_is_gone_or_another_stops_everything),
        cmocka_unit_test(a_lost_connection_asks_again_and_late_answers_do_nothing),
        cmocka_unit_test(a_question_that_could_not_be_sent_is_asked_again),
        cmocka_unit_test(a_marker_of_any_length_is_one_life),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
