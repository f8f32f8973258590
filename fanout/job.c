/* Drives the steps of one job: sends within the window, takes the answers, begins again where something was lost.
 *
 * The difficulty is what happens when an answer does not come or is an error while others are under way. All of them
 * come back sooner or later, in any order, so the pass goes on and the job waits until nothing is under way; what was
 * not done then is the next pass. */
#include "fanout/job.h"

#include "fanout/port.h"
#include "fanout/steps.h"
#include "shared/base/assert.h"
#include "shared/base/backoff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    case FAN_STEP_UNDO_NOTIFY:
        return fan_recipient(job, i);
    case FAN_STEP_HOME:
    case FAN_STEP_UNDO_HOME:
    case FAN_STEP_UNDO_KEPT:
    case FAN_STEP_CROSS_MERGE:
    case FAN_STEP_CROSS_COPY:
        return fan_page_at(job->page, i);
    case FAN_STEP_FOLLOW:
    case FAN_STEP_IMPORT:
    case FAN_STEP_IMPORT_AUTHOR:
    case FAN_STEP_UNFOLLOW:
    case FAN_STEP_FOLLOW_REFUSED:
    case FAN_STEP_SETTLE_OTHER:
    case FAN_STEP_SEVER_OTHER:
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
    job->next = job->count = 0;
    job->away = false;
    job->failing_since_ms = 0;
}

/* An epoch tells the lives of one timeline apart, so one candidate may serve many timelines. But it must be new
 * whenever a command is repeated: Redis may have lost everything in between, and the timeline's next life needs another
 * epoch. */
static void fresh_epoch(struct fan_job *job, const struct fan_port *port)
{
    port->ops->random(port->arg, job->epoch, sizeof job->epoch);
}

static void begin_pass(struct fan_job *job, const struct fan_port *port)
{
    job->next = fan_todo_next(&job->todo, 0, job->count);
    if (job->away)
        job->failing_since_ms = 0; /* the time that a shard was away is not a command's fault */
    job->away = false;
    fresh_epoch(job, port);
}

/* The pass is through and left something. */
static bool left_over(const struct fan_job *job)
{
    return job->begun && job->next == job->count && fan_todo_next(&job->todo, 0, job->count) < job->count;
}

enum fan_job_next fan_job_advance(struct fan_job *job, const struct fan_port *port, int64_t now_ms)
{
    for (;;) {
        if (!job->partition || job->forgotten)
            return job->under_way || job->letters || job->relation_due || job->relation_sent ? FAN_JOB_WAITS
                                                                                             : FAN_JOB_FINISHED;
        if (left_over(job)) {
            if (job->under_way)
                return FAN_JOB_WAITS;
            if (job->retry_at_ms > now_ms)
                return FAN_JOB_WANTS_DELAY;
            if (job->away && job->away_since == port->readies)
                return FAN_JOB_WANTS_SHARD;
            begin_pass(job, port);
        }
        if (fan_step_needs_page(job->step) && !job->page)
            return FAN_JOB_WANTS_PAGE;
        if (!job->begun) {
            job->count = fan_step_commands(job);
            fan_todo_fill(&job->todo, job->count);
            fan_todo_fill(&job->fresh, job->count);
            job->begun = true;
            begin_pass(job, port);
        }
        if (job->next < job->count && job->under_way < fan_step_window(job->step))
            return FAN_JOB_CAN_SEND;
        if (job->under_way || job->letters || job->relation_due || job->relation_sent || job->purging)
            return FAN_JOB_WAITS;
        if (job->step == FAN_STEP_DONE)
            return FAN_JOB_FINISHED;
        begin_step(job, fan_step_next(job));
    }
}

/* ---- sending ---- */

/* Once for all that fail, or are held back, in the same pass. */
static void wait_a_part_of(struct fan_job *job, const struct fan_port *port, struct feed_backoff span, int64_t now_ms)
{
    uint64_t random;
    port->ops->random(port->arg, (uint8_t *)&random, sizeof random);
    job->retry_at_ms = now_ms + (int64_t)feed_backoff_ms(span, job->attempts, random);
}

