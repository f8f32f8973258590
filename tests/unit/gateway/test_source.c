/* Outboxes that are merged into home feeds, and what a gateway must not believe of them. */
#include "gateway/metrics.h"
#include "shared/base/assert.h"
#include "tests/unit/gateway/model_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CHECK_MS = 5000, FEW = 3 };

static int setup(void **state)
{
    struct world *world = malloc(sizeof *world);
    world_init(world, 17, 1 << 20, CHECK_MS);
    world->followees[0].authors[0].follows = true;
    (void)world_publish(world, &world->timelines[0], world->wall_ms - 1000);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    world_fini(*state);
    free(*state);
    return 0;
}

static void publish(struct world *world, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        (void)world_publish(world, &world->timelines[WORLD_OUTBOX], ++world->wall_ms);
}

static void lose_all(struct world *world)
{
    while (world->event_count > 0)
        world_drop_event(world);
}

static void join(struct model_client *client, struct world *world)
{
    model_client_init(client, "ann");
    client->feeds[0].wanted = true;
    model_client_connect(client, world);
    world_settle(world);
}

static void a_removal_that_was_missed_is_told_though_its_mark_is_gone(void **state)
{
    struct world *world = *state;
    publish(world, FEW);
    struct model_client client;
    join(&client, world);
    assert_int_equal(client.feeds[0].count, FEW + 1);
    world_undo(world, 0, 0);
    publish(world, FEED_CAP);
    lose_all(world);
    publish(world, 1);
    world_settle(world);
    assert_int_equal(world->timelines[WORLD_OUTBOX].entries[0].mark, false);
    model_client_check(&client, 0, world, &world->timelines[0]);
    model_client_leave(&client);
}

static void what_was_missed_and_is_all_there_comes_as_a_push(void **state)
{
    struct world *world = *state;
    publish(world, FEW);
    struct model_client client;
    join(&client, world);
    unsigned slices = client.slices;
    publish(world, FEW);
    lose_all(world);
    publish(world, 1);
    world_settle(world);
    assert_int_equal(client.slices, slices);
    assert_int_equal(client.feeds[0].count, 2 * FEW + 2);
    model_client_check(&client, 0, world, &world->timelines[0]);
    model_client_leave(&client);
}

static void a_page_follows_the_slice_that_the_client_has_not_read_yet(void **state)
{
    struct world *world = *state;
    publish(world, FEED_CAP);
    for (unsigned i = 0; i < FEED_CAP / 2; i++)
        (void)world_publish(world, &world->timelines[0], world->wall_ms - 2 * (int64_t)i);
    struct model_client client;
    model_client_init(&client, "ann");
    client.feeds[0].wanted = true;
    client.feeds[0].limit = FEED_CAP;
    model_client_connect(&client, world);
    world_settle(world);
    assert_true(client.feeds[0].more);
    client.ws->stalled = true;
    for (unsigned i = 0; i < FEW; i++) {
        (void)world_publish(world, &world->timelines[0], ++world->wall_ms);
        lose_all(world);
    }
    (void)world_publish(world, &world->timelines[0],
                        ++world->wall_ms); /* a slice follows, which ends above the first */
    world_settle(world);
    for (unsigned i = 0; i < 2 * FEW + 2; i++) /* as many older ones come into view, from above and below its old end */
        world_undo(world, 0, i);
    world_settle(world);
    model_client_page(&client, 0, FEED_CAP);
    world_settle(world);
    world_resume_reading(client.ws);
    world_settle(world);
    assert_int_equal(client.slices, 2);
    assert_false(client.feeds[0].paging);
    model_client_check(&client, 0, world, &world->timelines[0]);
    model_client_leave(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_removal_that_was_missed_is_told_though_its_mark_is_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_page_follows_the_slice_that_the_client_has_not_read_yet, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_missed_and_is_all_there_comes_as_a_push, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
