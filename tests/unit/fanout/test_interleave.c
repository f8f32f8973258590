/* Interleavings, by the thousand: workers with a partition each run over one model of Redis, and chance decides who
 * moves next: a record arrives, a command is executed, an answer arrives, a connection breaks with some commands
 * executed and some not, a worker dies and another begins again from its last commit, or the one before does not even
 * know that it is dead and goes on writing. Redis is one server or three shards, whose answers overtake each other, of
 * which one goes and comes back alone, and between which keys move; or which all lose what their replicas have not
 * got. What must hold in the end:
 *
 * - one partition: everything is as if each record had been worked off alone, in order;
 * - two partitions: every follower has all that a followee did since the follow, and nothing of anybody else, also not
 *   of those whom they have left, unless they kept it;
 * - nobody has anything of people whom they mute, or who are blocked one way or the other;
 * - nobody has what was undone, neither in the outbox nor in home feeds nor in notifications;
 * - all this of what the gateways show: where an author is a broadcast one, the outbox merged with the feed; and who
 *   is one follows from the number of followers, and stands in b: of all of them;
 * - working the whole log off once more changes nothing: no entry, no seq, no notice; with broadcast authors, who may
 *   become such at another moment then, nothing that anybody sees;
 * - whatever pages of followers were split meanwhile;
 * - where feeds sleep: each is gone at any moment, as after its time to live, and who is woken has what they would
 *   have;
 * - bad records get dead letters, and nothing else does;
 * - at every moment, what is in hand and under way stays within its bounds;
 * - the newest record of each key in the topic `graph`, which is what compaction leaves, makes edges, mutes, blocks and
 *   left out verbs again in an empty Redis.
 *
 * A failure prints the seed; SEED=n runs that one alone, and SEEDS=n runs so many. */
#include "fanout/engine_state.h"
#include "fanout/partitions.h"
#include "fanout/replay.h"
#include "redis_model.h"
#include "shared/model/command.h"
#include "topic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { REPLAY_WINDOW_MS = 100, FAILOVERS_MAX = 5 };
enum { RECORDS_MAX = 6, COMMANDS_MAX = 5, WAKES_MAX = 16 };
enum { PARTITIONS = 2, WORKERS_MAX = 2 * PARTITIONS, LOG_MAX = 24, USERS = 5 };

static const char bad_verb[] = "NOT A VERB";
static const char *const users[USERS] = {"ann", "bob", "cy", "dan", "eve"};

struct log {
    struct sample records[LOG_MAX];
    size_t count;
};

struct worker {
    struct world *world; /* owned */
    int32_t partition;
    const struct log *log;
    size_t next;      /* of its log */
    size_t committed; /* where its successor begins */
    size_t next_wake; /* of the topic of commands, which the first partition's worker has too; begun anew by its
                         successor */
    bool zombie;      /* it has a successor and does not know it */
    /* The note of that commit: */
    int64_t replay_from;
    unsigned noted; /* failovers until then */
};

struct run {
    struct world chance; /* only for its random numbers */
    struct model model;
    struct log logs[PARTITIONS];
    size_t partitions;
    unsigned backfill;
    unsigned cap;
    unsigned shards;
    unsigned page_followers;
    unsigned broadcast_threshold; /* 0: nobody is a broadcast author */
    unsigned broadcast_return_percent;
    bool unfollows;
    bool undos;
    bool settles;         /* mutes and blocks too */
    bool zombies;         /* workers that were replaced may go on */
    bool fails_over;      /* Redis loses what its replica has not got */
    struct model replica; /* with everything that was confirmed */
    bool lags;            /* that one gets nothing */
    bool marked;          /* what was finished then is on its way to the replica */
    unsigned failovers;
    bool tight; /* short logs of two people who do nothing but meet, and few faults: races that are hardly ever repaired
                 */
    bool sleeps; /* home feeds do */
    bool over;   /* they do no more: everybody is woken */
    struct feed_command wakes[WAKES_MAX];
    size_t wake_count;
    size_t bytes_max, record_most; /* of records in hand, and of one of them */
    bool lettered[PARTITIONS][LOG_MAX];
    size_t workers;
    struct worker all[WORKERS_MAX]; /* first the living, one for each partition */
    struct topic topic;
};

/* ---- logs ---- */

static uint64_t pick(struct run *run, uint64_t max)
{
    return world_random(&run->chance, max);
}

/* Of something that the actor of an earlier record did; twice now and then. */
static void make_undo(struct run *run, const struct log *log, size_t i, struct sample *sample)
{
    const struct sample *undone = &log->records[pick(run, i)];
    if (strcmp(undone->verb, "undo") == 0)
        return;
    sample->verb = "undo";
    sample->actor = undone->actor;
    sample->undone = undone->id;
}

static bool is_undo(const struct sample *sample)
{
    return strcmp(sample->verb, "undo") == 0;
}

