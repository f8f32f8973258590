/* The engine and what users settle: mutes, blocks, left out verbs, one's own home feed. */
#include "expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- helpers ---- */

static void record(struct world *world, int64_t ms, const char *verb)
{
    world_record(world, &(struct sample){.id = 1, .published_ms = ms, .actor = "ann", .verb = verb, .object = "bob"});
}

#define OWN "m:{demo/ann} h:{demo/ann} f:{demo/ann} n:{demo/ann}"
#define OTHER "m:{demo/bob} h:{demo/bob} f:{demo/bob} n:{demo/bob}"
#define BOBS "g:{demo/bob/0} k:{demo/bob/0} l:{demo/bob/0}"
#define ANNS "g:{demo/ann/0} k:{demo/ann/0} l:{demo/ann/0}"

static void expect_relation(struct world *world, const char *text)
{
    assert_int_equal(world->relation_count, 1);
    assert_string_equal(world->relations[0].text, text);
    assert_int_equal(world_position(world, 0), 0);
    world_relation_done(world, FEED_OK);
}

/* What was settled goes to the topic graph before the record is finished. other_ended: as text. */
static void expect_settings(struct world *world, const char *other_ended, const char *registers)
{
    char text[100], relation[100];
    snprintf(text, sizeof text, "settings_state m:{demo/ann} bob %s", other_ended);
    snprintf(relation, sizeof relation, "demo/settings/ann/bob %s|", registers);
    expect_list(world, text, (const char *[]){registers, ""}, 2);
    expect_relation(world, relation);
}

/* ---- cases ---- */

static void a_mute_is_settled_and_no_entry(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    record(&world, 50, "mute");
    expect_list(&world, "settle " OWN " m bob 50 100", (const char *[]){"1", "40"}, 2);
    expect_settings(&world, "0", "m50");
    done(&world);
}

static void the_end_of_a_mute_fetches_what_was_done_since(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    record(&world, 50, "unmute");
    expect_list(&world, "settle " OWN " n bob 50 100", (const char *[]){"0", "40"}, 2);
    expect_list(&world, "since o:{demo/bob} 50 0",
                (const char *[]){"60", "\1\1\1\1............\x94\xa4post\xa3"
                                       "bob\xa4note\xa1n"},
                2);
    expect_list(&world, "backfill f:{demo/ann} 40 60 #16843009", (const char *[]){"1"}, 1);
    expect_settings(&world, "0", "n50 v50");
    done(&world);
    start(&world);
    record(&world, 50, "unmute"); /* the follow is younger */
    expect_list(&world, "settle " OWN " n bob 50 100", (const char *[]){"0", "70"}, 2);
    expect_list(&world, "since o:{demo/bob} 70 0", NULL, 0);
    expect_settings(&world, "0", "n50 v50");
    done(&world);
}

static void the_end_of_a_mute_fetches_nothing_where_it_would_not_belong(void **state)
{
    (void)state;
    static const char *const answers[][2] = {{"0", "0"}, {"1", "40"}}; /* does not follow; muted again since */
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        start(&world);
        record(&world, 50, "unmute");
        expect_list(&world, "settle " OWN " n bob 50 100", answers[i], 2);
        expect_settings(&world, "0", "n50 v50");
        done(&world);
    }
}

static void a_block_is_settled_with_both_and_ends_both_edges(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    record(&world, 50, "block");
    expect_list(&world, "settle " OWN " b bob 50 100", (const char *[]){"1", "0"}, 2);
    expect_list(&world, "settle " OTHER " B ann 50 100", (const char *[]){"1", "0"}, 2);
    expect_int(&world, "sever " BOBS " ann 50", 1);
    expect_int(&world, "sever " ANNS " bob 50", 0);
    expect_list(&world, "edge " ANNS " bob", (const char *[]){"0", "60"}, 2);
    expect_settings(&world, "60", "b50 e60");
    expect_list(&world, "edge " BOBS " ann", (const char *[]){"0", "50"}, 2);
    expect_relation(&world, "demo/follow/ann/bob 0 50");
    done(&world);
}

