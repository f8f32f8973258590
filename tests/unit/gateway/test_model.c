/* Random histories against the whole core. Entries are published and removed, notices are lost, repeated and reordered,
 * reads race with them, connections to Redis and to clients break, clients stop reading, timelines are trimmed and
 * lost; and whenever the world has come to rest, each client has exactly its feed. Seeds are fixed; a failing one can
 * be run alone: test_gateway_model SEED. */
#include "gateway/metrics.h"
#include "shared/base/assert.h"
#include "tests/unit/gateway/model_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CLIENTS = 6, SEEDS = 20, STEPS = 4000, REST_EVERY = 80, CHECK_MS = 1000, QUEUE_BYTES = 8000 };

struct run {
    struct world world;
    struct model_client clients[CLIENTS];
    bool quiet; /* little is published */
};

/* What the histories were worth, all seeds together. */
struct happened {
    double gaps, fell_behind, pushed_entries, paged_entries, removed_entries;
    double outcomes[GW_OUTCOME_COUNT];
    double notices[GW_NOTICE_RESULTS];
};

static struct timeline *timeline_of(struct run *run, const struct model_client *client, unsigned feed)
{
    if (feed == 1)
        return &run->world.timelines[2];
    return &run->world.timelines[client->user[0] == 'a' ? 0 : 1];
}

static void publish_some(struct run *run)
{
    struct world *world = &run->world;
    if (run->quiet && !world_chance(world, 5))
        return;
    struct timeline *timeline = &world->timelines[world_random(world, WORLD_TIMELINES)];
    /* Mostly few; sometimes more than a backlog or a queue holds. */
    bool burst = world_chance(world, 2);
    uint64_t n = burst ? 300 : 1 + world_random(world, 4);
    for (uint64_t i = 0; i < n; i++) {
        int64_t age_ms = (int64_t)world_random(world, world_chance(world, 20) ? 100000 : 50);
        (void)world_publish(world, timeline, world->wall_ms - age_ms);
    }
    while (burst && world_deliver_event(world))
        continue;
}

/* Mostly new ones, of which clients have just heard. */
static void remove_some(struct run *run)
{
    struct world *world = &run->world;
    unsigned which = (unsigned)world_random(world, WORLD_TIMELINES);
    for (uint64_t n = 1 + world_random(world, 3); n > 0; n--) {
        size_t rank = world_random(world, world_chance(world, 70) ? 5 : FEED_CAP);
        const struct timeline *timeline = &world->timelines[which];
        bool copy = which < WORLD_OUTBOX && rank < timeline->count && timeline->entries[rank].actor;
        if (which >= WORLD_OUTBOX)
            world_undo(world, which - WORLD_OUTBOX, rank);
        else if (!copy)
            world_remove(world, &world->timelines[which], rank, world_chance(world, 80));
    }
}

/* The author crosses the threshold, is followed or muted, or likes are left out. */
static void change_sources(struct run *run)
{
    struct world *world = &run->world;
    unsigned home = (unsigned)world_random(world, WORLD_HOMES), author = (unsigned)world_random(world, WORLD_AUTHORS);
    struct world_followees *f = &world->followees[home];
    uint64_t dice = world_random(world, 10);
    if (dice < 6)
        f->authors[author].follows = !f->authors[author].follows;
    else if (dice < 7)
        f->authors[author].visible_from_ms = world_chance(world, 50) ? world->wall_ms : 0;
    else if (dice < 8)
        f->likes_out_until_ms = world->wall_ms + 1000;
    else
        f->authors[author].since_ms = world->wall_ms - (int64_t)world_random(world, 50000);
    world_sources_changed(world, home);
}

static void copy_some(struct run *run)
{
    struct world *world = &run->world;
    unsigned author = (unsigned)world_random(world, WORLD_AUTHORS);
    for (uint64_t n = 1 + world_random(world, 3); n > 0; n--)
        world_copy(world, author, world_random(world, world_chance(world, 70) ? 3 : FEED_CAP),
                   (unsigned)world_random(world, WORLD_HOMES));
}

static void toggle_client(struct run *run)
{
    struct world *world = &run->world;
    struct model_client *client = &run->clients[world_random(world, CLIENTS)];
    if (client->ws) {
        model_client_disconnect(client, 1006);
        return;
    }
    static const unsigned limits[] = {1, 10, 50, 99, 100};
    for (unsigned i = 0; i < MODEL_FEEDS; i++) {
        client->feeds[i].limit = limits[world_random(world, 5)];
        if (world_chance(world, 20)) /* comes as if for the first time */
            client->feeds[i].position[0] = '\0';
    }
    model_client_connect(client, world);
}

static void page_client(struct run *run)
{
    struct model_client *client = &run->clients[world_random(&run->world, CLIENTS)];
    if (client->ws && !client->ws->close_code)
        model_client_page(client, (unsigned)world_random(&run->world, MODEL_FEEDS),
                          1 + (unsigned)world_random(&run->world, 60));
}

static void stall_client(struct run *run)
{
    struct model_client *client = &run->clients[world_random(&run->world, CLIENTS)];
    if (!client->ws)
        return;
    if (client->ws->stalled)
        world_resume_reading(client->ws);
    else
        client->ws->stalled = true;
}

static void finish_closes(struct run *run)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct model_client *client = &run->clients[i];
        if (!client->ws || !client->ws->close_code)
            continue;
        feed_assert(client->ws->close_code == 4002);
        model_client_disconnect(client, client->ws->close_code);
    }
}

