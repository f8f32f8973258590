/* The inside of the subscriber, shared by its files: subscriber.c (channels come and go; turns), subscriber_lines.c
 * (what the lines report). */
#ifndef FEED_REDIS_SUBSCRIBER_STATE_H
#define FEED_REDIS_SUBSCRIBER_STATE_H

#include "shared/redis/line.h"
#include "shared/redis/subscriber.h"

#include <uthash.h>
#include <utlist.h>

enum feed_channel_state {
    FEED_CHANNEL_IDLE,    /* not wanted; answers may be under way */
    FEED_CHANNEL_WAITING, /* in the list of its line, or of those without one */
    FEED_CHANNEL_ASKED,
    FEED_CHANNEL_STANDING
};

struct feed_channel {
    UT_hash_handle hh;
    enum feed_channel_state state;
    struct feed_line *line; /* the one to which it belongs; NULL: none */
    unsigned asked;         /* SSUBSCRIBEs without an answer on this line */
    unsigned under_way;     /* on all lines, also former ones */
    unsigned hops;          /* MOVEDs since it stood last */
    struct feed_channel *prev, *next;
    size_t len;
    char name[];
};

struct feed_subscriber {
    struct feed_loop *loop;
    struct feed_redis *redis;
    struct feed_subscriber_events events;
    void *arg;
    unsigned connect_timeout_ms;
    struct feed_channel *channels; /* by name */
    size_t wanted;
    struct feed_line *lines[FEED_SHARDS_MAX];
    struct feed_channel *homeless; /* waiting ones without a line */
    struct feed_timer *turn, *retry, *ping;
    bool map_changed;
};

/* subscriber.c */

struct feed_str feed_channel_name(const struct feed_channel *channel);
struct feed_channel *feed_channel_find(struct feed_subscriber *subscriber, struct feed_str name);
/* Frees it when it is not wanted and no answer is under way. */
void feed_channel_drop_if_unused(struct feed_subscriber *subscriber, struct feed_channel *channel);
/* It is asked for when its turn comes. line NULL: when a shard is known for it. */
void feed_channel_wait_at(struct feed_subscriber *subscriber, struct feed_channel *channel, struct feed_line *line);
/* There is something to do for the next turn. */
void feed_subscriber_work_soon(struct feed_subscriber *subscriber);

/* subscriber_lines.c */

extern const struct feed_line_events feed_subscriber_line_events;

#endif
