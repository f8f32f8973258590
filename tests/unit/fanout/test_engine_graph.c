/* The engine and the durable graph: what goes to the topic, when a follow is finished, and which positions may be
 * committed. */
#include "expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct sample unfollow = {
    .id = 1, .published_ms = 70, .actor = "ann", .verb = "unfollow", .object = "bob"};
static const struct sample post = {
    .id = 9, .offset = 1, .published_ms = 1000, .actor = "bob", .verb = "post", .object = "n"};

static void read_edge(struct world *world, const char *since, const char *ended)
{
    expect(world, "edge g:{demo/bob/0} k:{demo/bob/0} l:{demo/bob/0} ann");
    world_answer_list(world, (const char *const[]){since, ended}, 2);
}

/* An unfollow up to the point where its relation is on its way. */
static void unfollow_until_sent(struct world *world)
{
    world_record(world, &unfollow);
    world_answer_int(world, 1);
    world_answer_int(world, 1);
    read_edge(world, "0", "70");
}

static void expect_relation(const struct world *world, const char *text)
{
    assert_int_equal(world->relation_count, 1);
    assert_string_equal(world->relations[0].text, text);
}

/* ---- what goes to the topic ---- */

static void a_relation_says_how_the_edge_stands_not_what_the_record_said(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &unfollow);
    world_answer_list(&world, (const char *const[]){"0", "80", "70"}, 3); /* the edge is younger */
    world_answer_int(&world, -1);                                         /* on both sides */
    read_edge(&world, "80", "70");
    expect_relation(&world, "demo/follow/ann/bob 80 70");
    world_relation_done(&world, FEED_OK);
    assert_int_equal(fan_engine_counts(world.engine)->relations, 1);
    done(&world);
}

static void an_end_that_is_not_older_than_the_follow_ends_it(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &unfollow);
    world_answer_int(&world, 1);
    world_answer_int(&world, 1);
    read_edge(&world, "70", "70");
    expect_relation(&world, "demo/follow/ann/bob 0 70");
    world_relation_done(&world, FEED_OK);
    done(&world);
}

static void a_time_that_is_none_becomes_a_dead_letter(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &unfollow);
    world_answer_int(&world, 1);
    world_answer_int(&world, 1);
    world_answer_list(&world, (const char *const[]){"-5", "0"}, 2);
    for (int64_t waited = 0; world.letter_count == 0 && waited < 4 * FAN_FAILING_MS; waited += 100) {
        world_tick(&world, 100);
        if (world.first)
            world_answer_list(&world, (const char *const[]){"-5", "0"}, 2);
    }
    assert_int_equal(world.letter_count, 1);
    assert_non_null(strstr(world.letters[0].detail, "graph of bob"));
    world_letter_done(&world, FEED_OK);
    done(&world);
}

/* ---- when a record is finished ---- */

static void it_is_finished_only_when_kafka_has_it(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    unfollow_until_sent(&world);
    expect_relation(&world, "demo/follow/ann/bob 0 70");
    assert_int_equal(world_position(&world, 0), 0);
    assert_int_equal(fan_engine_records(world.engine), 1);
    world_relation_done(&world, FEED_OK);
    assert_int_equal(world_position(&world, 0), 1);
    done(&world);
}

static void nobody_else_waits_for_kafka(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    unfollow_until_sent(&world);
    world_record(&world, &post); /* by the one who was followed */
    expect(&world, "post o:{demo/bob} 1000 #9");
    world_answer_int(&world, 1);
    world_answer_list(&world, NULL, 0);
    assert_int_equal(world_position(&world, 0), 0);
    world_relation_done(&world, FEED_OK);
    assert_int_equal(world_position(&world, 0), 2);
    done(&world);
}

