/* What Kafka gives and takes: partitions, records, positions. */
#include "fanout/engine_state.h"

#include "shared/base/assert.h"

void fan_engine_assigned(struct fan_engine *engine, const int32_t *partitions, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fan_partitions_add(&engine->partitions, partitions[i]);
    fan_engine_work(engine);
    /* Once more, because the new partitions do not know what was said before they came. */
    engine->port.ops->consume(engine->port.arg, engine->consuming);
}

/* What is under way for the partition comes back and is dropped then; what has not begun is dropped when its turn in
 * the lanes comes, so that the lanes stay in order. */
static void abandon(struct fan_engine *engine, const struct fan_partition *partition)
{
    struct fan_queue *queue;
    for (size_t i = 0; (queue = fan_engine_queue(engine, i)); i++) {
        struct fan_job *next;
        for (struct fan_job *job = queue->first; job; job = next) {
            next = job->after;
            if (job->partition != partition)
                continue;
            fan_engine_drop_relation(engine, job);
            fan_engine_drop_purge(engine, job);
            job->partition = NULL;
            if (job->place != FAN_JOB_LANES && job->place != FAN_JOB_LOOK)
                fan_engine_move(job, FAN_JOB_LOOK);
        }
    }
}

void fan_engine_revoked(struct fan_engine *engine, const int32_t *partitions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct fan_partition *partition = fan_partitions_find(&engine->partitions, partitions[i]);
        if (!partition)
            continue;
        abandon(engine, partition);
        fan_partitions_remove(&engine->partitions, partition);
    }
    fan_engine_work(engine);
}

static void begin_anew(struct fan_engine *engine, bool all)
{
    for (size_t i = 0; i < engine->partitions.count; i++) {
        struct fan_partition *partition = engine->partitions.list[i];
        if (fan_is_of_commands(partition->id))
            continue; /* they are not read again: who wants a feed asks again, and what is in hand goes on */
        int64_t from = all ? FAN_REPLAY_BEGINNING : fan_replay_from(&partition->replay);
        partition->replay_until = fan_partition_reached(partition);
        abandon(engine, partition);
        fan_partition_begin_anew(&engine->partitions, partition);
        fan_replay_begin(&partition->replay, from, engine->now_ms);
    }
    fan_engine_work(engine);
}

void fan_engine_begin_anew(struct fan_engine *engine)
{
    begin_anew(engine, true);
}

void fan_engine_replay(struct fan_engine *engine)
{
    begin_anew(engine, false);
}

void fan_engine_starts_at(struct fan_engine *engine, int32_t id, int64_t replay_from, int64_t until)
{
    struct fan_partition *partition = fan_partitions_find(&engine->partitions, id);
    if (!partition)
        return;
    fan_replay_begin(&partition->replay, replay_from, engine->now_ms);
    partition->replay_until = until;
}

static void join_lanes(struct fan_engine *engine, struct fan_job *job)
{
    const struct feed_activity *activity = &job->activity;
    uint32_t lanes[FAN_LANES_OF_RECORD] = {fan_lane_of(activity->tenant, activity->actor)};
    unsigned count = 1;
    if (feed_act_on_user(job->act))
        lanes[count++] = fan_lane_of(activity->tenant, activity->object_id);
    job->in_lanes = true;
    fan_engine_place(job, fan_lanes_join(&engine->lanes, &job->lane, lanes, count) ? FAN_JOB_LOOK : FAN_JOB_LANES);
}

