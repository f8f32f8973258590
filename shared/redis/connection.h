/* One connection to Redis that comes back by itself: connect, authenticate, select, be up; after a failure, wait and
 * try again. Private to this room: the client and the subscriber are built on it.
 *
 *            start           connected            greeted
 *   WAITING ------> CONNECTING -------> GREETING ---------> UP
 *      ^                |                  |                 |
 *      +----------------+------- down -----+-----------------+     (after feed_backoff_ms)
 */
#ifndef FEED_REDIS_CONNECTION_H
#define FEED_REDIS_CONNECTION_H

#include "shared/redis/address.h"
#include "shared/redis/client.h"

#include <hiredis/async.h>

/* What a server says it is. */
enum feed_redis_kind { FEED_REDIS_ANY_KIND, FEED_REDIS_SINGLE, FEED_REDIS_CLUSTER };

enum feed_redis_state { FEED_REDIS_WAITING, FEED_REDIS_CONNECTING, FEED_REDIS_GREETING, FEED_REDIS_UP };

struct feed_redis_connection {
    struct feed_loop *loop;
    struct feed_redis_address address;
    unsigned connect_timeout_ms;
    bool resp3;
    enum feed_redis_kind wanted; /* another kind is refused */
    void (*up_fn)(void *arg);
    /* The connection is gone, after all callbacks of commands have fired. */
    void (*down_fn)(void *arg, const char *reason);
    void *arg;
    uint64_t *attempts; /* counted up with each attempt to connect; NULL: not wanted */

    redisAsyncContext *context; /* NULL while WAITING; its data is the connection */
    struct feed_timer *timer;   /* WAITING: next attempt; CONNECTING, GREETING: gives up */
    enum feed_redis_state state;
    enum feed_redis_kind kind; /* while UP */
    unsigned attempt;
    bool closing; /* ours is the last word: no further attempt */
    char reason[160];
};

/* The address is copied; what stands above context is set by the caller before. */
void feed_redis_connection_init(struct feed_redis_connection *connection, struct feed_loop *loop,
                                const struct feed_redis_address *address, unsigned connect_timeout_ms);
/* Breaks the connection; pending callbacks of hiredis fire (reply NULL) before this returns, down_fn does not. */
void feed_redis_connection_fini(struct feed_redis_connection *connection);
/* Gives the connection up, as if it had broken, with a reason; not from inside a callback of hiredis. */
void feed_redis_connection_break(struct feed_redis_connection *connection, const char *reason);

#endif