static void deliver_some(struct run *run)
{
    struct world *world = &run->world;
    uint64_t n = world_chance(world, 5) ? WORLD_QUEUE_MAX : 1 + world_random(world, 5);
    while (n-- > 0 && world_deliver_event(world))
        continue;
}

static void step(struct run *run)
{
    struct world *world = &run->world;
    uint64_t dice = world_random(world, 100);
    if (dice < 24)
        publish_some(run);
    else if (dice < 25)
        change_sources(run);
    else if (dice < 27)
        copy_some(run);
    else if (dice < 30)
        remove_some(run);
    else if (dice < 33)
        page_client(run);
    else if (dice < 55)
        deliver_some(run);
    else if (dice < 58)
        world_drop_event(world);
    else if (dice < 61)
        world_repeat_event(world);
    else if (dice < 64)
        world_swap_events(world);
    else if (dice < 72)
        world_execute_reads(world);
    else if (dice < 82)
        (void)world_answer_read(world);
    else if (dice < 84)
        world_fail_reads(world);
    else if (dice < 90)
        toggle_client(run);
    else if (dice < 93)
        stall_client(run);
    else if (dice < 94)
        world->busy = !world->busy;
    else if (dice < 95)
        world_redis_down(world);
    else if (dice < 97)
        world_redis_up(world);
    else if (dice < 98)
        world_cut_notices(world);
    else if (world_chance(world, 10))
        world_forget(world, &world->timelines[world_random(world, WORLD_TIMELINES)]);
    if (world_chance(world, 60)) /* several things may happen in one turn */
        gw_hub_turn(&world->hub);
    if (world_chance(world, 30)) {
        world->mono_ms += GW_TICK_MS;
        world->wall_ms += GW_TICK_MS;
        gw_hub_tick(&world->hub);
    }
    finish_closes(run);
}

/* Nothing is broken any more, and time passes: then all must be well. */
static void rest(struct run *run)
{
    struct world *world = &run->world;
    world->busy = false;
    world_redis_up(world);
    for (unsigned i = 0; i < CLIENTS; i++) {
        if (run->clients[i].ws && run->clients[i].ws->stalled)
            world_resume_reading(run->clients[i].ws);
    }
    world_settle(world);
    world_pass(world, 2 * CHECK_MS + GW_READ_RETRY_MS + 2 * GW_DOUBT_GRACE_MS);
    finish_closes(run);
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct model_client *client = &run->clients[i];
        assert_int_equal(client->doubles, 0);
        if (!client->ws)
            continue;
        for (unsigned f = 0; f < MODEL_FEEDS; f++) {
            if (client->feeds[f].wanted)
                model_client_check(client, f, &run->world, timeline_of(run, client, f));
        }
    }
}

static void count_happenings(const struct run *run, struct happened *happened)
{
    const struct feed_metrics *metrics = run->world.metrics;
    happened->gaps += feed_metrics_get(metrics, GW_M_SEQ_GAPS, 0);
    happened->fell_behind += feed_metrics_get(metrics, GW_M_FELL_BEHIND, 0);
    for (unsigned i = 0; i < GW_OUTCOME_COUNT; i++)
        happened->outcomes[i] += feed_metrics_get(metrics, GW_M_SLICES, i);
    for (unsigned i = 0; i < GW_NOTICE_RESULTS; i++)
        happened->notices[i] += feed_metrics_get(metrics, GW_M_NOTICES, i);
    for (unsigned i = 0; i < CLIENTS; i++) {
        happened->pushed_entries += run->clients[i].pushed_entries;
        happened->paged_entries += run->clients[i].paged_entries;
        happened->removed_entries += run->clients[i].removed_entries;
    }
}

static void run_seed(uint64_t seed, struct happened *happened)
{
    struct run *run = calloc(1, sizeof *run);
    static const char *const users[CLIENTS] = {"ann", "ann", "ann", "bob", "bob", "ann"};
    world_init(&run->world, seed, QUEUE_BYTES, CHECK_MS);
    for (unsigned i = 0; i < CLIENTS; i++) {
        model_client_init(&run->clients[i], users[i]);
        run->clients[i].feeds[0].wanted = true;
        run->clients[i].feeds[1].wanted = users[i][0] == 'a' && i > 0;
    }
    for (unsigned i = 1; i <= STEPS; i++) {
        step(run);
        if (i % REST_EVERY == 0) {
            rest(run);
            run->quiet = world_chance(&run->world, 30);
        }
    }
    rest(run);
    count_happenings(run, happened);
    for (unsigned i = 0; i < CLIENTS; i++) {
        if (run->clients[i].ws)
            model_client_disconnect(&run->clients[i], 1000);
        model_client_fini(&run->clients[i]);
    }
    world_fini(&run->world);
    free(run);
}

static void clients_have_their_feeds_whenever_the_world_rests(void **state)
{
    (void)state;
    struct happened happened = {0};
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        run_seed(seed, &happened);
    assert_true(happened.gaps > 20 * SEEDS);
    assert_true(happened.pushed_entries > 500 * SEEDS);
    assert_true(happened.paged_entries > 5 * SEEDS);
    assert_true(happened.removed_entries > 50 * SEEDS);
    assert_true(happened.fell_behind > SEEDS);
    for (unsigned i = 0; i < GW_OUTCOME_COUNT; i++)
        assert_true(happened.outcomes[i] > SEEDS);
    for (unsigned i = 0; i < GW_NOTICE_RESULTS; i++)
        assert_true(happened.notices[i] > SEEDS);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        struct happened happened = {0};
        run_seed(strtoull(argv[1], NULL, 10), &happened);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_have_their_feeds_whenever_the_world_rests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
