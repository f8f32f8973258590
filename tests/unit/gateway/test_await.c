/* Waiting for one's own activity. Numbers of activities are their offsets in partition 0. */
#include "gateway/await.h"
#include "gateway/metrics.h"
#include "tests/unit/gateway/model_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CHECK_MS = 5000 };

struct fixture {
    struct world world;
    struct model_client client;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    world_init(&fixture->world, 5, 65536, CHECK_MS);
    model_client_init(&fixture->client, "ann");
    fixture->client.feeds[0].wanted = true;
    *state = fixture;
    model_client_connect(&fixture->client, &fixture->world);
    world_settle(&fixture->world);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->client.ws)
        model_client_disconnect(&fixture->client, 1000);
    model_client_fini(&fixture->client);
    world_fini(&fixture->world);
    free(fixture);
    return 0;
}

static void await(struct fixture *fixture, unsigned first, unsigned count)
{
    char json[2048];
    int len = snprintf(json, sizeof json, "{\"type\":\"await\",\"id\":7,\"feed\":\"home\",\"positions\":[");
    for (unsigned i = first; i < first + count; i++)
        len += snprintf(json + len, sizeof json - (size_t)len,
                        "%s{\"id\":\"00000000-0000-0000-0000-%012x\",\"partition\":0,\"offset\":%u}",
                        i > first ? "," : "", i, i);
    snprintf(json + len, sizeof json - (size_t)len, "]}");
    world_say(fixture->client.ws, json);
}

static void finished_before(struct fixture *fixture, int64_t next_offset)
{
    struct feed_progress said = {.rows = {{.partition = 0, .next_offset = next_offset}}, .count = 1};
    world_progress(&fixture->world, &said);
    world_settle(&fixture->world);
}

static void publish(struct fixture *fixture)
{
    (void)world_publish(&fixture->world, &fixture->world.timelines[0], fixture->world.wall_ms);
}

static void heard(const struct fixture *fixture, unsigned visible, unsigned passed, unsigned timeout)
{
    assert_int_equal(fixture->client.awaited[GW_AWAIT_VISIBLE], visible);
    assert_int_equal(fixture->client.awaited[GW_AWAIT_PASSED], passed);
    assert_int_equal(fixture->client.awaited[GW_AWAIT_TIMEOUT], timeout);
}

static void what_is_there_already_is_visible_before_it_is_finished(void **state)
{
    struct fixture *fixture = *state;
    publish(fixture);
    await(fixture, 1, 1);
    world_settle(&fixture->world);
    heard(fixture, 1, 0, 0);
}

static void what_comes_later_is_visible_after_it_was_pushed(void **state)
{
    struct fixture *fixture = *state;
    await(fixture, 1, 2);
    world_settle(&fixture->world);
    publish(fixture);
    world_settle(&fixture->world);
    heard(fixture, 0, 0, 0);
    publish(fixture);
    world_execute_reads(&fixture->world);
    world_settle(&fixture->world);
    heard(fixture, 1, 0, 0);
    assert_int_equal(fixture->client.feeds[0].count, 2);
}

/* The window is ahead of the notice: the client is not told before it has the entry. */
static void a_window_that_is_ahead_does_not_count_before_the_push(void **state)
{
    struct fixture *fixture = *state;
    await(fixture, 1, 1);
    gw_hub_turn(&fixture->world.hub);
    publish(fixture);
    world_execute_reads(&fixture->world);
    while (world_answer_read(&fixture->world))
        gw_hub_turn(&fixture->world.hub);
    heard(fixture, 0, 0, 0);
    world_settle(&fixture->world);
    heard(fixture, 1, 0, 0);
}

static void what_is_finished_and_not_there_has_passed(void **state)
{
    struct fixture *fixture = *state;
    publish(fixture);
    await(fixture, 1, 2);
    finished_before(fixture, 2);
    heard(fixture, 0, 0, 0);
    finished_before(fixture, 3);
    heard(fixture, 0, 1, 0);
    await(fixture, 2, 1); /* finished long ago */
    world_settle(&fixture->world);
    heard(fixture, 0, 2, 0);
}

/* A window that was asked for before it was finished may be older than the write. */
static void a_window_from_before_it_was_finished_does_not_say_passed(void **state)
{
    struct fixture *fixture = *state;
    await(fixture, 1, 1);
    gw_hub_turn(&fixture->world.hub);
    world_execute_reads(&fixture->world);
    publish(fixture);
    world_drop_event(&fixture->world);
    struct feed_progress said = {.rows = {{.partition = 0, .next_offset = 2}}, .count = 1};
    world_progress(&fixture->world, &said);
    assert_true(world_answer_read(&fixture->world));
    heard(fixture, 0, 0, 0);
    world_pass(&fixture->world, 2 * CHECK_MS);
    heard(fixture, 1, 0, 0);
}

