/* The state machine of one feed, event by event. */
#include "gateway/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t life_a[FEED_EPOCH_BYTES] = "aaaaaaa", life_b[FEED_EPOCH_BYTES] = "bbbbbbb";

static struct feed_position at(const uint8_t *epoch, uint64_t seq)
{
    struct feed_position position = {.seq = seq};
    if (epoch)
        memcpy(position.epoch, epoch, FEED_EPOCH_BYTES);
    return position;
}

static enum gw_notice_result notice(struct gw_feed *feed, const uint8_t *epoch, uint64_t seq)
{
    struct feed_notice n = {
        .kind = FEED_NOTICE_ADD, .seq = seq, .published_ms = (int64_t)seq, .entry = FEED_STR("an entry's bytes..")};
    memcpy(n.epoch, epoch, FEED_EPOCH_BYTES);
    return gw_feed_notice(feed, &n);
}

static enum gw_answer answer(struct gw_feed *feed, const uint8_t *epoch, uint64_t seq)
{
    struct feed_position position = at(epoch, seq);
    return gw_feed_answered(feed, &position);
}

static void assert_at(const struct gw_feed *feed, enum gw_feed_state state, const uint8_t *epoch, uint64_t seq)
{
    struct feed_position position = at(epoch, seq);
    assert_int_equal(feed->state, state);
    assert_true(feed_position_eq(&feed->position, &position));
}

static struct gw_feed *live_at(const uint8_t *epoch, uint64_t seq)
{
    struct gw_feed *feed = gw_feed_new(FEED_TIMELINE_HOME, FEED_STR("f:{demo/ann}"));
    gw_feed_confirmed(feed);
    gw_feed_asked(feed);
    assert_int_equal(answer(feed, epoch, seq), GW_ANSWER_TRUTH);
    assert_at(feed, GW_FEED_LIVE, epoch, seq);
    return feed;
}

static struct gw_feed *refreshing_at(const uint8_t *epoch, uint64_t seq)
{
    struct gw_feed *feed = live_at(epoch, seq);
    gw_feed_joined(feed);
    gw_feed_asked(feed);
    assert_int_equal(feed->state, GW_FEED_REFRESHING);
    return feed;
}

static void asks_only_after_the_subscription_stands(void **state)
{
    (void)state;
    struct gw_feed *feed = gw_feed_new(FEED_TIMELINE_HOME, FEED_STR("f:{demo/ann}"));
    gw_feed_joined(feed);
    assert_int_equal(feed->read, GW_READ_NONE);
    assert_int_equal(notice(feed, life_a, 1), GW_NOTICE_EARLY);
    gw_feed_confirmed(feed);
    assert_int_equal(feed->read, GW_READ_WANTED);
    assert_int_equal(notice(feed, life_a, 2), GW_NOTICE_EARLY); /* the read comes later and covers it */
    gw_feed_free(feed);
}

static void lets_kept_notices_through_by_seq(void **state)
{
    (void)state;
    struct gw_feed *feed = gw_feed_new(FEED_TIMELINE_HOME, FEED_STR("f:{demo/ann}"));
    gw_feed_confirmed(feed);
    gw_feed_asked(feed);
    for (uint64_t seq = 4; seq <= 8; seq++)
        assert_int_equal(notice(feed, life_a, seq), GW_NOTICE_KEPT);
    assert_int_equal(answer(feed, life_a, 6), GW_ANSWER_TRUTH);
    assert_at(feed, GW_FEED_LIVE, life_a, 8);
    assert_int_equal(feed->ready, 2); /* 7 and 8 are for the sessions */
    assert_int_equal(gw_backlog_at(feed->backlog, 0).seq, 7);
    gw_feed_delivered(feed);
    assert_null(feed->backlog);
    gw_feed_free(feed);
}

static void reads_again_when_kept_notices_have_a_gap(void **state)
{
    (void)state;
    struct gw_feed *feed = gw_feed_new(FEED_TIMELINE_HOME, FEED_STR("f:{demo/ann}"));
    gw_feed_confirmed(feed);
    gw_feed_asked(feed);
    assert_int_equal(notice(feed, life_a, 7), GW_NOTICE_KEPT);
    assert_int_equal(notice(feed, life_a, 9), GW_NOTICE_KEPT);
    assert_int_equal(answer(feed, life_a, 6), GW_ANSWER_TRUTH);
    assert_at(feed, GW_FEED_READING, life_a, 7);
    assert_int_equal(feed->read, GW_READ_WANTED);
    gw_feed_free(feed);
}