static void try_later(struct fan_job *job, const struct fan_port *port, int64_t now_ms)
{
    static const struct feed_backoff span = {.first_ms = FAN_RETRY_FIRST_MS, .max_ms = FAN_RETRY_MAX_MS};
    if (job->retry_at_ms > now_ms)
        return;
    wait_a_part_of(job, port, span, now_ms);
    job->attempts++;
}

static void hold(struct fan_job *job, const struct fan_port *port, int64_t now_ms)
{
    static const struct feed_backoff span = {.first_ms = FAN_HELD_MS, .max_ms = FAN_HELD_MS};
    if (job->retry_at_ms <= now_ms)
        wait_a_part_of(job, port, span, now_ms);
}

size_t fan_job_send(struct fan_job *job, const struct fan_port *port, size_t budget, int64_t now_ms, bool *refused)
{
    size_t sent = 0;
    struct fan_call call;
    *refused = false;
    while (sent < budget && job->next < job->count && job->under_way < fan_step_window(job->step)) {
        fan_step_build(job, port->texts, job->next, &call);
        bool again = !fan_todo_has(&job->fresh, job->next);
        enum fan_sent how = port->ops->send(port->arg, call.argv, call.argc, &job->seats[job->next], again);
        if (how == FAN_SENT_FULL) {
            *refused = true;
            break;
        }
        if (how == FAN_SENT) {
            fan_todo_done(&job->fresh, job->next);
            job->under_way++;
            sent++;
        } else if (how == FAN_SENT_HELD) {
            hold(job, port, now_ms);
        } else {
            job->away = true;
            job->away_since = port->readies;
        }
        job->next = fan_todo_next(&job->todo, job->next + 1, job->count);
    }
    return sent;
}

/* ---- answers ---- */

struct fan_job *fan_job_of(struct fan_seat *seat)
{
    return (struct fan_job *)((char *)(seat - seat->number) - offsetof(struct fan_job, seats));
}

/* The command is settled with a letter, or will be tried again. */
static void fail(struct fan_job *job, const struct fan_port *port, size_t i, struct feed_str text, int64_t now_ms,
                 struct fan_effects *effects)
{
    if (job->failing_since_ms == 0)
        job->failing_since_ms = now_ms;
    if (now_ms - job->failing_since_ms >= FAN_FAILING_MS) {
        effects->letter = recipient_letter(job, i, "failed", text);
        fan_todo_done(&job->todo, i);
        return;
    }
    effects->refused = true;
    effects->trouble = FAN_TROUBLE_OTHER;
    effects->text = text;
    try_later(job, port, now_ms);
}

static void take_error(struct fan_job *job, const struct fan_port *port, size_t i, struct feed_str text, int64_t now_ms,
                       struct fan_effects *effects)
{
    enum fan_trouble trouble = fan_trouble_of(text);
    switch (trouble) {
    case FAN_TROUBLE_AWAY:
    case FAN_TROUBLE_NO_FUNCTION:
        effects->refused = true;
        effects->trouble = trouble;
        effects->text = text;
        break;
    case FAN_TROUBLE_MOVING:
        try_later(job, port, now_ms);
        break;
    case FAN_TROUBLE_WRONG_TYPE:
        effects->letter = recipient_letter(job, i, "wrong_type", text);
        fan_todo_done(&job->todo, i);
        break;
    case FAN_TROUBLE_OTHER:
        fail(job, port, i, text, now_ms, effects);
        break;
    }
}

void fan_job_take(struct fan_job *job, const struct fan_port *port, size_t i, const struct fan_answer *answer,
                  int64_t now_ms, struct fan_effects *effects)
{
    feed_assert(job->under_way > 0 && i < job->count);
    *effects = (struct fan_effects){.lost = false};
    job->under_way--;
    if (answer->kind == FAN_ANSWER_LOST) {
        effects->lost = true;
        job->redone = true;
        return;
    }
    if (!job->partition)
        return;
    job->answering = i;
    if (answer->kind == FAN_ANSWER_ERROR) {
        job->redone = true;
        take_error(job, port, i, answer->text, now_ms, effects);
    } else if (fan_step_take(job, answer, &effects->writes)) {
        fan_todo_done(&job->todo, i);
    } else {
        job->redone = true;
        fail(job, port, i, FEED_STR("an answer of an unexpected form"), now_ms, effects);
    }
}
