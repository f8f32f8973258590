/* The engine in good weather: what each kind of activity does, in which order; lanes, windows, positions. */
#include "expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Members of an outbox; the second one is addressed to cy, which a home feed must not have. */
static const char member_1[] = "\1\1\1\1............"
                               "\x94\xa4post\xa3"
                               "bob\xa4note\xa1n";
static const char member_2[] = "\2\2\2\2............"
                               "\x99\xa4post\xa3"
                               "bob\xa4note\xa1n\xc0\xc0\xc0\xc0\x91\xa2"
                               "cy";

static const struct sample post = {.id = 1, .published_ms = 1000, .actor = "bob", .verb = "post", .object = "n1"};

/* ---- what activities do ---- */

static void a_post_goes_to_outbox_then_to_each_follower(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &post);
    assert_int_equal(world.commands, 1);
    expect_int(&world, "post o:{demo/bob} 1000 #1", 1);
    /* Followers are read only when the outbox has been written: a follow that comes between sees it there. */
    expect_list(&world, "followers g:{demo/bob/0} 1000 500", (const char *[]){"900", "ann", "cy"}, 3);
    assert_int_equal(world.commands, 2);
    expect_int(&world, "add f:{demo/ann} 1000 #1", 1);
    assert_int_equal(world_position(&world, 0), 0);
    expect_int(&world, "add f:{demo/cy} 1000 #1", -1);
    assert_int_equal(world_position(&world, 0), 1);
    const struct fan_counts *counts = fan_engine_counts(world.engine);
    assert_int_equal(counts->done, 1);
    assert_int_equal(counts->writes.added, 2);
    assert_int_equal(counts->writes.beyond_cap, 1);
    done(&world);
}

static void to_owner_and_followed_are_notified_once_each(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    struct sample sample = post;
    sample.to = "[\"cy\",\"bob\",\"dan\"]";
    sample.owner = "dan";
    world_record(&world, &sample);
    expect_int(&world, "post o:{demo/bob} 1000 #1", 1);
    assert_int_equal(world.commands, 3);
    expect_int(&world, "add n:{demo/cy} 1000 #1", 1);
    expect_int(&world, "add n:{demo/bob} 1000 #1", 1);
    expect_int(&world, "add n:{demo/dan} 1000 #1", 1);
    expect_list(&world, "followers g:{demo/bob/0} 1000 500", NULL, 0);
    done(&world);
}

static void a_follow_makes_the_edge_backfills_and_is_an_activity_too(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world,
                 &(struct sample){.id = 2, .published_ms = 50, .actor = "ann", .verb = "follow", .object = "bob"});
    expect_list(&world, "follow g:{demo/bob/0} k:{demo/bob/0} l:{demo/bob/0} ann 50", (const char *[]){"2", "40", "0"},
                3);
    expect_int(&world, "join h:{demo/ann} m:{demo/ann} bob 50 40 0", 1);
    /* By the edge's time, which an earlier follow has set. */
    expect_list(&world, "since o:{demo/bob} 40 20",
                (const char *[]){"30", member_1, "45", member_2, "46", "no entry at all, but long enough"}, 6);
    expect(&world, "backfill f:{demo/ann} 40 30 #16843009 45 #33686018");
    assert_int_equal(world.first->argc, 13);
    assert_memory_equal(world.first->argv[10].data, member_1, sizeof member_1 - 1);
    assert_memory_equal(world.first->argv[12].data + 4, member_1 + 4, sizeof member_1 - 1 - 4);
    assert_int_equal(world.first->argv[12].len, sizeof member_1 - 1);
    world_answer_list(&world, (const char *[]){"1", "0"}, 2);
    expect_int(&world, "post o:{demo/ann} 50 #2", 1);
    expect_int(&world, "add n:{demo/bob} 50 #2", 1);
    expect_list(&world, "followers g:{demo/ann/0} 50 500", (const char *[]){"7", "cy"}, 2);
    expect_int(&world, "add f:{demo/cy} 50 #2", 1);
    expect(&world, "edge g:{demo/bob/0} k:{demo/bob/0} l:{demo/bob/0} ann");
    world_graph_done(&world, "40", "0");
    assert_int_equal(fan_engine_counts(world.engine)->writes.added, 4);
    assert_int_equal(fan_engine_counts(world.engine)->writes.present, 1);
    done(&world);
}