static void time_runs_out(void **state)
{
    struct fixture *fixture = *state;
    await(fixture, 1, 1);
    world_pass(&fixture->world, GW_AWAIT_TIMEOUT_MS - 1000);
    heard(fixture, 0, 0, 0);
    world_pass(&fixture->world, 2000);
    heard(fixture, 0, 0, 1);
    assert_int_equal(feed_metrics_get(fixture->world.metrics, GW_M_AWAITS, GW_AWAIT_TIMEOUT), 1);
}

static void there_is_a_limit_and_a_close_forgets_them(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned i = 0; i < GW_AWAITS_MAX; i++)
        await(fixture, 1, 1);
    assert_int_equal(fixture->client.errors, 0);
    await(fixture, 1, 1);
    world_settle(&fixture->world);
    assert_int_equal(fixture->client.errors, 1);
    model_client_disconnect(&fixture->client, 1006);
    assert_true(gw_link_alone(&fixture->world.hub.awaits));
}

static void a_lost_connection_only_delays_it(void **state)
{
    struct fixture *fixture = *state;
    await(fixture, 1, 1);
    gw_hub_turn(&fixture->world.hub);
    world_redis_down(&fixture->world);
    publish(fixture);
    finished_before(fixture, 2);
    heard(fixture, 0, 0, 0);
    world_redis_up(&fixture->world);
    world_pass(&fixture->world, 1000);
    heard(fixture, 1, 0, 0);
}

static void fall_behind(struct fixture *fixture)
{
    fixture->client.ws->stalled = true;
    while (!fixture->client.ws->session->behind) {
        publish(fixture);
        world_settle(&fixture->world);
    }
}

/* Nothing is read for a session whose socket is full, so nothing is known of what its feed lacks. */
static void a_client_that_is_behind_hears_of_it_when_it_has_caught_up(void **state)
{
    struct fixture *fixture = *state;
    fall_behind(fixture);
    unsigned next = (unsigned)fixture->world.ids + 1;
    await(fixture, next, 1);
    publish(fixture);
    finished_before(fixture, next + 1);
    world_pass(&fixture->world, 1000);
    double reads = feed_metrics_get(fixture->world.metrics, GW_M_WINDOWS_READ, 0);
    world_pass(&fixture->world, 1000);
    assert_true(feed_metrics_get(fixture->world.metrics, GW_M_WINDOWS_READ, 0) - reads <= 1);
    world_resume_reading(fixture->client.ws);
    world_settle(&fixture->world);
    heard(fixture, 1, 0, 0);
    assert_int_equal(fixture->client.feeds[0].count, FEED_CAP);
}

static void answer_reads(struct world *world)
{
    gw_hub_turn(&world->hub);
    world_execute_reads(world);
    while (world_answer_read(world))
        gw_hub_turn(&world->hub);
}

/* The notices are on their way, and the other client's slice is too short to tell. */
static void a_part_of_the_window_does_not_say_passed(void **state)
{
    struct fixture *fixture = *state;
    struct model_client other;
    finished_before(fixture, 100);
    for (unsigned i = 0; i < 20; i++)
        publish(fixture);
    await(fixture, 1, 1);
    answer_reads(&fixture->world);
    model_client_init(&other, "ann");
    other.feeds[0].wanted = true;
    other.feeds[0].limit = 5;
    model_client_connect(&other, &fixture->world);
    answer_reads(&fixture->world);
    assert_int_equal(other.feeds[0].count, 5);
    heard(fixture, 0, 0, 0);
    world_settle(&fixture->world);
    heard(fixture, 1, 0, 0);
    model_client_disconnect(&other, 1000);
    model_client_fini(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_there_already_is_visible_before_it_is_finished, setup, teardown),
        cmocka_unit_test_setup_teardown(what_comes_later_is_visible_after_it_was_pushed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_window_that_is_ahead_does_not_count_before_the_push, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_finished_and_not_there_has_passed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_window_from_before_it_was_finished_does_not_say_passed, setup, teardown),
        cmocka_unit_test_setup_teardown(time_runs_out, setup, teardown),
        cmocka_unit_test_setup_teardown(there_is_a_limit_and_a_close_forgets_them, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lost_connection_only_delays_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_client_that_is_behind_hears_of_it_when_it_has_caught_up, setup, teardown),
        cmocka_unit_test_setup_teardown(a_part_of_the_window_does_not_say_passed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