/* What was read first may have been overtaken by now, and the topic keeps what came last. */
/* It may be what a loss has left that nobody has noticed yet. */
static void it_is_sent_when_redis_was_whole_after_it_was_read(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world.unchecked = true;
    fan_engine_check(world.engine); /* before it is read */
    unfollow_until_sent(&world);
    fan_engine_checked(world.engine);
    assert_int_equal(world.relation_count, 0);
    world_record(&world, &post); /* the lane is free all the same */
    assert_non_null(world.first);
    world_answer_int(&world, 1);
    world_answer_list(&world, NULL, 0);
    assert_int_equal(world_position(&world, 0), 0);
    world_check(&world);
    expect_relation(&world, "demo/follow/ann/bob 0 70");
    world_relation_done(&world, FEED_OK);
    assert_int_equal(world_position(&world, 0), 2);
    done(&world);
}

static void what_was_read_before_a_loss_goes_nowhere(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world.unchecked = true;
    unfollow_until_sent(&world);
    fan_engine_begin_anew(world.engine);
    assert_int_equal(fan_engine_records(world.engine), 0);
    world_check(&world);
    assert_int_equal(world.relation_count, 0);
    unfollow_until_sent(&world);
    fan_engine_revoked(world.engine, (const int32_t[]){0}, 1);
    world_check(&world);
    assert_int_equal(world.relation_count, 0);
    assert_int_equal(fan_engine_records(world.engine), 0);
    world_fini(&world);
}

static void relations_go_out_in_the_order_in_which_they_were_read(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world.unchecked = true;
    unfollow_until_sent(&world);
    struct sample again = unfollow;
    again.offset = 1;
    again.id = 2;
    again.published_ms = 90;
    world_record(&world, &again);
    world_answer_int(&world, 1);
    world_answer_int(&world, 1);
    read_edge(&world, "0", "90");
    world_check(&world);
    assert_int_equal(world.relation_count, 2);
    assert_string_equal(world.relations[0].text, "demo/follow/ann/bob 0 70");
    assert_string_equal(world.relations[1].text, "demo/follow/ann/bob 0 90");
    world_relation_done(&world, FEED_OK);
    world_relation_done(&world, FEED_OK);
    done(&world);
}

static void what_kafka_did_not_take_is_read_again_and_sent_again(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world.relation_error = FEED_E_FULL;
    unfollow_until_sent(&world);
    assert_int_equal(world.relation_count, 0);
    assert_null(world.first);
    world_tick(&world, 499);
    assert_null(world.first);
    world.relation_error = FEED_OK;
    world_tick(&world, 1);
    read_edge(&world, "90", "70");
    expect_relation(&world, "demo/follow/ann/bob 90 70");
    world_relation_done(&world, FEED_E_TIMEOUT);
    assert_null(world.first);
    world_tick(&world, 500);
    read_edge(&world, "90", "70");
    expect_relation(&world, "demo/follow/ann/bob 90 70");
    assert_int_equal(world_position(&world, 0), 0);
    world_relation_done(&world, FEED_OK);
    assert_int_equal(world_position(&world, 0), 1);
    assert_int_equal(fan_engine_counts(world.engine)->relations, 1);
    done(&world);
}

static void a_connection_that_breaks_reads_again(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &unfollow);
    world_answer_int(&world, 1);
    world_answer_int(&world, 1);
    expect(&world, "edge g:{demo/bob/0} k:{demo/bob/0} l:{demo/bob/0} ann");
    world_lose(&world);
    assert_int_equal(world.relation_count, 0);
    world_ready(&world);
    read_edge(&world, "0", "70");
    world_relation_done(&world, FEED_OK);
    done(&world);
}

static void a_relation_of_a_revoked_partition_is_awaited_and_dropped(void **state)
{
    (void)state;
    for (int good = 0; good < 2; good++) {
        struct world world;
        start(&world);
        unfollow_until_sent(&world);
        fan_engine_revoked(world.engine, partition_0, 1);
        assert_int_equal(fan_engine_records(world.engine), 1);
        world_relation_done(&world, good ? FEED_OK : FEED_E_TIMEOUT);
        done(&world);
    }
}

/* ---- positions ---- */

