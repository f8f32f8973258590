/* Random numbers that are the same in every run (xorshift64*), so that a failure can be repeated. */
#ifndef TESTS_UNIT_SUPPORT_RANDOM_H
#define TESTS_UNIT_SUPPORT_RANDOM_H

#include <stdint.h>

struct test_random {
    uint64_t state; /* the seed, not 0 */
};

static inline uint64_t test_random_next(struct test_random *random)
{
    random->state ^= random->state >> 12;
    random->state ^= random->state << 25;
    random->state ^= random->state >> 27;
    return random->state * UINT64_C(2685821657736338717);
}

/* 0 to count - 1. */
static inline uint64_t test_random_below(struct test_random *random, uint64_t count)
{
    return test_random_next(random) % count;
}

#endif
