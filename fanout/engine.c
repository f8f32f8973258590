/* Moves jobs between queues. Each event changes something for some jobs and puts them into LOOK; then the work looks at
 * them, and sends for those in RUN, a share for each in turn, as long as commands may be under way.
 *
 *                    .---------------------------------------------.
 *                    v                                             |
 *   record -> LANES -> LOOK -> RUN --(sent)--> LOOK -> ANSWERS ----+  (an answer, an acknowledged letter)
 *                       |  \                    |                  |
 *                       |   '-> PAGES ----------+------------------+  (a page came free)
 *                       |                       |--> DELAYED ------|  (time)
 *                       |                       '--> SHARDS -------'  (a shard came back)
 *                       '-> finished */
#include "fanout/engine_state.h"

#include "shared/base/assert.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- work ---- */

/* What is waited for in turn, a share for each tenant; NULL: in the order of arrival. */
static struct fan_shares *shares_at(struct fan_engine *engine, enum fan_job_place place)
{
    return place == FAN_JOB_RUN ? &engine->run : place == FAN_JOB_PAGES ? &engine->pages_wanted : NULL;
}

void fan_engine_place(struct fan_job *job, enum fan_job_place to)
{
    struct fan_shares *shares = shares_at(job->engine, to);
    job->place = to;
    if (shares)
        fan_shares_push(shares, job);
    else
        fan_queue_push(&job->engine->places[to], job);
}

void fan_engine_move(struct fan_job *job, enum fan_job_place to)
{
    struct fan_shares *shares = shares_at(job->engine, job->place);
    if (shares)
        fan_shares_remove(shares, job);
    else
        fan_queue_remove(&job->engine->places[job->place], job);
    fan_engine_place(job, to);
}

struct fan_job *fan_engine_pop(struct fan_engine *engine, enum fan_job_place place)
{
    struct fan_shares *shares = shares_at(engine, place);
    return shares ? fan_shares_pop(shares) : fan_queue_pop(&engine->places[place]);
}

struct fan_queue *fan_engine_queue(struct fan_engine *engine, size_t i)
{
    if (i < FAN_JOB_PLACES)
        return &engine->places[i];
    i -= FAN_JOB_PLACES;
    if (i < FAN_SHARES)
        return &engine->run.queues[i];
    i -= FAN_SHARES;
    return i < FAN_SHARES ? &engine->pages_wanted.queues[i] : NULL;
}

static void ready_for_work(void *arg, struct fan_lane_ticket *ticket)
{
    (void)arg;
    struct fan_job *job = (struct fan_job *)((char *)ticket - offsetof(struct fan_job, lane));
    feed_assert(job->tag == FAN_JOB_TAG && job->place == FAN_JOB_LANES);
    fan_engine_move(job, FAN_JOB_LOOK);
}

static void leave_lanes(struct fan_job *job)
{
    if (!job->in_lanes)
        return;
    job->in_lanes = false;
    fan_lanes_leave(&job->engine->lanes, &job->lane, ready_for_work, job->engine);
}

static void finish(struct fan_job *job)
{
    struct fan_engine *engine = job->engine;
    leave_lanes(job);
    fan_engine_purges_finished(engine, job);
    if (job->page)
        fan_stock_put_page(engine, job->page);
    if (job->partition) {
        fan_partition_finish(&engine->partitions, job->partition, job->partition_life, job->ticket);
        engine->counts.repeats += job->repeat;
        if (job->is_command)
            engine->counts.commands++;
        else if (job->forgotten)
            engine->counts.forgotten++;
        else if (job->dead)
            engine->counts.dead_letter++;
        else if (job->repeat)
            engine->counts.repeat++;
        else if (job->act == FEED_ACT_IMPORT)
            engine->counts.imported++;
        else
            engine->counts.done++;
        if (!job->is_command && !job->forgotten && !job->dead && (job->repeat || job->act != FEED_ACT_IMPORT))
            engine->port.ops->succeeded(engine->port.arg, job->activity.tenant);
    }
    engine->records--;
    engine->bytes -= job->bytes;
    fan_stock_put_job(engine, job);
}

