/* The engine and imported follows: the edge on both sides, the topic graph, and nothing else; the feed is filled once.
 */
#include "expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define IMPORT "edge_load g:{demo/bob/0} k:{demo/bob/0} l:{demo/bob/0} q:{demo/bob/0} ann 70 0 0 0 0 0 0 10000"
#define JOIN "join h:{demo/ann} m:{demo/ann} bob 70 70 0"
#define AUTHOR "HMGET a:{demo/bob} gen broadcast"
#define EDGE "edge g:{demo/bob/0} k:{demo/bob/0} l:{demo/bob/0} ann"

static const struct sample import = {
    .id = 1, .published_ms = 70, .actor = "ann", .verb = "follow", .object = "bob", .imported = true};
static const struct sample last = {.id = 1,
                                   .published_ms = 70,
                                   .actor = "ann",
                                   .verb = "follow",
                                   .object = "bob",
                                   .imported = true,
                                   .data = "{\"feed\":\"fill\"}"};

static const char *const nobody[] = {"", ""};
static const char *const fresh[] = {"70", "0", "0"};

static void start_sleeping(struct world *world)
{
    const struct fan_settings settings = {
        .records_max = 8, .bytes_max = 1024 * 1024, .commands_max = 16, .cap = 100, .backfill = 20, .ttl_ms = 1000};
    world_init(world, &settings);
    world_start(world, partition_0, 1);
}

static void expect_relation(struct world *world, const char *text)
{
    assert_int_equal(world->relation_count, 1);
    assert_string_equal(world->relations[0].text, text);
    world_relation_done(world, FEED_OK);
}

/* Up to the look at the followed. */
static void both_sides(struct world *world)
{
    expect_list(world, IMPORT, fresh, 3);
    expect_int(world, JOIN, 1);
    expect(world, AUTHOR);
}

static void an_edge_costs_three_commands_and_tells_nobody(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &import);
    both_sides(&world);
    world_answer_list(&world, nobody, 2);
    assert_int_equal(world_position(&world, 0), 0); /* the topic has not got it */
    expect_relation(&world, "demo/follow/ann/bob 70 0");
    assert_int_equal(world_position(&world, 0), 1);
    assert_int_equal(fan_engine_counts(world.engine)->imported, 1);
    assert_int_equal(fan_engine_counts(world.engine)->done, 0);
    done(&world);
}

static void what_was_known_of_the_edge_goes_to_the_topic_with_it(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &import);
    expect_list(&world, IMPORT, (const char *const[]){"60", "50", "90"}, 3);
    expect_int(&world, "join h:{demo/ann} m:{demo/ann} bob 70 60 50", 1);
    expect_list(&world, AUTHOR, nobody, 2);
    expect_relation(&world, "demo/follow/ann/bob 60 50");
    done(&world);
}

static void an_edge_that_was_ended_since_stays_ended(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &import);
    expect_list(&world, IMPORT, (const char *const[]){"0", "70", "0"}, 3);
    expect_list(&world, EDGE, (const char *const[]){"0", "70"}, 2);
    expect_relation(&world, "demo/follow/ann/bob 0 70");
    done(&world);
}

static void a_block_ends_it_again(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &import);
    expect_list(&world, IMPORT, fresh, 3);
    expect_int(&world, JOIN, 2);
    expect_list(&world, "sever g:{demo/bob/0} k:{demo/bob/0} l:{demo/bob/0} ann 70",
                (const char *const[]){"1", "0", "70"}, 3);
    expect_list(&world, EDGE, (const char *const[]){"0", "70"}, 2);
    expect_relation(&world, "demo/follow/ann/bob 0 70");
    done(&world);
}

static void a_page_that_does_not_have_it_sends_it_on(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &import);
    expect_list(&world, IMPORT, (const char *const[]){"-1", "1", "0", "0", "0"}, 5);
    expect_list(&world,
                "edge_load g:{demo/bob/1} k:{demo/bob/1} l:{demo/bob/1} q:{demo/bob/1} ann 70 0 0 1 0 0 0 10000", fresh,
                3);
    expect_int(&world, JOIN, 1);
    expect_list(&world, AUTHOR, nobody, 2);
    expect_relation(&world, "demo/follow/ann/bob 70 0");
    done(&world);
}