/* A user's acts are all in one partition, as the key says. Times never go back within a partition. */
static void make_logs(struct run *run)
{
    unsigned id = 1;
    for (size_t p = 0; p < run->partitions; p++) {
        struct log *log = &run->logs[p];
        log->count = run->tight ? 1 + pick(run, 4) : 4 + pick(run, LOG_MAX - 3);
        int64_t time_ms = 100;
        for (size_t i = 0; i < log->count; i++) {
            time_ms += (int64_t)pick(run, 3) + run->settles; /* at the very end of a mute it matters who is first */
            size_t actor;
            do
                actor = pick(run, run->tight ? 2 : USERS);
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
                sample.object = run->tight ? users[1 - actor] : users[(actor + 1 + pick(run, USERS - 1)) % USERS];
                if (strcmp(sample.verb, "unfollow") == 0 && !run->sleeps && pick(run, 3) == 0)
                    sample.data = "{\"entries\":\"keep\"}";
            } else if (run->settles && pick(run, 3) == 0) {
                static const char *const verbs[] = {"mute", "unmute", "mute", "unmute", "block", "unblock", "filter"};
                sample.verb = verbs[pick(run, 7)];
                sample.object = run->tight ? users[1 - actor] : users[(actor + 1 + pick(run, USERS - 1)) % USERS];
                if (strcmp(sample.verb, "filter") == 0) {
                    static const char *const lists[] = {"{\"exclude\":[]}", "{\"exclude\":[\"like\"]}",
                                                        "{\"exclude\":[\"share\",\"like\"]}"};
                    sample.object = "home"; /* nobody does what is left out: it is about what stays known */
                    sample.data = lists[pick(run, 3)];
                }
            } else if (!run->tight && pick(run, 16) == 0) {
                sample.verb = bad_verb;
            } else if (pick(run, 4) == 0) {
                sample.to = "[\"eve\",\"ann\"]";
            } else if (run->undos && i > 0 && pick(run, 3) == 0) {
                make_undo(run, log, i, &sample);
            } else if (i > 0 && pick(run, 8) == 0) {
                sample.id = log->records[i - 1].id; /* the same again */
                sample.actor = log->records[i - 1].actor;
                sample.verb = log->records[i - 1].verb;
                sample.object = log->records[i - 1].object;
                sample.to = log->records[i - 1].to;
                sample.data = log->records[i - 1].data;
                sample.undone = log->records[i - 1].undone;
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
        .records_max = RECORDS_MAX,
        .bytes_max = run->bytes_max,
        .commands_max = COMMANDS_MAX,
        .ttl_ms = run->sleeps ? 1000 : 0,
        .cap = run->cap,
        .backfill = run->backfill,
        .replay_window_ms = REPLAY_WINDOW_MS,
        .page_followers = run->page_followers,
        .broadcast_threshold = run->broadcast_threshold,
        .broadcast_return_percent = run->broadcast_return_percent,
    };
    worker->world = malloc(sizeof *worker->world);
    world_init(worker->world, &settings);
    worker->world->random ^= pick(run, UINT64_MAX) | 1;
    worker->world->shards = run->shards;
    worker->world->held_percent = pick(run, 2) ? 30 : 0;
    const int32_t partitions[] = {worker->partition, FAN_COMMANDS_BASE};
    world_start(worker->world, partitions, worker->partition == 0 ? 2 : 1);
    worker->next = worker->committed;
    worker->next_wake = 0;
    if (!run->fails_over)
        return;
    bool lost = worker->noted != run->failovers; /* its predecessor may never have seen it */
    if (lost)
        worker->next = worker->replay_from < 0 ? 0 : (size_t)worker->replay_from;
    fan_engine_starts_at(worker->world->engine, worker->partition, worker->replay_from,
                         lost ? (int64_t)worker->committed : 0);
}

static void worker_end(struct worker *worker)
{
    world_fini(worker->world);
    free(worker->world);
}

static struct world_command *oldest_unexecuted(const struct world *world, unsigned shard)
{
    struct world_command *command = world->first;
    while (command && (command->executed || command->shard != shard))
        command = command->next;
    return command;
}

static void commit(const struct run *run, struct worker *worker)
{
    struct fan_position taken;
    if (run->fails_over) {
        if (fan_engine_take_commits(worker->world->engine, &taken, 1) == 0)
            return;
        worker->committed = (size_t)taken.next_offset;
        worker->replay_from = taken.replay_from;
        worker->noted = run->failovers;
        return;
    }
    int64_t position = world_position(worker->world, worker->partition);
    if (position >= 0)
        worker->committed = (size_t)position;
}

static void execute_some(struct run *run, struct world *world, unsigned shard)
{
    for (struct world_command *c; (c = oldest_unexecuted(world, shard)) && pick(run, 2);)
        model_execute(&run->model, c);
}

/* The command is refused and done later; no shard is away for it. */
static void move_key(struct run *run, struct world *world, unsigned shard)
{
    struct world_command *command = world_oldest(world, shard);
    if (!command || command->executed)
        return;
    world_answer_shard(
        world, shard,
        &(struct fan_answer){.kind = FAN_ANSWER_ERROR,
                             .text = pick(run, 2) ? FEED_STR("TRYAGAIN later") : FEED_STR("MOVED 1 other:1")});
    world_tick(world, (int64_t)pick(run, 500));
}

/* What one shard does to a worker alone. */
static void trouble_shard(struct run *run, struct world *world, unsigned shard)
{
    if (pick(run, 2)) {
        move_key(run, world, shard);
    } else if (!world->away[shard]) {
        execute_some(run, world, shard);
        world_lose_shard(world, shard);
    }
}

/* ---- feeds that sleep ---- */

static bool has_wakes(const struct run *run, const struct worker *worker)
{
    return worker->partition == 0 && !worker->zombie && worker->next_wake < run->wake_count;
}

static void want_wake(struct run *run, const char *user)
{
    enum feed_command_kind kind = !run->over && pick(run, 4) == 0 ? FEED_COMMAND_REBUILD : FEED_COMMAND_WAKE;
    if (run->wake_count < WAKES_MAX)
        run->wakes[run->wake_count++] =
            (struct feed_command){.kind = kind, .tenant = FEED_STR("demo"), .user = feed_str_of(user)};
}

static void give_wake(const struct run *run, struct worker *worker)
{
    const struct feed_command *wake = &run->wakes[worker->next_wake];
    struct feed_buf key, value;
    feed_buf_init(&key, FEED_KEY_MAX);
    feed_buf_init(&value, FEED_KEY_MAX);
    feed_command_key(wake, &key);
    feed_command_value(wake, &value);
    const struct fan_record record = {.partition = FAN_COMMANDS_BASE,
                                      .offset = (int64_t)worker->next_wake++,
                                      .key = feed_buf_view(&key),
                                      .value = feed_buf_view(&value)};
    fan_engine_record(worker->world->engine, &record);
    feed_buf_fini(&key);
    feed_buf_fini(&value);
}

/* A feed that nobody reads for long is gone; or somebody comes back. */
static void sleep_or_wake(struct run *run)
{
    const char *user = users[pick(run, USERS)];
    char key[64];
    snprintf(key, sizeof key, "f:{demo/%s}", user);
    if (pick(run, 2) || run->wake_count + USERS >= WAKES_MAX)
        model_sleep(&run->model, key);
    else
        want_wake(run, user);
}

/* ---- bounds ---- */

static void check_bounds(struct run *run, const struct worker *worker)
{
    const struct world *world = worker->world;
    const struct fan_engine *engine = world->engine;
    assert_int_equal(fan_engine_commands(engine), world->commands);
    assert_true(world->commands <= COMMANDS_MAX);
    assert_true(fan_engine_records(engine) <= RECORDS_MAX);
    assert_true(world->letter_count + world->relation_count <= RECORDS_MAX);
    assert_true(engine->bytes < run->bytes_max + run->record_most);
    assert_true(engine->pages <= FAN_PAGES_MAX);
}

static void give_record(struct run *run, struct worker *worker)
{
    const struct sample *sample = &worker->log->records[worker->next++];
    struct sample_record made;
    sample_make(sample, &made);
    size_t bytes = fan_record_bytes(&made.record);
    run->record_most = bytes > run->record_most ? bytes : run->record_most;
    world_record(worker->world, sample);
}

/* A dead letter has reached Kafka, or not. */
static void take_letter(struct run *run, struct world *world, bool good)
{
    const struct fan_record *record = &world->letters[0].letter->job->record;
    if (strcmp(run->logs[record->partition].records[record->offset].verb, bad_verb) != 0)
        fail_msg("a dead letter for a good record: %s", world->letters[0].detail);
    run->lettered[record->partition][record->offset] |= good;
    world_letter_done(world, good ? FEED_OK : FEED_E_TIMEOUT);
}

static void check_letters(const struct run *run)
{
    for (size_t p = 0; p < run->partitions; p++) {
        for (size_t i = 0; i < run->logs[p].count; i++) {
            bool bad = strcmp(run->logs[p].records[i].verb, bad_verb) == 0;
            if (bad != run->lettered[p][i])
                fail_msg("record %zu of partition %zu %s", i, p, bad ? "got no dead letter" : "got one");
        }
    }
}

/* Nothing else can happen before time passes or a shard is back. */
static bool unblock(const struct run *run, struct worker *worker)
{
    struct world *world = worker->world;
    bool idle = fan_engine_records(world->engine) == 0 && worker->next == worker->log->count;
    if (worker->zombie || (idle && !has_wakes(run, worker)))
        return false;
    world_ready(world);
    world_tick(world, 1000);
    return true;
}

/* One at random among those that have commands, so that few steps are wasted: each is a chance to die. */
static unsigned busy_shard(struct run *run, const struct world *world)
{
    unsigned first = (unsigned)pick(run, run->shards);
    for (unsigned i = 0; i < run->shards; i++) {
        if (world_oldest(world, (first + i) % run->shards))
            return (first + i) % run->shards;
    }
    return first;
}

/* ---- the topic graph ---- */

/* The oldest relation is acknowledged; or it fails, and nobody knows whether the topic has it. */
static void acknowledge(struct run *run, struct world *world, bool good)
{
    if (good || pick(run, 2))
        topic_append(&run->topic, &world->relations[0]);
    world_relation_done(world, good ? FEED_OK : FEED_E_TIMEOUT);
}

/* What was on its way when the worker died arrives, up to somewhere. */
static void outlive(struct run *run, const struct world *world)
{
    size_t arrived = world->relation_count ? pick(run, world->relation_count + 1) : 0;
    for (size_t i = 0; i < arrived; i++)
        topic_append(&run->topic, &world->relations[i]);
}

/* The worker dies, or is only taken for dead, and another begins where it had committed. */
static void replace(struct run *run, struct worker *worker)
{
    if (run->zombies && run->workers < WORKERS_MAX && pick(run, 2)) {
        struct worker *zombie = &run->all[run->workers++];
        *zombie = *worker;
        zombie->zombie = true;
    } else {
        for (unsigned shard = 0; shard < run->shards; shard++)
            execute_some(run, worker->world, shard);
        outlive(run, worker->world);
        worker_end(worker);
    }
    worker_begin(worker, run);
}

/* A rebalance takes the partition away, in order, and gives it back: what was in hand is dropped, and what is answered
 * late is of no account. */
static void give_back(struct run *run, struct worker *worker)
{
    const int32_t partitions[] = {worker->partition, FAN_COMMANDS_BASE};
    size_t count = worker->partition == 0 ? 2 : 1;
    commit(run, worker);
    fan_engine_revoked(worker->world->engine, partitions, count);
    fan_engine_assigned(worker->world->engine, partitions, count);
    worker->next = worker->committed;
    worker->next_wake = 0;
}

/* ---- failovers ---- */

/* What is finished now will be safe when the replica has all that there is after it. */
static void mark_or_confirm(struct run *run)
{
    if (run->marked && pick(run, 4) == 0)
        run->lags = !run->lags; /* the replica gets nothing for a time, and commits go on without */
    bool safe = !run->lags;
    if (run->marked && safe) {
        model_fini(&run->replica);
        model_copy(&run->model, &run->replica);
    }
    for (size_t i = 0; i < run->workers; i++) {
        if (run->marked)
            fan_engine_confirm(run->all[i].world->engine, safe);
        else
            fan_engine_mark(run->all[i].world->engine);
        world_tick(run->all[i].world, (int64_t)pick(run, REPLAY_WINDOW_MS));
    }
    run->marked = !run->marked;
}

/* A replica takes the place of a master, and may have less than was answered. Some workers see it, others die in the
 * same moment and leave it to their successors. */
static void fail_over(struct run *run)
{
    model_fini(&run->model);
    model_copy(&run->replica, &run->model);
    run->failovers++;
    run->marked = false;
    for (size_t i = 0; i < run->workers; i++) {
        struct worker *worker = &run->all[i];
        if (pick(run, 3) == 0) {
            outlive(run, worker->world);
            worker_end(worker);
            worker_begin(worker, run);
            continue;
        }
        struct fan_position position;
        world_lose(worker->world);
        assert_true(fan_engine_position(worker->world->engine, 0, &position));
        fan_engine_replay(worker->world->engine);
        worker->next = position.replay_from < 0 ? 0 : (size_t)position.replay_from;
        world_ready(worker->world);
    }
}

/* True when there was something to do. */
static bool step(struct run *run, struct worker *worker, bool calm)
{
    struct world *world = worker->world;
    if (run->fails_over && !calm && pick(run, 8) == 0) {
        if (pick(run, 12) == 0 && run->failovers < FAILOVERS_MAX)
            fail_over(run);
        else
            mark_or_confirm(run);
        return true;
    }
    if (run->sleeps && !run->over && pick(run, 20) == 0)
        sleep_or_wake(run);
    unsigned shard = busy_shard(run, world);
    struct world_command *todo = oldest_unexecuted(world, shard);
    bool answered = world_oldest(world, shard) && world_oldest(world, shard)->executed;
    bool more = worker->next < worker->log->count && world->consuming && !worker->zombie;
    bool wakes = has_wakes(run, worker) && world->consuming;
    if (!world->first && !more && !wakes && !world->relation_count && !world->letter_count)
        return unblock(run, worker);
    if (run->tight && !calm && !worker->zombie && run->workers < WORKERS_MAX && pick(run, 12) == 0) {
        replace(run, worker);
        return true;
    }
    calm |= run->tight;
    switch (pick(run, calm ? 30 : worker->zombie ? 31 : run->shards > 1 ? 35 : 33)) {
    case 34:
        world_ready_shard(world, (unsigned)pick(run, run->shards));
        return true;
    case 33:
        trouble_shard(run, world, shard);
        return true;
    case 30:
        for (shard = 0; shard < run->shards; shard++)
            execute_some(run, world, shard);
        world_lose(world);
        world_ready(world);
        return true;
    case 31:
        if (!worker->zombie && !run->fails_over && pick(run, 2))
            give_back(run, worker);
        else
            replace(run, worker);
        return true;
    case 32:
        commit(run, worker);
        return true;
    default:
        break;
    }
    enum { RECORD, WAKE, EXECUTE, ANSWER, ACKNOWLEDGE, LETTER, WAYS } ways[WAYS];
    size_t count = 0;
    if (more)
        ways[count++] = RECORD;
    if (wakes)
        ways[count++] = WAKE;
    if (todo)
        ways[count++] = EXECUTE;
    if (answered)
        ways[count++] = ANSWER;
    if (world->relation_count)
        ways[count++] = ACKNOWLEDGE;
    if (world->letter_count)
        ways[count++] = LETTER;
    if (count == 0)
        return unblock(run, worker);
    switch (ways[pick(run, count)]) {
    case RECORD:
        give_record(run, worker);
        break;
    case WAKE:
        give_wake(run, worker);
        break;
    case LETTER:
        take_letter(run, world, calm || pick(run, 8));
        break;
    case EXECUTE:
        model_execute(&run->model, todo);
        break;
    case ANSWER: {
        struct fan_answer answer = world_oldest(world, shard)->answer;
        world_answer_shard(world, shard, &answer);
        break;
    }
    default:
        acknowledge(run, world, calm || pick(run, 8));
        break;
    }
    return true;
}

static void end_worker(const struct run *run, struct worker *worker)
{
    struct world *world = worker->world;
    size_t end = run->logs[worker->partition].count;
    int64_t position = world_position(world, worker->partition);
    /* Its predecessor may have left nothing to do. */
    bool at_end = position == (int64_t)end || (position == -1 && worker->next == end);
    if (has_wakes(run, worker))
        fail_msg("somebody was not woken");
    if (!worker->zombie && (fan_engine_records(world->engine) || world->letter_count || !at_end))
        fail_msg("records were left over");
    worker_end(worker);
}

/* Works all logs off from their beginning; calm: without faults. */
static void work_off(struct run *run, bool calm)
{
    run->workers = run->partitions;
    for (size_t p = 0; p < run->partitions; p++) {
        run->all[p] =
            (struct worker){.partition = (int32_t)p, .log = &run->logs[p], .replay_from = FAN_REPLAY_BEGINNING};
        worker_begin(&run->all[p], run);
    }
    run->over = !run->sleeps;
    run->wake_count = 0;
    for (bool busy = true; busy;) {
        busy = false;
        for (size_t i = 0; i < run->workers; i++) {
            busy |= step(run, &run->all[i], calm);
            check_bounds(run, &run->all[i]);
        }
        if (!busy && !run->over) {
            run->over = true;
            for (size_t u = 0; u < USERS; u++)
                want_wake(run, users[u]);
            busy = true;
        }
        if (!busy)
            break;
        step(run, &run->all[pick(run, run->workers)], calm);
    }
    for (size_t i = 0; i < run->workers; i++)
        end_worker(run, &run->all[i]);
}

/* ---- what must hold ---- */

static void wake_all(struct run *run)
{
    for (size_t u = 0; u < USERS; u++) {
        char key[64];
        snprintf(key, sizeof key, "f:{demo/%s}", users[u]);
        model_wake(&run->model, key);
    }
}

static void one_after_the_other(struct run *run, struct model *out)
{
    struct model interleaved = run->model;
    model_init(&run->model);
    run->model.now_ms = interleaved.now_ms;
    wake_all(run);
    struct worker worker = {.log = &run->logs[0]};
    worker_begin(&worker, run);
    for (size_t i = 0; i < run->logs[0].count; i++) {
        world_record(worker.world, &run->logs[0].records[i]);
        while (worker.world->first) {
            model_execute(&run->model, worker.world->first);
            struct fan_answer answer = worker.world->first->answer;
            world_answer(worker.world, &answer);
            if (worker.world->relation_count)
                world_relation_done(worker.world, FEED_OK);
        }
        if (worker.world->letter_count)
            world_letter_done(worker.world, FEED_OK);
    }
    worker_end(&worker);
    *out = run->model;
    run->model = interleaved;
}

static bool has_entry(const struct model *model, char timeline, const char *user, const struct sample *sample)
{
    char key[64];
    snprintf(key, sizeof key, "%c:{demo/%s}", timeline, user);
    const struct model_zset *zset = model_find(model, key);
    size_t found = 0;
    for (size_t i = 0; zset && i < zset->count; i++) {
        const struct model_member *m = &zset->members[i];
        const uint8_t *b = (const uint8_t *)m->bytes;
        unsigned id = (unsigned)b[0] << 24 | (unsigned)b[1] << 16 | (unsigned)b[2] << 8 | b[3];
        found += id == sample->id && !feed_mark_is((struct feed_str){m->bytes, m->len});
        if (id == sample->id && m->score != sample->published_ms)
            fail_msg("something of act %u stands at another time", sample->id);
    }
    if (found > 1)
        fail_msg("%s has act %u twice", user, sample->id);
    return found;
}

/* Whether the user sees it in their home feed. */
static bool sees(const struct run *run, const struct model *model, const char *user, const struct sample *act)
{
    bool copied = has_entry(model, 'f', user, act);
    bool merged = model_merges(model, user, act->actor, act->id, run->backfill);
    return merged || (copied && !model_marks(model, user, act->actor, act->id));
}

static bool undone(const struct run *run, const struct sample *act)
{
    const struct log *log = &run->logs[act->partition];
    for (size_t i = 0; i < log->count; i++) {
        if (is_undo(&log->records[i]) && log->records[i].undone == act->id)
            return true;
    }
    return false;
}

static void check_that_nobody_has(const struct run *run, const struct sample *act)
{
    static const char timelines[] = {'f', 'n', 'o'};
    for (size_t u = 0; u < USERS; u++) {
        for (size_t t = 0; t < sizeof timelines; t++) {
            bool has = timelines[t] == 'f' ? sees(run, &run->model, users[u], act)
                                           : has_entry(&run->model, timelines[t], users[u], act);
            if (has)
                fail_msg("%s has act %u in %c, which was undone", users[u], act->id, timelines[t]);
        }
    }
}

/* Whom `to` names in the logs above. What is sent around the end of a mute may be left out, so it is not looked at. */
static void check_notifications(const struct run *run, const struct sample *act)
{
    if (act->to && !run->settles &&
        (!has_entry(&run->model, 'n', "eve", act) || !has_entry(&run->model, 'n', "ann", act)))
        fail_msg("act %u did not reach those whom it was addressed to", act->id);
}

/* How the user and the followee stood in the end. Times never go back in a log, and at the same time the end of an edge
 * comes before its beginning, whichever was sent first. */
struct pair {
    int64_t since;                  /* follows; 0: not at the end */
    int64_t purged_ms, after_purge; /* the last purge, and the first follow after it; 0: none */
    int64_t muted, unmuted;         /* the user the followee: the last mute, and the first unmute after it; 0: none */
    bool blocked, ever_blocked;     /* either the other */
};

static bool is_about(const struct sample *s, const char *verb, const char *actor, const char *object)
{
    return strcmp(s->verb, verb) == 0 && strcmp(s->actor, actor) == 0 && strcmp(s->object, object) == 0;
}

static bool blocks(const struct run *run, const char *user, const char *other)
{
    int64_t blocked = 0, unblocked = 0;
    for (size_t p = 0; p < run->partitions; p++) {
        for (size_t i = 0; i < run->logs[p].count; i++) {
            const struct sample *s = &run->logs[p].records[i];
            if (is_about(s, "block", user, other))
                blocked = s->published_ms;
            if (is_about(s, "unblock", user, other))
                unblocked = s->published_ms;
        }
    }
    return blocked && unblocked <= blocked;
}

static struct pair pair_of(const struct run *run, const char *user, const char *followee)
{
    struct pair pair = {0};
    int64_t ended = 0;
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t n = 0; n < run->partitions * LOG_MAX; n++) {
            const struct log *log = &run->logs[n / LOG_MAX];
            const struct sample *s = &log->records[n % LOG_MAX];
            if (n % LOG_MAX >= log->count)
                continue;
            if (pass == 0 && is_about(s, "unfollow", user, followee)) {
                ended = s->published_ms;
                if (!s->data)
                    pair.purged_ms = s->published_ms;
            }
            if (is_about(s, "mute", user, followee)) {
                pair.muted = s->published_ms;
                pair.unmuted = 0;
            }
            if (is_about(s, "unmute", user, followee) && !pair.unmuted)
                pair.unmuted = s->published_ms;
            pair.ever_blocked |= is_about(s, "block", user, followee) || is_about(s, "block", followee, user);
            if (pass == 1 && is_about(s, "follow", user, followee)) {
                if (!pair.since && s->published_ms > ended)
                    pair.since = s->published_ms;
                if (!pair.after_purge && s->published_ms > pair.purged_ms)
                    pair.after_purge = s->published_ms;
            }
        }
    }
    pair.blocked = blocks(run, user, followee) || blocks(run, followee, user);
    return pair;
}

