/* How long to wait before trying again: exponential, with full jitter (a uniform part of the whole span), so that many
 * clients of one server that was away do not come back together. Pure: the random number is given. */
#ifndef FEED_REDIS_BACKOFF_H
#define FEED_REDIS_BACKOFF_H

#include <stdint.h>

enum { FEED_BACKOFF_FIRST_MS = 100, FEED_BACKOFF_MAX_MS = 5000 };

/* attempt: 0 for the first retry. The span doubles from FIRST to MAX; the answer is in [FIRST / 4, span]. */
uint64_t feed_backoff_ms(unsigned attempt, uint64_t random);

#endif
