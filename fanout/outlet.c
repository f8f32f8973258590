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

void fan_engine_relate(struct fan_engine *engine, struct fan_job *job)
{
    job->relation_due = false;
    if (!job->partition)
        return;
    job->relation_sent = engine->port.ops->relate(engine->port.arg, job) == FEED_OK;
    if (!job->relation_sent)
        fan_job_relate_again(job, engine->now_ms + FAN_LETTER_RETRY_MS);
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