/* The job stands in no queue; puts it where it belongs. */
static void settle(struct fan_job *job)
{
    for (;;) {
        enum fan_job_next next = fan_job_advance(job, &job->engine->port, job->engine->now_ms);
        if (fan_step_crosses(job->step))
            leave_lanes(job);
        switch (next) {
        case FAN_JOB_CAN_SEND:
            fan_engine_place(job, FAN_JOB_RUN);
            return;
        case FAN_JOB_WAITS:
            /* All is written that others build on: nobody need wait for Kafka's acknowledgement as well. */
            if (job->relation_due || job->relation_sent)
                leave_lanes(job);
            fan_engine_place(job, FAN_JOB_ANSWERS);
            return;
        case FAN_JOB_WANTS_DELAY:
            fan_engine_place(job, FAN_JOB_DELAYED);
            return;
        case FAN_JOB_WANTS_SHARD:
            fan_engine_place(job, FAN_JOB_SHARDS);
            return;
        case FAN_JOB_FINISHED:
            finish(job);
            return;
        case FAN_JOB_WANTS_PAGE:
            job->page = fan_stock_page(job->engine);
            if (job->page)
                break;
            fan_engine_place(job, FAN_JOB_PAGES);
            return;
        }
    }
}

/* True when the job sent something, so that it is worth going on. */
static bool send_share(struct fan_engine *engine, struct fan_job *job)
{
    if (fan_job_advance(job, &engine->port, engine->now_ms) != FAN_JOB_CAN_SEND) {
        fan_engine_place(job, FAN_JOB_LOOK); /* something was lost since it came here */
        return true;
    }
    size_t budget = engine->settings.commands_max - engine->commands;
    bool refused;
    budget = budget < FAN_TURN_COMMANDS ? budget : FAN_TURN_COMMANDS;
    size_t room = fan_shares_room(&engine->run, job);
    budget = budget < room ? budget : room;
    size_t sent = fan_job_send(job, &engine->port, budget, engine->now_ms, &refused);
    engine->commands += sent;
    engine->run.under_way[job->share] += (unsigned)sent;
    fan_engine_place(job, FAN_JOB_LOOK);
    return !refused;
}

static void tell_consumer(struct fan_engine *engine)
{
    size_t records_max = engine->settings.records_max, bytes_max = engine->settings.bytes_max;
    if (engine->records >= records_max || engine->bytes >= bytes_max || engine->partitions.crowded)
        engine->full = true;
    else if (engine->records <= records_max / 2 && engine->bytes <= bytes_max / 2)
        engine->full = false;
    bool wanted = engine->redis_ready && !engine->full && !engine->stopping;
    if (wanted != engine->consuming) {
        engine->consuming = wanted;
        engine->port.ops->consume(engine->port.arg, wanted);
    }
}

void fan_engine_work(struct fan_engine *engine)
{
    bool going_on = true;
    for (;;) {
        struct fan_job *job;
        while ((job = fan_engine_pop(engine, FAN_JOB_LOOK)))
            settle(job);
        if (!going_on || !engine->redis_ready || engine->commands >= engine->settings.commands_max)
            break;
        job = fan_engine_pop(engine, FAN_JOB_RUN);
        if (!job)
            break;
        going_on = send_share(engine, job);
    }
    tell_consumer(engine);
}

/* ---- events: Redis, time ---- */

void fan_engine_redis_ready(struct fan_engine *engine)
{
    engine->redis_ready = true;
    engine->port.readies++;
    while (engine->places[FAN_JOB_SHARDS].first)
        fan_engine_move(engine->places[FAN_JOB_SHARDS].first, FAN_JOB_LOOK);
    fan_engine_work(engine);
}

void fan_engine_redis_gone(struct fan_engine *engine)
{
    engine->redis_ready = false;
    fan_engine_work(engine);
}

static void halt(struct fan_engine *engine, enum fan_trouble trouble, struct feed_str text)
{
    if (engine->redis_ready)
        engine->redis_ready = engine->port.ops->halted(engine->port.arg, trouble, text);
}

