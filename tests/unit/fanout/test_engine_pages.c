/* The engine and the pages of followers: edges are found where they stand, all pages are read, and a page that has
 * grown too large is split before the record is finished. */
#include "expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PAGE(n) "g:{demo/bob/" #n "} k:{demo/bob/" #n "} l:{demo/bob/" #n "} q:{demo/bob/" #n "}"
#define BOBS "g:{demo/bob/0} k:{demo/bob/0} l:{demo/bob/0}"

static const struct sample follow = {.id = 2, .published_ms = 50, .actor = "ann", .verb = "follow", .object = "bob"};

static void answer_numbers(struct world *world, const int64_t *numbers, size_t count)
{
    struct fan_value items[8] = {{.number = 0}};
    for (size_t i = 0; i < count; i++)
        items[i].number = numbers[i];
    world_answer(world, &(struct fan_answer){.kind = FAN_ANSWER_LIST, .items = items, .count = count});
}

static void an_edge_is_looked_for_from_page_to_page(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &follow);
    expect(&world, "follow " BOBS " ann 50");
    answer_numbers(&world, (int64_t[]){-1, 1, 30, 20, 40}, 5);
    expect(&world, "follow " PAGE(1) " ann 50 1 30 20 40");
    answer_numbers(&world, (int64_t[]){-1, 5, 30, 25, 40}, 5);
    expect(&world, "follow " PAGE(5) " ann 50 5 30 25 40");
    answer_numbers(&world, (int64_t[]){0, 60, 60, 0, 0, 3}, 6);
    expect_int(&world, "post o:{demo/ann} 50 #2", 1);
    expect_int(&world, "add n:{demo/bob} 50 #2", 1);
    expect_list(&world, "followers g:{demo/ann/0} 50 500", NULL, 0);
    expect(&world, "edge " PAGE(5) " ann 5 30 25 40");
    answer_numbers(&world, (int64_t[]){-1, 13, 0, 60, 0}, 5);
    expect(&world, "edge " PAGE(13) " ann 13 0 60 0");
    world_graph_done(&world, "0", "60");
    done(&world);
}

/* Whatever Redis says, a page leads to one with a greater number, and there are not so many. */
static void a_way_that_leads_nowhere_is_no_answer(void **state)
{
    (void)state;
    static const int64_t wrong[] = {0, -1, FEED_PAGES_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct world world;
        start(&world);
        world_record(&world, &follow);
        answer_numbers(&world, (int64_t[]){-1, wrong[i], 0, 0, 0}, 5);
        assert_int_equal(world.failings, 1);
        assert_null(world.first);
        world_tick(&world, 1000);
        expect(&world, "follow " BOBS " ann 50");
        world_fini(&world);
    }
}

static void all_pages_are_read_some_at_a_time(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world,
                 &(struct sample){.id = 1, .published_ms = 1000, .actor = "bob", .verb = "post", .object = "n"});
    expect_int(&world, "post o:{demo/bob} 1000 #1", 1);
    expect(&world, "followers g:{demo/bob/0} 1000 500");
    const struct fan_value first[] = {{.number = 2}, {.number = 7}, {.text = FEED_STR("ann")}};
    world_answer(&world, &(struct fan_answer){.kind = FAN_ANSWER_LIST, .items = first, .count = 3});
    expect_int(&world, "add f:{demo/ann} 1000 #1", 1);
    assert_int_equal(world.commands, 2);
    expect(&world, "followers g:{demo/bob/1} q:{demo/bob/1} 1000 250 1");
    const struct fan_value second[] = {{.number = 2}, {.number = 7}, {.text = FEED_STR("cy")}};
    world_answer(&world, &(struct fan_answer){.kind = FAN_ANSWER_LIST, .items = second, .count = 3});
    expect(&world, "followers g:{demo/bob/2} q:{demo/bob/2} 1000 250 2");
    const struct fan_value third[] = {{.number = 2}, {.number = 8}, {.text = FEED_STR("dan")}};
    world_answer(&world, &(struct fan_answer){.kind = FAN_ANSWER_LIST, .items = third, .count = 3});
    expect_int(&world, "add f:{demo/cy} 1000 #1", 1);
    expect_int(&world, "add f:{demo/dan} 1000 #1", 1);
    expect(&world, "followers g:{demo/bob/3} q:{demo/bob/3} 1000 500 3"); /* child of page 1 */
    answer_numbers(&world, (int64_t[]){2}, 1);
    done(&world);
}

