/* The engine in bad weather: bad records, one recipient that fails, Redis away, Kafka that does not take letters. */
#include "expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char wrong_type[] = "WRONGTYPE Operation against a key holding the wrong kind of value";

static const struct sample post = {.id = 1, .published_ms = 1000, .actor = "bob", .verb = "post", .object = "n1"};
static const struct sample bad = {
    .offset = 0, .id = 9, .published_ms = 1000, .actor = "bob", .verb = "NOT A VERB", .object = "n"};

/* ---- bad records ---- */

static void a_bad_record_is_finished_when_its_letter_is_acknowledged(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &bad);
    assert_int_equal(world.letter_count, 1);
    assert_string_equal(world.letters[0].reason, "invalid");
    assert_non_null(strstr(world.letters[0].detail, "verb"));
    assert_int_equal(world_position(&world, 0), 0);
    world_letter_done(&world, FEED_OK);
    assert_int_equal(world_position(&world, 0), 1);
    assert_int_equal(fan_engine_counts(world.engine)->dead_letter, 1);
    assert_int_equal(fan_engine_counts(world.engine)->letters, 1);
    done(&world);
}

static void a_bad_record_does_not_hold_up_others(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    struct sample next = post;
    next.offset = 1;
    world_record(&world, &bad);
    world_record(&world, &next);
    expect(&world, "post o:{demo/bob} 1000 #1");
    world_fini(&world);
}

static void a_bad_record_needs_no_redis(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, NULL);
    fan_engine_assigned(world.engine, partition_0, 1);
    world_record(&world, &bad);
    world_letter_done(&world, FEED_OK);
    assert_int_equal(world_position(&world, 0), 1);
    done(&world);
}

static void a_letter_that_fails_is_sent_again(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &bad);
    world_letter_done(&world, FEED_E_TIMEOUT);
    assert_int_equal(world.letter_count, 0);
    assert_int_equal(world_position(&world, 0), 0);
    world_tick(&world, 1000);
    assert_int_equal(world.letter_count, 1);
    world_letter_done(&world, FEED_OK);
    assert_int_equal(world_position(&world, 0), 1);
    done(&world);
}

static void a_letter_that_is_not_taken_is_sent_again(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world.letter_error = FEED_E_FULL;
    world_record(&world, &bad);
    assert_int_equal(world.letter_count, 0);
    world_tick(&world, 1000);
    assert_int_equal(world.letter_count, 0);
    world.letter_error = FEED_OK;
    world_tick(&world, 1000);
    world_letter_done(&world, FEED_OK);
    done(&world);
}

static void a_letter_that_is_too_large_goes_without_its_value(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world.letter_error = FEED_E_TOO_LARGE;
    world_record(&world, &bad);
    assert_int_equal(world.letter_count, 1);
    assert_int_equal(world.letters[0].cut, FAN_LETTER_NO_VALUE);
    /* Or Kafka says so later. */
    world_letter_done(&world, FEED_E_TOO_LARGE);
    world_tick(&world, 1000);
    assert_int_equal(world.letters[0].cut, FAN_LETTER_BARE);
    world_letter_done(&world, FEED_OK);
    done(&world);
}

static void a_revoked_bad_record_is_dropped(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &bad);
    fan_engine_revoked(world.engine, partition_0, 1);
    assert_int_equal(fan_engine_records(world.engine), 1);
    world_letter_done(&world, FEED_E_UNAVAILABLE);
    done(&world);
}

/* ---- one recipient ---- */

static void a_recipient_of_the_wrong_type_gets_a_letter_and_the_others_their_entry(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &post);
    world_answer_int(&world, 1);
    world_answer_list(&world, (const char *[]){"900", "ann", "cy"}, 3);
    world_answer_error(&world, wrong_type);
    assert_int_equal(world.letter_count, 1);
    assert_string_equal(world.letters[0].reason, "wrong_type");
    assert_non_null(strstr(world.letters[0].detail, "ann"));
    expect(&world, "add f:{demo/cy} 1000 #1");
    world_answer_int(&world, 1);
    assert_int_equal(world_position(&world, 0), 0);
    world_letter_done(&world, FEED_OK);
    assert_int_equal(world_position(&world, 0), 1);
    assert_int_equal(fan_engine_counts(world.engine)->dead_letter, 1);
    assert_int_equal(world.halts, 0);
    done(&world);
}

