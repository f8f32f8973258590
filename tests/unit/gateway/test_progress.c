/* How far fan-out is behind, and when that is worth a word. */
#include "gateway/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { BEGUN_MS = 100000, LIMIT_MS = 5000 };

static int setup(void **state)
{
    static struct gw_progress progress;
    gw_progress_init(&progress, LIMIT_MS, BEGUN_MS);
    *state = &progress;
    return 0;
}

static int teardown(void **state)
{
    gw_progress_fini(*state);
    return 0;
}

static void say(struct gw_progress *progress, int64_t now_ms, struct feed_progress_row row)
{
    struct feed_progress said = {.rows = {row}, .count = 1};
    assert_int_equal(gw_progress_heard(progress, &said, now_ms), FEED_OK);
}

static bool stale_at(struct gw_progress *progress, int64_t now_ms)
{
    gw_progress_look(progress, now_ms);
    return progress->stale;
}

static void who_is_never_heard_falls_behind(void **state)
{
    struct gw_progress *progress = *state;
    assert_false(stale_at(progress, BEGUN_MS + LIMIT_MS));
    assert_true(stale_at(progress, BEGUN_MS + LIMIT_MS + 1));
    assert_int_equal(gw_progress_lag_ms(progress, BEGUN_MS + 7000), 7000);
}

static void the_worst_partition_counts(void **state)
{
    struct gw_progress *progress = *state;
    say(progress, BEGUN_MS, (struct feed_progress_row){.partition = 0, .next_offset = 1});
    say(progress, BEGUN_MS, (struct feed_progress_row){.partition = 1, .next_offset = 1, .lag_ms = 4000});
    assert_int_equal(gw_progress_lag_ms(progress, BEGUN_MS), 4000);
    assert_int_equal(gw_progress_lag_ms(progress, BEGUN_MS + 900), 4900);
    assert_false(stale_at(progress, BEGUN_MS + 1000));
    assert_true(stale_at(progress, BEGUN_MS + 1001));
    say(progress, BEGUN_MS + 1100, (struct feed_progress_row){.partition = 1, .next_offset = 2, .lag_ms = INT64_MAX});
    assert_true(gw_progress_lag_ms(progress, BEGUN_MS + 9000) == INT64_MAX);
}

static void partitions_below_the_highest_are_waited_for(void **state)
{
    struct gw_progress *progress = *state;
    for (int64_t now_ms = BEGUN_MS; now_ms <= BEGUN_MS + LIMIT_MS; now_ms += 1000)
        say(progress, now_ms, (struct feed_progress_row){.partition = 2, .next_offset = 1});
    assert_false(stale_at(progress, BEGUN_MS + LIMIT_MS));
    assert_true(stale_at(progress, BEGUN_MS + LIMIT_MS + 1));
}

static void a_replay_counts_at_once_however_small_the_lag(void **state)
{
    struct gw_progress *progress = *state;
    say(progress, BEGUN_MS, (struct feed_progress_row){.partition = 0, .next_offset = -1, .replaying = true});
    assert_true(stale_at(progress, BEGUN_MS));
    int64_t now_ms = BEGUN_MS;
    for (; now_ms < BEGUN_MS + 20000; now_ms += 500) {
        say(progress, now_ms, (struct feed_progress_row){.partition = 0, .next_offset = 5, .replaying = true});
        assert_true(stale_at(progress, now_ms));
    }
    say(progress, now_ms, (struct feed_progress_row){.partition = 0, .next_offset = 6});
    assert_true(stale_at(progress, now_ms));
    assert_true(stale_at(progress, now_ms + GW_FRESH_AFTER_MS - 1));
    assert_false(stale_at(progress, now_ms + GW_FRESH_AFTER_MS));
}

static void around_the_limit_it_is_told_once(void **state)
{
    struct gw_progress *progress = *state;
    int64_t now_ms = BEGUN_MS;
    say(progress, now_ms, (struct feed_progress_row){.partition = 0, .next_offset = 1, .lag_ms = LIMIT_MS + 1});
    assert_true(stale_at(progress, now_ms));
    for (unsigned i = 0; i < 50; i++, now_ms += 400) {
        int64_t lag_ms = i % 2 ? LIMIT_MS + 1 : LIMIT_MS / GW_FRESH_PART; /* well, but never for long enough */
        say(progress, now_ms, (struct feed_progress_row){.partition = 0, .next_offset = 1, .lag_ms = lag_ms});
        assert_true(stale_at(progress, now_ms));
    }
    for (unsigned i = 0; i < 50; i++, now_ms += 400) { /* better, but not well */
        say(progress, now_ms,
            (struct feed_progress_row){.partition = 0, .next_offset = 1, .lag_ms = LIMIT_MS / GW_FRESH_PART + 1});
        assert_true(stale_at(progress, now_ms));
    }
    for (unsigned i = 0; i < 3; i++, now_ms += 500) {
        say(progress, now_ms, (struct feed_progress_row){.partition = 0, .next_offset = 1});
        assert_true(stale_at(progress, now_ms) || i == 2);
    }
    assert_false(progress->stale);
}

static void nothing_is_told_where_nobody_wants_to_know(void **state)
{
    struct gw_progress *progress = *state;
    progress->stale_after_ms = 0;
    assert_false(stale_at(progress, BEGUN_MS + 1000000));
}

static void finished_is_what_stands_before_the_next_offset(void **state)
{
    struct gw_progress *progress = *state;
    assert_false(gw_progress_finished(progress, 0, 0));
    say(progress, BEGUN_MS, (struct feed_progress_row){.partition = 3, .next_offset = 70});
    assert_true(gw_progress_finished(progress, 3, 69));
    assert_false(gw_progress_finished(progress, 3, 70));
    assert_false(gw_progress_finished(progress, 2, 0));
    assert_false(gw_progress_finished(progress, 4, 0));
    assert_false(gw_progress_finished(progress, -1, 0));
    say(progress, BEGUN_MS, (struct feed_progress_row){.partition = 3, .next_offset = -1, .replaying = true});
    assert_false(gw_progress_finished(progress, 3, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_is_never_heard_falls_behind, setup, teardown),
        cmocka_unit_test_setup_teardown(the_worst_partition_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(partitions_below_the_highest_are_waited_for, setup, teardown),
        cmocka_unit_test_setup_teardown(a_replay_counts_at_once_however_small_the_lag, setup, teardown),
        cmocka_unit_test_setup_teardown(around_the_limit_it_is_told_once, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_told_where_nobody_wants_to_know, setup, teardown),
        cmocka_unit_test_setup_teardown(finished_is_what_stands_before_the_next_offset, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