static void a_follow_that_was_ended_later_leaves_the_graph_alone(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world,
                 &(struct sample){.id = 2, .published_ms = 50, .actor = "ann", .verb = "follow", .object = "bob"});
    expect_list(&world, "follow g:{demo/bob/0} k:{demo/bob/0} l:{demo/bob/0} ann 50", (const char *[]){"0", "60", "0"},
                3);
    expect_int(&world, "post o:{demo/ann} 50 #2", 0);
    expect_int(&world, "add n:{demo/bob} 50 #2", 0);
    expect_list(&world, "followers g:{demo/ann/0} 50 500", NULL, 0);
    world_graph_done(&world, "0", "60");
    assert_int_equal(fan_engine_counts(world.engine)->repeat, 1);
    done(&world);
}

static void a_follow_that_the_feed_refuses_is_no_more_than_an_activity(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world,
                 &(struct sample){.id = 2, .published_ms = 50, .actor = "ann", .verb = "follow", .object = "bob"});
    expect_list(&world, "follow g:{demo/bob/0} k:{demo/bob/0} l:{demo/bob/0} ann 50", (const char *[]){"1", "50", "20"},
                3);
    expect_int(&world, "join h:{demo/ann} m:{demo/ann} bob 50 50 20", 0);
    expect(&world, "post o:{demo/ann} 50 #2");
    world_fini(&world);
}

static void an_unfollow_may_keep_the_entries(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &(struct sample){.id = 3,
                                          .published_ms = 70,
                                          .actor = "ann",
                                          .verb = "unfollow",
                                          .object = "bob",
                                          .data = "{\"entries\":\"keep\"}"});
    expect_int(&world, "unfollow g:{demo/bob/0} k:{demo/bob/0} l:{demo/bob/0} ann 70", 1);
    expect_int(&world, "source_since b:{demo/ann} bob", 0);
    expect_int(&world, "leave h:{demo/ann} m:{demo/ann} f:{demo/ann} bob 70 100 keep kept", 0);
    world_graph_done(&world, "0", "70");
    done(&world);
}

static void a_large_backfill_goes_in_chunks(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world,
                 &(struct sample){.id = 2, .published_ms = 50, .actor = "ann", .verb = "follow", .object = "bob"});
    expect_list(&world, "follow g:{demo/bob/0} k:{demo/bob/0} l:{demo/bob/0} ann 50", (const char *[]){"1", "50", "0"},
                3);
    expect_int(&world, "join h:{demo/ann} m:{demo/ann} bob 50 50 0", 1);
    static const char *items[2 * 101];
    for (size_t i = 0; i < 101; i++) {
        items[2 * i] = "60";
        items[2 * i + 1] = member_1;
    }
    expect_list(&world, "since o:{demo/bob} 50 20", items, 2 * 101);
    const size_t entries[] = {40, 40, 21};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(world.commands, 1);
        assert_int_equal(world.first->argc, 9 + 2 * entries[i]);
        static const char *zeros[40];
        for (size_t j = 0; j < entries[i]; j++)
            zeros[j] = "0";
        world_answer_list(&world, zeros, entries[i]);
    }
    expect(&world, "post o:{demo/ann} 50 #2");
    world_fini(&world);
}

static void an_unfollow_ends_the_edge_and_writes_no_entry(void **state)
{
    (void)state;
    for (int64_t answer = 0; answer <= 2; answer++) {
        struct world world;
        start(&world);
        world_record(
            &world, &(struct sample){.id = 3, .published_ms = 70, .actor = "ann", .verb = "unfollow", .object = "bob"});
        expect_int(&world, "unfollow g:{demo/bob/0} k:{demo/bob/0} l:{demo/bob/0} ann 70", answer);
        expect_int(&world, "leave h:{demo/ann} m:{demo/ann} f:{demo/ann} bob 70 100 purge kept", 3);
        expect(&world, "edge g:{demo/bob/0} k:{demo/bob/0} l:{demo/bob/0} ann");
        world_graph_done(&world, "0", "70");
        assert_int_equal(fan_engine_counts(world.engine)->done, 1);
        done(&world);
    }
}

/* The first follow was at 40, the second at 90: the end between them takes what the first one brought, and what the
 * second promises comes again. */