static void every_step_goes_on_after_a_wrong_type(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world,
                 &(struct sample){.id = 2, .published_ms = 50, .actor = "ann", .verb = "follow", .object = "bob"});
    expect(&world, "follow g:{demo/bob/0} k:{demo/bob/0} l:{demo/bob/0} ann 50");
    world_answer_error(&world, wrong_type);
    world_letter_done(&world, FEED_OK);
    expect(&world, "post o:{demo/ann} 50 #2");
    world_answer_error(&world, wrong_type);
    world_letter_done(&world, FEED_OK);
    expect(&world, "add n:{demo/bob} 50 #2");
    world_answer_error(&world, wrong_type);
    world_letter_done(&world, FEED_OK);
    expect(&world, "followers g:{demo/ann/0} 50 500");
    world_answer_error(&world, wrong_type);
    world_letter_done(&world, FEED_OK);
    expect(&world, "edge g:{demo/bob/0} k:{demo/bob/0} l:{demo/bob/0} ann");
    world_answer_error(&world, wrong_type);
    world_letter_done(&world, FEED_OK);
    assert_int_equal(world.relation_count, 0);
    assert_int_equal(world_position(&world, 0), 1);
    done(&world);
}

static void an_unknown_error_is_tried_again_then_gets_a_letter(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    struct sample other = {.id = 2, .offset = 1, .published_ms = 5, .actor = "dan", .verb = "post", .object = "n"};
    world_record(&world, &post);
    world_answer_error(&world, "ERR something new");
    assert_int_equal(world.failings, 1);
    assert_int_equal(world.commands, 0);
    /* Only this record waits. */
    world_record(&world, &other);
    expect(&world, "post o:{demo/dan} 5 #2");
    world_answer_int(&world, 1);
    world_answer_list(&world, NULL, 0);
    unsigned tries = 0;
    for (int64_t waited = 0; world.letter_count == 0 && waited < 60000; waited += 100) {
        world_tick(&world, 100);
        if (!world.first)
            continue;
        expect(&world, "post o:{demo/bob} 1000 #1");
        world_answer_error(&world, "ERR something new");
        tries++;
    }
    assert_in_range(tries, 3, 20);
    assert_string_equal(world.letters[0].reason, "failed");
    assert_int_equal(world.letters[0].letter->attempts, tries + 1);
    world_letter_done(&world, FEED_OK);
    expect(&world, "followers g:{demo/bob/0} 1000 500");
    world_answer_list(&world, NULL, 0);
    assert_int_equal(world_position(&world, 0), 2);
    done(&world);
}

static void an_unknown_error_that_passes_leaves_no_trace(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &post);
    world_answer_int(&world, 1);
    world_answer_list(&world, (const char *[]){"900", "ann", "cy", "dan"}, 4);
    world_answer_int(&world, 1);
    world_answer_error(&world, "ERR something new");
    world_answer_int(&world, 1);
    world_tick(&world, 5000);
    /* The one that failed, and nothing else. */
    assert_int_equal(world.commands, 1);
    expect(&world, "add f:{demo/cy} 1000 #1");
    assert_int_equal(world.again, 1);
    world_answer_int(&world, 1);
    assert_int_equal(fan_engine_counts(world.engine)->done, 1);
    done(&world);
}

static void what_the_budget_holds_back_is_sent_later(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &post);
    world_answer_int(&world, 1);
    world_answer_list(&world, (const char *[]){"900", "ann", "cy", "dan"}, 4);
    assert_int_equal(world.again, 0);
    world_answer_int(&world, 1);
    world_lose(&world);
    world.held_percent = 100;
    world_ready(&world);
    assert_int_equal(world.held, 2);
    assert_null(world.first);
    /* Not looked at again with each event, but with time; and others go on. */
    struct sample other = {.id = 2, .offset = 1, .published_ms = 5, .actor = "eve", .verb = "post", .object = "n"};
    world_record(&world, &other);
    expect(&world, "post o:{demo/eve} 5 #2");
    world_answer_int(&world, 1);
    world_answer_list(&world, NULL, 0);
    assert_int_equal(world.held, 2);
    world_tick(&world, FAN_HELD_MS);
    assert_int_equal(world.held, 4);
    world.held_percent = 0;
    world_tick(&world, FAN_HELD_MS);
    assert_int_equal(world.again, 2);
    expect(&world, "add f:{demo/cy} 1000 #1");
    world_answer_int(&world, 1);
    world_answer_int(&world, 1);
    assert_int_equal(world_position(&world, 0), 2);
    done(&world);
}

