/* The engine and purges: a purge stays in hand until the port has done it, what names an erased user goes no further,
 * and from when on nothing of them is under way. */
#include "expect.h"

#include "fanout/partitions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const int32_t both[] = {0, FAN_COMMANDS_BASE};
static const struct sample by_ann = {.id = 1, .published_ms = 1000, .actor = "ann", .verb = "post", .object = "n1"};
static const struct sample by_bob = {
    .offset = 1, .id = 2, .published_ms = 1000, .actor = "bob", .verb = "post", .object = "n2"};

static void begin(struct world *world)
{
    world_init(world, NULL);
    world_start(world, both, 2);
}

static void command(struct world *world, int64_t offset, const char *value, size_t len, int64_t time_ms)
{
    const struct fan_record record = {.partition = FAN_COMMANDS_BASE,
                                      .offset = offset,
                                      .time_ms = time_ms,
                                      .key = FEED_STR("demo/ann"),
                                      .value = {value, len}};
    fan_engine_record(world->engine, &record);
}

/* Until 1000. */
static void purge(struct world *world, int64_t offset)
{
    command(world, offset, "\x93\x01\xa5purge\xcd\x03\xe8", 11, 2000);
}

static void know(struct world *world, const char *user, int64_t until_ms, uint64_t version)
{
    struct fan_purges purges;
    struct feed_id id = feed_purged_id(FEED_STR("demo"), feed_str_of(user));
    fan_purges_init(&purges);
    assert_true(fan_purges_add(&purges, &id, until_ms));
    fan_engine_know_purges(world->engine, &purges, version);
    fan_purges_fini(&purges);
}

static void a_purge_is_in_hand_until_it_is_done(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    purge(&world, 0);
    assert_non_null(world.purge);
    assert_int_equal(world.purge->purge_until_ms, 1000);
    assert_int_equal(world_position(&world, FAN_COMMANDS_BASE), 0);
    world_record(&world, &by_ann); /* it holds up nothing, not even what the same user does */
    assert_int_equal(world.commands, 1);
    fan_engine_purge_done(world.purge);
    assert_int_equal(world_position(&world, FAN_COMMANDS_BASE), 1);
    assert_int_equal(fan_engine_counts(world.engine)->purges, 1);
    world_fini(&world);
}

static void a_purge_of_a_partition_that_goes_is_let_go_of(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    purge(&world, 0);
    fan_engine_revoked(world.engine, &both[1], 1);
    assert_null(world.purge);
    done(&world);
}

static void a_purge_of_the_future_is_refused(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    command(&world, 0, "\x93\x01\xa5purge\xce\x00\x01\xee\x48", 13, 2000); /* 126536 */
    assert_null(world.purge);
    assert_string_equal(world.letters[0].reason, "invalid");
    assert_non_null(strstr(world.letters[0].detail, "still to come"));
    world_letter_done(&world, FEED_OK);
    done(&world);
}

static void what_names_the_user_goes_nowhere(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    know(&world, "ann", 1000, 5);
    world_record(&world, &by_ann);
    struct sample follow = {
        .offset = 1, .id = 3, .published_ms = 1000, .actor = "bob", .verb = "follow", .object = "ann"};
    world_record(&world, &follow);
    assert_int_equal(world.commands, 0);
    assert_int_equal(world_position(&world, 0), 2);
    assert_int_equal(fan_engine_counts(world.engine)->forgotten, 2);
    struct sample later = by_ann;
    later.offset = 2;
    later.published_ms = 1001;
    world_record(&world, &later);
    expect(&world, "post o:{demo/ann} 1001 #1");
    world_fini(&world);
}

static void an_old_wake_of_the_user_makes_no_feed(void **state)
{
    static const char wake[] = "\x92\x01\xa4wake";
    (void)state;
    struct world world;
    begin(&world);
    know(&world, "ann", 1000, 5);
    command(&world, 0, wake, sizeof wake - 1, 1000);
    assert_int_equal(world.commands, 0);
    assert_int_equal(world_position(&world, FAN_COMMANDS_BASE), 1);
    command(&world, 1, wake, sizeof wake - 1, 1001);
    assert_int_equal(world.commands, 1);
    world_fini(&world);
}

static void it_is_said_when_all_in_hand_was_looked_at(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    world_record(&world, &by_bob);
    know(&world, "ann", 1000, 5);
    assert_int_equal(fan_engine_knows_purges(world.engine), 0);
    purge(&world, 0); /* does not wait for itself */
    expect_int(&world, "post o:{demo/bob} 1000 #2", 1);
    assert_int_equal(fan_engine_knows_purges(world.engine), 0);
    expect_list(&world, "followers g:{demo/bob/0} 1000 500", NULL, 0);
    assert_int_equal(fan_engine_knows_purges(world.engine), 5);
    know(&world, "ann", 1001, 6);
    assert_int_equal(fan_engine_knows_purges(world.engine), 6);
    fan_engine_purge_done(world.purge);
    done(&world);
}

static void what_is_in_hand_and_names_the_user_goes_no_further(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    world_record(&world, &by_ann);
    know(&world, "ann", 1000, 5);
    assert_int_equal(world_position(&world, 0), 0); /* an answer is under way */
    expect_int(&world, "post o:{demo/ann} 1000 #1", 1);
    assert_int_equal(world.commands, 0);
    assert_int_equal(world_position(&world, 0), 1);
    assert_int_equal(fan_engine_knows_purges(world.engine), 5);
    done(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_purge_is_in_hand_until_it_is_done),
        cmocka_unit_test(a_purge_of_a_partition_that_goes_is_let_go_of),
        cmocka_unit_test(a_purge_of_the_future_is_refused),
        cmocka_unit_test(what_names_the_user_goes_nowhere),
        cmocka_unit_test(an_old_wake_of_the_user_makes_no_feed),
        cmocka_unit_test(it_is_said_when_all_in_hand_was_looked_at),
        cmocka_unit_test(what_is_in_hand_and_names_the_user_goes_no_further),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
