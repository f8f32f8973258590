/* Pages of older entries: what is in them, and that nothing is missing or doubled between them and what is pushed. */
#include "gateway/metrics.h"
#include "gateway/page.h"
#include "shared/base/assert.h"
#include "tests/unit/gateway/model_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CHECK_MS = 5000, ENTRIES = 30, LIMIT = 10 };

static int setup(void **state)
{
    struct world *world = malloc(sizeof *world);
    world_init(world, 23, 1 << 20, CHECK_MS);
    for (unsigned i = 0; i < ENTRIES; i++)
        (void)world_publish(world, &world->timelines[0], world->wall_ms - 1000 * (int64_t)i);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    world_fini(*state);
    free(*state);
    return 0;
}

static void join(struct model_client *client, struct world *world)
{
    model_client_init(client, "ann");
    client->feeds[0].wanted = true;
    client->feeds[0].limit = LIMIT;
    model_client_connect(client, world);
    world_settle(world);
}

static void pages_lead_to_the_end_of_the_feed(void **state)
{
    struct world *world = *state;
    struct model_client client;
    join(&client, world);
    for (unsigned page = 1; page <= 2; page++) {
        assert_true(client.feeds[0].more);
        model_client_page(&client, 0, LIMIT);
        world_settle(world);
        assert_int_equal(client.feeds[0].count, LIMIT * (page + 1));
    }
    assert_false(client.feeds[0].more);
    assert_int_equal(client.slices, 1);
    assert_int_equal(feed_metrics_get(world->metrics, GW_M_PAGES, 0), 2);
    model_client_check(&client, 0, world, &world->timelines[0]);
    model_client_leave(&client);
}

static void what_is_pushed_reaches_down_to_the_page(void **state)
{
    struct world *world = *state;
    struct model_client client;
    join(&client, world);
    model_client_page(&client, 0, LIMIT);
    world_settle(world);
    (void)world_publish(world, &world->timelines[0], world->wall_ms - 15500); /* in the page */
    (void)world_publish(world, &world->timelines[0], world->wall_ms - 25500); /* below it */
    world_settle(world);
    assert_int_equal(client.pushed_entries, 1);
    assert_int_equal(client.feeds[0].count, 2 * LIMIT + 1);
    model_client_check(&client, 0, world, &world->timelines[0]);
    model_client_leave(&client);
}

static void an_entry_that_comes_during_the_read_is_neither_lost_nor_doubled(void **state)
{
    struct world *world = *state;
    for (unsigned late = 0; late < 2; late++) {
        struct model_client client;
        join(&client, world);
        model_client_page(&client, 0, LIMIT);
        gw_hub_turn(&world->hub);
        if (late)
            world_execute_reads(world); /* the answer does not have it, its notice comes first */
        (void)world_publish(world, &world->timelines[0], world->wall_ms - 15500 - late);
        if (late)
            while (world_deliver_event(world))
                gw_hub_turn(&world->hub);
        world_settle(world);
        assert_int_equal(client.doubles, 0);
        model_client_check(&client, 0, world, &world->timelines[0]);
        assert_true(client.feeds[0].count >= 2 * LIMIT);
        model_client_leave(&client);
    }
}

static void a_page_that_cannot_be_read_is_given_up_and_can_be_asked_for_again(void **state)
{
    struct world *world = *state;
    struct model_client client;
    join(&client, world);
    world_redis_down(world);
    model_client_page(&client, 0, LIMIT);
    world_pass(world, GW_PAGE_TIMEOUT_MS + 2 * GW_ROUND_TICKS * GW_TICK_MS);
    assert_int_equal(client.errors, 1);
    assert_int_equal(client.feeds[0].count, LIMIT);
    world_redis_up(world);
    world_pass(world, 2 * GW_READ_RETRY_MS);
    assert_false(client.feeds[0].paging);
    client.feeds[0].more = true; /* the window that came after the loss had everything */
    model_client_page(&client, 0, LIMIT);
    world_settle(world);
    assert_false(client.feeds[0].paging);
    assert_int_equal(client.errors, 1);
    model_client_leave(&client);
}

static void pages_of_other_feeds_and_a_second_one_are_answered_with_errors(void **state)
{
    struct world *world = *state;
    struct model_client client;
    join(&client, world);
    static const char other[] = "{\"type\":\"page\",\"feed\":\"notifications\",\"before\":{\"published\":"
                                "\"2026-01-01T00:00:00Z\",\"id\":\"00000000-0000-0000-0000-000000000001\"}}";
    world_say(client.ws, other);
    world_settle(world);
    assert_int_equal(client.errors, 1);
    model_client_page(&client, 0, LIMIT);
    client.feeds[0].paging = false;
    model_client_page(&client, 0, LIMIT);
    world_settle(world);
    assert_int_equal(client.errors, 2);
    assert_int_equal(client.ws->close_code, 0);
    assert_int_equal(client.feeds[0].count, 2 * LIMIT);
    model_client_leave(&client);
}

static void a_session_may_end_with_a_page_under_way(void **state)
{
    struct world *world = *state;
    struct model_client client;
    join(&client, world);
    model_client_page(&client, 0, LIMIT);
    model_client_leave(&client);
    world_settle(world);
}

static void cuts_are_what_is_older(void **state)
{
    (void)state;
    char bytes[3][FEED_ID_BYTES] = {{0}};
    struct gw_item items[3];
    for (unsigned i = 0; i < 3; i++) {
        bytes[i][0] = (char)(3 - i);
        items[i] = (struct gw_item){1000 - (i == 2), {bytes[i], FEED_ID_BYTES}};
    }
    struct gw_page_ask ask = {.before_ms = 1000, .limit = 1};
    ask.before_id.bytes[0] = 3;
    struct gw_page_cut cut = gw_page_cut(&ask, items, 3);
    assert_true(cut.first == 1 && cut.count == 1 && cut.rest);
    ask.before_id.bytes[0] = 4; /* not there any more */
    ask.limit = 3;
    cut = gw_page_cut(&ask, items, 3);
    assert_true(cut.first == 0 && cut.count == 3 && !cut.rest);
    ask.before_ms = 999;
    ask.before_id.bytes[0] = 1;
    cut = gw_page_cut(&ask, items, 3);
    assert_true(cut.count == 0 && !cut.rest);
    cut = gw_page_cut(&ask, NULL, 0);
    assert_true(cut.count == 0 && !cut.rest);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(pages_lead_to_the_end_of_the_feed),
        IN_A_WORLD(what_is_pushed_reaches_down_to_the_page),
        IN_A_WORLD(an_entry_that_comes_during_the_read_is_neither_lost_nor_doubled),
        IN_A_WORLD(a_page_that_cannot_be_read_is_given_up_and_can_be_asked_for_again),
        IN_A_WORLD(pages_of_other_feeds_and_a_second_one_are_answered_with_errors),
        IN_A_WORLD(a_session_may_end_with_a_page_under_way),
        cmocka_unit_test(cuts_are_what_is_older),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