static void tries_are_spread_over_time(void **state)
{
    (void)state;
    enum { SEEDS = 50 };
    size_t early = 0;
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        struct world world;
        start(&world);
        world.random = seed * 0x9E3779B97F4A7C15u;
        world_record(&world, &post);
        world_answer_error(&world, "ERR something new");
        assert_null(world.first);
        world_tick(&world, FAN_RETRY_FIRST_MS * 3 / 5);
        early += world.first != NULL;
        world_tick(&world, FAN_RETRY_FIRST_MS);
        expect(&world, "post o:{demo/bob} 1000 #1");
        world_answer_int(&world, 1);
        world_answer_list(&world, NULL, 0);
        done(&world);
    }
    assert_in_range(early, SEEDS / 5, SEEDS * 4 / 5);
}

static void an_answer_of_another_form_is_an_error(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &post);
    world_answer_int(&world, 1);
    world_answer_list(&world, (const char *[]){"900", "ann", "not a user}"}, 3);
    assert_int_equal(world.failings, 1);
    assert_null(world.first);
    world_tick(&world, 200);
    expect(&world, "followers g:{demo/bob/0} 1000 500");
    world_answer_list(&world, (const char *[]){"900", "ann"}, 2);
    expect(&world, "add f:{demo/ann} 1000 #1");
    world_answer_int(&world, 1);
    done(&world);
}

/* ---- Redis away ---- */

static void a_lost_connection_pauses_and_what_was_unanswered_is_sent_again(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &post);
    world_answer_int(&world, 1);
    world_answer_list(&world, (const char *[]){"900", "ann", "cy", "dan"}, 4);
    world_answer_int(&world, 1);
    uint8_t epoch[FEED_EPOCH_BYTES];
    memcpy(epoch, world.first->argv[5].data, sizeof epoch);
    world_lose(&world);
    assert_int_equal(world.halts, 1);
    assert_false(world.consuming);
    assert_null(world.first);
    world_tick(&world, 100000);
    assert_null(world.first);
    assert_int_equal(world_position(&world, 0), 0);
    world_ready(&world);
    assert_true(world.consuming);
    assert_int_equal(world.commands, 2);
    expect(&world, "add f:{demo/cy} 1000 #1");
    /* Redis may have lost everything meanwhile: a timeline that is made now is another life. */
    assert_memory_not_equal(epoch, world.first->argv[5].data, sizeof epoch);
    world_answer_int(&world, 0);
    world_answer_int(&world, 1);
    assert_int_equal(world_position(&world, 0), 1);
    /* Present, but by our own first try: not a repeat. */
    assert_int_equal(fan_engine_counts(world.engine)->repeat, 0);
    done(&world);
}

static void an_outbox_write_that_was_cut_off_is_not_a_repeat(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &post);
    world_lose(&world);
    world_ready(&world);
    expect(&world, "post o:{demo/bob} 1000 #1");
    world_answer_int(&world, 0);
    world_answer_list(&world, NULL, 0);
    assert_int_equal(fan_engine_counts(world.engine)->done, 1);
    assert_int_equal(fan_engine_counts(world.engine)->repeats, 0);
    done(&world);
}

static void refusals_of_all_hold_everything(void **state)
{
    (void)state;
    const char *const texts[] = {"LOADING Redis is loading", "READONLY replica", "OOM command not allowed",
                                 "BUSY script", "ERR Function not found"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct world world;
        start(&world);
        struct sample other = {.id = 2, .offset = 1, .published_ms = 5, .actor = "dan", .verb = "post", .object = "n"};
        world_record(&world, &post);
        world_record(&world, &other);
        world_answer_error(&world, texts[i]);
        world_answer_error(&world, texts[i]);
        assert_int_equal(world.halts, 1);
        assert_int_equal(world.halted_for, i == 4 ? FAN_TROUBLE_NO_FUNCTION : FAN_TROUBLE_AWAY);
        assert_null(world.first);
        assert_false(world.consuming);
        assert_int_equal(world.letter_count, 0);
        world_ready(&world);
        assert_int_equal(world.commands, 2);
        world_answer_int(&world, 1);
        world_answer_int(&world, 1);
        world_answer_list(&world, NULL, 0);
        world_answer_list(&world, NULL, 0);
        assert_int_equal(world_position(&world, 0), 2);
        done(&world);
    }
}

