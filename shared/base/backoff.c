/* Full jitter as in "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015), with a small floor against busy
 * retrying. */
#include "shared/base/backoff.h"

uint64_t feed_backoff_ms(struct feed_backoff backoff, unsigned attempt, uint64_t random)
{
    uint64_t span = backoff.first_ms;
    for (unsigned i = 0; i < attempt && span < backoff.max_ms; i++) {
        span *= 2;
    }
    if (span > backoff.max_ms) {
        span = backoff.max_ms;
    }
    uint64_t floor = backoff.first_ms / 4;
    return floor + random % (span - floor + 1);
}
