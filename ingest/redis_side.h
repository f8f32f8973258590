/* The connection to Redis, which ingest needs for what its instances must agree about. It loads the functions
 * (schemas/redis/feedwire_ingest_v1.lua) into each shard it gets a connection to. Without Redis the service goes on:
 * what then becomes of a request is decided where it is asked. */
#ifndef INGEST_REDIS_SIDE_H
#define INGEST_REDIS_SIDE_H

#include "shared/redis/client.h"

struct ing_service;

/* Sets service->redis. The URL is checked; then it connects in the background. */
enum feed_error ing_redis_open(struct ing_service *service, const char **problem) FEED_MUST_USE;
/* Callbacks that are owed fire inside. */
void ing_redis_close(struct ing_service *service);
/* As feed_redis_command; FEED_E_UNAVAILABLE also when it was not opened or is closed. */
enum feed_error ing_redis_call(struct ing_service *service, const struct feed_str *argv, size_t argc, feed_redis_fn *fn,
                               void *arg) FEED_MUST_USE;
/* Inside a callback: whether the shard does not know the function (it was flushed, or another server took over). Then
 * they are loaded again, before whatever is sent next. */
bool ing_redis_lacks_function(struct ing_service *service, enum feed_error error, const struct feed_reply *reply);

#endif
