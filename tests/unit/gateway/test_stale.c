/* What a client hears when its feeds are behind. */
#include "gateway/metrics.h"
#include "shared/codec/progress.h"
#include "tests/unit/gateway/model_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CHECK_MS = 5000, LIMIT_MS = 5000, ROUND_MS = GW_TICK_MS * GW_ROUND_TICKS };

struct fixture {
    struct world world;
    struct model_client client; /* of both feeds */
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    world_init(&fixture->world, 5, 65536, CHECK_MS);
    world_stale_after(&fixture->world, LIMIT_MS);
    model_client_init(&fixture->client, "ann");
    fixture->client.feeds[0].wanted = fixture->client.feeds[1].wanted = true;
    *state = fixture;
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

/* Time in which the worker of partition 0 says this every second. */
static void pass_saying(struct fixture *fixture, int64_t ms, struct feed_progress_row row)
{
    struct feed_progress said = {.rows = {row}, .count = 1};
    for (; ms > 0; ms -= 1000) {
        world_progress(&fixture->world, &said);
        world_pass(&fixture->world, ms < 1000 ? ms : 1000);
    }
}

static const struct feed_progress_row well = {.partition = 0, .next_offset = 10};
static const struct feed_progress_row replays = {.partition = 0, .next_offset = 3, .replaying = true};

static void heard(const struct fixture *fixture, unsigned stales, unsigned freshes)
{
    for (unsigned i = 0; i < MODEL_FEEDS; i++) {
        assert_int_equal(fixture->client.feeds[i].stales, stales);
        assert_int_equal(fixture->client.feeds[i].freshes, freshes);
    }
}

static void silence_is_told_once_for_each_feed(void **state)
{
    struct fixture *fixture = *state;
    model_client_connect(&fixture->client, &fixture->world);
    pass_saying(fixture, 10000, well);
    heard(fixture, 0, 0);
    world_pass(&fixture->world, LIMIT_MS - ROUND_MS);
    heard(fixture, 0, 0);
    world_pass(&fixture->world, 2 * ROUND_MS);
    heard(fixture, 1, 0);
    assert_in_range(fixture->client.feeds[0].lag_ms, LIMIT_MS, LIMIT_MS + 2 * ROUND_MS);
    world_pass(&fixture->world, 60000);
    heard(fixture, 1, 0);
    pass_saying(fixture, GW_FRESH_AFTER_MS + 2 * ROUND_MS, well);
    heard(fixture, 1, 1);
    pass_saying(fixture, 60000, well);
    heard(fixture, 1, 1);
    assert_int_equal(feed_metrics_get(fixture->world.metrics, GW_M_STALE_TOLD, GW_TOLD_STALE), 2);
    assert_int_equal(feed_metrics_get(fixture->world.metrics, GW_M_STALE_TOLD, GW_TOLD_FRESH), 2);
}

static void who_connects_meanwhile_hears_it_after_the_slices(void **state)
{
    struct fixture *fixture = *state;
    pass_saying(fixture, 2000, replays);
    model_client_connect(&fixture->client, &fixture->world);
    pass_saying(fixture, 2 * ROUND_MS, replays); /* the client fails if anything of a feed comes before its slice */
    heard(fixture, 1, 0);
    model_client_disconnect(&fixture->client, 1006);
    model_client_connect(&fixture->client, &fixture->world);
    pass_saying(fixture, 2 * ROUND_MS, replays);
    heard(fixture, 2, 0);
}

static void redis_away_is_told_also_while_progress_is_well(void **state)
{
    struct fixture *fixture = *state;
    model_client_connect(&fixture->client, &fixture->world);
    pass_saying(fixture, 2000, well);
    world_redis_down(&fixture->world);
    pass_saying(fixture, LIMIT_MS, well);
    heard(fixture, 0, 0);
    pass_saying(fixture, 2 * ROUND_MS, well);
    heard(fixture, 1, 0);
    (void)world_publish(&fixture->world, &fixture->world.timelines[0], fixture->world.wall_ms);
    world_redis_up(&fixture->world);
    pass_saying(fixture, 2 * ROUND_MS, well);
    heard(fixture, 1, 1);
    model_client_check(&fixture->client, 0, &fixture->world, &fixture->world.timelines[0]);
    assert_true(fixture->client.feeds[0].fresh_last); /* what had been missed came before it */
}

static void a_feed_that_comes_back_in_time_is_not_mentioned(void **state)
{
    struct fixture *fixture = *state;
    model_client_connect(&fixture->client, &fixture->world);
    for (unsigned i = 0; i < 5; i++) {
        world_redis_down(&fixture->world);
        pass_saying(fixture, LIMIT_MS - 2 * ROUND_MS, well);
        world_redis_up(&fixture->world);
        pass_saying(fixture, 2 * ROUND_MS, well);
    }
    heard(fixture, 0, 0);
}

static void what_is_no_progress_is_counted(void **state)
{
    struct fixture *fixture = *state;
    gw_hub_progress(&fixture->world.hub, FEED_STR("\x91\x02"));
    assert_int_equal(feed_metrics_get(fixture->world.metrics, GW_M_PROGRESS_UNREADABLE, 0), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(silence_is_told_once_for_each_feed, setup, teardown),
        cmocka_unit_test_setup_teardown(who_connects_meanwhile_hears_it_after_the_slices, setup, teardown),
        cmocka_unit_test_setup_teardown(redis_away_is_told_also_while_progress_is_well, setup, teardown),
        cmocka_unit_test_setup_teardown(a_feed_that_comes_back_in_time_is_not_mentioned, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_progress_is_counted, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