static void a_block_that_was_ended_later_ends_no_edge(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    record(&world, 50, "block");
    expect_list(&world, "settle " OWN " b bob 50 100", (const char *[]){"0", "70"}, 2);
    expect_list(&world, "settle " OTHER " B ann 50 100", (const char *[]){"0", "0"}, 2);
    expect_list(&world, "edge " ANNS " bob", (const char *[]){"0", "0"}, 2);
    expect_settings(&world, "0", "b50 c70 d70");
    expect_list(&world, "edge " BOBS " ann", (const char *[]){"0", "0"}, 2); /* which never was */
    done(&world);
}

static void an_unblock_brings_no_edge_back(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    record(&world, 50, "unblock");
    expect_list(&world, "settle " OWN " c bob 50 100", (const char *[]){"0", "0"}, 2);
    expect_list(&world, "settle " OTHER " C ann 50 100", (const char *[]){"0", "0"}, 2);
    expect_settings(&world, "0", "c50 d50");
    done(&world);
}

static void a_follow_of_a_blocked_pair_ends_at_once(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    record(&world, 50, "follow");
    expect_list(&world, "follow " BOBS " ann 50", (const char *[]){"1", "50", "0"}, 3);
    expect_int(&world, "join h:{demo/ann} m:{demo/ann} bob 50 50 0", 2);
    expect_int(&world, "sever " BOBS " ann 50", 1);
    expect(&world, "post o:{demo/ann} 50 #1");
    world_fini(&world);
}

static void both_of_a_block_take_turns_with_what_they_do(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    record(&world, 50, "block");
    world_record(&world, &(struct sample){
                             .offset = 1, .id = 2, .published_ms = 51, .actor = "bob", .verb = "post", .object = "n"});
    assert_int_equal(world.commands, 1);
    expect_list(&world, "settle " OWN " b bob 50 100", (const char *[]){"1", "0"}, 2);
    assert_int_equal(world.commands, 1);
    world_fini(&world);
}

static void a_filter_is_the_whole_list(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &(struct sample){.id = 1,
                                          .published_ms = 50,
                                          .actor = "ann",
                                          .verb = "filter",
                                          .object = "home",
                                          .data = "{\"exclude\":[\"like\",\"share\",\"like\"]}"});
    expect_int(&world, "filter m:{demo/ann} f:{demo/ann} 50 like share", 1);
    expect_list(&world, "filter_state m:{demo/ann}", (const char *[]){"50", "like 50 0 share 50 0"}, 2);
    expect_relation(&world, "demo/filter/ann/ann 50|like 50 0 share 50 0");
    done(&world);
}

static void what_is_or_was_kept_goes_to_the_topic_too(void **state)
{
    (void)state;
    static const char *const answers[][2] = {{"0", "kept"}, {"-1", "kept"}}; /* -1: there is a younger edge or end */
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        start(&world);
        world_record(&world, &(struct sample){.id = 1,
                                              .published_ms = 70,
                                              .actor = "ann",
                                              .verb = "unfollow",
                                              .object = "bob",
                                              .data = "{\"entries\":\"purge\"}"});
        expect_list(&world, "unfollow " BOBS " ann 70", (const char *[]){"2", "0"}, 2);
        expect_list(&world, "leave h:{demo/ann} m:{demo/ann} f:{demo/ann} bob 70 100 purge kept", answers[i], 2);
        expect_list(&world, "settings_state m:{demo/ann} bob 0", (const char *[]){"p70", "80 90"}, 2);
        expect_relation(&world, "demo/settings/ann/bob p70|80 90");
        expect_list(&world, "edge " BOBS " ann", (const char *[]){"0", "70"}, 2);
        expect_relation(&world, "demo/follow/ann/bob 0 70");
        done(&world);
    }
}

