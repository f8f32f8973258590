/* Interleavings, by the thousand: workers with a partition each run over one model of Redis, and chance decides who
 * moves next: a record arrives, a command is executed, an answer arrives, a connection breaks with some commands
 * executed and some not, a worker dies and another begins again from its last commit. What must hold in the end:
 *
 * - one partition: everything is as if each record had been worked off alone, in order;
 * - two partitions: every follower has all that a followee did since the follow, and nothing of anybody else;
 * - working the whole log off once more changes nothing: no entry, no seq, no notice;
 * - the newest record of each edge in the topic `graph`, which is what compaction leaves, is how the edge stands.
 *
 * A failure prints the seed; SEED=n runs that one alone, and SEEDS=n runs so many. */
#include "redis_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PARTITIONS = 2, LOG_MAX = 24, USERS = 5, GRAPH_MAX = USERS * USERS };

static const char *const users[USERS] = {"ann", "bob", "cy", "dan", "eve"};

struct log {
    struct sample records[LOG_MAX];
    size_t count;
};

struct worker {
    struct world world;
    int32_t partition;
    const struct log *log;
    size_t next;      /* of its log */
    size_t committed; /* where its successor begins */
};

struct run {
    struct world chance; /* only for its random numbers */
    struct model model;
    struct log logs[PARTITIONS];
    size_t partitions;
    unsigned backfill;
    unsigned cap;
    bool unfollows;
    char graph[GRAPH_MAX][400]; /* the newest record of each key; as world_relation has it */
    size_t graph_count;
};

/* ---- logs ---- */

static uint64_t pick(struct run *run, uint64_t max)
{
    return world_random(&run->chance, max);
}

/* A user's acts are all in one partition, as the key says. Times never go back within a partition. */
static void make_logs(struct run *run)
{
    unsigned id = 1;
    for (size_t p = 0; p < run->partitions; p++) {
        struct log *log = &run->logs[p];
        log->count = 4 + pick(run, LOG_MAX - 3);
        int64_t time_ms = 100;
        for (size_t i = 0; i < log->count; i++) {
            time_ms += (int64_t)pick(run, 3);
            size_t actor;
            do
                actor = pick(run, USERS);
            while (actor % run->partitions != p);
            struct sample sample = {.partition = (int32_t)p,
                                    .offset = (int64_t)i,
                                    .id = id++,
                                    .published_ms = time_ms,
                                    .actor = users[actor],
                                    .verb = "post",
                                    .object = "n"};
            if (pick(run, 3) == 0) {
                sample.verb = run->unfollows && pick(run, 3) == 0 ? "unfollow" : "follow";
                sample.object = users[(actor + 1 + pick(run, USERS - 1)) % USERS];
            } else if (i > 0 && pick(run, 8) == 0) {
                sample.id = log->records[i - 1].id; /* the same again */
                sample.actor = log->records[i - 1].actor;
                sample.verb = log->records[i - 1].verb;
                sample.object = log->records[i - 1].object;
                sample.published_ms = log->records[i - 1].published_ms;
                time_ms = sample.published_ms;
            }
            log->records[i] = sample;
        }
    }
}

/* ---- workers ---- */

static void worker_begin(struct worker *worker, struct run *run)
{
    const struct fan_settings settings = {
        .records_max = 6, .bytes_max = 1 << 20, .commands_max = 5, .cap = run->cap, .backfill = run->backfill};
    world_init(&worker->world, &settings);
    worker->world.random ^= pick(run, UINT64_MAX) | 1;
    world_start(&worker->world, &worker->partition, 1);
    worker->next = worker->committed;
}

static struct world_command *oldest_unexecuted(const struct world *world)
{
    struct world_command *command = world->first;
    while (command && command->executed)
        command = command->next;
    return command;
}

static void commit(struct worker *worker)
{
    int64_t position = world_position(&worker->world, worker->partition);
    if (position >= 0)
        worker->committed = (size_t)position;
}

static void execute_some(struct run *run, struct world *world)
{
    for (struct world_command *c; (c = oldest_unexecuted(world)) && pick(run, 2);)
        model_execute(&run->model, c);
}

/* ---- the topic graph ---- */

static void append(struct run *run, const char *text)
{
    size_t key_len = strcspn(text, " ") + 1, i = 0;
    while (i < run->graph_count && strncmp(run->graph[i], text, key_len) != 0)
        i++;
    assert_true(i < GRAPH_MAX);
    snprintf(run->graph[i], sizeof run->graph[i], "%s", text);
    run->graph_count += i == run->graph_count;
}

/* The oldest relation is acknowledged; or it fails, and nobody knows whether the topic has it. */
static void acknowledge(struct run *run, struct world *world, bool good)
{
    if (good || pick(run, 2))
        append(run, world->relations[0].text);
    world_relation_done(world, good ? FEED_OK : FEED_E_TIMEOUT);
}

