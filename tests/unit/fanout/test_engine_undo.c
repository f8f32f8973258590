/* The engine and undo: what is removed where, in which order, and what a record that comes late meets. */
#include "expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct sample undo = {.id = 9, .published_ms = 2000, .actor = "bob", .verb = "undo", .undone = 1};

/* Of bob, on something of dan's, addressed to cy. */
static const char entry_1[] = "\1\1\1\1............"
                              "\x99\xa4post\xa3"
                              "bob\xa4note\xa1n\xc0\xc0\xa3"
                              "dan\xc0\x91\xa2"
                              "cy";

/* ---- cases ---- */

static void what_the_outbox_knows_is_removed_everywhere(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &undo);
    expect_list(&world, "find o:{demo/bob} #1", (const char *[]){"1", "1000", entry_1}, 3);
    expect_int(&world, "remove n:{demo/cy} #1 1000 1000", 3);
    expect_int(&world, "remove n:{demo/dan} #1 1000 1000", 0);
    expect_int(&world, "remove f:{demo/bob} #1 1000 -", 0);
    expect_int(&world, "remove o:{demo/bob} #1 1000 1000", 7);
    expect_list(&world, "followers g:{demo/bob/0} inf 500", (const char *[]){"20", "ann", "eve"}, 3);
    expect_int(&world, "remove f:{demo/ann} #1 1000 1000", 4);
    expect_int(&world, "remove f:{demo/eve} #1 1000 1000", 0);
    expect_list(&world, "followers k:{demo/bob/0} inf 500", (const char *[]){"30", "zoe"}, 2);
    /* Nothing can come late to who has left. */
    expect_int(&world, "remove f:{demo/zoe} #1 1000 -", 2);
    assert_int_equal(fan_engine_counts(world.engine)->writes.removed, 4);
    assert_int_equal(world_position(&world, 0), 1);
    done(&world);
}

static void what_the_outbox_has_forgotten_is_searched_for(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    struct sample told = undo;
    told.undone_ms = 1000;
    told.to = "[\"cy\"]";
    world_record(&world, &told);
    expect_list(&world, "find o:{demo/bob} #1", (const char *[]){"0", "", ""}, 3);
    expect_int(&world, "remove n:{demo/cy} #1 - 1000", 0);
    expect_int(&world, "remove f:{demo/bob} #1 - -", 0);
    expect_int(&world, "remove o:{demo/bob} #1 - 1000", 0);
    expect_list(&world, "followers g:{demo/bob/0} inf 500", (const char *[]){"20", "ann"}, 2);
    expect_int(&world, "remove f:{demo/ann} #1 - 1000", 0);
    expect_list(&world, "followers k:{demo/bob/0} inf 500", NULL, 0);
    done(&world);
}

static void without_a_time_no_mark_is_left(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &undo);
    expect_list(&world, "find o:{demo/bob} #1", (const char *[]){"0", "", ""}, 3);
    expect_int(&world, "remove f:{demo/bob} #1 - -", 0);
    expect_int(&world, "remove o:{demo/bob} #1 - -", 0);
    expect_list(&world, "followers g:{demo/bob/0} inf 500", (const char *[]){"20", "ann"}, 2);
    expect_int(&world, "remove f:{demo/ann} #1 - -", 0);
    expect_list(&world, "followers k:{demo/bob/0} inf 500", NULL, 0);
    done(&world);
}

/* The first time may have been cut off behind the outbox, and nobody knows whether the mark's time was a guess. */
static void an_undo_again_goes_all_the_way_and_searches(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &undo);
    expect_list(&world, "find o:{demo/bob} #1", (const char *[]){"0", "1000", ""}, 3);
    expect_int(&world, "remove f:{demo/bob} #1 - -", 0);
    expect_int(&world, "remove o:{demo/bob} #1 - 1000", 0);
    expect_list(&world, "followers g:{demo/bob/0} inf 500", (const char *[]){"20", "ann"}, 2);
    expect_int(&world, "remove f:{demo/ann} #1 - 1000", 4);
    expect_list(&world, "followers k:{demo/bob/0} inf 500", NULL, 0);
    done(&world);
}

static void an_activity_that_was_undone_reaches_nobody(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world,
                 &(struct sample){
                     .id = 1, .published_ms = 1000, .actor = "bob", .verb = "post", .object = "n", .to = "[\"cy\"]"});
    expect_int(&world, "post o:{demo/bob} 1000 #1", -3);
    assert_int_equal(fan_engine_counts(world.engine)->repeat, 1);
    done(&world);
}

static void the_outbox_alone_gets_those_addressed(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world,
                 &(struct sample){
                     .id = 1, .published_ms = 1000, .actor = "bob", .verb = "post", .object = "n", .to = "[\"cy\"]"});
    expect(&world, "post o:{demo/bob} 1000 #1");
    struct feed_str copy = world.first->argv[9];
    struct feed_entry entry;
    struct feed_str to[FEED_TO_MAX];
    size_t to_count;
    assert_int_equal(feed_entry_decode_outbox(copy, &entry, to, &to_count), FEED_OK);
    assert_int_equal(to_count, 1);
    assert_true(feed_str_eq(to[0], FEED_STR("cy")));
    struct feed_buf plain;
    feed_buf_init(&plain, FEED_ENTRY_MAX);
    feed_entry_encode(&entry, &plain);
    world_answer_int(&world, 1);
    expect(&world, "add n:{demo/cy} 1000 #1");
    assert_true(feed_str_eq(world.first->argv[9], feed_buf_view(&plain)));
    feed_buf_fini(&plain);
    world_answer_int(&world, 1);
    expect_list(&world, "followers g:{demo/bob/0} 1000 500", NULL, 0);
    done(&world);
}

static void a_page_of_ended_edges_begins_at_the_beginning(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &undo);
    expect_list(&world, "find o:{demo/bob} #1", (const char *[]){"0", "", ""}, 3);
    expect_int(&world, "remove f:{demo/bob} #1 - -", 0);
    expect_int(&world, "remove o:{demo/bob} #1 - -", 0);
    static char names[FAN_FOLLOWERS_PAGE][8];
    static const char *page[FAN_FOLLOWERS_PAGE + 1] = {"20"};
    for (size_t i = 0; i < FAN_FOLLOWERS_PAGE; i++) {
        snprintf(names[i], sizeof names[i], "u%zu", i);
        page[i + 1] = names[i];
    }
    expect_list(&world, "followers g:{demo/bob/0} inf 500", page, FAN_FOLLOWERS_PAGE + 1);
    for (size_t i = 0; i < FAN_FOLLOWERS_PAGE; i++)
        world_answer_int(&world, 0);
    expect_list(&world, "followers g:{demo/bob/0} inf 500 u499 20", NULL, 0);
    expect_list(&world, "followers k:{demo/bob/0} inf 500", NULL, 0);
    done(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_outbox_knows_is_removed_everywhere),
        cmocka_unit_test(what_the_outbox_has_forgotten_is_searched_for),
        cmocka_unit_test(without_a_time_no_mark_is_left),
        cmocka_unit_test(an_undo_again_goes_all_the_way_and_searches),
        cmocka_unit_test(an_activity_that_was_undone_reaches_nobody),
        cmocka_unit_test(the_outbox_alone_gets_those_addressed),
        cmocka_unit_test(a_page_of_ended_edges_begins_at_the_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