static void a_wrong_type_among_lost_answers_gets_one_letter(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &post);
    world_answer_int(&world, 1);
    world_answer_list(&world, (const char *[]){"900", "ann", "cy"}, 3);
    world_answer_error(&world, "OOM command not allowed");
    world_answer_error(&world, wrong_type);
    assert_int_equal(world.letter_count, 1);
    world_ready(&world);
    assert_int_equal(world.commands, 1);
    expect(&world, "add f:{demo/ann} 1000 #1");
    world_answer_int(&world, 1);
    world_letter_done(&world, FEED_OK);
    assert_int_equal(world_position(&world, 0), 1);
    done(&world);
}

static void a_key_on_its_way_to_another_shard_is_tried_for_as_long_as_it_takes(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &post);
    for (int i = 0; i < 100; i++) {
        expect(&world, "post o:{demo/bob} 1000 #1");
        world_answer_error(&world, i % 2 ? "TRYAGAIN Multiple keys request during rehashing of slot"
                                         : "MOVED 1 127.0.0.1:7001");
        assert_null(world.first); /* it rests between */
        world_tick(&world, FAN_RETRY_MAX_MS);
    }
    assert_int_equal(world.halts, 0);
    assert_int_equal(world.letter_count, 0);
    world_answer_int(&world, 1);
    world_answer_list(&world, NULL, 0);
    assert_int_equal(world_position(&world, 0), 1);
    done(&world);
}

/* ---- one shard away ---- */

enum { SHARDS = 3 };

static void start_shards(struct world *world)
{
    world_init(world, NULL);
    world->shards = SHARDS;
    world_start(world, partition_0, 1);
}

static unsigned shard_of(const struct world *world, const char *key)
{
    return world_shard_of(world, feed_str_of(key));
}

/* An author on another shard than `than`. */
static const char *somebody(const struct world *world, unsigned than)
{
    static const char *const names[] = {"ann", "cy", "dan", "eve", "fay", "gus", "hal", "ida"};
    char key[64];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(key, sizeof key, "o:{demo/%s}", names[i]);
        if (shard_of(world, key) != than)
            return names[i];
    }
    fail();
    return NULL;
}

static void the_others_go_on_when_a_shard_is_away(void **state)
{
    (void)state;
    struct world world;
    start_shards(&world);
    unsigned bobs = shard_of(&world, "o:{demo/bob}");
    const char *other = somebody(&world, bobs);
    world_lose_shard(&world, bobs);
    world_record(&world, &post);
    assert_null(world.first);
    assert_true(world.consuming);
    struct sample elsewhere = {.id = 2, .offset = 1, .published_ms = 5, .actor = other, .verb = "post", .object = "n"};
    world_record(&world, &elsewhere);
    assert_int_equal(world.commands, 1);
    world_answer_int(&world, 1);
    assert_int_equal(world_position(&world, 0), 0);
    world_ready_shard(&world, bobs);
    assert_non_null(world_oldest(&world, bobs));
    world_fini(&world);
}

static void what_belongs_to_other_shards_is_written_meanwhile_and_once(void **state)
{
    (void)state;
    struct world world;
    start_shards(&world);
    unsigned away = (shard_of(&world, "o:{demo/bob}") + 1) % SHARDS;
    world_record(&world, &post);
    world_answer_int(&world, 1);
    world_answer_list(&world, (const char *[]){"900", "ann", "cy", "dan", "eve", "fay"}, 6);
    size_t there = 0;
    for (const struct world_command *c = world.first; c; c = c->next)
        there += c->shard == away;
    assert_in_range(there, 1, 4);
    world_lose_shard(&world, away);
    assert_int_equal(world.commands, 5 - there);
    while (world.first)
        world_answer_int(&world, 1);
    assert_int_equal(world_position(&world, 0), 0);
    world_ready_shard(&world, away);
    assert_int_equal(world.commands, there);
    while (world.first)
        world_answer_int(&world, 1);
    assert_int_equal(world_position(&world, 0), 1);
    assert_int_equal(fan_engine_counts(world.engine)->writes.added, 6);
    done(&world);
}

static void a_refusal_holds_up_its_own_shard_only(void **state)
{
    (void)state;
    struct world world;
    start_shards(&world);
    unsigned bobs = shard_of(&world, "o:{demo/bob}");
    world_record(&world, &post);
    world_answer_error(&world, "OOM command not allowed");
    assert_int_equal(world.halts, 1);
    assert_true(world.away[bobs]);
    assert_true(world.consuming);
    assert_null(world.first);
    world_ready_shard(&world, bobs);
    assert_int_equal(world.commands, 1);
    world_fini(&world);
}

