/* Redis commands on one connection (hiredis, asynchronous), pipelined: what is sent in one turn of the loop leaves in
 * one write. Reconnects by itself with full-jitter backoff (100 ms .. 5 s). Every callback fires exactly once, later
 * (never inline), on the loop's thread, also when the connection breaks: then with FEED_E_UNAVAILABLE, and nobody knows
 * whether the command was done. Commands go by arguments with lengths only; no format strings, so no input can become
 * syntax. */
#ifndef FEED_REDIS_CLIENT_H
#define FEED_REDIS_CLIENT_H

#include "shared/base/str.h"

struct feed_loop;
struct feed_redis;
struct feed_reply; /* borrowed inside the callback */

enum feed_reply_type { FEED_REPLY_NIL, FEED_REPLY_STRING, FEED_REPLY_INTEGER, FEED_REPLY_ARRAY, FEED_REPLY_ERROR };
enum feed_reply_type feed_reply_type(const struct feed_reply *reply); /* status replies and doubles are strings; maps
                                                                         and sets are arrays; booleans integers */
struct feed_str feed_reply_str(const struct feed_reply *reply);       /* strings and errors; empty otherwise */
int64_t feed_reply_int(const struct feed_reply *reply);  /* integers; a string of digits too; 0 otherwise */
size_t feed_reply_count(const struct feed_reply *reply); /* elements of an array; 0 otherwise */
const struct feed_reply *feed_reply_at(const struct feed_reply *reply, size_t i);

struct feed_redis_settings {
    const char *url;        /* redis://[:password@|user:password@]host[:port][/db] or redis://host..; rediss:// is
                               FEED_E_UNSUPPORTED for now */
    const char *password;   /* overrides the URL's; NULL: none */
    unsigned in_flight_max; /* commands without an answer; beyond it FEED_E_FULL */
    unsigned connect_timeout_ms;
    unsigned command_timeout_ms; /* the connection is given up when an answer takes longer */
};

/* error: FEED_OK with reply (which may be an error reply of Redis: FEED_REPLY_ERROR), or FEED_E_UNAVAILABLE /
 * FEED_E_TIMEOUT with reply NULL. */
typedef void feed_redis_fn(void *arg, enum feed_error error, const struct feed_reply *reply);
/* up: true when connected (and authenticated), false when the connection is gone; reason is for the log. Fires on every
 * change. */
typedef void feed_redis_state_fn(void *arg, bool up, const char *reason);

/* Checks the URL first: FEED_E_INVALID or FEED_E_UNSUPPORTED with *problem (static text). Then connects in the
 * background. */
enum feed_error feed_redis_new(struct feed_loop *loop, const struct feed_redis_settings *settings,
                               feed_redis_state_fn *state_fn, void *arg, struct feed_redis **out,
                               const char **problem) FEED_MUST_USE;
void feed_redis_free(struct feed_redis *redis); /* pending callbacks fire with FEED_E_UNAVAILABLE before this returns
                                                   (the one exception to "later"); state_fn does not */
bool feed_redis_up(const struct feed_redis *redis);
unsigned feed_redis_in_flight(const struct feed_redis *redis);
/* Sends. The arguments are copied. fn NULL: the reply is not wanted. FEED_E_UNAVAILABLE (not connected) or FEED_E_FULL:
 * not sent, fn will not fire. */
enum feed_error feed_redis_command(struct feed_redis *redis, const struct feed_str *argv, size_t argc,
                                   feed_redis_fn *fn, void *arg) FEED_MUST_USE;

/* Latency of answers, for the metric redis_command_seconds: called with seconds for each answered command when set. */
typedef void feed_redis_latency_fn(void *arg, double seconds);
void feed_redis_on_latency(struct feed_redis *redis, feed_redis_latency_fn *fn, void *arg);

#endif
