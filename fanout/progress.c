/* What is said of a partition's progress. The difficulty is the idle one: its last record may be hours old, and yet
 * nothing is late, also not in the moment in which the next one is in hand. So the oldest record that waits counts, and
 * where none is in hand yet, the last one that was finished or the last moment in which nothing waited. */
#include "fanout/progress.h"

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

bool fan_progress_build(const struct fan_position *position, struct feed_str topic, int64_t end, int64_t now_ms,
                        struct fan_progress_call *call)
{
    int64_t time_ms = fan_progress_time(position, end, now_ms);
    if (position->next_offset < 0)
        return false;
    size_t key_len = feed_key_progress(topic, position->partition, call->key);
    snprintf(call->offset_text, sizeof call->offset_text, "%" PRId64, position->next_offset);
    snprintf(call->time_text, sizeof call->time_text, "%" PRId64, time_ms);
    call->argv[0] = FEED_STR("FCALL");
    call->argv[1] = FEED_STR("feedwire_v1_progress");
    call->argv[2] = FEED_STR("1");
    call->argv[3] = (struct feed_str){call->key, key_len};
    call->argv[4] = feed_str_of(call->offset_text);
    call->argv[5] = feed_str_of(call->time_text);
    return true;
}
