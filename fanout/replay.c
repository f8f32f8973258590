/* A short list of samples, at least an eighth of the window apart, so that it always has room. */
#include "fanout/replay.h"

#include "shared/base/assert.h"

#include <string.h>

enum { PARTS = 8 };

void fan_replay_begin(struct fan_replay *replay, int64_t offset, int64_t now_ms)
{
    *replay = (struct fan_replay){.samples = {{offset, now_ms}}, .count = 1};
}

void fan_replay_safe(struct fan_replay *replay, int64_t offset, int64_t now_ms, int64_t window_ms)
{
    if (replay->count == 0)
        fan_replay_begin(replay, FAN_REPLAY_BEGINNING, now_ms);
    if (now_ms - replay->samples[replay->count - 1].at_ms >= window_ms / PARTS) {
        feed_assert(replay->count < FAN_REPLAY_SAMPLES);
        replay->samples[replay->count++] = (struct fan_replay_sample){offset, now_ms};
    }
    unsigned gone = 0;
    while (gone + 1 < replay->count && now_ms - replay->samples[gone + 1].at_ms >= window_ms)
        gone++;
    replay->count -= gone;
    memmove(replay->samples, replay->samples + gone, replay->count * sizeof replay->samples[0]);
}

int64_t fan_replay_from(const struct fan_replay *replay)
{
    return replay->count ? replay->samples[0].offset : FAN_REPLAY_BEGINNING;
}