/* What was on its way when the worker died arrives, up to somewhere. */
static void outlive(struct run *run, const struct world *world)
{
    size_t arrived = world->relation_count ? pick(run, world->relation_count + 1) : 0;
    for (size_t i = 0; i < arrived; i++)
        append(run, world->relations[i].text);
}

/* True when there was something to do. */
static bool step(struct run *run, struct worker *worker, bool calm)
{
    struct world *world = &worker->world;
    struct world_command *todo = oldest_unexecuted(world);
    bool answered = world->first && world->first->executed;
    bool more = worker->next < worker->log->count && world->consuming;
    if (!todo && !answered && !more && !world->relation_count) {
        if (!fan_engine_records(world->engine))
            return false;
        world_tick(world, 1000); /* it waits for the time of a second try */
        return true;
    }
    switch (pick(run, calm ? 30 : 33)) {
    case 30:
        execute_some(run, world);
        world_lose(world);
        fan_engine_redis_ready(world->engine);
        return true;
    case 31:
        execute_some(run, world);
        outlive(run, world);
        world_fini(world);
        worker_begin(worker, run);
        return true;
    case 32:
        commit(worker);
        return true;
    default:
        break;
    }
    enum { RECORD, EXECUTE, ANSWER, ACKNOWLEDGE, WAYS } ways[WAYS];
    size_t count = 0;
    if (more)
        ways[count++] = RECORD;
    if (todo)
        ways[count++] = EXECUTE;
    if (answered)
        ways[count++] = ANSWER;
    if (world->relation_count)
        ways[count++] = ACKNOWLEDGE;
    switch (ways[pick(run, count)]) {
    case RECORD:
        world_record(world, &worker->log->records[worker->next++]);
        break;
    case EXECUTE:
        model_execute(&run->model, todo);
        break;
    case ANSWER: {
        struct fan_answer answer = world->first->answer;
        world_answer(world, &answer);
        break;
    }
    default:
        acknowledge(run, world, calm || pick(run, 8));
        break;
    }
    return true;
}

/* Works all logs off from their beginning; calm: without faults. */
static void work_off(struct run *run, bool calm)
{
    struct worker workers[PARTITIONS];
    for (size_t p = 0; p < run->partitions; p++) {
        workers[p] = (struct worker){.partition = (int32_t)p, .log = &run->logs[p]};
        worker_begin(&workers[p], run);
    }
    for (bool busy = true; busy;) {
        busy = false;
        for (size_t i = 0; i < run->partitions; i++)
            busy |= step(run, &workers[i], calm);
        if (!busy)
            break;
        step(run, &workers[pick(run, run->partitions)], calm);
    }
    for (size_t p = 0; p < run->partitions; p++) {
        struct world *world = &workers[p].world;
        if (fan_engine_records(world->engine) || world_position(world, (int32_t)p) != (int64_t)run->logs[p].count ||
            world->letter_count)
            fail_msg("records were left over");
        world_fini(world);
    }
}

/* ---- what must hold ---- */

static void one_after_the_other(struct run *run, struct model *out)
{
    struct model interleaved = run->model;
    model_init(&run->model);
    struct worker worker = {.log = &run->logs[0]};
    worker_begin(&worker, run);
    for (size_t i = 0; i < run->logs[0].count; i++) {
        world_record(&worker.world, &run->logs[0].records[i]);
        while (worker.world.first) {
            model_execute(&run->model, worker.world.first);
            struct fan_answer answer = worker.world.first->answer;
            world_answer(&worker.world, &answer);
            if (worker.world.relation_count)
                world_relation_done(&worker.world, FEED_OK);
        }
    }
    world_fini(&worker.world);
    *out = run->model;
    run->model = interleaved;
}

static bool has_entry(const struct model *model, const char *user, const struct sample *sample)
{
    char key[64];
    snprintf(key, sizeof key, "f:{demo/%s}", user);
    const struct model_zset *zset = model_find(model, key);
    for (size_t i = 0; zset && i < zset->count; i++) {
        const uint8_t *b = (const uint8_t *)zset->members[i].bytes;
        unsigned id = (unsigned)b[0] << 24 | (unsigned)b[1] << 16 | (unsigned)b[2] << 8 | b[3];
        if (id == sample->id && zset->members[i].score == sample->published_ms)
            return true;
    }
    return false;
}

/* The first follow of that pair; NULL: never. */
static const struct sample *follow_of(const struct run *run, const char *follower, const char *followee)
{
    for (size_t p = 0; p < run->partitions; p++) {
        for (size_t i = 0; i < run->logs[p].count; i++) {
            const struct sample *s = &run->logs[p].records[i];
            if (strcmp(s->verb, "follow") == 0 && strcmp(s->actor, follower) == 0 && strcmp(s->object, followee) == 0)
                return s;
        }
    }
    return NULL;
}

