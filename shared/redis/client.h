/* Redis commands (hiredis, asynchronous) to a single server or to a cluster; which of the two it is, the servers say
 * themselves. Pipelined: what is sent to one server in one turn of the loop leaves in one write. Connections come back
 * by themselves with full-jitter backoff (100 ms .. 5 s). Every callback fires exactly once, later (never inline), on
 * the loop's thread, also when the connection breaks: then with FEED_E_UNAVAILABLE, and nobody knows whether the
 * command was done. Commands go by arguments with lengths only; no format strings, so no input can become syntax.
 *
 * A *shard* is a server that owns a part of the keys: a master of the cluster, or the single server, which is shard 0.
 * Shards have numbers from 0 to FEED_SHARDS_MAX - 1, which stay for as long as a server is a master. Answers of one
 * shard come in the order of sending, unless a command was redirected; there is no order between shards. Commands go to
 * the shard that owns their key (shared/redis/slot.h), and follow redirections (shared/redis/route.h): an answer
 * MOVED, ASK or TRYAGAIN reaches the caller only when it has been followed too often. */
#ifndef FEED_REDIS_CLIENT_H
#define FEED_REDIS_CLIENT_H

#include "shared/redis/address.h"
#include "shared/redis/topology.h"

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
    const char *url;        /* redis://[:password@|user:password@]host[:port][,host[:port]..][/db]; several hosts are of
                               one cluster; rediss:// is FEED_E_UNSUPPORTED for now */
    const char *password;   /* overrides the URL's; NULL: none */
    unsigned in_flight_max; /* commands without an answer; beyond it FEED_E_FULL */
    unsigned connect_timeout_ms;
    unsigned command_timeout_ms; /* the connection is given up when an answer takes longer */
    uint64_t *attempts;          /* counted up with each attempt to connect to any server; borrowed; NULL: not wanted */
};

/* error: FEED_OK with reply (which may be an error reply of Redis: FEED_REPLY_ERROR), or FEED_E_UNAVAILABLE /
 * FEED_E_TIMEOUT with reply NULL. */
typedef void feed_redis_fn(void *arg, enum feed_error error, const struct feed_reply *reply);
/* A shard can be used (connected and authenticated), or no longer; reason is for the log. Fires on every change.
 * FEED_SHARD_NONE, false: none of the servers of the URL can be used, so that no shard is known. */
typedef void feed_redis_state_fn(void *arg, int shard, bool up, const char *reason);

/* Checks the URL first: FEED_E_INVALID or FEED_E_UNSUPPORTED with *problem (static text). Then connects in the
 * background. */
enum feed_error feed_redis_new(struct feed_loop *loop, const struct feed_redis_settings *settings,
                               feed_redis_state_fn *state_fn, void *arg, struct feed_redis **out,
                               const char **problem) FEED_MUST_USE;
void feed_redis_free(struct feed_redis *redis); /* pending callbacks fire with FEED_E_UNAVAILABLE before this returns
                                                   (the one exception to "later"); state_fn does not */
bool feed_redis_up(const struct feed_redis *redis); /* at least one shard is */
/* Sends. The arguments are copied. fn NULL: the reply is not wanted. FEED_E_UNAVAILABLE (the shard is not connected, or
 * no shard owns the key) or FEED_E_FULL: not sent, fn will not fire. */
enum feed_error feed_redis_command(struct feed_redis *redis, const struct feed_str *argv, size_t argc,
                                   feed_redis_fn *fn, void *arg) FEED_MUST_USE;
/* To this shard, whatever its keys; redirections are answers. */
enum feed_error feed_redis_command_to(struct feed_redis *redis, int shard, const struct feed_str *argv, size_t argc,
                                      feed_redis_fn *fn, void *arg) FEED_MUST_USE;

/* ---- shards ---- */

/* The shard that a command would go to now; FEED_SHARD_NONE when none is known for it. */
int feed_redis_shard_of(const struct feed_redis *redis, const struct feed_str *argv, size_t argc);
int feed_redis_shard_of_key(const struct feed_redis *redis, struct feed_str key);
/* Inside a feed_redis_fn: the shard that the answer came from, or was waited for from. */
int feed_redis_answering(const struct feed_redis *redis);
/* Where the shard is, with user and password; false when there is none of this number. */
bool feed_redis_shard(const struct feed_redis *redis, int shard, struct feed_redis_address *out);
/* How many slots it owns: 0 when there is none of this number; all, of a single server. */
unsigned feed_redis_shard_slots(const struct feed_redis *redis, int shard);
/* The lowest of them; -1 when it has none. Looks at all slots. */
int feed_redis_shard_first_slot(const struct feed_redis *redis, int shard);
/* How many shards there are and how many of them can be used; 0 while it is not known. For metrics. */
struct feed_redis_shards {
    unsigned known, up;
};
struct feed_redis_shards feed_redis_count_shards(const struct feed_redis *redis);
/* Called after who owns which keys has changed, or has become known; one listener; never inline. */
typedef void feed_redis_topology_fn(void *arg);
void feed_redis_on_topology(struct feed_redis *redis, feed_redis_topology_fn *fn, void *arg);
/* For those who learn from elsewhere that something has moved: to is NULL (the map is read anew soon) or what a MOVED
 * said. */
void feed_redis_moved(struct feed_redis *redis, const struct feed_redirect *to);

/* Latency of answers, for the metric redis_command_seconds: called with seconds for each answered command when set. */
typedef void feed_redis_latency_fn(void *arg, double seconds);
void feed_redis_on_latency(struct feed_redis *redis, feed_redis_latency_fn *fn, void *arg);

#endif
