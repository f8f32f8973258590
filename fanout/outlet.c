/* Dead letters and relations on their way to Kafka. A record is not finished before they are acknowledged, so what
 * Kafka does not take is sent again until it does, or until the record is somebody else's. */
#include "fanout/engine_state.h"

#include "shared/base/assert.h"

#include <stdlib.h>

static void keep(struct fan_engine *engine, struct fan_letter *letter)
{
    letter->next = engine->unsent;
    engine->unsent = letter;
    engine->letters_at_ms = engine->now_ms + FAN_LETTER_RETRY_MS;
}

void fan_engine_post(struct fan_engine *engine, struct fan_letter *letter)
{
    for (;;) {
        enum feed_error error = engine->port.ops->post(engine->port.arg, letter, &letter->job->record);
        if (error == FEED_OK)
            return;
        if (error != FEED_E_TOO_LARGE || letter->cut == FAN_LETTER_BARE)
            break;
        letter->cut++;
    }
    keep(engine, letter);
}

/* The letter is off our hands: acknowledged, or of a record that is not ours any more. */
static void letter_free(struct fan_letter *letter)
{
    struct fan_job *job = letter->job;
    job->letters--;
    if (job->place == FAN_JOB_ANSWERS)
        fan_engine_move(job, FAN_JOB_LOOK);
    free(letter);
}

void fan_engine_post_unsent(struct fan_engine *engine)
{
    struct fan_letter *letters = engine->unsent;
    engine->unsent = NULL;
    while (letters) {
        struct fan_letter *letter = letters;
        letters = letter->next;
        if (letter->job->partition)
            fan_engine_post(engine, letter);
        else
            letter_free(letter);
    }
}

void fan_engine_letter_done(struct fan_engine *engine, struct fan_letter *letter, enum feed_error error)
{
    if (error == FEED_OK) {
        engine->counts.letters++;
        letter_free(letter);
    } else if (!letter->job->partition) {
        letter_free(letter);
    } else {
        engine->counts.retries++;
        if (error == FEED_E_TOO_LARGE && letter->cut != FAN_LETTER_BARE)
            letter->cut++;
        keep(engine, letter);
    }
    fan_engine_work(engine);
}

/* ---- relations ---- */

/* What was read may be what a loss has left, which nobody has noticed yet. In the topic it would be the newest record
 * of its edge, and outlive the truth. So it waits until Redis is known to have been whole when it was read. */
void fan_engine_hold_relation(struct fan_engine *engine, struct fan_job *job)
{
    if (!job->partition) {
        job->relation_due = false;
        return;
    }
    job->relation_check = engine->checks;
    job->relation_next = NULL;
    if (engine->held_first)
        engine->held_last->relation_next = job;
    else
        engine->held_first = job;
    engine->held_last = job;
}

void fan_engine_drop_relation(struct fan_engine *engine, struct fan_job *job)
{
    if (!job->relation_due)
        return;
    struct fan_job *before = NULL;
    for (struct fan_job *at = engine->held_first; at != job; at = at->relation_next) {
        feed_assert(at);
        before = at;
    }
    if (before)
        before->relation_next = job->relation_next;
    else
        engine->held_first = job->relation_next;
    if (engine->held_last == job)
        engine->held_last = before;
    job->relation_due = false;
}

static void relate(struct fan_engine *engine, struct fan_job *job)
{
    job->relation_sent = engine->port.ops->relate(engine->port.arg, job) == FEED_OK;
    if (!job->relation_sent)
        fan_job_relate_again(job, engine->now_ms + FAN_LETTER_RETRY_MS);
}

void fan_engine_check(struct fan_engine *engine)
{
    engine->checks++;
}

void fan_engine_checked(struct fan_engine *engine)
{
    struct fan_job *job;
    while ((job = engine->held_first) && job->relation_check < engine->checks) {
        fan_engine_drop_relation(engine, job);
        relate(engine, job);
        if (job->place == FAN_JOB_ANSWERS)
            fan_engine_move(job, FAN_JOB_LOOK);
    }
    fan_engine_work(engine);
}

void fan_engine_relation_done(struct fan_job *job, enum feed_error error)
{
    feed_assert(job->tag == FAN_JOB_TAG && job->relation_sent);
    struct fan_engine *engine = job->engine;
    job->relation_sent = false;
    if (error == FEED_OK)
        engine->counts.relations++;
    else
        fan_job_relate_again(job, engine->now_ms + FAN_LETTER_RETRY_MS);
    if (job->place == FAN_JOB_ANSWERS)
        fan_engine_move(job, FAN_JOB_LOOK);
    fan_engine_work(engine);
}
