/* Replay: from where a partition must be read again when Redis has lost the newest of what was written. That is where
 * it stood a named time of good work ago, and never behind a position of which a replica is not known to have
 * everything. Pure.
 *
 * Positions are sampled a few times a window; the oldest sample is given up when the next one is old enough by itself.
 */
#ifndef FANOUT_REPLAY_H
#define FANOUT_REPLAY_H

#include <stdint.h>

enum { FAN_REPLAY_SAMPLES = 10, FAN_REPLAY_BEGINNING = -1 };

struct fan_replay {
    struct fan_replay_sample {
        int64_t offset, at_ms;
    } samples[FAN_REPLAY_SAMPLES]; /* oldest first */
    unsigned count;                /* 0: nothing is known, which means the beginning */
};

/* The partition is read from where offset is; what was done before is done no more than that. */
void fan_replay_begin(struct fan_replay *replay, int64_t offset, int64_t now_ms);
/* Everything before the offset is safe, as of now. */
void fan_replay_safe(struct fan_replay *replay, int64_t offset, int64_t now_ms, int64_t window_ms);
/* The offset to read from, or FAN_REPLAY_BEGINNING. */
int64_t fan_replay_from(const struct fan_replay *replay);

#endif