static bool hidden(const struct pair *pair, int64_t ms)
{
    return pair->blocked || (pair->muted && (pair->unmuted <= pair->muted || ms < pair->unmuted));
}

static void check_feed(const struct run *run, const char *user, const struct sample *act)
{
    struct pair pair = pair_of(run, user, act->actor);
    bool has = sees(run, &run->model, user, act);
    if (has && !pair.after_purge)
        fail_msg("%s has act %u of %s, whom they do not follow (any more)", user, act->id, act->actor);
    if (hidden(&pair, act->published_ms) && (has || has_entry(&run->model, 'n', user, act)))
        fail_msg("%s has act %u of %s, who is muted or blocked", user, act->id, act->actor);
    if (!has && pair.since && act->published_ms >= pair.since && !pair.ever_blocked &&
        !hidden(&pair, act->published_ms))
        fail_msg("%s lacks act %u of %s", user, act->id, act->actor);
    if (has && run->backfill == 0 && act->published_ms < pair.after_purge)
        fail_msg("%s has act %u of %s from before the follow", user, act->id, act->actor);
}

static void check_feeds(const struct run *run)
{
    for (size_t p = 0; p < run->partitions; p++) {
        for (size_t i = 0; i < run->logs[p].count; i++) {
            const struct sample *act = &run->logs[p].records[i];
            if (strcmp(act->verb, "post") != 0 && strcmp(act->verb, "follow") != 0)
                continue;
            if (undone(run, act)) {
                check_that_nobody_has(run, act);
                continue;
            }
            check_notifications(run, act);
            for (size_t u = 0; u < USERS; u++)
                check_feed(run, users[u], act);
        }
    }
}