/* The page that it came into has grown too large: that is mended first, and the edge is read where it stands then. */
static void a_page_is_split_before_the_topic_has_the_edge(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &import);
    expect_list(&world, IMPORT, (const char *const[]){"70", "0", "0", "10001", "3", "0"}, 6);
    expect_int(&world, JOIN, 1);
    expect_list(&world, AUTHOR, nobody, 2);
    assert_int_equal(world.relation_count, 0);
    expect_int(&world, "page_fill q:{demo/bob/1} 1", 1);
    expect_int(&world, "page_split g:{demo/bob/0} k:{demo/bob/0} l:{demo/bob/0} q:{demo/bob/0} 0 0 10000", 0);
    expect_int(&world, "page_fill q:{demo/bob/1} 0", 1); /* another has made it smaller */
    expect_list(&world, EDGE, (const char *const[]){"70", "0"}, 2);
    expect_relation(&world, "demo/follow/ann/bob 70 0");
    done(&world);
}

static void a_broadcast_author_is_merged(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &import);
    both_sides(&world);
    world_answer_list(&world, (const char *const[]){"5", "on"}, 2);
    assert_non_null(strstr(world.first->text, "source f:{demo/ann} b:{demo/ann} c:{demo/ann} h:{demo/ann} bob 5 on"));
    world_answer_int(&world, 1);
    expect_list(&world, EDGE, (const char *const[]){"70", "0"}, 2);
    world_relation_done(&world, FEED_OK);
    /* Whether there are still enough followers for that. */
    expect_int(&world, "follower_count g:{demo/bob/0} q:{demo/bob/0} 0", 9);
    assert_non_null(strstr(world.first->text, "cross a:{demo/bob} 9 9223372036854775807 9223372036854775807"));
    world_answer_list(&world, (const char *const[]){"on", "5", "0"}, 3);
    done(&world);
}

/* ---- the feed ---- */

static void a_feed_that_sleeps_is_left_asleep(void **state)
{
    (void)state;
    struct world world;
    start_sleeping(&world);
    world_record(&world, &last);
    both_sides(&world);
    world_answer_list(&world, nobody, 2);
    expect_int(&world, "EXISTS f:{demo/ann}", 0);
    expect_list(&world, EDGE, (const char *const[]){"70", "0"}, 2);
    expect_relation(&world, "demo/follow/ann/bob 70 0");
    done(&world);
}

static void a_feed_that_is_awake_is_filled_from_all_followees(void **state)
{
    (void)state;
    struct world world;
    start_sleeping(&world);
    world_record(&world, &last);
    both_sides(&world);
    world_answer_list(&world, nobody, 2);
    expect_int(&world, "EXISTS f:{demo/ann}", 1);
    expect(&world, "sources h:{demo/ann} m:{demo/ann} 32");
    world_answer_list(&world, (const char *const[]){"bob", "70", "", "cy", "80", ""}, 6);
    expect_list(&world, "part o:{demo/bob} 0 70 20", (const char *const[]){"0"}, 1);
    expect_list(&world, "part o:{demo/cy} 1 80 20", (const char *const[]){"1"}, 1);
    world_answer_list(&world, NULL, 0); /* no more sources */
    expect_list(&world, EDGE, (const char *const[]){"70", "0"}, 2);
    expect_relation(&world, "demo/follow/ann/bob 70 0");
    done(&world);
}

/* The edge itself came too late, but it is the last of the follower: the feed is filled for the others. */
static void an_ended_edge_fills_all_the_same(void **state)
{
    (void)state;
    struct world world;
    start_sleeping(&world);
    world_record(&world, &last);
    expect_list(&world, IMPORT, (const char *const[]){"0", "80", "0"}, 3);
    expect_int(&world, "EXISTS f:{demo/ann}", 1);
    world_answer_list(&world, NULL, 0);
    expect_list(&world, EDGE, (const char *const[]){"0", "80"}, 2);
    expect_relation(&world, "demo/follow/ann/bob 0 80");
    done(&world);
}

static void know_purge(struct world *world, const char *user)
{
    const struct feed_id id = feed_purged_id(FEED_STR("demo"), feed_str_of(user));
    struct fan_purges purges;
    fan_purges_init(&purges);
    assert_true(fan_purges_add(&purges, &id, 100));
    fan_purges_sort(&purges);
    fan_engine_know_purges(world->engine, &purges, 2);
    fan_purges_fini(&purges);
}

/* Nothing of the edge is made, but the others of the follower are there. */
static void an_edge_to_one_who_was_erased_fills_all_the_same(void **state)
{
    (void)state;
    struct world world;
    start_sleeping(&world);
    know_purge(&world, "bob");
    world_record(&world, &last);
    expect_int(&world, "EXISTS f:{demo/ann}", 1);
    world_answer_list(&world, NULL, 0);
    assert_int_equal(world_position(&world, 0), 1);
    done(&world);
}

static void who_was_erased_gets_no_edge_and_no_feed(void **state)
{
    (void)state;
    struct world world;
    start_sleeping(&world);
    know_purge(&world, "ann");
    world_record(&world, &last);
    done(&world);
}