static void an_unfollow_between_two_follows_leaves_the_edge_of_the_second(void **state)
{
    (void)state;
    for (int64_t left = -1; left <= 1; left++) {
        struct world world;
        start(&world);
        world_record(
            &world, &(struct sample){.id = 3, .published_ms = 70, .actor = "ann", .verb = "unfollow", .object = "bob"});
        expect_list(&world, "unfollow g:{demo/bob/0} k:{demo/bob/0} l:{demo/bob/0} ann 70",
                    (const char *[]){"0", "90", "70"}, 3);
        expect_int(&world, "leave h:{demo/ann} m:{demo/ann} f:{demo/ann} bob 70 100 purge kept", left);
        if (left >= 0) {
            expect_int(&world, "join h:{demo/ann} m:{demo/ann} bob 90 90 70", 1);
            expect(&world, "since o:{demo/bob} 90 20");
            world_answer_list(&world, NULL, 0);
        }
        expect(&world, "edge g:{demo/bob/0} k:{demo/bob/0} l:{demo/bob/0} ann");
        world_graph_done(&world, "90", "70");
        done(&world);
    }
}

static void a_repeat_is_counted_and_done_all_the_same(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &post);
    expect_int(&world, "post o:{demo/bob} 1000 #1", 0);
    expect_list(&world, "followers g:{demo/bob/0} 1000 500", (const char *[]){"900", "ann"}, 2);
    expect_int(&world, "add f:{demo/ann} 1000 #1", 0);
    assert_int_equal(fan_engine_counts(world.engine)->repeats, 1);
    assert_int_equal(fan_engine_counts(world.engine)->repeat, 1);
    done(&world);
}

static void many_followers_come_in_pages(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &post);
    world_answer_int(&world, 1);
    static char names[FAN_FOLLOWERS_PAGE][16];
    static const char *page[FAN_FOLLOWERS_PAGE + 1] = {"777"};
    for (int i = 0; i < FAN_FOLLOWERS_PAGE; i++) {
        snprintf(names[i], sizeof names[i], "u%03d", i);
        page[i + 1] = names[i];
    }
    expect_list(&world, "followers g:{demo/bob/0} 1000 500", page, FAN_FOLLOWERS_PAGE + 1);
    for (int i = 0; i < FAN_FOLLOWERS_PAGE; i++) {
        assert_int_equal(world.commands, FAN_FOLLOWERS_PAGE - i < 16 ? FAN_FOLLOWERS_PAGE - i : 16);
        world_answer_int(&world, 1);
    }
    expect_list(&world, "followers g:{demo/bob/0} 1000 500 u499 777", (const char *[]){"778", "zoe"}, 2);
    expect_int(&world, "add f:{demo/zoe} 1000 #1", 1);
    assert_int_equal(fan_engine_counts(world.engine)->writes.added, 502);
    done(&world);
}

/* ---- order and fairness ---- */

static void one_authors_acts_stay_in_order(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    struct sample second = post;
    second.id = 2;
    second.offset = 1;
    world_record(&world, &post);
    world_record(&world, &second);
    assert_int_equal(world.commands, 1);
    expect_int(&world, "post o:{demo/bob} 1000 #1", 1);
    assert_int_equal(world.commands, 1);
    expect_list(&world, "followers g:{demo/bob/0} 1000 500", NULL, 0);
    expect(&world, "post o:{demo/bob} 1000 #2");
    world_fini(&world);
}

static void other_authors_go_on_meanwhile(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    struct sample other = {.id = 2, .offset = 1, .published_ms = 5, .actor = "dan", .verb = "post", .object = "n"};
    world_record(&world, &post);
    world_record(&world, &other);
    assert_int_equal(world.commands, 2);
    world_answer_int(&world, 1);
    expect_int(&world, "post o:{demo/dan} 5 #2", 1);
    expect_list(&world, "followers g:{demo/bob/0} 1000 500", (const char *[]){"900", "ann"}, 2);
    expect_list(&world, "followers g:{demo/dan/0} 5 500", NULL, 0);
    /* dan's is finished, bob's before it is not: nothing to commit yet. */
    assert_int_equal(fan_engine_records(world.engine), 1);
    assert_int_equal(world_position(&world, 0), 0);
    expect_int(&world, "add f:{demo/ann} 1000 #1", 1);
    assert_int_equal(world_position(&world, 0), 2);
    done(&world);
}