/* Else it would be the newest record of its key. */
static void what_nobody_could_read_becomes_a_dead_letter(void **state)
{
    (void)state;
    static const char *const bad[][2] = {{"", ""}, {"m50 rubbish", ""}, {"m50", "80"}, {"m0", ""}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct world world;
        start(&world);
        record(&world, 50, "mute");
        expect_list(&world, "settle " OWN " m bob 50 100", (const char *[]){"1", "0"}, 2);
        for (int64_t waited = 0; world.letter_count == 0 && waited < 4 * FAN_FAILING_MS; waited += 100) {
            world_tick(&world, 100);
            if (world.first)
                world_answer_list(&world, bad[i], 2);
        }
        assert_int_equal(world.letter_count, 1);
        assert_non_null(strstr(world.letters[0].detail, "graph_settings of ann"));
        assert_int_equal(world.relation_count, 0);
        world_letter_done(&world, FEED_OK);
        done(&world);
    }
}

static void ones_own_acts_stand_in_ones_home_feed_if_so_wished(void **state)
{
    (void)state;
    const struct fan_settings settings = {
        .records_max = 8, .bytes_max = 1 << 20, .commands_max = 16, .cap = 100, .backfill = 20, .home_own = true};
    struct world world;
    world_init(&world, &settings);
    world_start(&world, partition_0, 1);
    record(&world, 50, "like");
    expect_int(&world, "post o:{demo/ann} 50 #1", 1);
    expect_int(&world, "add f:{demo/ann} 50 #1", 1);
    expect_list(&world, "followers g:{demo/ann/0} 50 500", NULL, 0);
    /* Only then an undo leaves a mark there: elsewhere it would take the place of an entry for nothing. */
    world_record(
        &world,
        &(struct sample){.id = 9, .published_ms = 60, .actor = "ann", .verb = "undo", .undone = 1, .undone_ms = 50});
    expect_list(&world, "find o:{demo/ann} #1", (const char *[]){"0", "", ""}, 3);
    expect_int(&world, "remove f:{demo/ann} #1 - 50", 0);
    expect_int(&world, "remove o:{demo/ann} #1 - 50", 0);
    expect_list(&world, "followers g:{demo/ann/0} inf 500", NULL, 0);
    expect_list(&world, "followers k:{demo/ann/0} inf 500", NULL, 0);
    done(&world);
}

static void what_was_left_out_is_counted(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    record(&world, 50, "like");
    expect_int(&world, "post o:{demo/ann} 50 #1", 1);
    expect_list(&world, "followers g:{demo/ann/0} 50 500", (const char *[]){"7", "cy"}, 2);
    expect_int(&world, "add f:{demo/cy} 50 #1", -2);
    assert_int_equal(fan_engine_counts(world.engine)->writes.left_out, 1);
    done(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mute_is_settled_and_no_entry),
        cmocka_unit_test(the_end_of_a_mute_fetches_what_was_done_since),
        cmocka_unit_test(the_end_of_a_mute_fetches_nothing_where_it_would_not_belong),
        cmocka_unit_test(a_block_is_settled_with_both_and_ends_both_edges),
        cmocka_unit_test(a_block_that_was_ended_later_ends_no_edge),
        cmocka_unit_test(an_unblock_brings_no_edge_back),
        cmocka_unit_test(a_follow_of_a_blocked_pair_ends_at_once),
        cmocka_unit_test(both_of_a_block_take_turns_with_what_they_do),
        cmocka_unit_test(a_filter_is_the_whole_list),
        cmocka_unit_test(what_is_or_was_kept_goes_to_the_topic_too),
        cmocka_unit_test(what_nobody_could_read_becomes_a_dead_letter),
        cmocka_unit_test(ones_own_acts_stand_in_ones_home_feed_if_so_wished),
        cmocka_unit_test(what_was_left_out_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