static void where_feeds_do_not_sleep_it_is_made(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &last);
    both_sides(&world);
    world_answer_list(&world, nobody, 2);
    assert_non_null(strstr(world.first->text, "wake f:{demo/ann}"));
    world_answer_int(&world, 1);
    world_answer_list(&world, NULL, 0);
    expect_int(&world, "awake f:{demo/ann}", 1);
    expect_list(&world, EDGE, (const char *const[]){"70", "0"}, 2);
    expect_relation(&world, "demo/follow/ann/bob 70 0");
    done(&world);
}

/* ---- crossings ---- */

/* The number of followers that the edge's page tells is enough, far below the threshold. */
static void followers_are_counted_only_near_the_threshold(void **state)
{
    (void)state;
    static const struct {
        const char *followers;
        bool counted;
    } rows[] = {{"49", false}, {"51", true}, {"0", true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct fan_settings settings = {.records_max = 8,
                                              .bytes_max = 1024 * 1024,
                                              .commands_max = 16,
                                              .cap = 100,
                                              .broadcast_threshold = 101,
                                              .broadcast_return_percent = 50};
        struct world world;
        world_init(&world, &settings);
        world_start(&world, partition_0, 1);
        world_record(&world, &import);
        expect_list(&world, IMPORT, (const char *const[]){"70", "0", "0", rows[i].followers, "0", "0"}, 6);
        expect_int(&world, JOIN, 1);
        expect_list(&world, AUTHOR, nobody, 2);
        expect_relation(&world, "demo/follow/ann/bob 70 0");
        if (rows[i].counted)
            expect_int(&world, "follower_count g:{demo/bob/0} q:{demo/bob/0} 0", 60);
        done(&world);
    }
}

/* ---- trouble ---- */

static void what_kafka_did_not_take_is_read_again(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &import);
    both_sides(&world);
    world_answer_list(&world, nobody, 2);
    world_relation_done(&world, FEED_E_TIMEOUT);
    expect_list(&world, EDGE, (const char *const[]){"90", "80"}, 2); /* it has changed meanwhile */
    assert_string_equal(world.relations[0].text, "demo/follow/ann/bob 90 80");
    world_relation_done(&world, FEED_E_TIMEOUT);
    assert_null(world.first);
    world_tick(&world, 500);
    expect_list(&world, EDGE, (const char *const[]){"90", "80"}, 2);
    assert_int_equal(world_position(&world, 0), 0);
    expect_relation(&world, "demo/follow/ann/bob 90 80");
    assert_int_equal(world_position(&world, 0), 1);
    done(&world);
}

static void a_connection_that_breaks_does_the_step_again(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &import);
    expect_list(&world, IMPORT, fresh, 3);
    expect_int(&world, JOIN, 1);
    expect(&world, AUTHOR);
    world_lose(&world);
    assert_int_equal(world.relation_count, 0);
    world_ready(&world);
    expect_list(&world, AUTHOR, nobody, 2);
    expect_relation(&world, "demo/follow/ann/bob 70 0");
    done(&world);
}

static void another_verb_is_a_dead_letter(void **state)
{
    (void)state;
    struct world world;
    struct sample post = import;
    post.verb = "post";
    start(&world);
    world_record(&world, &post);
    assert_int_equal(world.letter_count, 1);
    assert_string_equal(world.letters[0].reason, "invalid");
    assert_string_equal(world.letters[0].detail, "verb: must be follow in a record of feedwire.import.v1");
    world_letter_done(&world, FEED_OK);
    done(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_edge_costs_three_commands_and_tells_nobody),
        cmocka_unit_test(what_was_known_of_the_edge_goes_to_the_topic_with_it),
        cmocka_unit_test(an_edge_that_was_ended_since_stays_ended),
        cmocka_unit_test(a_block_ends_it_again),
        cmocka_unit_test(a_page_that_does_not_have_it_sends_it_on),
        cmocka_unit_test(a_page_is_split_before_the_topic_has_the_edge),
        cmocka_unit_test(a_broadcast_author_is_merged),
        cmocka_unit_test(a_feed_that_sleeps_is_left_asleep),
        cmocka_unit_test(a_feed_that_is_awake_is_filled_from_all_followees),
        cmocka_unit_test(an_ended_edge_fills_all_the_same),
        cmocka_unit_test(an_edge_to_one_who_was_erased_fills_all_the_same),
        cmocka_unit_test(who_was_erased_gets_no_edge_and_no_feed),
        cmocka_unit_test(where_feeds_do_not_sleep_it_is_made),
        cmocka_unit_test(followers_are_counted_only_near_the_threshold),
        cmocka_unit_test(what_kafka_did_not_take_is_read_again),
        cmocka_unit_test(a_connection_that_breaks_does_the_step_again),
        cmocka_unit_test(another_verb_is_a_dead_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
