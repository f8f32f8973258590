/* Drives the steps of one job: sends within the window, takes the answers, begins again where something was lost.
 *
 * The difficulty is what happens when an answer does not come or is an error while others are under way. All of them
 * come back in order, so the job waits until nothing is under way, then goes back to the first command that must be
 * repeated. What succeeded behind it is repeated too; that changes nothing, and saves a list of holes. */
#include "fanout/job.h"

#include "fanout/port.h"
#include "shared/base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- beginning ---- */

static void add_recipient(struct fan_job *job, struct feed_str user)
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
        add_recipient(job, activity->to[i]);
    if (activity->object_owner.data)
        add_recipient(job, activity->object_owner);
    if (feed_activity_is_follow(activity))
        add_recipient(job, activity->object_id);
}

static enum fan_step first_step(const struct feed_activity *activity)
{
    if (feed_activity_is_follow(activity))
        return FAN_STEP_FOLLOW;
    return feed_activity_is_unfollow(activity) ? FAN_STEP_UNFOLLOW : FAN_STEP_OUTBOX;
}

void fan_job_prepare(struct fan_job *job)
{
    job->redo_from = SIZE_MAX;
    job->bad_reason = NULL;
    if (fan_record_read(&job->record, &job->activity, &job->bad_reason, &job->problem) != FEED_OK) {
        job->step = FAN_STEP_BAD_RECORD;
        return;
    }
    job->bad_reason = NULL;
    find_recipients(job);
    struct feed_entry entry = feed_activity_entry(&job->activity);
    feed_buf_reset(&job->entry);
    feed_entry_encode(&entry, &job->entry);
    feed_assert(job->entry.error == FEED_OK);
    snprintf(job->published_text, sizeof job->published_text, "%lld", (long long)job->activity.published_ms);
    job->step = first_step(&job->activity);
}

/* ---- letters ---- */

static struct fan_letter *letter_new(struct fan_job *job, const char *reason)
{
    struct fan_letter *letter = calloc(1, sizeof *letter);
    feed_assert(letter);
    letter->job = job;
    letter->reason = reason;
    letter->attempts = 1 + job->attempts;
    job->letters++;
    job->dead++;
    return letter;
}

struct fan_letter *fan_job_bad_letter(struct fan_job *job)
{
    struct fan_letter *letter = letter_new(job, job->bad_reason);
    const char *field = job->problem.field;
    snprintf(letter->detail, sizeof letter->detail, "%s%s%s", field, field[0] ? ": " : "", job->problem.text);
    return letter;
}

/* The user whose timeline or graph command i was about. */
static struct feed_str recipient_of(const struct fan_job *job, size_t i)
{
    switch (job->step) {
    case FAN_STEP_NOTIFY:
        return job->recipients[i];
    case FAN_STEP_HOME:
        return fan_page_at(job->page, i);
    case FAN_STEP_FOLLOW:
    case FAN_STEP_UNFOLLOW:
    case FAN_STEP_GRAPH:
    case FAN_STEP_BACKFILL_READ:
        return job->activity.object_id;
    default:
        return job->activity.actor;
    }
}

static struct fan_letter *recipient_letter(struct fan_job *job, size_t i, const char *reason, struct feed_str text)
{
    struct fan_letter *letter = letter_new(job, reason);
    struct feed_str user = recipient_of(job, i);
    int shown = text.len < 80 ? (int)text.len : 80;
    snprintf(letter->detail, sizeof letter->detail, "%s of %.*s: %.*s", fan_step_name(job->step), (int)user.len,
             user.data, shown, text.data);
    return letter;
}

/* ---- steps ---- */

static void begin_step(struct fan_job *job, enum fan_step step)
{
    job->step = step;
    job->begun = false;
    job->sent = job->taken = job->count = 0;
    job->failing_since_ms = 0;
}

/* An epoch tells the lives of one timeline apart, so one candidate may serve many timelines. But it must be new
 * whenever a command is repeated: Redis may have lost everything in between, and the timeline's next life needs another
 * epoch. */
static void fresh_epoch(struct fan_job *job, const struct fan_port *port)
{
    port->ops->random(port->arg, job->epoch, sizeof job->epoch);
}

