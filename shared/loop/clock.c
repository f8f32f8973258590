/* Clocks and randomness from the kernel. */
#include "shared/loop/loop.h"

#include "shared/base/assert.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

uint64_t feed_clock_mono_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int64_t feed_clock_wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void feed_random_bytes(void *out, size_t len)
{
    unsigned char *at = out;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        feed_assert(got > 0);
        at += got;
        len -= (size_t)got;
    }
}

void feed_random_take(struct feed_random_pool *pool, void *out, size_t len)
{
    feed_assert(len <= sizeof pool->bytes);
    if (pool->left < len) {
        feed_random_bytes(pool->bytes, sizeof pool->bytes);
        pool->left = sizeof pool->bytes;
    }
    pool->left -= len;
    memcpy(out, pool->bytes + pool->left, len);
    explicit_bzero(pool->bytes + pool->left, len);
}
