/* Node: commands on one connection to one server, answered in the order of sending. Private to this room; client.h says
 * what holds for its callbacks too. */
#ifndef FEED_REDIS_NODE_H
#define FEED_REDIS_NODE_H

#include "shared/redis/client.h"
#include "shared/redis/connection.h"

struct feed_redis_node;

typedef void feed_redis_node_fn(void *arg, bool up, const char *reason);

/* Connects in the background to the address, to a server of the wanted kind. settings: their url is not read. */
struct feed_redis_node *feed_redis_node_new(struct feed_loop *loop, const struct feed_redis_address *address,
                                            enum feed_redis_kind wanted, const struct feed_redis_settings *settings,
                                            feed_redis_node_fn *state_fn, void *arg);
void feed_redis_node_free(struct feed_redis_node *node);
bool feed_redis_node_up(const struct feed_redis_node *node);
/* While up. */
enum feed_redis_kind feed_redis_node_kind(const struct feed_redis_node *node);
const struct feed_redis_address *feed_redis_node_address(const struct feed_redis_node *node);
unsigned feed_redis_node_in_flight(const struct feed_redis_node *node);
/* From now on it is of that kind, or refused. */
void feed_redis_node_want(struct feed_redis_node *node, enum feed_redis_kind wanted);
/* The next attempt goes there; it is not connected now. */
void feed_redis_node_retarget(struct feed_redis_node *node, const struct feed_redis_address *address);
/* Gives the connection up, if there is one; state_fn says so before this returns. Not from inside a callback. */
void feed_redis_node_break(struct feed_redis_node *node, const char *reason);
enum feed_error feed_redis_node_command(struct feed_redis_node *node, const struct feed_str *argv, size_t argc,
                                        feed_redis_fn *fn, void *arg) FEED_MUST_USE;
/* The same, with the command in the form in which it goes over the wire; copied. */
enum feed_error feed_redis_node_send(struct feed_redis_node *node, struct feed_str bytes, feed_redis_fn *fn,
                                     void *arg) FEED_MUST_USE;
void feed_redis_node_on_latency(struct feed_redis_node *node, feed_redis_latency_fn *fn, void *arg);

#endif
