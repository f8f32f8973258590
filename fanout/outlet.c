/* Dead letters on their way to Kafka. A record is not finished before its letters are acknowledged, so a letter that
 * Kafka does not take is sent again until it does, or until the record is somebody else's. */
#include "fanout/engine_state.h"

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
