/* An activity that comes once more as a command: worked off like the first time, but for the topic graph. */
#include "expect.h"

#include "fanout/partitions.h"
#include "shared/model/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const int32_t partitions[] = {FAN_COMMANDS_BASE};

static void begin(struct world *world)
{
    world_init(world, NULL);
    world_start(world, partitions, 1);
}

static void apply(struct world *world, const struct sample *sample, const char *word)
{
    struct sample_record made;
    sample_make(sample, &made);
    made.record.partition = FAN_COMMANDS_BASE;
    made.record.headers[made.record.header_count++] =
        (struct feed_record_header){FEED_COMMAND_HEADER, feed_str_of(word)};
    fan_engine_record(world->engine, &made.record);
}

static void an_activity_is_worked_off_like_the_first_time(void **state)
{
    static const struct sample post = {.id = 1, .published_ms = 1000, .actor = "bob", .verb = "post", .object = "n1"};
    static const char *const followers[] = {"1", "ann"};
    (void)state;
    struct world world;
    begin(&world);
    apply(&world, &post, FEED_COMMAND_APPLY);
    expect_int(&world, "post o:{demo/bob} 1000 #1", 0);
    expect_list(&world, "followers g:{demo/bob/0} 1000 500", followers, 2);
    expect_int(&world, "add f:{demo/ann} 1000 #1", 7);
    assert_int_equal(world_position(&world, FAN_COMMANDS_BASE), 1);
    assert_int_equal(fan_engine_counts(world.engine)->commands, 1);
    assert_int_equal(fan_engine_counts(world.engine)->writes.added, 1);
    done(&world);
}

static void a_follow_writes_nothing_to_the_graph(void **state)
{
    static const struct sample follow = {
        .id = 1, .published_ms = 1000, .actor = "ann", .verb = "follow", .object = "bob"};
    static const char *const edge[] = {"0", "2000", "2000"};
    (void)state;
    struct world world;
    begin(&world);
    apply(&world, &follow, FEED_COMMAND_APPLY);
    expect_list(&world, "follow g:{demo/bob/0} k:{demo/bob/0} l:{demo/bob/0} ann 1000", edge, 3); /* ended later */
    expect_int(&world, "post o:{demo/ann} 1000 #1", 0);
    expect_int(&world, "add n:{demo/bob} 1000 #1", 0);
    expect_list(&world, "followers g:{demo/ann/0} 1000 500", NULL, 0);
    assert_int_equal(world.relation_count, 0);
    assert_int_equal(world_position(&world, FAN_COMMANDS_BASE), 1);
    done(&world);
}

static void an_import_writes_nothing_to_the_graph_either(void **state)
{
    static const struct sample import = {
        .id = 1, .published_ms = 1000, .actor = "ann", .verb = "follow", .object = "bob", .imported = true};
    static const char *const edge[] = {"1000", "0", "0"}, *const nobody[] = {"", ""};
    (void)state;
    struct world world;
    begin(&world);
    apply(&world, &import, FEED_COMMAND_APPLY);
    world_answer_list(&world, edge, 3);
    world_answer_int(&world, 1);
    expect_list(&world, "HMGET a:{demo/bob} gen broadcast", nobody, 2);
    assert_int_equal(world.relation_count, 0);
    assert_int_equal(world_position(&world, FAN_COMMANDS_BASE), 1);
    done(&world);
}

static void another_word_is_of_a_later_version(void **state)
{
    static const struct sample post = {.id = 1, .published_ms = 1000, .actor = "bob", .verb = "post", .object = "n1"};
    (void)state;
    struct world world;
    begin(&world);
    apply(&world, &post, "later");
    assert_int_equal(world.commands, 0);
    assert_string_equal(world.letters[0].reason, "unsupported");
    world_letter_done(&world, FEED_OK);
    done(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_activity_is_worked_off_like_the_first_time),
        cmocka_unit_test(a_follow_writes_nothing_to_the_graph),
        cmocka_unit_test(an_import_writes_nothing_to_the_graph_either),
        cmocka_unit_test(another_word_is_of_a_later_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