/* What a follow does apart from its page. */
static void finish_follow(struct world *world)
{
    expect_int(world, "join h:{demo/ann} m:{demo/ann} bob 50 50 0", 1);
    world_answer_list(world, NULL, 0); /* nothing to backfill */
    expect_int(world, "post o:{demo/ann} 50 #2", 1);
    expect_int(world, "add n:{demo/bob} 50 #2", 1);
    expect_list(world, "followers g:{demo/ann/0} 50 500", NULL, 0);
}

static void answer_part(struct world *world, const char *set, const char *after, const char *user)
{
    const struct fan_value items[] = {{.text = feed_str_of(set)},
                                      {.text = feed_str_of(after)},
                                      {.text = feed_str_of(user)},
                                      {.number = 10},
                                      {.number = 5},
                                      {.number = 0}};
    size_t count = user[0] ? 6 : 2;
    world_answer(world, &(struct fan_answer){.kind = FAN_ANSWER_LIST, .items = items, .count = count});
}

static void a_page_that_is_too_large_is_split(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &follow);
    answer_numbers(&world, (int64_t[]){1, 50, 0, 40004, 3, 2}, 6);
    finish_follow(&world);
    expect_int(&world, "page_fill q:{demo/bob/4} 1", 1);
    expect_int(&world, "page_split " PAGE(0) " 0 2 10000", 3);
    expect(&world, "page_take " PAGE(0) " 4 120  ");
    answer_part(&world, "g", "eve", "cy");
    expect(&world, "page_join " PAGE(4) " 4 cy 10 5 0");
    answer_numbers(&world, (int64_t[]){1}, 1);
    expect(&world, "page_take " PAGE(0) " 4 120 g eve cy");
    answer_part(&world, "k", "", "");
    expect(&world, "page_take " PAGE(0) " 4 120 k ");
    answer_part(&world, "", "", "zoe");
    expect(&world, "page_join " PAGE(4) " 4 zoe 10 5 0");
    answer_numbers(&world, (int64_t[]){0}, 1); /* it belongs below page 4, which has been split since: it stays */
    expect(&world, "page_take " PAGE(0) " 4 120  ");
    answer_part(&world, "", "", "");
    expect_int(&world, "page_fill q:{demo/bob/4} 0", 1);
    expect(&world, "edge " BOBS " ann");
    world_graph_done(&world, "50", "0");
    done(&world);
}

static void a_split_that_somebody_left_is_taken_up(void **state)
{
    (void)state;
    static const struct {
        int64_t page, todo, level;
        const char *take, *close;
    } cases[] = {
        {0, 1, 3, "page_take " PAGE(0) " 4 120  ", "page_fill q:{demo/bob/4} 0"},
        {5, 2, 3, "page_take " PAGE(1) " 5 120  ", "page_fill q:{demo/bob/5} 0"},
    };
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        start(&world);
        world_record(&world, &follow);
        if (cases[i].page)
            answer_numbers(&world, (int64_t[]){-1, cases[i].page, 0, 0, 0}, 5);
        answer_numbers(&world, (int64_t[]){1, 50, 0, 0, cases[i].todo, cases[i].level}, 6);
        finish_follow(&world);
        expect(&world, cases[i].take);
        answer_part(&world, "", "", "");
        expect_int(&world, cases[i].close, 1);
        assert_non_null(world.first); /* the edge, for the topic */
        world_fini(&world);
    }
}

static void a_split_that_is_refused_does_not_hold_up_the_record(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &follow);
    answer_numbers(&world, (int64_t[]){1, 50, 0, 40004, 3, 2}, 6);
    finish_follow(&world);
    expect(&world, "page_fill q:{demo/bob/4} 1");
    world_answer_error(&world, "WRONGTYPE Operation against a key holding the wrong kind of value");
    assert_int_equal(world.letter_count, 1);
    world_letter_done(&world, FEED_OK);
    expect(&world, "edge " BOBS " ann");
    world_graph_done(&world, "50", "0");
    done(&world);
}

static void a_part_with_something_else_in_it_is_no_answer(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    world_record(&world, &follow);
    answer_numbers(&world, (int64_t[]){1, 50, 0, 0, 1, 3}, 6);
    finish_follow(&world);
    answer_part(&world, "g", "eve", "no name}");
    assert_int_equal(world.failings, 1);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_edge_is_looked_for_from_page_to_page),
        cmocka_unit_test(a_way_that_leads_nowhere_is_no_answer),
        cmocka_unit_test(all_pages_are_read_some_at_a_time),
        cmocka_unit_test(a_page_that_is_too_large_is_split),
        cmocka_unit_test(a_split_that_somebody_left_is_taken_up),
        cmocka_unit_test(a_split_that_is_refused_does_not_hold_up_the_record),
        cmocka_unit_test(a_part_with_something_else_in_it_is_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
