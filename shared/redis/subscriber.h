/* Sharded subscriptions (SSUBSCRIBE): each channel at the shard that owns its slot, over a RESP3 connection to that
 * shard which carries nothing else. Connections come back with backoff. When one was lost, when Redis has ended a
 * subscription because its slot moved, and when the map of slots changes, the channels concerned are subscribed again
 * where they belong now, a bounded number in each turn of the loop, and confirmed_fn fires again: what was published
 * between is lost, so the holder reads its window then. */
#ifndef FEED_REDIS_SUBSCRIBER_H
#define FEED_REDIS_SUBSCRIBER_H

#include "shared/redis/client.h"

struct feed_subscriber;

enum {
    FEED_SUBSCRIBE_TURN_MAX = 256, /* SSUBSCRIBEs in one turn after a change; a new channel does not wait for them */
    FEED_SUBSCRIBE_RETRY_MS = 500  /* for a channel that no shard takes */
};

struct feed_subscriber_events {
    /* The subscription to channel stands (the first time, and each time that it stands anew): from now on nothing is
     * missed until lost_fn. */
    void (*confirmed_fn)(void *arg, struct feed_str channel);
    /* It does not stand any more; confirmed_fn will come again. */
    void (*lost_fn)(void *arg, struct feed_str channel);
    void (*message_fn)(void *arg, struct feed_str channel, struct feed_str payload);
    /* The connection to this shard stands, or not. */
    void (*state_fn)(void *arg, int shard, bool up, const char *reason);
};

/* redis is borrowed, tells where the shards are, and lives longer; its topology listener is taken. Of settings, the
 * timeouts are read. */
struct feed_subscriber *feed_subscriber_new(struct feed_loop *loop, struct feed_redis *redis,
                                            const struct feed_redis_settings *settings,
                                            const struct feed_subscriber_events *events, void *arg);
void feed_subscriber_free(struct feed_subscriber *subscriber); /* lost_fn and state_fn are not called */
/* Wanted until removed, connected or not; adding one that is wanted already only repeats confirmed_fn if it stands
 * (later, not inline). */
enum feed_error feed_subscriber_add(struct feed_subscriber *subscriber, struct feed_str channel) FEED_MUST_USE;
void feed_subscriber_remove(struct feed_subscriber *subscriber, struct feed_str channel);
size_t feed_subscriber_count(const struct feed_subscriber *subscriber);
bool feed_subscriber_up(const struct feed_subscriber *subscriber); /* at least one connection stands */

#endif
