/* The walk through the pages of followers: every page once, whatever the tree, and never more waiting than there is
 * room for. */
#include "fanout/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct fan_walk walk;
static uint8_t levels[FEED_PAGES_MAX], visits[FEED_PAGES_MAX];

static unsigned born(unsigned page)
{
    unsigned level = 0;
    while (page >> level)
        level++;
    return level;
}

/* With the last part of the page. */
static void answer(size_t i)
{
    unsigned page = walk.open[i].page;
    visits[page]++;
    assert_true(fan_walk_take(&walk, i, levels[page], false, FEED_STR("ann"), 7));
}

static size_t walk_all(void)
{
    size_t rounds = 0;
    memset(visits, 0, sizeof visits);
    fan_walk_begin(&walk);
    do {
        rounds++;
        for (size_t i = 0; i < walk.open_count; i++)
            answer(i);
    } while (fan_walk_next(&walk));
    return rounds;
}

static void an_author_of_one_page_is_one_round(void **state)
{
    (void)state;
    memset(levels, 0, sizeof levels);
    assert_int_equal(walk_all(), 1);
    assert_int_equal(visits[0], 1);
}

static void every_page_is_met_once_in_the_largest_tree(void **state)
{
    (void)state;
    memset(levels, FEED_PAGE_LEVEL_MAX, sizeof levels);
    size_t rounds = walk_all();
    for (size_t page = 0; page < FEED_PAGES_MAX; page++)
        assert_int_equal(visits[page], 1);
    assert_true(rounds <= FEED_PAGES_MAX / FAN_WALK_OPEN + 2 * FEED_PAGE_LEVEL_MAX);
}

/* The pages that a tree of these levels has. */
static size_t mark_tree(unsigned page, uint8_t *there)
{
    size_t count = 1;
    there[page] = 1;
    for (unsigned level = born(page); level < levels[page]; level++)
        count += mark_tree(page | 1u << level, there);
    return count;
}

static void every_page_is_met_once_in_trees_of_chance(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 300; seed++) {
        static uint8_t there[FEED_PAGES_MAX];
        srand(seed);
        memset(there, 0, sizeof there);
        for (unsigned page = 0; page < FEED_PAGES_MAX; page++) {
            unsigned least = born(page);
            levels[page] = (uint8_t)(least + (unsigned)rand() % (FEED_PAGE_LEVEL_MAX + 1 - least) / (1 + seed % 3));
        }
        mark_tree(0, there);
        walk_all();
        assert_memory_equal(visits, there, sizeof there);
    }
}

static void a_page_goes_on_until_its_last_part_and_names_its_children_then(void **state)
{
    (void)state;
    fan_walk_begin(&walk);
    assert_int_equal(fan_walk_share(&walk, 500), 500);
    assert_true(fan_walk_take(&walk, 0, 1, true, FEED_STR("ann"), 7));
    assert_true(fan_walk_next(&walk));
    assert_int_equal(walk.open_count, 1);
    assert_string_equal(walk.open[0].cursor, "ann");
    assert_string_equal(walk.open[0].time_text, "7");
    /* It was split once more meanwhile. */
    assert_true(fan_walk_take(&walk, 0, 2, false, (struct feed_str){"", 0}, 0));
    assert_true(fan_walk_next(&walk));
    assert_int_equal(walk.open_count, 2);
    assert_int_equal(fan_walk_share(&walk, 500), 250);
    assert_int_equal(walk.open[0].page, 1);
    assert_int_equal(walk.open[1].page, 2);
    assert_string_equal(walk.open[0].cursor, "");
}

static void a_page_that_cannot_be_read_is_left(void **state)
{
    (void)state;
    fan_walk_begin(&walk);
    assert_false(fan_walk_next(&walk));
}

static void a_level_that_cannot_be_is_refused(void **state)
{
    (void)state;
    fan_walk_begin(&walk);
    assert_false(fan_walk_take(&walk, 0, -1, false, FEED_STR("ann"), 7));
    assert_false(fan_walk_take(&walk, 0, FEED_PAGE_LEVEL_MAX + 1, false, FEED_STR("ann"), 7));
    assert_true(fan_walk_take(&walk, 0, 1, false, FEED_STR("ann"), 7));
    assert_true(fan_walk_next(&walk));
    assert_false(fan_walk_take(&walk, 0, 0, false, FEED_STR("ann"), 7)); /* page 1 was born with level 1 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_author_of_one_page_is_one_round),
        cmocka_unit_test(every_page_is_met_once_in_the_largest_tree),
        cmocka_unit_test(every_page_is_met_once_in_trees_of_chance),
        cmocka_unit_test(a_page_goes_on_until_its_last_part_and_names_its_children_then),
        cmocka_unit_test(a_page_that_cannot_be_read_is_left),
        cmocka_unit_test(a_level_that_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