static int64_t time_in(const struct run *run, const char *key, const char *user)
{
    const struct model_zset *zset = model_find(&run->model, key);
    for (size_t i = 0; zset && i < zset->count; i++) {
        const struct model_member *m = &zset->members[i];
        if (m->len == strlen(user) && memcmp(m->bytes, user, m->len) == 0)
            return m->score;
    }
    return 0;
}

/* Of h: and b:. */
static int64_t user_time(const struct run *run, char letter, const char *user, const char *followee)
{
    char key[64];
    snprintf(key, sizeof key, "%c:{demo/%s}", letter, user);
    return time_in(run, key, followee);
}

/* Not where a worker that was replaced may have sent an older state last (docs/decisions/graph-and-life.md). */
static void check_graph(struct run *run)
{
    struct model loaded;
    if (run->zombies)
        return;
    topic_load(&run->topic, &run->chance, run->page_followers ? run->page_followers : 1000, &loaded);
    topic_expect_same(&run->model, &loaded);
    model_fini(&loaded);
}

/* Every author stands as the followers say, and so do they. */
static void check_broadcast(const struct run *run)
{
    for (size_t v = 0; v < USERS; v++) {
        const char *state = model_broadcast(&run->model, users[v]);
        size_t followers = 0;
        for (size_t u = 0; u < USERS; u++) {
            int64_t edge = model_edge(&run->model, feed_str_of(users[v]), feed_str_of(users[u])).since;
            int64_t since = user_time(run, 'b', users[u], users[v]), follows = user_time(run, 'h', users[u], users[v]);
            followers += edge > 0;
            if (strcmp(state, "on") == 0 && edge && follows && since != follows)
                fail_msg("%s follows the broadcast author %s since %lld, and has %lld in b:", users[u], users[v],
                         (long long)follows, (long long)since);
            if (since && !follows)
                fail_msg("%s has %s in b:, and does not follow", users[u], users[v]);
            if (since && strcmp(state, "on") != 0 && !run->zombies)
                fail_msg("%s has %s in b:, who is copied", users[u], users[v]);
        }
        if (state[0] && strcmp(state, "on") != 0)
            fail_msg("the crossing of %s is left over: %s", users[v], state);
        unsigned below = run->broadcast_threshold * run->broadcast_return_percent / 100;
        /* A block ends edges without asking what comes of it. */
        if (run->broadcast_threshold && !run->settles && !run->page_followers &&
            (state[0] ? followers < below : followers >= run->broadcast_threshold))
            fail_msg("%s has %zu followers and is '%s'", users[v], followers, state);
    }
}

