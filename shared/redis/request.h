/* Request: one command as the bytes that Redis reads, an array of strings with their lengths. Written here rather than
 * by hiredis, whose general formatting took a quarter of fan-out's time. */
#ifndef FEED_REDIS_REQUEST_H
#define FEED_REDIS_REQUEST_H

#include "shared/base/str.h"

/* All zero is an empty one. Its memory is kept for the next command, up to FEED_REDIS_REQUEST_KEPT. */
struct feed_redis_request {
    char *bytes; /* owned */
    size_t len, capacity;
};

enum { FEED_REDIS_REQUEST_KEPT = 64 * 1024 };

/* Replaces what was in it. Aborts when there is no memory. */
void feed_redis_request_set(struct feed_redis_request *request, const struct feed_str *argv, size_t argc);
void feed_redis_request_fini(struct feed_redis_request *request);

#endif
