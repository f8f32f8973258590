/* What is said of a partition's progress. The difficulty is the idle one: its last record may be hours old, and yet
 * nothing is late, also not in the moment in which the next one is in hand. So the oldest record that waits counts, and
 * where none is in hand yet, the last one that was finished or the last moment in which nothing waited. */
#include "fanout/progress.h"

#include "shared/base/assert.h"

#include <inttypes.h>
#include <stdio.h>

bool fan_progress_idle(const struct fan_position *position, int64_t end)
{
    return position->next_offset >= 0 && end >= 0 && position->next_offset >= end && position->waiting_ms == 0;
}

int64_t fan_progress_time(const struct fan_position *position, int64_t end, int64_t now_ms)
{
    if (fan_progress_idle(position, end))
        return now_ms;
    if (position->waiting_ms > 0)
        return position->waiting_ms;
    return position->finished_ms > position->idle_ms ? position->finished_ms : position->idle_ms;
}

void fan_progress_begin(struct fan_progress_call *call, struct feed_str topic)
{
    size_t key_len = feed_key_progress(topic, call->key);
    call->argv[0] = FEED_STR("FCALL");
    call->argv[1] = FEED_STR("feedwire_v1_partitions");
    call->argv[2] = FEED_STR("1");
    call->argv[3] = (struct feed_str){call->key, key_len};
    call->argc = FAN_PROGRESS_HEAD;
}

bool fan_progress_add(struct fan_progress_call *call, const struct fan_position *position, int64_t end, int64_t now_ms)
{
    int64_t time_ms = fan_progress_time(position, end, now_ms);
    bool known = position->next_offset >= 0 && time_ms > 0;
    /* At the end of the log nothing is left to replay, whatever it had before it was cut short or made anew. */
    bool replaying = position->replaying && !fan_progress_idle(position, end);
    if (!known && !replaying)
        return false;
    int64_t lag_ms = known && time_ms < now_ms ? now_ms - time_ms : 0;
    const int64_t numbers[FAN_PROGRESS_ROW] = {position->partition, known ? position->next_offset : -1,
                                               known ? time_ms : 0, lag_ms, replaying};
    size_t row = (call->argc - FAN_PROGRESS_HEAD) / FAN_PROGRESS_ROW;
    feed_assert(row < FEED_PROGRESS_ROWS_MAX);
    for (size_t i = 0; i < FAN_PROGRESS_ROW; i++) {
        snprintf(call->texts[row][i], sizeof call->texts[row][i], "%" PRId64, numbers[i]);
        call->argv[call->argc++] = feed_str_of(call->texts[row][i]);
    }
    return true;
}

bool fan_progress_full(const struct fan_progress_call *call)
{
    return call->argc == FAN_PROGRESS_ARGS_MAX;
}
