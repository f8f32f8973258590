/* How long to wait before trying again: exponential, with full jitter (a uniform part of the whole span), so that many
 * who lost the same server do not come back together. Pure: the random number is given. */
#ifndef FEED_BASE_BACKOFF_H
#define FEED_BASE_BACKOFF_H

#include <stdint.h>

struct feed_backoff {
    unsigned first_ms, max_ms; /* of the span */
};

/* attempt: 0 for the first retry. The span doubles from first_ms to max_ms; the answer is in [first_ms / 4, span]. */
uint64_t feed_backoff_ms(struct feed_backoff backoff, unsigned attempt, uint64_t random);

#endif