static void a_follow_stands_between_what_its_followee_does(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    struct sample follow = {
        .id = 2, .offset = 1, .published_ms = 1001, .actor = "ann", .verb = "follow", .object = "bob"};
    struct sample after = post;
    after.id = 3;
    after.offset = 2;
    world_record(&world, &post);
    world_record(&world, &follow);
    world_record(&world, &after);
    assert_int_equal(world.commands, 1);
    world_answer_int(&world, 1);
    world_answer_list(&world, NULL, 0);
    assert_int_equal(world.commands, 1);
    expect(&world, "follow g:{demo/bob/0} k:{demo/bob/0} l:{demo/bob/0} ann 1001");
    world_fini(&world);
}

/* A thousand pushes of one author are under way or waiting; another's come between them, not after. */
static void a_huge_author_shares_the_pipeline(void **state)
{
    (void)state;
    const struct fan_settings settings = {
        .records_max = 8, .bytes_max = 1 << 20, .commands_max = FAN_TURN_COMMANDS, .cap = 100, .backfill = 20};
    struct world world;
    world_init(&world, &settings);
    world_start(&world, partition_0, 1);
    world_record(&world, &post);
    world_answer_int(&world, 1);
    static char names[FAN_FOLLOWERS_PAGE][16];
    static const char *page[FAN_FOLLOWERS_PAGE + 1] = {"777"};
    for (int i = 0; i < FAN_FOLLOWERS_PAGE; i++) {
        snprintf(names[i], sizeof names[i], "u%03d", i);
        page[i + 1] = names[i];
    }
    world_answer_list(&world, page, FAN_FOLLOWERS_PAGE + 1);
    assert_int_equal(world.commands, FAN_TURN_COMMANDS);
    world_record(&world, &(struct sample){
                             .id = 2, .offset = 1, .published_ms = 5, .actor = "dan", .verb = "post", .object = "n"});
    for (int i = 0; i < FAN_TURN_COMMANDS; i++)
        world_answer_int(&world, 1);
    size_t until = 0;
    for (const struct world_command *c = world.first; c && strcmp(c->text, "post o:{demo/dan} 5 #2") != 0; c = c->next)
        until++;
    assert_true(until < world.commands);
    assert_true(until <= FAN_TURN_COMMANDS);
    world_fini(&world);
}

/* Answers like a Redis that works off one command after the other, in which bob's followers never end. */
static void answer_in_order(struct world *world, const char *const *page)
{
    const char *text = world->first->text;
    if (strncmp(text, "followers g:{demo/bob", 21) == 0)
        world_answer_list(world, page, FAN_FOLLOWERS_PAGE + 1);
    else if (strncmp(text, "followers", 9) == 0)
        world_answer_list(world, (const char *[]){"900", "zoe"}, 2);
    else
        world_answer_int(world, 1);
}

/* However much may be under way: from its arrival to the last feed, what an author does has less than a page of a huge
 * author's in front of it, all steps together. */
static void another_author_waits_for_less_than_a_page(void **state)
{
    (void)state;
    const struct fan_settings settings = {
        .records_max = 8, .bytes_max = 1 << 20, .commands_max = 4096, .cap = 100, .backfill = 20};
    static char names[FAN_FOLLOWERS_PAGE][16];
    static const char *page[FAN_FOLLOWERS_PAGE + 1] = {"777"};
    for (int i = 0; i < FAN_FOLLOWERS_PAGE; i++) {
        snprintf(names[i], sizeof names[i], "u%03d", i);
        page[i + 1] = names[i];
    }
    for (int moment = 0; moment < 3 * FAN_FOLLOWERS_PAGE; moment += 37) {
        struct world world;
        world_init(&world, &settings);
        world_start(&world, partition_0, 1);
        world_record(&world, &post);
        for (int i = 0; i < moment; i++)
            answer_in_order(&world, page);
        world_record(
            &world,
            &(struct sample){.id = 2, .offset = 1, .published_ms = 5, .actor = "dan", .verb = "post", .object = "n"});
        unsigned between = 0;
        for (; strcmp(world.first->text, "add f:{demo/zoe} 5 #2") != 0; between++)
            answer_in_order(&world, page);
        assert_in_range(between, 3, FAN_FOLLOWERS_PAGE - 1);
        world_fini(&world);
    }
}