/* How much from before a follow is in a feed depends on when it was made: an awake one keeps what the backfill found
 * then, and a wake brings the newest of now. In one partition the two are the same. */
static bool comes_and_goes(const struct run *run, const char *user, const struct sample *act)
{
    return run->sleeps && run->backfill && run->partitions > 1 &&
           act->published_ms < pair_of(run, user, act->actor).since;
}

static void check_same_view(const struct run *run, const struct model *before)
{
    for (size_t p = 0; p < run->partitions; p++) {
        for (size_t i = 0; i < run->logs[p].count; i++) {
            const struct sample *act = &run->logs[p].records[i];
            for (size_t u = 0; u < USERS; u++) {
                if (sees(run, before, users[u], act) != sees(run, &run->model, users[u], act) &&
                    !comes_and_goes(run, users[u], act))
                    fail_msg("%s %s act %u of %s", users[u],
                             sees(run, before, users[u], act) ? "should see" : "should not see", act->id, act->actor);
            }
        }
    }
}

static void check_that_a_replay_changes_nothing(struct run *run)
{
    struct model before;
    /* With a backfill, how much from before a follow is there depends on the order between partitions, once; and what
     * is sent around the end of a mute is left out once and let in later. */
    if (run->partitions > 1 && (run->backfill || run->settles))
        work_off(run, true);
    model_copy(&run->model, &before);
    work_off(run, false);
    check_same_view(run, &before);
    if (!run->broadcast_threshold && !run->sleeps && !model_equal(&before, &run->model))
        fail_msg("working off the log once more changed something");
    model_fini(&before);
}

