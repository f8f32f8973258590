/* Line: the RESP3 connection to one shard that carries subscriptions, and what was asked over it. Private to this room:
 * subscriber.c decides which channel belongs to which line.
 *
 * hiredis' asynchronous reader knows SUBSCRIBE but not SSUBSCRIBE, whose refusals (MOVED) come as answers and whose
 * confirmations come as push messages. So a line takes all answers from hiredis' parser itself, once it is greeted.
 * They come in the order of asking: what is expected next is a queue. */
#ifndef FEED_REDIS_LINE_H
#define FEED_REDIS_LINE_H

#include "shared/redis/client.h"
#include "shared/redis/connection.h"

struct feed_channel; /* the subscriber's; a line keeps pointers to those that it asked for until the answer is there */
struct feed_line;

struct feed_line_events {
    void (*up_fn)(struct feed_line *line);
    /* After ended_fn was called for every channel whose answer had not come. */
    void (*down_fn)(struct feed_line *line, const char *reason);
    /* The answer to feed_line_subscribe. error: empty, or why it was refused. */
    void (*answered_fn)(struct feed_line *line, struct feed_channel *channel, struct feed_str error);
    /* No answer will come. */
    void (*ended_fn)(struct feed_line *line, struct feed_channel *channel);
    void (*message_fn)(struct feed_line *line, struct feed_str channel, struct feed_str payload);
    /* Redis says that a subscription has ended: because it was asked to, or because the slot has moved. */
    void (*unsubscribed_fn)(struct feed_line *line, struct feed_str channel);
};

struct feed_line_expected;

struct feed_line {
    struct feed_redis_connection connection;
    const struct feed_line_events *events;
    void *arg;
    int shard;
    redisContextFuncs funcs;
    struct feed_line_expected *first, **last;
    struct feed_channel *waiting; /* the subscriber's: to be asked for here, oldest first */
    bool ping_unanswered;
};

/* Connects in the background. */
struct feed_line *feed_line_new(struct feed_loop *loop, const struct feed_redis_address *address,
                                unsigned connect_timeout_ms, const struct feed_line_events *events, void *arg,
                                int shard);
/* ended_fn is called, down_fn is not. Not from inside an event. */
void feed_line_free(struct feed_line *line);
bool feed_line_up(const struct feed_line *line);
/* While up. */
void feed_line_subscribe(struct feed_line *line, struct feed_channel *channel, struct feed_str name);
void feed_line_unsubscribe(struct feed_line *line, struct feed_str name);
/* A subscription only listens: a peer that has vanished is found by asking. Breaks the line when the ping before has no
 * answer yet. Not from inside an event. */
void feed_line_ping(struct feed_line *line);

#endif
