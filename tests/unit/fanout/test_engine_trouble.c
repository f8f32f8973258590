/* The engine in bad weather: bad records, one recipient that fails, Redis away, Kafka that does not take letters. */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const int32_t partition_0[] = {0};
static const char wrong_type[] = "WRONGTYPE Operation against a key holding the wrong kind of value";

static const struct sample post = {.id = 1, .published_ms = 1000, .actor = "bob", .verb = "post", .object = "n1"};
static const struct sample bad = {
    .offset = 0, .id = 9, .published_ms = 1000, .actor = "bob", .verb = "NOT A VERB", .object = "n"};

static void start(struct world *world)
{
    world_init(world, NULL);
    world_start(world, partition_0, 1);
}

static void done(struct world *world)
{
    assert_null(world->first);
    assert_int_equal(fan_engine_records(world->engine), 0);
    assert_int_equal(fan_engine_commands(world->engine), 0);
    world_fini(world);
}

static void expect(const struct world *world, const char *text)
{
    assert_non_null(world->first);
    assert_string_equal(world->first->text, text);
}

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
    expect(&world, "add o:{demo/bob} 1000 #1");
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
    expect(&world, "follow g:{demo/bob/0} k:{demo/bob/0} ann 50");
    world_answer_error(&world, wrong_type);
    world_letter_done(&world, FEED_OK);
    expect(&world, "add o:{demo/ann} 50 #2");
    world_answer_error(&world, wrong_type);
    world_letter_done(&world, FEED_OK);
    expect(&world, "add n:{demo/bob} 50 #2");
    world_answer_error(&world, wrong_type);
    world_letter_done(&world, FEED_OK);
    expect(&world, "followers g:{demo/ann/0} 50 500");
    world_answer_error(&world, wrong_type);
    world_letter_done(&world, FEED_OK);
    expect(&world, "edge g:{demo/bob/0} k:{demo/bob/0} ann");
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
    expect(&world, "add o:{demo/dan} 5 #2");
    world_answer_int(&world, 1);
    world_answer_list(&world, NULL, 0);
    unsigned tries = 0;
    for (int64_t waited = 0; world.letter_count == 0 && waited < 60000; waited += 100) {
        world_tick(&world, 100);
        if (!world.first)
            continue;
        expect(&world, "add o:{demo/bob} 1000 #1");
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
    /* Again from the one that failed; what succeeded behind it is repeated. */
    assert_int_equal(world.commands, 2);
    expect(&world, "add f:{demo/cy} 1000 #1");
    world_answer_int(&world, 1);
    expect(&world, "add f:{demo/dan} 1000 #1");
    world_answer_int(&world, 0);
    assert_int_equal(fan_engine_counts(world.engine)->done, 1);
    done(&world);
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
    memcpy(epoch, world.first->argv[4].data, sizeof epoch);
    world_lose(&world);
    assert_int_equal(world.halts, 1);
    assert_false(world.consuming);
    assert_null(world.first);
    world_tick(&world, 100000);
    assert_null(world.first);
    assert_int_equal(world_position(&world, 0), 0);
    fan_engine_redis_ready(world.engine);
    assert_true(world.consuming);
    assert_int_equal(world.commands, 2);
    expect(&world, "add f:{demo/cy} 1000 #1");
    /* Redis may have lost everything meanwhile: a timeline that is made now is another life. */
    assert_memory_not_equal(epoch, world.first->argv[4].data, sizeof epoch);
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
    fan_engine_redis_ready(world.engine);
    expect(&world, "add o:{demo/bob} 1000 #1");
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
        fan_engine_redis_ready(world.engine);
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
    fan_engine_redis_ready(world.engine);
    world_answer_int(&world, 1);
    world_answer_error(&world, wrong_type);
    assert_int_equal(world.letter_count, 1);
    world_letter_done(&world, FEED_OK);
    done(&world);
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
    fan_engine_redis_ready(world.engine);
    assert_true(world.consuming);
    expect(&world, "add o:{demo/bob} 1000 #1");
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
        cmocka_unit_test(an_answer_of_another_form_is_an_error),
        cmocka_unit_test(a_lost_connection_pauses_and_what_was_unanswered_is_sent_again),
        cmocka_unit_test(an_outbox_write_that_was_cut_off_is_not_a_repeat),
        cmocka_unit_test(refusals_of_all_hold_everything),
        cmocka_unit_test(a_wrong_type_among_lost_answers_gets_one_letter),
        cmocka_unit_test(nothing_is_sent_before_redis_is_ready),
        cmocka_unit_test(revoked_while_redis_is_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
