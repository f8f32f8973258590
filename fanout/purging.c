/* Purges in the engine: who was erased, and that nothing of them is under way any more. A purge is a job that stays in
 * hand until the port has done it; it waits for nothing in the lanes, and nothing for it, because it waits for all that
 * is in hand itself: what was looked at before the purge was known. */
#include "fanout/engine_state.h"

#include "shared/base/assert.h"

/* What is in hand and names one of them goes no further. This is for a member that was cut off: the others did not wait
 * for it. */
static void forget_in_hand(struct fan_engine *engine)
{
    struct fan_queue *queue;
    for (size_t i = 0; (queue = fan_engine_queue(engine, i)); i++) {
        struct fan_job *next;
        for (struct fan_job *job = queue->first; job; job = next) {
            next = job->after;
            if (!job->partition || (job->is_command && !job->applies) || job->bad_reason || job->forgotten ||
                !fan_purges_forget(&engine->purges, &job->activity))
                continue;
            fan_engine_drop_relation(engine, job);
            job->forgotten = true;
            if (job->place != FAN_JOB_LANES && job->place != FAN_JOB_LOOK)
                fan_engine_move(job, FAN_JOB_LOOK);
        }
    }
}

void fan_engine_know_purges(struct fan_engine *engine, const struct fan_purges *purges, uint64_t version)
{
    feed_assert(version > 0);
    fan_purges_reset(&engine->purges);
    for (size_t i = 0; i < purges->count; i++) {
        bool added = fan_purges_add(&engine->purges, &purges->list[i].id, purges->list[i].until_ms);
        feed_assert(added);
    }
    fan_purges_sort(&engine->purges);
    forget_in_hand(engine);
    if (version == engine->purges_version)
        return;
    engine->purges_version = version;
    engine->unknowing += engine->knowing;
    engine->knowing = 0;
    fan_engine_work(engine);
}

uint64_t fan_engine_knows_purges(const struct fan_engine *engine)
{
    return engine->unknowing ? 0 : engine->purges_version;
}

void fan_engine_purges_finished(struct fan_engine *engine, const struct fan_job *job)
{
    if (job->knows == 0)
        return;
    size_t *count = job->knows == engine->purges_version ? &engine->knowing : &engine->unknowing;
    feed_assert(*count > 0);
    (*count)--;
}

void fan_engine_purge(struct fan_engine *engine, struct fan_job *job)
{
    job->purging = true;
    fan_engine_place(job, FAN_JOB_ANSWERS);
    engine->port.ops->purge(engine->port.arg, job);
}

void fan_engine_drop_purge(struct fan_engine *engine, struct fan_job *job)
{
    if (!job->purging)
        return;
    engine->port.ops->purge_drop(engine->port.arg, job);
    job->purging = false;
}

void fan_engine_purge_done(struct fan_job *job)
{
    feed_assert(job->tag == FAN_JOB_TAG && job->purging);
    struct fan_engine *engine = job->engine;
    job->purging = false;
    engine->counts.purges++;
    fan_engine_move(job, FAN_JOB_LOOK);
    fan_engine_work(engine);
}
