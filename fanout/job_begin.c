/* From a record to a job: what it says, whom it concerns, which step comes first. */
#include "fanout/job.h"

#include "shared/base/assert.h"

#include <stdio.h>

void fan_job_add_recipient(struct fan_job *job, struct feed_str user)
{
    for (size_t i = 0; i < job->recipient_count; i++) {
        if (feed_str_eq(job->recipients[i], user))
            return;
    }
    feed_assert(job->recipient_count < FAN_RECIPIENTS_MAX);
    job->recipients[job->recipient_count++] = user;
}

static void find_recipients(struct fan_job *job)
{
    const struct feed_activity *activity = &job->activity;
    for (size_t i = 0; i < activity->to_count; i++)
        fan_job_add_recipient(job, activity->to[i]);
    if (activity->object_owner.data)
        fan_job_add_recipient(job, activity->object_owner);
    if (job->act == FEED_ACT_FOLLOW)
        fan_job_add_recipient(job, activity->object_id);
}

static void encode_entries(struct fan_job *job)
{
    const struct feed_activity *activity = &job->activity;
    struct feed_entry entry = feed_activity_entry(activity);
    feed_buf_reset(&job->entry);
    feed_entry_encode(&entry, &job->entry);
    feed_assert(job->entry.error == FEED_OK);
    feed_buf_reset(&job->outbox_entry);
    if (activity->to_count)
        feed_entry_encode_outbox(&entry, activity->to, activity->to_count, &job->outbox_entry);
    feed_assert(job->outbox_entry.error == FEED_OK);
}

/* Until the outbox is asked: the time that the undo gives, or that a UUIDv7 carries. The latter is a guess, since
 * whoever made it may have published later; a mark at a time where the entry never was does no harm. */
static void begin_undo(struct fan_job *job)
{
    int64_t at_ms = job->activity.object_published_ms;
    struct feed_id uuid;
    job->undone = feed_activity_undone_id(&job->activity);
    if (at_ms == 0 && feed_id_parse(job->activity.object_id, &uuid) == FEED_OK)
        at_ms = feed_id_time_ms(&uuid);
    if (at_ms >= FEED_TIME_MIN_MS && at_ms <= FEED_TIME_MAX_MS)
        snprintf(job->undone_text, sizeof job->undone_text, "%lld", (long long)at_ms);
}

static void begin_import(struct fan_job *job)
{
    job->fills = feed_activity_fills_feed(&job->activity);
    if (!job->fills)
        return;
    job->command = job->sleeps ? FEED_COMMAND_REBUILD : FEED_COMMAND_WAKE;
    job->sources = fan_page_new();
}

/* The edge of an import is to one who was erased, but it is the last of its follower. */
static bool fills_all_the_same(const struct fan_job *job, const struct fan_purges *purges)
{
    const struct feed_activity *activity = &job->activity;
    return job->act == FEED_ACT_IMPORT && feed_activity_fills_feed(activity) &&
           !fan_purges_cover(purges, activity->tenant, activity->actor, activity->published_ms);
}

static void begin_fill_alone(struct fan_job *job, bool home_own)
{
    begin_import(job);
    job->forgotten = false;
    job->fills_alone = true;
    job->own = home_own;
    job->step = FAN_STEP_IMPORT_FILL;
}

static enum fan_step first_step(enum feed_act act)
{
    static const enum fan_step first[] = {
        [FEED_ACT_ENTRY] = FAN_STEP_OUTBOX,      [FEED_ACT_FOLLOW] = FAN_STEP_FOLLOW,
        [FEED_ACT_UNFOLLOW] = FAN_STEP_UNFOLLOW, [FEED_ACT_UNDO] = FAN_STEP_UNDO_FIND,
        [FEED_ACT_MUTE] = FAN_STEP_SETTLE_OWN,   [FEED_ACT_UNMUTE] = FAN_STEP_SETTLE_OWN,
        [FEED_ACT_BLOCK] = FAN_STEP_SETTLE_OWN,  [FEED_ACT_UNBLOCK] = FAN_STEP_SETTLE_OWN,
        [FEED_ACT_FILTER] = FAN_STEP_FILTER,     [FEED_ACT_IMPORT] = FAN_STEP_IMPORT,
    };
    return first[act];
}

