/* Commands and their answers. Redis answers in the order of asking, so the commands under way are a queue, and the
 * oldest tells whether the connection has stopped answering. The difficulty is the promise that each callback fires
 * exactly once, never inside the call that sent it. */
#include "shared/redis/client.h"

#include "shared/base/assert.h"
#include "shared/loop/loop.h"
#include "shared/redis/connection.h"
#include "shared/redis/request.h"

#include <stdlib.h>

enum { ARGC_MAX = 512, SPARE_MAX = 8192 };

struct pending {
    struct feed_redis *redis;
    feed_redis_fn *fn;
    void *arg;
    uint64_t sent_us;
    struct pending *next;
};

struct feed_redis {
    struct feed_redis_connection connection;
    struct feed_timer *watch;
    uint64_t timeout_us;
    unsigned in_flight, in_flight_max;
    struct pending *first, **last; /* under way, oldest first */
    struct pending *spare;         /* kept for reuse: a delivery takes no memory of ours */
    unsigned spare_count;
    struct feed_redis_request request; /* the one that is being sent */
    bool timed_out;
    bool in_callback;
    feed_redis_state_fn *state_fn;
    void *state_arg;
    feed_redis_latency_fn *latency_fn;
    void *latency_arg;
};

static struct pending *take(struct feed_redis *redis)
{
    struct pending *pending = redis->spare;
    if (pending) {
        redis->spare = pending->next;
        redis->spare_count--;
        return pending;
    }
    pending = malloc(sizeof *pending);
    feed_assert(pending);
    return pending;
}

static void give_back(struct feed_redis *redis, struct pending *pending)
{
    if (redis->spare_count == SPARE_MAX) {
        free(pending);
        return;
    }
    pending->next = redis->spare;
    redis->spare = pending;
    redis->spare_count++;
}

static void on_reply(redisAsyncContext *context, void *reply, void *arg)
{
    (void)context;
    struct pending *pending = arg;
    struct feed_redis *redis = pending->redis;
    feed_assert(redis->first == pending);
    redis->first = pending->next;
    if (!redis->first) {
        redis->last = &redis->first;
    }
    redis->in_flight--;
    if (reply && redis->latency_fn) {
        redis->latency_fn(redis->latency_arg, (double)(feed_clock_mono_us() - pending->sent_us) / 1e6);
    }
    feed_redis_fn *fn = pending->fn;
    void *fn_arg = pending->arg;
    give_back(redis, pending);
    if (fn) {
        enum feed_error error = reply ? FEED_OK : redis->timed_out ? FEED_E_TIMEOUT : FEED_E_UNAVAILABLE;
        bool outer = redis->in_callback;
        redis->in_callback = true;
        fn(fn_arg, error, reply);
        redis->in_callback = outer;
    }
}

static void on_watch(void *arg)
{
    struct feed_redis *redis = arg;
    if (redis->first && feed_clock_mono_us() - redis->first->sent_us > redis->timeout_us) {
        redis->timed_out = true;
        feed_redis_connection_break(&redis->connection, "no answer in time");
        redis->timed_out = false;
    }
}

static void on_up(void *arg)
{
    struct feed_redis *redis = arg;
    redis->state_fn(redis->state_arg, true, "connected");
}

static void on_down(void *arg, const char *reason)
{
    struct feed_redis *redis = arg;
    redis->state_fn(redis->state_arg, false, reason);
}

enum feed_error feed_redis_new(struct feed_loop *loop, const struct feed_redis_settings *settings,
                               feed_redis_state_fn *state_fn, void *arg, struct feed_redis **out, const char **problem)
{
    struct feed_redis *redis = calloc(1, sizeof *redis);
    feed_assert(redis);
    redis->last = &redis->first;
    redis->in_flight_max = settings->in_flight_max;
    redis->timeout_us = (uint64_t)settings->command_timeout_ms * 1000;
    redis->state_fn = state_fn;
    redis->state_arg = arg;
    redis->connection.up_fn = on_up;
    redis->connection.down_fn = on_down;
    redis->connection.arg = redis;
    enum feed_error error = feed_redis_connection_init(&redis->connection, loop, settings, problem);
    if (error != FEED_OK) {
        free(redis);
        return error;
    }
    redis->watch = feed_timer_new(loop, on_watch, redis);
    uint64_t every_ms = settings->command_timeout_ms / 4 + 1;
    feed_timer_start(redis->watch, every_ms, every_ms);
    *out = redis;
    return FEED_OK;
}

void feed_redis_free(struct feed_redis *redis)
{
    if (!redis) {
        return;
    }
    feed_assert(!redis->in_callback); /* defer it: feed_loop_defer */
    feed_redis_connection_fini(&redis->connection);
    feed_assert(!redis->first);
    feed_timer_free(redis->watch);
    feed_redis_request_fini(&redis->request);
    while (redis->spare) {
        struct pending *pending = redis->spare;
        redis->spare = pending->next;
        free(pending);
    }
    free(redis);
}

bool feed_redis_up(const struct feed_redis *redis)
{
    return redis->connection.state == FEED_REDIS_UP;
}

unsigned feed_redis_in_flight(const struct feed_redis *redis)
{
    return redis->in_flight;
}

enum feed_error feed_redis_command(struct feed_redis *redis, const struct feed_str *argv, size_t argc,
                                   feed_redis_fn *fn, void *arg)
{
    feed_assert(argc > 0 && argc <= ARGC_MAX);
    if (!feed_redis_up(redis) || !redis->connection.context) {
        return FEED_E_UNAVAILABLE;
    }
    if (redis->in_flight >= redis->in_flight_max) {
        return FEED_E_FULL;
    }
    feed_redis_request_set(&redis->request, argv, argc);
    struct pending *pending = take(redis);
    *pending = (struct pending){.redis = redis, .fn = fn, .arg = arg, .sent_us = feed_clock_mono_us()};
    if (redisAsyncFormattedCommand(redis->connection.context, on_reply, pending, redis->request.bytes,
                                   redis->request.len) != REDIS_OK) {
        give_back(redis, pending); /* the context is being given up: its callbacks are firing now */
        return FEED_E_UNAVAILABLE;
    }
    *redis->last = pending;
    redis->last = &pending->next;
    redis->in_flight++;
    return FEED_OK;
}

void feed_redis_on_latency(struct feed_redis *redis, feed_redis_latency_fn *fn, void *arg)
{
    redis->latency_fn = fn;
    redis->latency_arg = arg;
}