static void an_overflow_while_reading_asks_again(void **state)
{
    (void)state;
    struct gw_feed *feed = gw_feed_new(FEED_TIMELINE_HOME, FEED_STR("f:{demo/ann}"));
    gw_feed_confirmed(feed);
    gw_feed_asked(feed);
    for (uint64_t seq = 1; seq <= GW_BACKLOG_NOTICES_MAX + 1; seq++)
        assert_int_equal(notice(feed, life_a, seq), GW_NOTICE_KEPT);
    assert_int_equal(answer(feed, life_a, GW_BACKLOG_NOTICES_MAX - 5), GW_ANSWER_AGAIN);
    assert_int_equal(feed->read, GW_READ_WANTED);
    gw_feed_asked(feed);
    assert_int_equal(answer(feed, life_a, 500), GW_ANSWER_TRUTH);
    gw_feed_free(feed);
}

static void follows_notices_and_drops_repeated_ones(void **state)
{
    (void)state;
    struct gw_feed *feed = live_at(life_a, 5);
    assert_int_equal(notice(feed, life_a, 6), GW_NOTICE_NEXT);
    assert_int_equal(notice(feed, life_a, 6), GW_NOTICE_OLD);
    assert_int_equal(notice(feed, life_a, 2), GW_NOTICE_OLD);
    assert_int_equal(notice(feed, life_a, 7), GW_NOTICE_NEXT);
    assert_at(feed, GW_FEED_LIVE, life_a, 7);
    assert_int_equal(feed->ready, 2);
    gw_feed_free(feed);
}

static void the_first_write_gives_a_feed_its_life(void **state)
{
    (void)state;
    struct gw_feed *feed = live_at(NULL, 0);
    assert_int_equal(notice(feed, life_a, 1), GW_NOTICE_NEXT);
    assert_at(feed, GW_FEED_LIVE, life_a, 1);
    gw_feed_free(feed);
    feed = live_at(NULL, 0);
    assert_int_equal(notice(feed, life_a, 2), GW_NOTICE_GAP);
    gw_feed_free(feed);
}

static void a_missing_seq_is_a_gap(void **state)
{
    (void)state;
    struct gw_feed *feed = live_at(life_a, 5);
    assert_int_equal(notice(feed, life_a, 7), GW_NOTICE_GAP);
    assert_at(feed, GW_FEED_READING, life_a, 5);
    assert_int_equal(feed->read, GW_READ_WANTED);
    gw_feed_free(feed);
}

static void another_life_is_a_gap(void **state)
{
    (void)state;
    struct gw_feed *feed = live_at(life_a, 5);
    assert_int_equal(notice(feed, life_b, 6), GW_NOTICE_GAP);
    gw_feed_free(feed);
    feed = live_at(life_a, 5);
    assert_int_equal(notice(feed, life_b, 1), GW_NOTICE_GAP);
    gw_feed_free(feed);
}

static void a_full_backlog_is_delivered_first(void **state)
{
    (void)state;
    struct gw_feed *feed = refreshing_at(life_a, 0);
    for (uint64_t seq = 1; seq <= GW_BACKLOG_NOTICES_MAX; seq++)
        assert_int_equal(notice(feed, life_a, seq), GW_NOTICE_NEXT);
    assert_int_equal(notice(feed, life_a, GW_BACKLOG_NOTICES_MAX + 1), GW_NOTICE_FULL);
    gw_feed_delivered(feed);
    gw_feed_forget(feed);
    assert_int_equal(notice(feed, life_a, GW_BACKLOG_NOTICES_MAX + 1), GW_NOTICE_NEXT);
    /* The answer is older than what was forgotten. */
    assert_int_equal(answer(feed, life_a, 3), GW_ANSWER_AGAIN);
    assert_int_equal(feed->state, GW_FEED_REFRESHING);
    gw_feed_free(feed);
}

