/* Progress: how far each partition has been worked off, for others to know: who waits for an activity of their own,
 * clients whose feeds are behind, operators. Published every second, changed or not, so that silence means something
 * too. Pure. */
#ifndef FANOUT_PROGRESS_H
#define FANOUT_PROGRESS_H

#include "fanout/engine.h"
#include "shared/codec/progress.h"

enum {
    FAN_PROGRESS_INTERVAL_MS = 1000,
    FAN_PROGRESS_HEAD = 4, /* arguments of the command, and of each partition */
    FAN_PROGRESS_ROW = 5,
    FAN_PROGRESS_ARGS_MAX = FAN_PROGRESS_HEAD + FAN_PROGRESS_ROW * FEED_PROGRESS_ROWS_MAX
};

/* The time up to which everything that Kafka got in this partition is in its feeds, in ms since the Unix epoch; 0: not
 * known. end: the end of the partition as the last fetch saw it, -1 unknown. Where nothing waits (it is idle), that is
 * now_ms. */
bool fan_progress_idle(const struct fan_position *position, int64_t end);
int64_t fan_progress_time(const struct fan_position *position, int64_t end, int64_t now_ms);

/* One Redis command under construction; argv points into it. */
struct fan_progress_call {
    struct feed_str argv[FAN_PROGRESS_ARGS_MAX];
    size_t argc; /* FAN_PROGRESS_HEAD: there is nothing to say yet */
    char key[FEED_PROGRESS_KEY_MAX + 1], texts[FEED_PROGRESS_ROWS_MAX][FAN_PROGRESS_ROW][24];
};
void fan_progress_begin(struct fan_progress_call *call, struct feed_str topic);
/* The call is not full. False, and nothing is added, while nothing is known of the partition. */
bool fan_progress_add(struct fan_progress_call *call, const struct fan_position *position, int64_t end, int64_t now_ms);
bool fan_progress_full(const struct fan_progress_call *call);

#endif
