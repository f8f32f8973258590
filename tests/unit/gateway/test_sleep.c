/* Home feeds that are not there: they are woken, and nobody is shown less than they had. */
#include "gateway/metrics.h"
#include "shared/base/assert.h"
#include "tests/unit/gateway/model_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CHECK_MS = 5000, TTL_MS = 100000 };

static int setup(void **state)
{
    struct world *world = malloc(sizeof *world);
    world_init(world, 11, 65536, CHECK_MS);
    world->hub.settings.ttl_ms = TTL_MS;
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
    model_client_connect(client, world);
}

static void who_connects_waits_until_the_feed_is_there(void **state)
{
    struct world *world = *state;
    struct model_client client;
    join(&client, world);
    world_settle(world);
    assert_true(client.welcomed);
    assert_int_equal(client.slices, 0);
    assert_int_equal(world->wakes, 1);
    world_awake(world, &world->timelines[0]);
    world_settle(world);
    assert_int_equal(client.slices, 1); /* at once, without the time passing */
    assert_string_equal(client.feeds[0].last_outcome, "new");
    model_client_check(&client, 0, world, &world->timelines[0]);
    assert_int_equal(world->touches, 1);
    model_client_leave(&client);
}

static void many_devices_need_one_wake(void **state)
{
    struct world *world = *state;
    struct model_client one, two, three;
    join(&one, world);
    join(&two, world);
    join(&three, world);
    world_pass(world, GW_WAKE_AGAIN_MS - 1000);
    assert_int_equal(world->wakes, 1);
    world_pass(world, 2000);
    assert_int_equal(world->wakes, 2); /* the first one may have been lost */
    world_awake(world, &world->timelines[0]);
    world_settle(world);
    assert_int_equal(one.slices + two.slices + three.slices, 3);
    model_client_leave(&one);
    model_client_leave(&two);
    model_client_leave(&three);
}

static void without_its_notice_the_feed_is_found_all_the_same(void **state)
{
    struct world *world = *state;
    struct model_client client;
    join(&client, world);
    world_settle(world);
    world->timelines[0].wanted = world->timelines[0].confirmed = false; /* no notice reaches the gateway */
    world_publish(world, &world->timelines[0], 1000);
    world_pass(world, GW_READ_RETRY_MS + 200);
    assert_int_equal(client.slices, 1);
    model_client_leave(&client);
}

static void entries_of_a_feed_that_is_being_built_are_no_sign(void **state)
{
    struct world *world = *state;
    struct model_client client;
    join(&client, world);
    world_settle(world);
    uint64_t reads = (uint64_t)feed_metrics_get(world->metrics, GW_M_WINDOWS_READ, 0);
    struct feed_buf bytes;
    feed_buf_init(&bytes, FEED_NOTICE_MAX);
    struct feed_notice notice = {
        .kind = FEED_NOTICE_ADD, .seq = 1, .published_ms = 5, .entry = FEED_STR("0123456789abcdef\x94")};
    memset(notice.epoch, 7, sizeof notice.epoch);
    feed_notice_encode(&notice, &bytes);
    gw_hub_notice(&world->hub, feed_key_str(&world->timelines[0].key), feed_buf_view(&bytes));
    world_settle(world);
    feed_buf_fini(&bytes);
    assert_int_equal(feed_metrics_get(world->metrics, GW_M_WINDOWS_READ, 0), reads);
    assert_int_equal(client.slices + client.pushes, 0);
    model_client_leave(&client);
}

static void a_notice_beats_the_answer_that_is_on_its_way(void **state)
{
    struct world *world = *state;
    struct model_client client;
    join(&client, world);
    while (world_deliver_event(world))
        gw_hub_turn(&world->hub);
    gw_hub_turn(&world->hub);
    world_execute_reads(world); /* not there */
    world_answer_read(world);
    world_pass(world, GW_READ_RETRY_MS - 100);
    world->mono_ms += 200;
    gw_hub_tick(&world->hub);
    gw_hub_turn(&world->hub);   /* asked again */
    world_execute_reads(world); /* still not there.. */
    world_awake(world, &world->timelines[0]);
    world_settle(world); /* ..which is known to be old */
    assert_int_equal(client.slices, 1);
    model_client_leave(&client);
}