static void a_joining_session_gets_an_older_window_and_the_notices_since(void **state)
{
    (void)state;
    struct gw_feed *feed = refreshing_at(life_a, 5);
    assert_int_equal(notice(feed, life_a, 6), GW_NOTICE_NEXT);
    assert_int_equal(notice(feed, life_a, 7), GW_NOTICE_NEXT);
    gw_feed_delivered(feed);
    assert_int_equal(feed->ready, 2); /* kept for the window to come */
    assert_int_equal(answer(feed, life_a, 6), GW_ANSWER_JOIN);
    assert_at(feed, GW_FEED_LIVE, life_a, 7);
    assert_int_equal(gw_backlog_at(feed->backlog, 1).seq, 7);
    gw_feed_delivered(feed);
    assert_null(feed->backlog);
    gw_feed_free(feed);
}

static void a_window_ahead_of_the_notices_does_not_move_the_feed(void **state)
{
    (void)state;
    struct gw_feed *feed = refreshing_at(life_a, 5);
    assert_int_equal(answer(feed, life_a, 8), GW_ANSWER_JOIN);
    assert_at(feed, GW_FEED_LIVE, life_a, 5); /* 6 to 8 are on their way, for those who were there before */
    gw_feed_free(feed);
    feed = refreshing_at(NULL, 0);
    assert_int_equal(answer(feed, life_a, 1), GW_ANSWER_JOIN);
    assert_at(feed, GW_FEED_LIVE, NULL, 0);
    gw_feed_free(feed);
}

static void a_window_of_another_life_makes_all_read_again(void **state)
{
    (void)state;
    static const struct {
        const uint8_t *epoch;
        uint64_t seq;
    } replaced[] = {{life_b, 9}, {NULL, 0}, {life_a, 4}};
    for (size_t i = 0; i < sizeof replaced / sizeof replaced[0]; i++) {
        struct gw_feed *feed = refreshing_at(life_a, 5);
        assert_int_equal(answer(feed, replaced[i].epoch, replaced[i].seq), GW_ANSWER_AGAIN);
        assert_int_equal(feed->state, GW_FEED_READING);
        gw_feed_asked(feed);
        assert_int_equal(answer(feed, replaced[i].epoch, replaced[i].seq), GW_ANSWER_TRUTH);
        assert_at(feed, GW_FEED_LIVE, replaced[i].epoch, replaced[i].seq);
        gw_feed_free(feed);
    }
}

static void a_gap_while_refreshing_uses_the_window_on_its_way(void **state)
{
    (void)state;
    struct gw_feed *feed = refreshing_at(life_a, 5);
    assert_int_equal(notice(feed, life_a, 6), GW_NOTICE_NEXT);
    assert_int_equal(notice(feed, life_a, 8), GW_NOTICE_GAP);
    assert_int_equal(feed->read, GW_READ_ASKED);
    assert_int_equal(notice(feed, life_a, 9), GW_NOTICE_KEPT);
    assert_int_equal(answer(feed, life_a, 7), GW_ANSWER_TRUTH);
    assert_at(feed, GW_FEED_LIVE, life_a, 9);
    gw_feed_free(feed);
}

static void distrust_taints_the_window_on_its_way(void **state)
{
    (void)state;
    struct gw_feed *feed = refreshing_at(life_a, 5);
    gw_feed_distrust(feed);
    assert_int_equal(answer(feed, life_a, 6), GW_ANSWER_AGAIN);
    gw_feed_asked(feed);
    assert_int_equal(answer(feed, life_a, 6), GW_ANSWER_TRUTH);
    gw_feed_free(feed);
}

static void an_answer_from_before_the_loss_is_worth_nothing(void **state)
{
    (void)state;
    struct gw_feed *feed = refreshing_at(life_a, 5);
    gw_feed_lost(feed);
    assert_int_equal(feed->state, GW_FEED_SUBSCRIBING);
    gw_feed_confirmed(feed);
    assert_int_equal(notice(feed, life_a, 9), GW_NOTICE_EARLY);
    assert_int_equal(answer(feed, life_a, 6), GW_ANSWER_STALE);
    assert_int_equal(feed->state, GW_FEED_READING);
    assert_int_equal(feed->read, GW_READ_WANTED);
    gw_feed_free(feed);
}

static void a_second_confirmation_means_that_something_was_lost(void **state)
{
    (void)state;
    struct gw_feed *feed = live_at(life_a, 5);
    gw_feed_confirmed(feed);
    assert_int_equal(feed->state, GW_FEED_READING);
    assert_int_equal(feed->read, GW_READ_WANTED);
    gw_feed_free(feed);
}

