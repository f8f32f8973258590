/* The link to Redis as a state machine, and what error answers mean. */
#include "fanout/link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct fan_link ready_link(int64_t now_ms)
{
    struct fan_link link = {.state = FAN_LINK_DOWN};
    assert_int_equal(fan_link_connected(&link), FAN_LINK_LOAD);
    assert_int_equal(fan_link_loaded(&link, true, now_ms, 0), FAN_LINK_GO);
    return link;
}

static void connected_then_loaded_then_ready(void **state)
{
    (void)state;
    struct fan_link link = ready_link(1000);
    assert_int_equal(link.state, FAN_LINK_READY);
    assert_int_equal(fan_link_tick(&link, 99999), FAN_LINK_NOTHING);
}

static void a_missing_function_is_loaded_at_once_then_with_rests(void **state)
{
    (void)state;
    struct fan_link link = ready_link(1000);
    assert_int_equal(fan_link_halted(&link, FAN_TROUBLE_NO_FUNCTION, 1001, 0), FAN_LINK_LOAD);
    assert_int_equal(fan_link_loaded(&link, true, 1002, 0), FAN_LINK_GO);
    assert_int_equal(fan_link_halted(&link, FAN_TROUBLE_NO_FUNCTION, 1003, 0), FAN_LINK_NOTHING);
    assert_int_equal(link.state, FAN_LINK_RESTING);
}

static void a_refusal_rests_and_probes(void **state)
{
    (void)state;
    struct fan_link link = ready_link(1000);
    assert_int_equal(fan_link_halted(&link, FAN_TROUBLE_AWAY, 2000, 0), FAN_LINK_NOTHING);
    assert_int_equal(fan_link_tick(&link, 2024), FAN_LINK_NOTHING);
    assert_int_equal(fan_link_tick(&link, 2100), FAN_LINK_LOAD);
    assert_int_equal(fan_link_tick(&link, 9999), FAN_LINK_NOTHING);
    assert_int_equal(fan_link_loaded(&link, false, 2101, 0), FAN_LINK_NOTHING);
    assert_int_equal(link.state, FAN_LINK_RESTING);
}

static void rests_grow_to_five_seconds_and_have_jitter(void **state)
{
    (void)state;
    struct fan_link link = ready_link(0);
    int64_t now_ms = 100;
    fan_link_halted(&link, FAN_TROUBLE_AWAY, now_ms, 75);
    assert_int_equal(link.until_ms - now_ms, 100);
    for (int i = 0; i < 20; i++) {
        now_ms = link.until_ms;
        assert_int_equal(fan_link_tick(&link, now_ms), FAN_LINK_LOAD);
        fan_link_loaded(&link, false, now_ms, FAN_LINK_REST_MAX_MS - FAN_LINK_REST_FIRST_MS / 4);
    }
    assert_int_equal(link.until_ms - now_ms, FAN_LINK_REST_MAX_MS);
}

static void good_work_makes_rests_small_again(void **state)
{
    (void)state;
    struct fan_link link = ready_link(0);
    link.refusals = 10;
    fan_link_halted(&link, FAN_TROUBLE_AWAY, FAN_LINK_GOOD_MS, 75);
    assert_int_equal(link.until_ms, FAN_LINK_GOOD_MS + FAN_LINK_REST_FIRST_MS);
}

static void losing_the_connection_begins_anew(void **state)
{
    (void)state;
    struct fan_link link = ready_link(0);
    fan_link_lost(&link);
    assert_int_equal(fan_link_tick(&link, 99999), FAN_LINK_NOTHING);
    assert_int_equal(fan_link_connected(&link), FAN_LINK_LOAD);
    fan_link_lost(&link);
    /* The answer to the load of the connection before. */
    assert_int_equal(fan_link_loaded(&link, true, 5, 0), FAN_LINK_NOTHING);
    assert_int_equal(link.state, FAN_LINK_DOWN);
}

static void error_answers_have_meanings(void **state)
{
    (void)state;
    const struct {
        const char *text;
        enum fan_trouble trouble;
    } rows[] = {
        {"WRONGTYPE Operation against a key holding the wrong kind of value script: feedwire_v1_add",
         FAN_TROUBLE_WRONG_TYPE},
        {"ERR Function not found", FAN_TROUBLE_NO_FUNCTION},
        {"LOADING Redis is loading the dataset in memory", FAN_TROUBLE_AWAY},
        {"READONLY You can't write against a read only replica.", FAN_TROUBLE_AWAY},
        {"OOM command not allowed when used memory > 'maxmemory'.", FAN_TROUBLE_AWAY},
        {"BUSY Redis is busy running a script.", FAN_TROUBLE_AWAY},
        {"ERR wrong number of arguments", FAN_TROUBLE_OTHER},
        {"OOMPH", FAN_TROUBLE_OTHER},
        {"", FAN_TROUBLE_OTHER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(fan_trouble_of(feed_str_of(rows[i].text)), rows[i].trouble);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connected_then_loaded_then_ready),
        cmocka_unit_test(a_missing_function_is_loaded_at_once_then_with_rests),
        cmocka_unit_test(a_refusal_rests_and_probes),
        cmocka_unit_test(rests_grow_to_five_seconds_and_have_jitter),
        cmocka_unit_test(good_work_makes_rests_small_again),
        cmocka_unit_test(losing_the_connection_begins_anew),
        cmocka_unit_test(error_answers_have_meanings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