static size_t splits, failovers, wakes; /* of pages, of Redis, and of feeds that slept, in all seeds until now */

static void run_seed(uint64_t seed, size_t partitions, bool tight, bool fails_over)
{
    static struct run run;
    memset(&run, 0, sizeof run);
    run.chance.random = (seed + 1) * 0x9E3779B97F4A7C15u;
    run.partitions = partitions;
    run.tight = tight;
    run.cap = partitions == 1 && pick(&run, 2) ? 5 : 100;
    run.backfill = (unsigned)pick(&run, 4);
    run.unfollows = tight || pick(&run, 2);
    run.undos = tight || pick(&run, 3);
    run.settles = pick(&run, 2);
    run.zombies = !fails_over && (tight || pick(&run, 2));
    run.fails_over = fails_over;
    run.shards = pick(&run, 2) ? WORLD_SHARDS_MAX : 1;
    run.page_followers = (unsigned)pick(&run, 3);
    run.sleeps = !fails_over && pick(&run, 2);
    run.bytes_max = pick(&run, 2) ? 1 << 20 : 1000;
    make_logs(&run);
    if (!run.sleeps && pick(&run, 2)) {
        run.broadcast_threshold = 1 + (unsigned)pick(&run, tight ? 1 : 3);
        run.broadcast_return_percent = pick(&run, 2) ? 100 : 50;
    }
    model_init(&run.model);
    /* What is undone may be from before the author was a broadcast one, or cannot be. */
    run.model.now_ms = pick(&run, 2) ? 1 : -1000000;
    if (run.sleeps)
        wake_all(&run);
    model_copy(&run.model, &run.replica);
    work_off(&run, false);
    check_letters(&run);
    run.fails_over = false;
    check_graph(&run);
    check_broadcast(&run);
    if (run.cap == 100)
        check_feeds(&run);
    if (partitions == 1) {
        struct model expected;
        one_after_the_other(&run, &expected);
        if (run.cap == 100)
            check_same_view(&run, &expected);
        bool numbered = !run.failovers; /* seqs and notices of what was lost are given once more */
        if (run.cap == 100 && !run.broadcast_threshold && !run.sleeps && numbered &&
            !model_equal(&expected, &run.model))
            fail_msg("not as if one record had been worked off after the other");
        model_fini(&expected);
    }
    if (run.cap == 100)
        check_that_a_replay_changes_nothing(&run);
    check_broadcast(&run);
    check_graph(&run);
    splits += model_splits(&run.model);
    failovers += run.failovers;
    wakes += run.wake_count;
    model_fini(&run.model);
    model_fini(&run.replica);
}

