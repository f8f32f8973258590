/* One Redis command after the other, for a program that has nothing else to do meanwhile: the asynchronous client, with
 * the loop run until the answer is there. */
#ifndef CTL_REDIS_CALL_H
#define CTL_REDIS_CALL_H

#include "feedctl/options.h"
#include "shared/redis/client.h"

struct ctl_redis;

/* Waits until the connection stands. On failure *problem is a sentence (static or owned by the result of a later call).
 */
enum feed_error ctl_redis_open(const struct ctl_options *options, struct ctl_redis **out, char *problem,
                               size_t problem_size) FEED_MUST_USE;
void ctl_redis_close(struct ctl_redis *redis); /* NULL is ignored */

/* Sends the command and calls fn inside with the answer (never an error reply of Redis). */
typedef void ctl_reply_fn(void *arg, const struct feed_reply *reply);
enum feed_error ctl_redis_call(struct ctl_redis *redis, const struct feed_str *argv, size_t argc, ctl_reply_fn *fn,
                               void *arg, char *problem, size_t problem_size) FEED_MUST_USE;

/* Calls fn for every key that matches the pattern, in all shards, some of them more than once. fn says whether to go
 * on: FEED_E_UNAVAILABLE when it does not, with no word in problem. */
typedef bool ctl_key_fn(void *arg, struct feed_str key);
enum feed_error ctl_redis_scan(struct ctl_redis *redis, const char *pattern, ctl_key_fn *fn, void *arg, char *problem,
                               size_t problem_size) FEED_MUST_USE;

#endif