/* ---- windows ---- */

static void consumption_pauses_when_full_and_resumes_at_half(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    struct sample sample = post;
    for (unsigned i = 0; i < 8; i++) {
        assert_true(world.consuming);
        sample.id = i;
        sample.offset = i;
        world_record(&world, &sample);
    }
    assert_false(world.consuming);
    /* What is on its way still arrives, and is taken. */
    sample.offset = 8;
    world_record(&world, &sample);
    assert_int_equal(fan_engine_records(world.engine), 9);
    for (unsigned left = 9; left > 4; left--) {
        assert_false(world.consuming);
        world_answer_int(&world, 1);
        world_answer_list(&world, NULL, 0);
    }
    assert_true(world.consuming);
    world_fini(&world);
}

static void consumption_pauses_for_bytes_too(void **state)
{
    (void)state;
    const struct fan_settings settings = {
        .records_max = 1000, .bytes_max = 400, .commands_max = 16, .cap = 100, .backfill = 20};
    struct world world;
    world_init(&world, &settings);
    world_start(&world, partition_0, 1);
    struct sample sample = post;
    for (; world.consuming && sample.offset < 10; sample.offset++)
        world_record(&world, &sample);
    assert_in_range(sample.offset, 2, 5);
    world_fini(&world);
}

static void commands_under_way_are_limited(void **state)
{
    (void)state;
    const struct fan_settings settings = {
        .records_max = 1000, .bytes_max = 1 << 20, .commands_max = 3, .cap = 100, .backfill = 20};
    struct world world;
    world_init(&world, &settings);
    world_start(&world, partition_0, 1);
    for (unsigned i = 0; i < 10; i++) {
        char actor[8];
        snprintf(actor, sizeof actor, "u%u", i);
        world_record(
            &world,
            &(struct sample){.id = i, .offset = i, .published_ms = 5, .actor = actor, .verb = "post", .object = "n"});
    }
    assert_int_equal(world.commands, 3);
    for (unsigned i = 0; i < 6; i++) {
        world_answer_int(&world, 1);
        assert_int_equal(world.commands, 3);
    }
    world_fini(&world);
}

static void a_port_without_room_is_asked_again(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world.room = 0;
    world_record(&world, &post);
    assert_int_equal(world.commands, 0);
    world.room = 100;
    world_tick(&world, 100);
    expect(&world, "post o:{demo/bob} 1000 #1");
    world_fini(&world);
}

/* ---- partitions ---- */

static void positions_are_taken_once_and_again_after_a_failure(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    struct fan_position positions[4];
    assert_int_equal(world_take_commits(&world, positions, 4), 0);
    world_record(&world, &post);
    world_answer_int(&world, 1);
    world_answer_list(&world, NULL, 0);
    assert_int_equal(world_take_commits(&world, positions, 4), 1);
    assert_int_equal(positions[0].partition, 0);
    assert_int_equal(positions[0].next_offset, 1);
    assert_int_equal(world_take_commits(&world, positions, 4), 0);
    fan_engine_commit_failed(world.engine);
    assert_int_equal(world_take_commits(&world, positions, 4), 1);
    done(&world);
}

static void a_revoked_partition_is_dropped_where_it_stands(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, NULL);
    world_start(&world, (const int32_t[]){0, 1}, 2);
    struct sample first = post, behind = post, other = post;
    behind.id = 2;
    behind.offset = 1;
    other.id = 3;
    other.partition = 1;
    world_record(&world, &first);
    world_record(&world, &behind);
    world_record(&world, &other);
    fan_engine_revoked(world.engine, partition_0, 1);
    assert_int_equal(world_position(&world, 0), -2);
    /* The command that was under way comes back; then the author's lane is free for the other partition. */
    assert_int_equal(world.commands, 1);
    world_answer_int(&world, 1);
    assert_int_equal(world.commands, 1);
    expect_int(&world, "post o:{demo/bob} 1000 #3", 1);
    expect_list(&world, "followers g:{demo/bob/0} 1000 500", NULL, 0);
    assert_int_equal(world_position(&world, 1), 1);
    assert_int_equal(fan_engine_counts(world.engine)->done, 1);
    struct fan_position positions[4];
    assert_int_equal(world_take_commits(&world, positions, 4), 1);
    assert_int_equal(positions[0].partition, 1);
    done(&world);
}