static void run_seeds(size_t partitions, bool tight, bool fails_over)
{
    const char *one = getenv("SEED"), *many = getenv("SEEDS");
    uint64_t first = one ? strtoull(one, NULL, 10) : 0;
    uint64_t count = one ? 1 : many ? strtoull(many, NULL, 10) : tight ? 10000 : 1000;
    for (uint64_t seed = first; seed < first + count; seed++) {
        /* cmocka shows what was printed last before a failure. */
        static char seed_text[32];
        snprintf(seed_text, sizeof seed_text, "%llu", (unsigned long long)seed);
        setenv("SEED_RUNNING", seed_text, 1);
        run_seed(seed, partitions, tight, fails_over);
    }
    if (count > 100 && !tight)
        assert_true(splits > 0 && (fails_over || wakes > 0));
}

static void one_partition_is_as_if_sequential(void **state)
{
    (void)state;
    run_seeds(1, false, false);
}

static void two_partitions_lose_nothing_between_them(void **state)
{
    (void)state;
    run_seeds(2, false, false);
}

static void two_people_who_race_lose_nothing_between_them(void **state)
{
    (void)state;
    run_seeds(2, true, false);
}

static void a_redis_that_loses_its_tail_loses_nothing(void **state)
{
    (void)state;
    run_seeds(1, false, true);
    run_seeds(2, false, true);
    assert_true(failovers > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_partition_is_as_if_sequential),
        cmocka_unit_test(two_partitions_lose_nothing_between_them),
        cmocka_unit_test(two_people_who_race_lose_nothing_between_them),
        cmocka_unit_test(a_redis_that_loses_its_tail_loses_nothing),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (failed)
        fprintf(stderr, "the last seed was %s\n", getenv("SEED_RUNNING"));
    return failed;
}
