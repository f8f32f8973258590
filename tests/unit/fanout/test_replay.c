/* From where work is done again. */
#include "fanout/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { WINDOW_MS = 60000 };

static void nothing_known_is_the_beginning(void **state)
{
    (void)state;
    struct fan_replay replay = {.count = 0};
    assert_int_equal(fan_replay_from(&replay), FAN_REPLAY_BEGINNING);
    fan_replay_safe(&replay, 10, 1000, WINDOW_MS);
    assert_int_equal(fan_replay_from(&replay), FAN_REPLAY_BEGINNING);
    fan_replay_safe(&replay, 20, 1000 + WINDOW_MS, WINDOW_MS);
    fan_replay_safe(&replay, 30, 1000 + 2 * WINDOW_MS, WINDOW_MS);
    assert_int_equal(fan_replay_from(&replay), 20);
}

/* It covers the window, and not much more, however often positions come. */
static void it_follows_the_work_a_window_behind(void **state)
{
    (void)state;
    static const int64_t paces_ms[] = {100, 1000, 7499, 20000, 60000};
    for (size_t i = 0; i < sizeof paces_ms / sizeof paces_ms[0]; i++) {
        struct fan_replay replay;
        fan_replay_begin(&replay, 0, 0);
        int64_t most_ms = WINDOW_MS + WINDOW_MS / 8 + paces_ms[i];
        for (int64_t now_ms = 0; now_ms < 10 * WINDOW_MS; now_ms += paces_ms[i]) {
            fan_replay_safe(&replay, now_ms, now_ms, WINDOW_MS); /* the offset is the time at which it was reached */
            int64_t behind_ms = now_ms - fan_replay_from(&replay);
            assert_true(behind_ms <= most_ms);
            assert_true(behind_ms >= (now_ms < WINDOW_MS ? now_ms : WINDOW_MS));
        }
    }
}

/* Time in which nothing was safe does not count: no replica answered, or there was no Redis. */
static void without_safe_positions_it_stays(void **state)
{
    (void)state;
    struct fan_replay replay;
    fan_replay_begin(&replay, 5, 0);
    fan_replay_safe(&replay, 100, WINDOW_MS, WINDOW_MS);
    fan_replay_safe(&replay, 200, 100 * WINDOW_MS, WINDOW_MS);
    assert_int_equal(fan_replay_from(&replay), 100);
    fan_replay_begin(&replay, 100, 101 * WINDOW_MS);
    assert_int_equal(fan_replay_from(&replay), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_known_is_the_beginning),
        cmocka_unit_test(it_follows_the_work_a_window_behind),
        cmocka_unit_test(without_safe_positions_it_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
