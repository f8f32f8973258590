/* The table of steps: how many commands each has, how a command is built, what its answer means, which step comes then.
 * The picture is in job.h. Nothing here knows of windows, repetition or errors; that is job.c. */
#include "fanout/steps.h"

#include "shared/base/assert.h"

#include <stdio.h>
#include <string.h>

/* They have no commands: one waits for its letter, one for the port, one is the end. */
static size_t commands_none(const struct fan_job *job)
{
    (void)job;
    return 0;
}

static const struct fan_step_row row_bad_record = {
    .name = "bad_record", .commands = commands_none, .then = FAN_STEP_DONE};

static const struct fan_step_row row_purge = {.name = "purge", .commands = commands_none, .then = FAN_STEP_DONE};

static const struct fan_step_row row_done = {.name = "done", .commands = commands_none, .then = FAN_STEP_DONE};

static const struct fan_step_row *const rows[FAN_STEP_COUNT] = {
    [FAN_STEP_FOLLOW] = &fan_row_follow,
    [FAN_STEP_FOLLOWEE_ADD] = &fan_row_followee_add,
    [FAN_STEP_BACKFILL_READ] = &fan_row_backfill_read,
    [FAN_STEP_BACKFILL_WRITE] = &fan_row_backfill_write,
    [FAN_STEP_UNFOLLOW] = &fan_row_unfollow,
    [FAN_STEP_FOLLOWEE_REMOVE] = &fan_row_followee_remove,
    [FAN_STEP_FOLLOW_REFUSED] = &fan_row_follow_refused,
    [FAN_STEP_OUTBOX] = &fan_row_outbox,
    [FAN_STEP_NOTIFY] = &fan_row_notify,
    [FAN_STEP_FOLLOWERS] = &fan_row_followers,
    [FAN_STEP_HOME] = &fan_row_home,
    [FAN_STEP_UNDO_FIND] = &fan_row_undo_find,
    [FAN_STEP_UNDO_NOTIFY] = &fan_row_undo_notify,
    [FAN_STEP_UNDO_OUTBOX] = &fan_row_undo_outbox,
    [FAN_STEP_UNDO_FOLLOWERS] = &fan_row_undo_followers,
    [FAN_STEP_UNDO_HOME] = &fan_row_undo_home,
    [FAN_STEP_UNDO_ENDED] = &fan_row_undo_ended,
    [FAN_STEP_UNDO_KEPT] = &fan_row_undo_kept,
    [FAN_STEP_SETTLE_OWN] = &fan_row_settle_own,
    [FAN_STEP_SETTLE_OTHER] = &fan_row_settle_other,
    [FAN_STEP_SEVER_OTHER] = &fan_row_sever_other,
    [FAN_STEP_SEVER_OWN] = &fan_row_sever_own,
    [FAN_STEP_FILTER] = &fan_row_filter,
    [FAN_STEP_SPLIT] = &fan_row_split,
    [FAN_STEP_WAKE_MAKE] = &fan_row_wake_make,
    [FAN_STEP_WAKE_SOURCES] = &fan_row_wake_sources,
    [FAN_STEP_WAKE_READ] = &fan_row_wake_read,
    [FAN_STEP_WAKE_WRITE] = &fan_row_wake_write,
    [FAN_STEP_WAKE_READY] = &fan_row_wake_ready,
    [FAN_STEP_GRAPH_OTHER] = &fan_row_graph_other,
    [FAN_STEP_GRAPH_SETTINGS] = &fan_row_graph_settings,
    [FAN_STEP_GRAPH_FILTER] = &fan_row_graph_filter,
    [FAN_STEP_GRAPH] = &fan_row_graph,
    [FAN_STEP_KEEP_SINCE] = &fan_row_keep_since,
    [FAN_STEP_SOURCE] = &fan_row_source,
    [FAN_STEP_CROSS_COUNT] = &fan_row_cross_count,
    [FAN_STEP_CROSS] = &fan_row_cross,
    [FAN_STEP_CROSS_OUTBOX] = &fan_row_cross_outbox,
    [FAN_STEP_CROSS_FOLLOWERS] = &fan_row_cross_followers,
    [FAN_STEP_CROSS_MERGE] = &fan_row_cross_merge,
    [FAN_STEP_CROSS_COPY] = &fan_row_cross_copy,
    [FAN_STEP_CROSS_END] = &fan_row_cross_end,
    [FAN_STEP_IMPORT] = &fan_row_import,
    [FAN_STEP_IMPORT_AUTHOR] = &fan_row_import_author,
    [FAN_STEP_IMPORT_FILL] = &fan_row_import_fill,
    [FAN_STEP_PURGE] = &row_purge,
    [FAN_STEP_BAD_RECORD] = &row_bad_record,
    [FAN_STEP_DONE] = &row_done,
};

const char *fan_step_name(enum fan_step step)
{
    return rows[step]->name;
}

size_t fan_step_commands(const struct fan_job *job)
{
    return rows[job->step]->commands ? rows[job->step]->commands(job) : 1;
}

bool fan_step_needs_page(enum fan_step step)
{
    return rows[step]->needs_page;
}

bool fan_step_crosses(enum fan_step step)
{
    return step >= FAN_STEP_CROSS_COUNT && step <= FAN_STEP_CROSS_END;
}

size_t fan_step_window(enum fan_step step)
{
    return rows[step]->window;
}

void fan_step_build(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    call->argc = 0;
    call->key_count = call->number_count = 0;
    rows[job->step]->build(job, texts, i, call);
}

bool fan_step_take(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    return rows[job->step]->take(job, answer, writes);
}

enum fan_step fan_step_next(struct fan_job *job)
{
    const struct fan_step_row *row = rows[job->step];
    enum fan_step next = row->next ? row->next(job) : row->then;
    if (next != FAN_STEP_DONE || fan_step_crosses(job->step))
        return next;
    bool relates = job->step >= FAN_STEP_GRAPH_OTHER && job->step <= FAN_STEP_GRAPH;
    if (!relates && job->split.state != FAN_SPLIT_OFF)
        return FAN_STEP_SPLIT;
    /* What has changed the graph goes to its topic, when all else is done: nobody waits for it but the commit. */
    next = fan_relation_next(job);
    if (next != FAN_STEP_DONE)
        return next;
    return fan_crossing_begin(job); /* last of all, because it takes long */
}

void fan_call_arg(struct fan_call *call, struct feed_str arg)
{
    feed_assert(call->argc < FAN_CALL_ARGS_MAX);
    call->argv[call->argc++] = arg;
}

void fan_call_key(struct fan_call *call, struct feed_key key)
{
    feed_assert(call->key_count < sizeof call->keys / sizeof call->keys[0]);
    call->keys[call->key_count] = key;
    fan_call_arg(call, feed_key_str(&call->keys[call->key_count++]));
}

void fan_call_number(struct fan_call *call, int64_t number)
{
    feed_assert(call->number_count < sizeof call->numbers / sizeof call->numbers[0]);
    char *text = call->numbers[call->number_count++];
    int len = snprintf(text, sizeof call->numbers[0], "%lld", (long long)number);
    fan_call_arg(call, (struct feed_str){text, (size_t)len});
}

void fan_call_function(struct fan_call *call, const char *command, const char *function, const char *keys)
{
    fan_call_arg(call, feed_str_of(command));
    fan_call_arg(call, feed_str_of(function));
    fan_call_arg(call, feed_str_of(keys));
}
