/* Synchronous calls on the asynchronous client: start, run the loop, stop it from the callback or from a timer. */
#include "feedctl/redis_call.h"

#include "shared/base/assert.h"
#include "shared/loop/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ctl_redis {
    struct feed_loop *loop;
    struct feed_timer *timeout;
    struct feed_redis *client;
    uint64_t timeout_ms;
    char last_state[160]; /* why the connection is not up */
    bool opening;

    /* of the call that is under way */
    const struct feed_str *argv; /* until it is sent; NULL then, and when there is none */
    size_t argc;
    int shard; /* FEED_SHARD_NONE: the one that has the key */
    ctl_reply_fn *fn;
    void *arg;
    enum feed_error error;
    char *problem;
    size_t problem_size;
};

static void on_timeout(void *arg)
{
    struct ctl_redis *redis = arg;
    redis->error = FEED_E_TIMEOUT;
    feed_loop_stop(redis->loop);
}

static void send_call(struct ctl_redis *redis);

static void on_state(void *arg, int shard, bool up, const char *reason)
{
    (void)shard;
    struct ctl_redis *redis = arg;
    if (!up) {
        snprintf(redis->last_state, sizeof redis->last_state, "%s", reason ? reason : "");
    } else if (redis->argv) {
        send_call(redis);
    } else if (redis->opening) {
        feed_loop_stop(redis->loop);
    }
}

static void on_reply(void *arg, enum feed_error error, const struct feed_reply *reply)
{
    struct ctl_redis *redis = arg;
    redis->error = error;
    if (error != FEED_OK) {
        snprintf(redis->problem, redis->problem_size, "the connection to Redis broke: %s", redis->last_state);
    } else if (feed_reply_type(reply) == FEED_REPLY_ERROR) {
        struct feed_str text = feed_reply_str(reply);
        redis->error = FEED_E_REMOTE;
        snprintf(redis->problem, redis->problem_size, "Redis answered: %.*s", (int)text.len, text.data);
    } else {
        redis->fn(redis->arg, reply);
    }
    feed_loop_stop(redis->loop);
}

/* In a cluster the shard that has the key may connect later than the first one: it is waited for. */
static void send_call(struct ctl_redis *redis)
{
    enum feed_error error =
        redis->shard == FEED_SHARD_NONE
            ? feed_redis_command(redis->client, redis->argv, redis->argc, on_reply, redis)
            : feed_redis_command_to(redis->client, redis->shard, redis->argv, redis->argc, on_reply, redis);
    if (error == FEED_OK) {
        redis->argv = NULL;
    }
}

enum feed_error ctl_redis_open(const struct ctl_options *options, struct ctl_redis **out, char *problem,
                               size_t problem_size)
{
    struct ctl_redis *redis = calloc(1, sizeof *redis);
    feed_assert(redis);
    redis->timeout_ms = (uint64_t)options->timeout_ms;
    redis->loop = feed_loop_new();
    feed_assert(redis->loop);
    redis->timeout = feed_timer_new(redis->loop, on_timeout, redis);
    struct feed_redis_settings settings = {
        .url = options->redis_url,
        .password = options->redis_password,
        .in_flight_max = 16,
        .connect_timeout_ms = (unsigned)options->timeout_ms,
        .command_timeout_ms = (unsigned)options->timeout_ms,
    };
    const char *fault = NULL;
    enum feed_error error = feed_redis_new(redis->loop, &settings, on_state, redis, &redis->client, &fault);
    if (error != FEED_OK) {
        snprintf(problem, problem_size, "redis.url: %s", fault);
        ctl_redis_close(redis);
        return error;
    }
    redis->opening = true;
    feed_timer_start(redis->timeout, redis->timeout_ms, 0);
    feed_loop_run(redis->loop);
    feed_timer_stop(redis->timeout);
    redis->opening = false;
    if (!feed_redis_up(redis->client)) {
        snprintf(problem, problem_size, "Redis cannot be reached: %s", redis->last_state);
        ctl_redis_close(redis);
        return FEED_E_UNAVAILABLE;
    }
    *out = redis;
    return FEED_OK;
}

void ctl_redis_close(struct ctl_redis *redis)
{
    if (!redis) {
        return;
    }
    if (redis->client) {
        feed_redis_free(redis->client);
    }
    feed_timer_free(redis->timeout);
    feed_loop_free(redis->loop);
    free(redis);
}

