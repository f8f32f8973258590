/* Full jitter as in "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015), with a small floor against busy
 * retrying. */
#include "shared/redis/backoff.h"

uint64_t feed_backoff_ms(unsigned attempt, uint64_t random)
{
    uint64_t span = FEED_BACKOFF_FIRST_MS;
    for (unsigned i = 0; i < attempt && span < FEED_BACKOFF_MAX_MS; i++) {
        span *= 2;
    }
    if (span > FEED_BACKOFF_MAX_MS) {
        span = FEED_BACKOFF_MAX_MS;
    }
    uint64_t floor = FEED_BACKOFF_FIRST_MS / 4;
    return floor + random % (span - floor + 1);
}