static void a_shard_that_comes_back_while_answers_are_under_way_is_not_missed(void **state)
{
    (void)state;
    struct world world;
    start_shards(&world);
    unsigned away = (shard_of(&world, "o:{demo/bob}") + 1) % SHARDS;
    world_record(&world, &post);
    world_answer_int(&world, 1);
    world.away[away] = true;
    world_answer_list(&world, (const char *[]){"900", "ann", "cy", "dan", "eve", "fay"}, 6);
    assert_in_range(world.commands, 1, 4);
    world_ready_shard(&world, away);
    while (world.first)
        world_answer_int(&world, 1);
    assert_int_equal(world_position(&world, 0), 1);
    assert_int_equal(fan_engine_counts(world.engine)->writes.added, 6);
    done(&world);
}

static void a_shard_that_stays_away_fills_no_more_than_the_bounds(void **state)
{
    (void)state;
    struct world world;
    start_shards(&world);
    unsigned bobs = shard_of(&world, "o:{demo/bob}");
    world_lose_shard(&world, bobs);
    struct sample next = post;
    for (; world.consuming && next.offset < 100; next.offset++, next.id++)
        world_record(&world, &next);
    assert_int_equal(fan_engine_records(world.engine), 8); /* records_max of this world */
    assert_int_equal(fan_engine_commands(world.engine), 0);
    world_fini(&world);
}

static void nothing_is_sent_before_redis_is_ready(void **state)
{
    (void)state;
    struct world world;
    world_init(&world, NULL);
    fan_engine_assigned(world.engine, partition_0, 1);
    assert_false(world.consuming);
    world_record(&world, &post);
    assert_null(world.first);
    world_ready(&world);
    assert_true(world.consuming);
    expect(&world, "post o:{demo/bob} 1000 #1");
    world_fini(&world);
}

static void revoked_while_redis_is_away(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    struct sample behind = post;
    behind.offset = 1;
    world_record(&world, &post);
    world_record(&world, &behind);
    world_lose(&world);
    fan_engine_revoked(world.engine, partition_0, 1);
    done(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_record_is_finished_when_its_letter_is_acknowledged),
        cmocka_unit_test(a_bad_record_does_not_hold_up_others),
        cmocka_unit_test(a_bad_record_needs_no_redis),
        cmocka_unit_test(a_letter_that_fails_is_sent_again),
        cmocka_unit_test(a_letter_that_is_not_taken_is_sent_again),
        cmocka_unit_test(a_letter_that_is_too_large_goes_without_its_value),
        cmocka_unit_test(a_revoked_bad_record_is_dropped),
        cmocka_unit_test(a_recipient_of_the_wrong_type_gets_a_letter_and_the_others_their_entry),
        cmocka_unit_test(every_step_goes_on_after_a_wrong_type),
        cmocka_unit_test(an_unknown_error_is_tried_again_then_gets_a_letter),
        cmocka_unit_test(an_unknown_error_that_passes_leaves_no_trace),
        cmocka_unit_test(what_the_budget_holds_back_is_sent_later),
        cmocka_unit_test(tries_are_spread_over_time),
        cmocka_unit_test(an_answer_of_another_form_is_an_error),
        cmocka_unit_test(a_lost_connection_pauses_and_what_was_unanswered_is_sent_again),
        cmocka_unit_test(an_outbox_write_that_was_cut_off_is_not_a_repeat),
        cmocka_unit_test(refusals_of_all_hold_everything),
        cmocka_unit_test(a_wrong_type_among_lost_answers_gets_one_letter),
        cmocka_unit_test(nothing_is_sent_before_redis_is_ready),
        cmocka_unit_test(a_key_on_its_way_to_another_shard_is_tried_for_as_long_as_it_takes),
        cmocka_unit_test(the_others_go_on_when_a_shard_is_away),
        cmocka_unit_test(what_belongs_to_other_shards_is_written_meanwhile_and_once),
        cmocka_unit_test(a_refusal_holds_up_its_own_shard_only),
        cmocka_unit_test(a_shard_that_comes_back_while_answers_are_under_way_is_not_missed),
        cmocka_unit_test(a_shard_that_stays_away_fills_no_more_than_the_bounds),
        cmocka_unit_test(revoked_while_redis_is_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