/* A window that says that the feed is awake, and an entry that came after it was read. */
static void a_notice_beside_the_answer_is_not_lost(void **state)
{
    struct world *world = *state;
    struct model_client client;
    join(&client, world);
    while (world_deliver_event(world))
        gw_hub_turn(&world->hub);
    gw_hub_turn(&world->hub);
    world_execute_reads(world); /* not there */
    world_answer_read(world);
    world_awake_unseen(world, &world->timelines[0]);
    world->mono_ms += GW_READ_RETRY_MS + GW_TICK_MS;
    gw_hub_tick(&world->hub);
    gw_hub_turn(&world->hub);   /* asked again */
    world_execute_reads(world); /* awake */
    world_publish(world, &world->timelines[0], 7);
    while (world_deliver_event(world)) /* the notice is faster */
        gw_hub_turn(&world->hub);
    world_settle(world);
    assert_int_equal(client.feeds[0].count, 1); /* before any check of the position */
    model_client_leave(&client);
}

static void who_is_not_woken_is_asked_to_come_back(void **state)
{
    struct world *world = *state;
    struct model_client client;
    join(&client, world);
    world_pass(world, GW_READ_TIMEOUT_MS + 2000);
    assert_int_equal(client.ws->close_code, 0); /* a feed that is made may take longer than one that is read */
    world_pass(world, GW_WAKE_TIMEOUT_MS - GW_READ_TIMEOUT_MS);
    assert_int_equal(client.ws->close_code, 4002);
    assert_int_equal(client.slices, 0);
    model_client_disconnect(&client, 4002);
    size_t wakes = world->wakes;
    world_pass(world, 60000);
    assert_int_equal(world->wakes, wakes); /* nobody waits any more */
    model_client_leave(&client);
}

static void a_wake_that_could_not_be_sent_is_tried_again(void **state)
{
    struct world *world = *state;
    world->wakes_refused = true;
    struct model_client client;
    join(&client, world);
    world_pass(world, 1000);
    assert_true(world->wakes >= 2 && world->wakes <= 4);
    world->wakes_refused = false;
    world_pass(world, 1000);
    size_t wakes = world->wakes;
    world_pass(world, 2000);
    assert_int_equal(world->wakes, wakes);
    model_client_leave(&client);
}

static void who_reads_keeps_what_they_have_when_the_feed_vanishes(void **state)
{
    struct world *world = *state;
    for (unsigned i = 1; i <= 3; i++)
        world_publish(world, &world->timelines[0], i);
    struct model_client client;
    join(&client, world);
    world_settle(world);
    assert_int_equal(client.feeds[0].count, 3);
    world_forget(world, &world->timelines[0]);
    world_pass(world, CHECK_MS + 2000);
    assert_int_equal(world->wakes, 1);
    assert_int_equal(client.feeds[0].count, 3);
    for (unsigned i = 1; i <= 4; i++)
        world_publish(world, &world->timelines[0], i);
    world_pass(world, 1000);
    assert_int_equal(client.feeds[0].count, 4);
    model_client_check(&client, 0, world, &world->timelines[0]);
    model_client_leave(&client);
}

static void notifications_never_sleep(void **state)
{
    struct world *world = *state;
    struct model_client client;
    model_client_init(&client, "ann");
    client.feeds[1].wanted = true;
    model_client_connect(&client, world);
    world_settle(world);
    assert_int_equal(client.slices, 1);
    assert_int_equal(world->wakes + world->touches, 0);
    model_client_leave(&client);
}

static void the_time_to_live_is_looked_at_rarely(void **state)
{
    struct world *world = *state;
    world_publish(world, &world->timelines[0], 1);
    struct model_client client;
    join(&client, world);
    world_pass(world, TTL_MS / 10 - 1000);
    assert_int_equal(world->touches, 1);
    world_pass(world, TTL_MS / 10 + CHECK_MS);
    assert_int_equal(world->touches, 2);
    model_client_leave(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        CASE(who_connects_waits_until_the_feed_is_there),
        CASE(many_devices_need_one_wake),
        CASE(without_its_notice_the_feed_is_found_all_the_same),
        CASE(entries_of_a_feed_that_is_being_built_are_no_sign),
        CASE(a_notice_beats_the_answer_that_is_on_its_way),
        CASE(a_notice_beside_the_answer_is_not_lost),
        CASE(who_is_not_woken_is_asked_to_come_back),
        CASE(a_wake_that_could_not_be_sent_is_tried_again),
        CASE(who_reads_keeps_what_they_have_when_the_feed_vanishes),
        CASE(notifications_never_sleep),
        CASE(the_time_to_live_is_looked_at_rarely),
#undef CASE
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
