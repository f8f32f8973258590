/* Progress: how far each partition has been worked off, for others to know: who waits for an activity of their own,
 * clients whose feeds are behind, operators. Published every second, changed or not, so that silence means something
 * too. Pure. */
#ifndef FANOUT_PROGRESS_H
#define FANOUT_PROGRESS_H

#include "fanout/engine.h"

enum { FAN_PROGRESS_INTERVAL_MS = 1000, FAN_PROGRESS_ARGS = 6 };

/* The time up to which everything that Kafka got in this partition is in its feeds, in ms since the Unix epoch; 0: not
 * known. end: the end of the partition as the last fetch saw it, -1 unknown. Where nothing waits (it is idle), that is
 * now_ms. */
bool fan_progress_idle(const struct fan_position *position, int64_t end);
int64_t fan_progress_time(const struct fan_position *position, int64_t end, int64_t now_ms);

/* One Redis command under construction; argv points into it. */
struct fan_progress_call {
    struct feed_str argv[FAN_PROGRESS_ARGS];
    char key[FEED_PROGRESS_KEY_MAX + 1], offset_text[24], time_text[24];
};
/* The command that publishes it; false when nothing is known yet. */
bool fan_progress_build(const struct fan_position *position, struct feed_str topic, int64_t end, int64_t now_ms,
                        struct fan_progress_call *call);

#endif
