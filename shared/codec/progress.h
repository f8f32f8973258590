/* Progress: what a worker of the fan-out says every second of the partitions that it works on (schemas/redis.md).
 * The msgpack array [1, [partition, next offset, lag ms, state], ..]; elements after the fourth of a row are ignored,
 * and another first number is FEED_E_UNSUPPORTED. */
#ifndef FEED_CODEC_PROGRESS_H
#define FEED_CODEC_PROGRESS_H

#include "shared/base/str.h"

enum {
    FEED_PROGRESS_ROWS_MAX = 64, /* in one message; who has more partitions sends more messages */
    FEED_PROGRESS_PARTITIONS_MAX = 65536
};

struct feed_progress_row {
    int32_t partition;
    int64_t next_offset; /* everything before it is finished; -1: not known */
    int64_t lag_ms;      /* so long has the oldest record waited that is not in its feeds; 0: none waits */
    bool replaying;      /* what was done already is done again, because it was lost */
};

struct feed_progress {
    struct feed_progress_row rows[FEED_PROGRESS_ROWS_MAX];
    size_t count;
};

enum feed_error feed_progress_decode(struct feed_str bytes, struct feed_progress *out) FEED_MUST_USE;
void feed_progress_encode(const struct feed_progress *progress,
                          struct feed_buf *out); /* for tests; Redis writes the real ones */

#endif