static void check_feeds(const struct run *run)
{
    for (size_t u = 0; u < USERS; u++) {
        for (size_t p = 0; p < run->partitions; p++) {
            for (size_t i = 0; i < run->logs[p].count; i++) {
                const struct sample *act = &run->logs[p].records[i];
                if (strcmp(act->verb, "unfollow") == 0)
                    continue;
                const struct sample *follow = follow_of(run, users[u], act->actor);
                bool has = has_entry(&run->model, users[u], act);
                if (has && !follow)
                    fail_msg("%s has an act of %s, whom they do not follow", users[u], act->actor);
                if (!has && follow && act->published_ms >= follow->published_ms && !run->unfollows)
                    fail_msg("%s lacks act %u of %s", users[u], act->id, act->actor);
                if (has && run->backfill == 0 && act->published_ms < follow->published_ms)
                    fail_msg("%s has act %u of %s from before the follow", users[u], act->id, act->actor);
            }
        }
    }
}

static int64_t edge_time(const struct run *run, char letter, const char *followee, const char *follower)
{
    char key[64];
    snprintf(key, sizeof key, "%c:{demo/%s/0}", letter, followee);
    const struct model_zset *zset = model_find(&run->model, key);
    for (size_t i = 0; zset && i < zset->count; i++) {
        const struct model_member *m = &zset->members[i];
        if (m->len == strlen(follower) && memcmp(m->bytes, follower, m->len) == 0)
            return m->score;
    }
    return 0;
}

static void check_graph(const struct run *run)
{
    size_t edges = 0;
    for (size_t u = 0; u < USERS; u++) {
        for (size_t v = 0; v < USERS; v++) {
            int64_t since = edge_time(run, 'g', users[v], users[u]), ended = edge_time(run, 'k', users[v], users[u]);
            if (!since && !ended)
                continue;
            char text[400];
            snprintf(text, sizeof text, "demo/follow/%s/%s %lld %lld", users[u], users[v], (long long)since,
                     (long long)ended);
            size_t i = 0;
            while (i < run->graph_count && strcmp(run->graph[i], text) != 0)
                i++;
            if (i == run->graph_count)
                fail_msg("the topic does not have %s", text);
            edges++;
        }
    }
    if (edges != run->graph_count)
        fail_msg("the topic has %zu edges, Redis %zu", run->graph_count, edges);
}

static void check_that_a_replay_changes_nothing(struct run *run)
{
    struct model before;
    /* With a backfill, how much from before a follow is there depends on the order between partitions, once. */
    if (run->partitions > 1 && run->backfill)
        work_off(run, true);
    model_copy(&run->model, &before);
    work_off(run, false);
    if (!model_equal(&before, &run->model))
        fail_msg("working off the log once more changed something");
    model_fini(&before);
}

static void run_seed(uint64_t seed, size_t partitions)
{
    static struct run run;
    memset(&run, 0, sizeof run);
    run.chance.random = (seed + 1) * 0x9E3779B97F4A7C15u;
    run.partitions = partitions;
    run.cap = partitions == 1 && pick(&run, 2) ? 5 : 100;
    run.backfill = (unsigned)pick(&run, 4);
    run.unfollows = pick(&run, 2);
    make_logs(&run);
    model_init(&run.model);
    work_off(&run, false);
    check_graph(&run);
    if (run.cap == 100)
        check_feeds(&run);
    if (partitions == 1) {
        struct model expected;
        one_after_the_other(&run, &expected);
        if (run.cap == 100 && !model_equal(&expected, &run.model))
            fail_msg("not as if one record had been worked off after the other");
        model_fini(&expected);
    }
    if (run.cap == 100)
        check_that_a_replay_changes_nothing(&run);
    check_graph(&run);
    model_fini(&run.model);
}

static void run_seeds(size_t partitions)
{
    const char *one = getenv("SEED"), *many = getenv("SEEDS");
    uint64_t first = one ? strtoull(one, NULL, 10) : 0;
    uint64_t count = one ? 1 : many ? strtoull(many, NULL, 10) : 4000;
    for (uint64_t seed = first; seed < first + count; seed++) {
        /* cmocka shows what was printed last before a failure. */
        static char seed_text[32];
        snprintf(seed_text, sizeof seed_text, "%llu", (unsigned long long)seed);
        setenv("SEED_RUNNING", seed_text, 1);
        run_seed(seed, partitions);
    }
}

static void one_partition_is_as_if_sequential(void **state)
{
    (void)state;
    run_seeds(1);
}

static void two_partitions_lose_nothing_between_them(void **state)
{
    (void)state;
    run_seeds(2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_partition_is_as_if_sequential),
        cmocka_unit_test(two_partitions_lose_nothing_between_them),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (failed)
        fprintf(stderr, "the last seed was %s\n", getenv("SEED_RUNNING"));
    return failed;
}
