/* Sharded subscriptions (SSUBSCRIBE) on a RESP3 connection of their own. hiredis' asynchronous API does not know
 * SSUBSCRIBE, so the formatted command is appended to the context and everything is taken from the push callback.
 * Reconnects with backoff; after a reconnect every wanted channel is subscribed again, and its confirmed callback fires
 * again: what was published between is lost, so the holder reads its window then. */
#ifndef FEED_REDIS_SUBSCRIBER_H
#define FEED_REDIS_SUBSCRIBER_H

#include "shared/redis/client.h"

struct feed_subscriber;

struct feed_subscriber_events {
    /* The subscription to channel stands (the first time, and after each reconnect): from now on nothing is missed
     * until `down`. */
    void (*confirmed_fn)(void *arg, struct feed_str channel);
    void (*message_fn)(void *arg, struct feed_str channel, struct feed_str payload);
    void (*state_fn)(void *arg, bool up, const char *reason);
};

enum feed_error feed_subscriber_new(struct feed_loop *loop, const struct feed_redis_settings *settings,
                                    const struct feed_subscriber_events *events, void *arg,
                                    struct feed_subscriber **out, const char **problem) FEED_MUST_USE;
void feed_subscriber_free(struct feed_subscriber *subscriber);
/* Wanted until removed, connected or not; adding one that is wanted already only repeats confirmed_fn if it stands
 * (later, not inline). */
enum feed_error feed_subscriber_add(struct feed_subscriber *subscriber, struct feed_str channel) FEED_MUST_USE;
void feed_subscriber_remove(struct feed_subscriber *subscriber, struct feed_str channel);
size_t feed_subscriber_count(const struct feed_subscriber *subscriber);
bool feed_subscriber_up(const struct feed_subscriber *subscriber);

#endif