static void only_what_was_confirmed_is_committed(void **state)
{
    (void)state;
    struct world world;
    struct fan_position positions[2];
    start(&world);
    world_record(&world, &unfollow);
    world_answer_int(&world, 1);
    world_answer_int(&world, 1);
    fan_engine_mark(world.engine);
    world_graph_done(&world, "0", "70");
    assert_false(fan_engine_confirmed(world.engine));
    assert_int_equal(fan_engine_take_commits(world.engine, positions, 2), 0);
    fan_engine_confirm(world.engine, true); /* of the mark before it was finished */
    assert_int_equal(fan_engine_take_commits(world.engine, positions, 2), 1);
    assert_int_equal(positions[0].next_offset, 0);
    fan_engine_mark(world.engine);
    assert_int_equal(fan_engine_take_commits(world.engine, positions, 2), 0);
    fan_engine_confirm(world.engine, true);
    assert_true(fan_engine_confirmed(world.engine));
    assert_int_equal(fan_engine_take_commits(world.engine, positions, 2), 1);
    assert_int_equal(positions[0].next_offset, 1);
    done(&world);
}

/* Everything was lost, and the partition is read again: nothing of before may be committed. */
static void a_mark_does_not_outlive_its_partition(void **state)
{
    (void)state;
    struct world world;
    struct fan_position positions[2];
    start(&world);
    unfollow_until_sent(&world);
    world_relation_done(&world, FEED_OK);
    fan_engine_mark(world.engine);
    fan_engine_begin_anew(world.engine);
    fan_engine_confirm(world.engine, true);
    assert_int_equal(fan_engine_take_commits(world.engine, positions, 2), 0);
    assert_int_equal(world_position(&world, 0), -1);
    unfollow_until_sent(&world);
    world_relation_done(&world, FEED_OK);
    assert_int_equal(world_take_commits(&world, positions, 2), 1);
    assert_int_equal(positions[0].next_offset, 1);
    done(&world);
}

static void what_was_in_hand_when_all_was_lost_counts_for_nothing(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    struct sample first = post, waiting = post;
    waiting.offset = 2;
    waiting.id = 10;
    world_record(&world, &first);
    world_record(&world, &waiting); /* behind it, in its lane */
    fan_engine_begin_anew(world.engine);
    assert_int_equal(world.commands, 1);
    world_answer_int(&world, 1);
    assert_null(world.first);
    assert_int_equal(fan_engine_records(world.engine), 0);
    assert_int_equal(world_position(&world, 0), -1);
    first.offset = 0;
    world_record(&world, &first);
    world_answer_int(&world, 1);
    world_answer_list(&world, NULL, 0);
    assert_int_equal(world_position(&world, 0), 1);
    done(&world);
}

static void a_log_begun_anew_has_no_mark(void **state)
{
    (void)state;
    struct world world;
    struct fan_position positions[2];
    start(&world);
    struct sample late = post;
    late.offset = 50;
    world_record(&world, &late);
    world_answer_int(&world, 1);
    world_answer_list(&world, NULL, 0);
    fan_engine_mark(world.engine);
    late.offset = 3;
    world_record(&world, &late);
    fan_engine_confirm(world.engine, true);
    assert_int_equal(fan_engine_take_commits(world.engine, positions, 2), 0);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_relation_says_how_the_edge_stands_not_what_the_record_said),
        cmocka_unit_test(an_end_that_is_not_older_than_the_follow_ends_it),
        cmocka_unit_test(a_time_that_is_none_becomes_a_dead_letter),
        cmocka_unit_test(it_is_finished_only_when_kafka_has_it),
        cmocka_unit_test(nobody_else_waits_for_kafka),
        cmocka_unit_test(it_is_sent_when_redis_was_whole_after_it_was_read),
        cmocka_unit_test(what_was_read_before_a_loss_goes_nowhere),
        cmocka_unit_test(relations_go_out_in_the_order_in_which_they_were_read),
        cmocka_unit_test(what_kafka_did_not_take_is_read_again_and_sent_again),
        cmocka_unit_test(a_connection_that_breaks_reads_again),
        cmocka_unit_test(a_relation_of_a_revoked_partition_is_awaited_and_dropped),
        cmocka_unit_test(only_what_was_confirmed_is_committed),
        cmocka_unit_test(a_mark_does_not_outlive_its_partition),
        cmocka_unit_test(what_was_in_hand_when_all_was_lost_counts_for_nothing),
        cmocka_unit_test(a_log_begun_anew_has_no_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
