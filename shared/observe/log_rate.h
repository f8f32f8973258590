/* How many lines of each event may still be written in this second. One event (e.g. "kafka_unavailable" for every
 * request of a busy minute) can then not drown the others, nor fill the disk. Not locked: its holder is. */
#ifndef FEED_OBSERVE_LOG_RATE_H
#define FEED_OBSERVE_LOG_RATE_H

#include <stdbool.h>
#include <stdint.h>

enum { FEED_LOG_RATE_EVENTS = 128 }; /* events beyond so many share one budget */

struct feed_log_rate {
    struct feed_log_rate_slot {
        const char *event; /* borrowed: events are static; NULL: free */
        int64_t second;
        unsigned lines;      /* written in that second */
        uint64_t suppressed; /* since the last line that was written */
    } slots[FEED_LOG_RATE_EVENTS + 1];
};

/* Whether a line of this event may be written at now_ms, of at most per_second. If so, *suppressed is how many were
 * held back since the one before. */
bool feed_log_rate_take(struct feed_log_rate *rate, const char *event, int64_t now_ms, unsigned per_second,
                        uint64_t *suppressed);

#endif
