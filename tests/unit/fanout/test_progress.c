/* What is published of a partition's progress. */
#include "fanout/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { NOW_MS = 900000, FINISHED_MS = 500000 };

static const struct fan_position middle = {.partition = 3, .next_offset = 70, .finished_ms = FINISHED_MS};

static void where_something_waits_it_is_the_last_finished_record(void **state)
{
    (void)state;
    assert_int_equal(fan_progress_time(&middle, 71, NOW_MS), FINISHED_MS);
    assert_int_equal(fan_progress_time(&middle, -1, NOW_MS), FINISHED_MS);
}

static void a_record_in_hand_is_late_by_its_own_age_only(void **state)
{
    (void)state;
    struct fan_position sparse = {.partition = 3, .next_offset = 70, .finished_ms = 1000, .waiting_ms = NOW_MS - 50};
    assert_int_equal(fan_progress_time(&sparse, 71, NOW_MS), NOW_MS - 50);
    struct fan_position first = {.partition = 3, .next_offset = 0, .waiting_ms = 7000};
    assert_int_equal(fan_progress_time(&first, 1, NOW_MS), 7000);
    struct fan_position not_in_hand = {.partition = 3, .next_offset = 70, .finished_ms = 1000, .idle_ms = NOW_MS - 900};
    assert_int_equal(fan_progress_time(&not_in_hand, 71, NOW_MS), NOW_MS - 900);
}

static void where_nothing_waits_it_is_now(void **state)
{
    (void)state;
    assert_int_equal(fan_progress_time(&middle, 70, NOW_MS), NOW_MS);
    struct fan_position only_the_end = {.partition = 3, .next_offset = 70};
    assert_int_equal(fan_progress_time(&only_the_end, 70, NOW_MS), NOW_MS);
}

static void argument_is(const struct fan_progress_call *call, unsigned i, const char *text)
{
    assert_int_equal(call->argv[i].len, strlen(text));
    assert_memory_equal(call->argv[i].data, text, strlen(text));
}

static void row_is(const struct fan_progress_call *call, unsigned row, const char *const texts[FAN_PROGRESS_ROW])
{
    for (unsigned i = 0; i < FAN_PROGRESS_ROW; i++)
        argument_is(call, FAN_PROGRESS_HEAD + row * FAN_PROGRESS_ROW + i, texts[i]);
}

static void what_is_not_known_is_not_made_up(void **state)
{
    (void)state;
    struct fan_position nothing = {.partition = 3, .next_offset = -1};
    struct fan_position no_time = {.partition = 3, .next_offset = 70};
    struct fan_progress_call call;
    assert_int_equal(fan_progress_time(&nothing, 0, NOW_MS), 0);
    fan_progress_begin(&call, FEED_STR("activities"));
    assert_false(fan_progress_add(&call, &nothing, 0, NOW_MS));
    assert_false(fan_progress_add(&call, &no_time, 99, NOW_MS));
    assert_int_equal(call.argc, FAN_PROGRESS_HEAD);
}

static void one_call_for_all_partitions(void **state)
{
    (void)state;
    struct fan_progress_call call;
    struct fan_position idle = {.partition = 12, .next_offset = 8, .finished_ms = 1000};
    fan_progress_begin(&call, FEED_STR("activities"));
    assert_true(fan_progress_add(&call, &middle, 99, NOW_MS));
    assert_true(fan_progress_add(&call, &idle, 8, NOW_MS));
    static const char *const head[FAN_PROGRESS_HEAD] = {"FCALL", "feedwire_v1_partitions", "1", "p:{activities}"};
    for (unsigned i = 0; i < FAN_PROGRESS_HEAD; i++)
        argument_is(&call, i, head[i]);
    row_is(&call, 0, (const char *const[]){"3", "70", "500000", "400000", "0"});
    row_is(&call, 1, (const char *const[]){"12", "8", "900000", "0", "0"});
    assert_int_equal(call.argc, FAN_PROGRESS_HEAD + 2 * FAN_PROGRESS_ROW);
}

static void a_replay_is_told_before_anything_else_is_known(void **state)
{
    (void)state;
    struct fan_progress_call call;
    struct fan_position begins = {.partition = 3, .next_offset = -1, .replaying = true};
    struct fan_position goes_on = {.partition = 3, .next_offset = 5, .finished_ms = NOW_MS - 7, .replaying = true};
    fan_progress_begin(&call, FEED_STR("activities"));
    assert_true(fan_progress_add(&call, &begins, -1, NOW_MS));
    assert_true(fan_progress_add(&call, &goes_on, 9, NOW_MS));
    row_is(&call, 0, (const char *const[]){"3", "-1", "0", "0", "1"});
    row_is(&call, 1, (const char *const[]){"3", "5", "899993", "7", "1"});
}

/* The log was cut short, or made anew: what was done before never comes. */
static void at_the_end_of_the_log_nothing_is_left_to_replay(void **state)
{
    (void)state;
    struct fan_progress_call call;
    struct fan_position at_end = {.partition = 3, .next_offset = 5, .finished_ms = 1000, .replaying = true};
    fan_progress_begin(&call, FEED_STR("activities"));
    assert_true(fan_progress_add(&call, &at_end, 5, NOW_MS));
    row_is(&call, 0, (const char *const[]){"3", "5", "900000", "0", "0"});
}

static void the_longest_names_and_numbers_fit(void **state)
{
    (void)state;
    char topic[FEED_TOPIC_MAX + 1];
    memset(topic, 't', FEED_TOPIC_MAX);
    topic[FEED_TOPIC_MAX] = '\0';
    struct fan_position last = {.partition = INT32_MAX, .next_offset = INT64_MAX, .finished_ms = INT64_MAX};
    struct fan_progress_call call;
    fan_progress_begin(&call, feed_str_of(topic));
    assert_int_equal(call.argv[3].len, FEED_PROGRESS_KEY_MAX);
    for (unsigned row = 0; row < FEED_PROGRESS_ROWS_MAX; row++) {
        assert_false(fan_progress_full(&call));
        assert_true(fan_progress_add(&call, &last, -1, NOW_MS));
        row_is(&call, row, (const char *const[]){"2147483647", "9223372036854775807", "9223372036854775807", "0", "0"});
    }
    assert_true(fan_progress_full(&call));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_something_waits_it_is_the_last_finished_record),
        cmocka_unit_test(a_record_in_hand_is_late_by_its_own_age_only),
        cmocka_unit_test(where_nothing_waits_it_is_now),
        cmocka_unit_test(what_is_not_known_is_not_made_up),
        cmocka_unit_test(one_call_for_all_partitions),
        cmocka_unit_test(a_replay_is_told_before_anything_else_is_known),
        cmocka_unit_test(at_the_end_of_the_log_nothing_is_left_to_replay),
        cmocka_unit_test(the_longest_names_and_numbers_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