static void a_partition_that_comes_back_begins_anew(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &post);
    fan_engine_revoked(world.engine, partition_0, 1);
    fan_engine_assigned(world.engine, partition_0, 1);
    world_record(&world, &post);
    world_answer_int(&world, 1);
    assert_int_equal(world_position(&world, 0), 0);
    expect_int(&world, "post o:{demo/bob} 1000 #1", 0);
    expect_list(&world, "followers g:{demo/bob/0} 1000 500", NULL, 0);
    assert_int_equal(world_position(&world, 0), 1);
    done(&world);
}

static void records_of_foreign_partitions_are_ignored(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    struct sample sample = post;
    sample.partition = 7;
    world_record(&world, &sample);
    done(&world);
}

static void a_log_that_begins_anew_is_followed(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    struct sample old = post, renewed = post;
    old.offset = 500;
    renewed.id = 2;
    world_record(&world, &old);
    world_record(&world, &renewed);
    assert_int_equal(world_position(&world, 0), 0);
    world_answer_int(&world, 1);
    world_answer_list(&world, NULL, 0);
    assert_int_equal(world_position(&world, 0), 0);
    expect_int(&world, "post o:{demo/bob} 1000 #2", 1);
    world_answer_list(&world, NULL, 0);
    assert_int_equal(world_position(&world, 0), 1);
    done(&world);
}

/* Marks of transactions take offsets at the end of the log, and are no records. */
static void an_end_without_records_is_reached(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    assert_int_equal(world_position(&world, 0), -1);
    world_record(&world, &post);
    fan_engine_reached_end(world.engine, 0, 2);
    assert_int_equal(world_position(&world, 0), 0);
    world_answer_int(&world, 1);
    world_answer_list(&world, NULL, 0);
    assert_int_equal(world_position(&world, 0), 2);
    done(&world);
}

static void stopping_finishes_what_is_in_hand(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &post);
    fan_engine_stop_consuming(world.engine);
    assert_false(world.consuming);
    world_answer_int(&world, 1);
    world_answer_list(&world, NULL, 0);
    assert_false(world.consuming);
    done(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_post_goes_to_outbox_then_to_each_follower),
        cmocka_unit_test(to_owner_and_followed_are_notified_once_each),
        cmocka_unit_test(a_follow_makes_the_edge_backfills_and_is_an_activity_too),
        cmocka_unit_test(a_follow_that_was_ended_later_leaves_the_graph_alone),
        cmocka_unit_test(a_follow_that_the_feed_refuses_is_no_more_than_an_activity),
        cmocka_unit_test(an_unfollow_may_keep_the_entries),
        cmocka_unit_test(a_large_backfill_goes_in_chunks),
        cmocka_unit_test(an_unfollow_ends_the_edge_and_writes_no_entry),
        cmocka_unit_test(an_unfollow_between_two_follows_leaves_the_edge_of_the_second),
        cmocka_unit_test(a_repeat_is_counted_and_done_all_the_same),
        cmocka_unit_test(many_followers_come_in_pages),
        cmocka_unit_test(one_authors_acts_stay_in_order),
        cmocka_unit_test(other_authors_go_on_meanwhile),
        cmocka_unit_test(a_follow_stands_between_what_its_followee_does),
        cmocka_unit_test(a_huge_author_shares_the_pipeline),
        cmocka_unit_test(another_author_waits_for_less_than_a_page),
        cmocka_unit_test(consumption_pauses_when_full_and_resumes_at_half),
        cmocka_unit_test(consumption_pauses_for_bytes_too),
        cmocka_unit_test(commands_under_way_are_limited),
        cmocka_unit_test(a_port_without_room_is_asked_again),
        cmocka_unit_test(positions_are_taken_once_and_again_after_a_failure),
        cmocka_unit_test(a_revoked_partition_is_dropped_where_it_stands),
        cmocka_unit_test(a_partition_that_comes_back_begins_anew),
        cmocka_unit_test(records_of_foreign_partitions_are_ignored),
        cmocka_unit_test(a_log_that_begins_anew_is_followed),
        cmocka_unit_test(an_end_without_records_is_reached),
        cmocka_unit_test(stopping_finishes_what_is_in_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