static enum feed_error call(struct ctl_redis *redis, int shard, const struct feed_str *argv, size_t argc,
                            ctl_reply_fn *fn, void *arg, char *problem, size_t problem_size)
{
    redis->shard = shard;
    redis->fn = fn;
    redis->arg = arg;
    redis->problem = problem;
    redis->problem_size = problem_size;
    redis->error = FEED_OK;
    redis->argv = argv;
    redis->argc = argc;
    send_call(redis);
    feed_timer_start(redis->timeout, redis->timeout_ms, 0);
    feed_loop_run(redis->loop);
    feed_timer_stop(redis->timeout);
    bool sent = !redis->argv;
    redis->argv = NULL;
    if (redis->error == FEED_E_TIMEOUT && !sent) {
        snprintf(problem, problem_size, "the Redis that has this user cannot be reached: %s",
                 redis->last_state[0] ? redis->last_state : "no server has its slot");
    } else if (redis->error == FEED_E_TIMEOUT) {
        snprintf(problem, problem_size, "Redis did not answer within %llu ms", (unsigned long long)redis->timeout_ms);
    }
    return redis->error;
}

enum feed_error ctl_redis_call(struct ctl_redis *redis, const struct feed_str *argv, size_t argc, ctl_reply_fn *fn,
                               void *arg, char *problem, size_t problem_size)
{
    return call(redis, FEED_SHARD_NONE, argv, argc, fn, arg, problem, problem_size);
}

/* ---- all keys ---- */

enum { SCAN_COUNT = 500, CURSOR_MAX = 24 };

/* One answer of SCAN, kept until its keys have been given out: fn may take its time, and may call Redis. */
struct scan {
    char cursor[CURSOR_MAX];
    struct feed_buf keys; /* each ended by a NUL, which no key of ours has */
};

static void take_scan(void *arg, const struct feed_reply *reply)
{
    struct scan *scan = arg;
    const struct feed_reply *keys = feed_reply_at(reply, 1);
    if (feed_reply_count(reply) != 2 ||
        feed_str_copy(feed_reply_str(feed_reply_at(reply, 0)), scan->cursor, sizeof scan->cursor) != FEED_OK) {
        scan->cursor[0] = '\0';
        return;
    }
    for (size_t i = 0; i < feed_reply_count(keys); i++) {
        feed_buf_str(&scan->keys, feed_reply_str(feed_reply_at(keys, i)));
        feed_buf_char(&scan->keys, '\0');
    }
}

static enum feed_error give(const struct scan *scan, ctl_key_fn *fn, void *arg)
{
    for (size_t at = 0; at < scan->keys.len; at += strlen(scan->keys.data + at) + 1) {
        if (!fn(arg, feed_str_of(scan->keys.data + at))) {
            return FEED_E_UNAVAILABLE;
        }
    }
    return FEED_OK;
}

static enum feed_error scan_shard(struct ctl_redis *redis, int shard, const char *pattern, ctl_key_fn *fn, void *arg,
                                  char *problem, size_t problem_size)
{
    char count[12];
    struct scan scan = {.cursor = "0"};
    snprintf(count, sizeof count, "%d", SCAN_COUNT);
    feed_buf_init(&scan.keys, SIZE_MAX);
    enum feed_error error;
    do {
        const struct feed_str argv[] = {FEED_STR("SCAN"),     feed_str_of(scan.cursor), FEED_STR("MATCH"),
                                        feed_str_of(pattern), FEED_STR("COUNT"),        feed_str_of(count)};
        feed_buf_reset(&scan.keys);
        error = call(redis, shard, argv, sizeof argv / sizeof argv[0], take_scan, &scan, problem, problem_size);
        if (error == FEED_OK && !scan.cursor[0]) {
            snprintf(problem, problem_size, "Redis did not answer SCAN as it should");
            error = FEED_E_REMOTE;
        }
        if (error == FEED_OK) {
            error = give(&scan, fn, arg);
        }
    } while (error == FEED_OK && strcmp(scan.cursor, "0") != 0);
    feed_buf_fini(&scan.keys);
    return error;
}

enum feed_error ctl_redis_scan(struct ctl_redis *redis, const char *pattern, ctl_key_fn *fn, void *arg, char *problem,
                               size_t problem_size)
{
    enum feed_error error = FEED_OK;
    for (int shard = 0; shard < FEED_SHARDS_MAX && error == FEED_OK; shard++) {
        if (feed_redis_shard_slots(redis->client, shard) > 0) {
            error = scan_shard(redis, shard, pattern, fn, arg, problem, problem_size);
        }
    }
    return error;
}