enum fan_job_next fan_job_advance(struct fan_job *job, const struct fan_port *port, int64_t now_ms)
{
    for (;;) {
        bool under_way = job->sent > job->taken;
        if (!job->partition)
            return under_way || job->letters || job->relation_sent ? FAN_JOB_WAITS : FAN_JOB_FINISHED;
        if (job->redo_from != SIZE_MAX) {
            if (under_way)
                return FAN_JOB_WAITS;
            job->sent = job->taken = job->redo_from;
            job->redo_from = SIZE_MAX;
            job->redone = true;
            fresh_epoch(job, port);
        }
        if (job->retry_at_ms > now_ms)
            return FAN_JOB_WANTS_DELAY;
        if (fan_step_needs_page(job->step) && !job->page)
            return FAN_JOB_WANTS_PAGE;
        if (!job->begun) {
            job->count = fan_step_commands(job);
            job->begun = true;
            fresh_epoch(job, port);
        }
        if (job->sent < job->count && job->sent - job->taken < fan_step_window(job->step))
            return FAN_JOB_CAN_SEND;
        if (job->taken < job->count || job->letters || job->relation_sent)
            return FAN_JOB_WAITS;
        if (job->step == FAN_STEP_DONE)
            return FAN_JOB_FINISHED;
        begin_step(job, fan_step_next(job));
    }
}

size_t fan_job_send(struct fan_job *job, const struct fan_port *port, size_t budget, bool *refused)
{
    size_t sent = 0;
    struct fan_call call;
    *refused = false;
    while (sent < budget && job->sent < job->count && job->sent - job->taken < fan_step_window(job->step)) {
        fan_step_build(job, port->texts, job->sent, &call);
        if (!port->ops->send(port->arg, call.argv, call.argc, job)) {
            *refused = true;
            break;
        }
        job->sent++;
        sent++;
    }
    return sent;
}

/* ---- answers ---- */

static void redo(struct fan_job *job, size_t i)
{
    if (i < job->redo_from)
        job->redo_from = i;
}

static void fail(struct fan_job *job, size_t i, struct feed_str text, int64_t now_ms, struct fan_effects *effects)
{
    if (job->failing_since_ms == 0)
        job->failing_since_ms = now_ms;
    if (now_ms - job->failing_since_ms >= FAN_FAILING_MS) {
        effects->letter = recipient_letter(job, i, "failed", text);
        return;
    }
    effects->refused = true;
    effects->trouble = FAN_TROUBLE_OTHER;
    effects->text = text;
    int64_t delay_ms = FAN_RETRY_FIRST_MS;
    for (unsigned n = 0; n < job->attempts && delay_ms < FAN_RETRY_MAX_MS; n++)
        delay_ms *= 2;
    job->attempts++;
    job->retry_at_ms = now_ms + delay_ms;
    redo(job, i);
}

static void take_error(struct fan_job *job, size_t i, struct feed_str text, int64_t now_ms, struct fan_effects *effects)
{
    enum fan_trouble trouble = fan_trouble_of(text);
    if (trouble == FAN_TROUBLE_AWAY || trouble == FAN_TROUBLE_NO_FUNCTION) {
        effects->refused = true;
        effects->trouble = trouble;
        effects->text = text;
        redo(job, i);
    } else if (job->redo_from != SIZE_MAX) {
        /* This command will be sent again and fail again; one dead letter is enough. */
    } else if (trouble == FAN_TROUBLE_WRONG_TYPE) {
        effects->letter = recipient_letter(job, i, "wrong_type", text);
    } else {
        fail(job, i, text, now_ms, effects);
    }
}

void fan_job_take(struct fan_job *job, const struct fan_answer *answer, int64_t now_ms, struct fan_effects *effects)
{
    feed_assert(job->taken < job->sent);
    *effects = (struct fan_effects){.lost = false};
    size_t i = job->taken++;
    if (answer->kind == FAN_ANSWER_LOST) {
        effects->lost = true;
        redo(job, i);
        return;
    }
    if (!job->partition)
        return;
    if (answer->kind == FAN_ANSWER_ERROR)
        take_error(job, i, answer->text, now_ms, effects);
    else if (!fan_step_take(job, answer, &effects->writes) && job->redo_from == SIZE_MAX)
        fail(job, i, FEED_STR("an answer of an unexpected form"), now_ms, effects);
}