static void refuse_command(struct fan_job *job, const char *reason, const char *text)
{
    job->bad_reason = reason;
    snprintf(job->problem.field, sizeof job->problem.field, "value");
    snprintf(job->problem.text, sizeof job->problem.text, "%s", text);
    job->step = FAN_STEP_BAD_RECORD;
}

/* A clock may be ahead, but a purge of the future would forget what is still to be done. */
static bool purge_of_future(const struct fan_job *job, const struct feed_command *command)
{
    enum { CLOCKS_DIFFER_MS = 60000 };
    return command->kind == FEED_COMMAND_PURGE && command->until_ms > job->record.time_ms + CLOCKS_DIFFER_MS;
}

static enum fan_step first_step_of_command(struct fan_job *job)
{
    if (job->command == FEED_COMMAND_PURGE)
        return FAN_STEP_PURGE;
    if (job->forgotten)
        return FAN_STEP_DONE;
    job->sources = fan_page_new();
    return job->command == FEED_COMMAND_WAKE ? FAN_STEP_WAKE_MAKE : FAN_STEP_WAKE_SOURCES;
}

/* An activity of the log comes again. That changes nothing where nothing was lost. */
static bool prepare_apply(struct fan_job *job, bool home_own, const struct fan_purges *purges)
{
    struct feed_str word = fan_record_header(&job->record, FEED_COMMAND_HEADER);
    if (!word.data)
        return false;
    job->applies = feed_str_eq(word, FEED_STR(FEED_COMMAND_APPLY));
    if (job->applies)
        fan_job_prepare(job, home_own, purges);
    else
        refuse_command(job, "unsupported", "has a header " FEED_COMMAND_HEADER " that this version does not know");
    return true;
}

void fan_job_prepare_command(struct fan_job *job, bool home_own, const struct fan_purges *purges)
{
    struct feed_command command;
    enum feed_error error = feed_command_read(job->record.key, job->record.value, &command);
    job->is_command = true;
    if (prepare_apply(job, home_own, purges))
        return;
    if (error != FEED_OK) {
        if (error == FEED_E_UNSUPPORTED)
            refuse_command(job, "unsupported", "is a command that this version does not know");
        else
            refuse_command(job, "malformed", "is not a command, or its key is not tenant/user");
        return;
    }
    if (purge_of_future(job, &command)) {
        refuse_command(job, "invalid", "is a purge until a time that is still to come");
        return;
    }
    job->act = FEED_ACT_ENTRY;
    job->own = home_own;
    job->command = command.kind;
    job->activity.tenant = command.tenant;
    job->activity.actor = command.user;
    job->purge_until_ms = command.until_ms;
    job->forgotten = fan_purges_cover(purges, command.tenant, command.user, job->record.time_ms);
    job->step = first_step_of_command(job);
}

void fan_job_prepare(struct fan_job *job, bool home_own, const struct fan_purges *purges)
{
    job->bad_reason = NULL;
    if (fan_record_read(&job->record, &job->activity, &job->bad_reason, &job->problem) != FEED_OK) {
        job->step = FAN_STEP_BAD_RECORD;
        return;
    }
    job->bad_reason = NULL;
    job->act = feed_activity_act(&job->activity);
    job->forgotten = fan_purges_forget(purges, &job->activity);
    if (job->forgotten) {
        job->step = FAN_STEP_DONE;
        if (fills_all_the_same(job, purges))
            begin_fill_alone(job, home_own);
        return;
    }
    /* An undo looks there in any case: it may be from when this was otherwise. But a mark where nothing can come would
     * only take the place of an entry. */
    job->own = home_own || job->act == FEED_ACT_UNDO;
    job->own_marked = home_own;
    if (job->act == FEED_ACT_IMPORT)
        begin_import(job);
    else
        find_recipients(job);
    if (job->act == FEED_ACT_UNDO)
        begin_undo(job);
    else if (job->act != FEED_ACT_IMPORT)
        encode_entries(job);
    snprintf(job->published_text, sizeof job->published_text, "%lld", (long long)job->activity.published_ms);
    fan_walk_begin(&job->walk);
    job->crossing.cause = feed_id_from_text(job->activity.source, job->activity.id);
    job->step = first_step(job->act);
}
