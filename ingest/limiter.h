/* Limiter: asks Redis, or the buckets of this process while Redis is away, whether a request may go on. */
#ifndef INGEST_LIMITER_H
#define INGEST_LIMITER_H

#include "ingest/limit.h"

struct ing_service;
typedef void ing_limiter_fn(void *arg, const struct ing_limit_verdict *verdict);

struct ing_limiter {
    struct ing_service *service;
    const struct feed_tier *tier; /* borrowed */
    struct ing_takes takes;
    bool repeated;
    ing_limiter_fn *fn;
    void *arg;
};

/* Takes over the takes; the tier is borrowed until fn fires: exactly once, later or inline. */
void ing_limiter_ask(struct ing_limiter *limiter, struct ing_service *service, const struct feed_tier *tier,
                     struct ing_takes *takes, ing_limiter_fn *fn, void *arg);

#endif
