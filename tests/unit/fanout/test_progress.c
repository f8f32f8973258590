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

static void what_is_not_known_is_not_made_up(void **state)
{
    (void)state;
    struct fan_position nothing = {.partition = 3, .next_offset = -1};
    struct fan_progress_call call;
    assert_int_equal(fan_progress_time(&nothing, 0, NOW_MS), 0);
    assert_false(fan_progress_build(&nothing, FEED_STR("activities"), 0, NOW_MS, &call));
}

static void argument_is(const struct fan_progress_call *call, unsigned i, const char *text)
{
    assert_int_equal(call->argv[i].len, strlen(text));
    assert_memory_equal(call->argv[i].data, text, strlen(text));
}

static void one_call_of_the_function(void **state)
{
    (void)state;
    struct fan_progress_call call;
    assert_true(fan_progress_build(&middle, FEED_STR("activities"), 99, NOW_MS, &call));
    static const char *const expected[FAN_PROGRESS_ARGS] = {
        "FCALL", "feedwire_v1_progress", "1", "p:{activities/3}", "70", "500000"};
    for (unsigned i = 0; i < FAN_PROGRESS_ARGS; i++)
        argument_is(&call, i, expected[i]);
}

static void the_longest_names_and_numbers_fit(void **state)
{
    (void)state;
    char topic[FEED_TOPIC_MAX + 1];
    memset(topic, 't', FEED_TOPIC_MAX);
    topic[FEED_TOPIC_MAX] = '\0';
    struct fan_position last = {.partition = INT32_MAX, .next_offset = INT64_MAX, .finished_ms = INT64_MAX};
    struct fan_progress_call call;
    assert_true(fan_progress_build(&last, feed_str_of(topic), -1, NOW_MS, &call));
    assert_int_equal(call.argv[3].len, FEED_PROGRESS_KEY_MAX);
    argument_is(&call, 4, "9223372036854775807");
    argument_is(&call, 5, "9223372036854775807");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_something_waits_it_is_the_last_finished_record),
        cmocka_unit_test(a_record_in_hand_is_late_by_its_own_age_only),
        cmocka_unit_test(where_nothing_waits_it_is_now),
        cmocka_unit_test(what_is_not_known_is_not_made_up),
        cmocka_unit_test(one_call_of_the_function),
        cmocka_unit_test(the_longest_names_and_numbers_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