void fan_engine_record(struct fan_engine *engine, const struct fan_record *record)
{
    struct fan_partition *partition = fan_partitions_find(&engine->partitions, record->partition);
    if (!partition)
        return;
    struct fan_job *job = fan_stock_job(engine);
    enum feed_error error = fan_record_copy(record, &job->record, &job->record_memory);
    feed_assert(error == FEED_OK);
    job->ticket = fan_partition_begin(&engine->partitions, partition, record->offset, record->time_ms);
    job->partition = partition;
    job->partition_life = partition->life;
    job->bytes = fan_record_bytes(record);
    engine->records++;
    engine->bytes += job->bytes;
    job->sleeps = engine->texts.sleeps;
    if (fan_is_of_commands(record->partition))
        fan_job_prepare_command(job, engine->settings.home_own, &engine->purges);
    else
        fan_job_prepare(job, engine->settings.home_own, &engine->purges);
    job->knows = job->step == FAN_STEP_PURGE ? 0 : engine->purges_version;
    engine->knowing += job->knows > 0;
    uint64_t threshold = engine->settings.broadcast_threshold;
    job->crossing.above = threshold ? threshold - 1 : UINT64_MAX;
    job->crossing.below = threshold ? threshold * engine->settings.broadcast_return_percent / 100 : UINT64_MAX;
    job->share = job->bad_reason ? 0 : fan_share_of(job->activity.tenant);
    job->share_max = job->bad_reason ? UINT32_MAX : engine->port.ops->share(engine->port.arg, job->activity.tenant);
    if (job->bad_reason) {
        fan_engine_place(job, FAN_JOB_LOOK);
        fan_engine_post(engine, fan_job_bad_letter(job));
    } else if (job->step == FAN_STEP_PURGE) {
        fan_engine_purge(engine, job);
    } else {
        join_lanes(engine, job);
    }
    fan_engine_work(engine);
}

void fan_engine_mark(struct fan_engine *engine)
{
    for (size_t i = 0; i < engine->partitions.count; i++) {
        struct fan_partition *partition = engine->partitions.list[i];
        partition->marked = fan_offsets_committable(&partition->offsets);
    }
}

void fan_engine_confirm(struct fan_engine *engine, bool safe)
{
    for (size_t i = 0; i < engine->partitions.count; i++) {
        struct fan_partition *partition = engine->partitions.list[i];
        partition->confirmed = partition->marked;
        if (safe && partition->confirmed >= 0)
            fan_replay_safe(&partition->replay, partition->confirmed, engine->now_ms,
                            engine->settings.replay_window_ms);
    }
}

bool fan_engine_confirmed(const struct fan_engine *engine)
{
    for (size_t i = 0; i < engine->partitions.count; i++) {
        const struct fan_partition *partition = engine->partitions.list[i];
        if (partition->confirmed != fan_offsets_committable(&partition->offsets))
            return false;
    }
    return true;
}

size_t fan_engine_take_commits(struct fan_engine *engine, struct fan_position *out, size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < engine->partitions.count && count < max; i++) {
        struct fan_partition *partition = engine->partitions.list[i];
        int64_t next = partition->confirmed;
        if (next < 0 || next == partition->committed)
            continue;
        partition->committed = next;
        out[count++] = (struct fan_position){
            .partition = partition->id, .next_offset = next, .replay_from = fan_replay_from(&partition->replay)};
    }
    return count;
}

void fan_engine_commit_failed(struct fan_engine *engine)
{
    for (size_t i = 0; i < engine->partitions.count; i++)
        engine->partitions.list[i]->committed = -1;
}

bool fan_engine_position(const struct fan_engine *engine, size_t i, struct fan_position *out)
{
    if (i >= engine->partitions.count)
        return false;
    const struct fan_partition *partition = engine->partitions.list[i];
    *out = (struct fan_position){.partition = partition->id,
                                 .next_offset = fan_partition_next_offset(partition),
                                 .finished_ms = partition->offsets.finished_ms,
                                 .waiting_ms = fan_offsets_waiting_ms(&partition->offsets),
                                 .idle_ms = partition->idle_ms,
                                 .replay_from = fan_replay_from(&partition->replay),
                                 .replaying = fan_partition_replaying(partition)};
    return true;
}

void fan_engine_idle(struct fan_engine *engine, int32_t id, int64_t now_ms)
{
    struct fan_partition *partition = fan_partitions_find(&engine->partitions, id);
    if (partition)
        partition->idle_ms = now_ms;
}

void fan_engine_reached_end(struct fan_engine *engine, int32_t id, int64_t end)
{
    struct fan_partition *partition = fan_partitions_find(&engine->partitions, id);
    if (partition)
        partition->end_seen = end;
}