static void a_failed_read_is_wanted_again_unless_the_channel_is_gone(void **state)
{
    (void)state;
    struct gw_feed *feed = refreshing_at(life_a, 5);
    gw_feed_read_failed(feed);
    assert_int_equal(feed->read, GW_READ_WANTED);
    gw_feed_asked(feed);
    gw_feed_lost(feed);
    gw_feed_read_failed(feed);
    assert_int_equal(feed->read, GW_READ_NONE);
    gw_feed_free(feed);
}

static bool checked(struct gw_feed *feed, const uint8_t *epoch, uint64_t seq)
{
    struct feed_position position = at(epoch, seq);
    return gw_feed_checked(feed, &position);
}

static void a_check_ahead_of_the_notices_is_settled_by_them(void **state)
{
    (void)state;
    struct gw_feed *feed = live_at(life_a, 5);
    gw_feed_checking(feed);
    assert_true(checked(feed, life_a, 6));
    assert_int_equal(notice(feed, life_a, 6), GW_NOTICE_NEXT);
    assert_false(gw_feed_still_doubted(feed));
    assert_int_equal(feed->state, GW_FEED_LIVE);
    gw_feed_free(feed);
}

static void a_check_finds_the_notice_that_never_came(void **state)
{
    (void)state;
    static const struct {
        const uint8_t *epoch;
        uint64_t seq;
    } found[] = {{life_a, 6}, {life_a, 4}, {life_b, 5}, {life_b, 1}, {NULL, 0}};
    for (size_t i = 0; i < sizeof found / sizeof found[0]; i++) {
        struct gw_feed *feed = live_at(life_a, 5);
        gw_feed_checking(feed);
        assert_true(checked(feed, found[i].epoch, found[i].seq));
        assert_true(gw_feed_still_doubted(feed));
        assert_int_equal(feed->state, GW_FEED_READING);
        assert_int_equal(feed->read, GW_READ_WANTED);
        gw_feed_free(feed);
    }
}

static void a_check_that_notices_overtook_is_fine(void **state)
{
    (void)state;
    struct gw_feed *feed = live_at(life_a, 5);
    gw_feed_checking(feed);
    assert_int_equal(notice(feed, life_a, 6), GW_NOTICE_NEXT);
    assert_false(checked(feed, life_a, 5));
    gw_feed_free(feed);
    feed = live_at(NULL, 0);
    gw_feed_checking(feed);
    assert_int_equal(notice(feed, life_a, 1), GW_NOTICE_NEXT);
    assert_false(checked(feed, NULL, 0));
    gw_feed_free(feed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_only_after_the_subscription_stands),
        cmocka_unit_test(lets_kept_notices_through_by_seq),
        cmocka_unit_test(reads_again_when_kept_notices_have_a_gap),
        cmocka_unit_test(an_overflow_while_reading_asks_again),
        cmocka_unit_test(follows_notices_and_drops_repeated_ones),
        cmocka_unit_test(the_first_write_gives_a_feed_its_life),
        cmocka_unit_test(a_missing_seq_is_a_gap),
        cmocka_unit_test(another_life_is_a_gap),
        cmocka_unit_test(a_full_backlog_is_delivered_first),
        cmocka_unit_test(a_joining_session_gets_an_older_window_and_the_notices_since),
        cmocka_unit_test(a_window_ahead_of_the_notices_does_not_move_the_feed),
        cmocka_unit_test(a_window_of_another_life_makes_all_read_again),
        cmocka_unit_test(a_gap_while_refreshing_uses_the_window_on_its_way),
        cmocka_unit_test(distrust_taints_the_window_on_its_way),
        cmocka_unit_test(an_answer_from_before_the_loss_is_worth_nothing),
        cmocka_unit_test(a_second_confirmation_means_that_something_was_lost),
        cmocka_unit_test(a_failed_read_is_wanted_again_unless_the_channel_is_gone),
        cmocka_unit_test(a_check_ahead_of_the_notices_is_settled_by_them),
        cmocka_unit_test(a_check_finds_the_notice_that_never_came),
        cmocka_unit_test(a_check_that_notices_overtook_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