void fan_engine_answer(struct fan_seat *seat, const struct fan_answer *answer)
{
    struct fan_job *job = fan_job_of(seat);
    feed_assert(job->tag == FAN_JOB_TAG);
    struct fan_engine *engine = job->engine;
    struct fan_effects effects;
    bool held = job->relation_due;
    fan_job_take(job, &engine->port, seat->number, answer, engine->now_ms, &effects);
    bool read = job->relation_due && !held;
    engine->commands--;
    engine->run.under_way[job->share]--;
    engine->counts.writes.added += effects.writes.added;
    engine->counts.writes.present += effects.writes.present;
    engine->counts.writes.beyond_cap += effects.writes.beyond_cap;
    engine->counts.writes.left_out += effects.writes.left_out;
    engine->counts.writes.asleep += effects.writes.asleep;
    engine->counts.writes.removed += effects.writes.removed;
    engine->counts.writes.crossed_up += effects.writes.crossed_up;
    engine->counts.writes.crossed_down += effects.writes.crossed_down;
    if (effects.letter)
        fan_engine_post(engine, effects.letter);
    if (read)
        fan_engine_hold_relation(engine, job);
    if (effects.lost)
        halt(engine, FAN_TROUBLE_AWAY, FEED_STR("the connection broke"));
    else if (effects.refused && effects.trouble != FAN_TROUBLE_OTHER)
        halt(engine, effects.trouble, effects.text);
    else if (effects.refused)
        engine->port.ops->failing(engine->port.arg, fan_step_name(job->step), effects.text);
    if (job->place == FAN_JOB_ANSWERS)
        fan_engine_move(job, FAN_JOB_LOOK);
    fan_engine_work(engine);
}

void *fan_engine_port_arg(const struct fan_job *job)
{
    feed_assert(job->tag == FAN_JOB_TAG);
    return job->engine->port.arg;
}

void fan_engine_tick(struct fan_engine *engine, int64_t now_ms)
{
    engine->now_ms = now_ms;
    struct fan_job *next;
    for (struct fan_job *job = engine->places[FAN_JOB_DELAYED].first; job; job = next) {
        next = job->after;
        if (job->retry_at_ms <= now_ms)
            fan_engine_move(job, FAN_JOB_LOOK);
    }
    if (engine->unsent && now_ms >= engine->letters_at_ms)
        fan_engine_post_unsent(engine);
    fan_engine_work(engine);
}

void fan_engine_stop_consuming(struct fan_engine *engine)
{
    engine->stopping = true;
    fan_engine_work(engine);
}

/* ---- life and figures ---- */

struct fan_engine *fan_engine_new(const struct fan_settings *settings, const struct fan_port_ops *ops, void *arg)
{
    feed_assert(settings->records_max && settings->bytes_max && settings->commands_max && settings->cap);
    struct fan_engine *engine = calloc(1, sizeof *engine);
    feed_assert(engine);
    engine->settings = *settings;
    engine->port = (struct fan_port){.ops = ops, .arg = arg, .texts = &engine->texts};
    engine->consuming = true; /* a new consumer does, until it is told not to */
    engine->now_ms = 1;
    snprintf(engine->texts.cap, sizeof engine->texts.cap, "%u", settings->cap);
    snprintf(engine->texts.slack, sizeof engine->texts.slack, "%u", (unsigned)FEED_TRIM_SLACK);
    snprintf(engine->texts.backfill, sizeof engine->texts.backfill, "%u", settings->backfill);
    snprintf(engine->texts.page_followers, sizeof engine->texts.page_followers, "%u",
             settings->page_followers ? settings->page_followers : (unsigned)FEED_PAGE_FOLLOWERS);
    unsigned per_batch = FAN_TODO_MAX * FAN_FILL_CHUNK / (settings->cap + FEED_TRIM_SLACK) - 1; /* and its own outbox */
    snprintf(engine->texts.sources, sizeof engine->texts.sources, "%u",
             per_batch < FAN_SOURCES_MAX ? per_batch : FAN_SOURCES_MAX);
    snprintf(engine->texts.ttl, sizeof engine->texts.ttl, "%lld", (long long)settings->ttl_ms);
    engine->texts.sleeps = settings->ttl_ms > 0;
    fan_partitions_init(&engine->partitions);
    fan_lanes_init(&engine->lanes);
    fan_purges_init(&engine->purges);
    engine->purges_version = 1;
    return engine;
}

void fan_engine_free(struct fan_engine *engine)
{
    fan_stock_fini(engine);
    while (engine->unsent) {
        struct fan_letter *letter = engine->unsent;
        engine->unsent = letter->next;
        free(letter);
    }
    fan_partitions_fini(&engine->partitions);
    fan_purges_fini(&engine->purges);
    free(engine);
}

size_t fan_engine_records(const struct fan_engine *engine)
{
    return engine->records;
}

size_t fan_engine_commands(const struct fan_engine *engine)
{
    return engine->commands;
}

const struct fan_counts *fan_engine_counts(const struct fan_engine *engine)
{
    return &engine->counts;
}
