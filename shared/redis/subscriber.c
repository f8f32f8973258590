/* Which channel is subscribed where. A channel may be removed and added again, or move to another shard, while answers
 * of the first time are still under way: it stands only when as many confirmations came, on the line to which it
 * belongs now, as were asked for there.
 *
 * Whatever changes the map is only noted where it is learnt, which may be in the middle of a line's answers; the turn
 * that follows moves the channels and frees lines. */
#include "shared/redis/subscriber.h"

#include "shared/base/assert.h"
#include "shared/loop/loop.h"
#include "shared/redis/subscriber_state.h"

#include <stdlib.h>
#include <string.h>

struct feed_str feed_channel_name(const struct feed_channel *channel)
{
    return (struct feed_str){channel->name, channel->len};
}

struct feed_channel *feed_channel_find(struct feed_subscriber *subscriber, struct feed_str name)
{
    struct feed_channel *channel = NULL;
    if (name.data)
        HASH_FIND(hh, subscriber->channels, name.data, (unsigned)name.len, channel);
    return channel;
}

void feed_channel_drop_if_unused(struct feed_subscriber *subscriber, struct feed_channel *channel)
{
    if (channel->state == FEED_CHANNEL_IDLE && channel->under_way == 0) {
        HASH_DEL(subscriber->channels, channel);
        free(channel);
    }
}

void feed_subscriber_work_soon(struct feed_subscriber *subscriber)
{
    feed_timer_start(subscriber->turn, 0, 0);
}

/* ---- where a channel belongs ---- */

static void ask(struct feed_channel *channel)
{
    channel->state = FEED_CHANNEL_ASKED;
    channel->asked++;
    channel->under_way++;
    feed_line_subscribe(channel->line, channel, feed_channel_name(channel));
}

static void stop_waiting(struct feed_subscriber *subscriber, struct feed_channel *channel)
{
    if (channel->state != FEED_CHANNEL_WAITING)
        return;
    struct feed_channel **list = channel->line ? &channel->line->waiting : &subscriber->homeless;
    DL_DELETE(*list, channel);
}

void feed_channel_wait_at(struct feed_subscriber *subscriber, struct feed_channel *channel, struct feed_line *line)
{
    stop_waiting(subscriber, channel);
    bool stood = channel->state == FEED_CHANNEL_STANDING;
    if (channel->line != line)
        channel->asked = 0;
    channel->state = FEED_CHANNEL_WAITING;
    channel->line = line;
    struct feed_channel **list = line ? &line->waiting : &subscriber->homeless;
    DL_APPEND(*list, channel);
    if (stood)
        subscriber->events.lost_fn(subscriber->arg, feed_channel_name(channel));
}

static struct feed_line *line_for(struct feed_subscriber *subscriber, const struct feed_channel *channel)
{
    int shard = feed_redis_shard_of_key(subscriber->redis, feed_channel_name(channel));
    return shard == FEED_SHARD_NONE ? NULL : subscriber->lines[shard];
}

/* ---- turns ---- */

static bool same_place(const struct feed_redis_address *a, const struct feed_redis_address *b)
{
    return a->port == b->port && strcmp(a->host, b->host) == 0;
}

/* Lines to shards that have left go; in their place, and for new shards, come others. */
static void renew_lines(struct feed_subscriber *subscriber)
{
    for (int i = 0; i < FEED_SHARDS_MAX; i++) {
        struct feed_redis_address address;
        bool known = feed_redis_shard(subscriber->redis, i, &address);
        struct feed_line *line = subscriber->lines[i];
        if (line && (!known || !same_place(&address, &line->connection.address))) {
            struct feed_channel *channel, *next;
            HASH_ITER(hh, subscriber->channels, channel, next)
            {
                if (channel->line == line && channel->state != FEED_CHANNEL_IDLE)
                    feed_channel_wait_at(subscriber, channel, NULL);
                else if (channel->line == line)
                    channel->line = NULL;
            }
            feed_line_free(line);
            subscriber->lines[i] = NULL;
        }
        if (known && !subscriber->lines[i])
            subscriber->lines[i] = feed_line_new(subscriber->loop, &address, subscriber->connect_timeout_ms,
                                                 &feed_subscriber_line_events, subscriber, i);
    }
}

static void follow_map(struct feed_subscriber *subscriber)
{
    struct feed_channel *channel, *next;
    subscriber->map_changed = false;
    renew_lines(subscriber);
    HASH_ITER(hh, subscriber->channels, channel, next)
    {
        if (channel->state == FEED_CHANNEL_IDLE)
            continue;
        struct feed_line *line = line_for(subscriber, channel);
        if (line && line != channel->line)
            feed_channel_wait_at(subscriber, channel, line);
    }
}

static void on_turn(void *arg)
{
    struct feed_subscriber *subscriber = arg;
    if (subscriber->map_changed)
        follow_map(subscriber);
    unsigned left = FEED_SUBSCRIBE_TURN_MAX;
    for (int i = 0; i < FEED_SHARDS_MAX; i++) {
        struct feed_line *line = subscriber->lines[i];
        while (line && feed_line_up(line) && line->waiting) {
            if (left-- == 0) {
                feed_subscriber_work_soon(subscriber);
                return;
            }
            struct feed_channel *channel = line->waiting;
            stop_waiting(subscriber, channel);
            ask(channel);
        }
    }
}

/* Those that had no place look again, even if the map has not changed: the shard may have been refusing for a reason of
 * its own. */
static void on_retry(void *arg)
{
    struct feed_subscriber *subscriber = arg;
    if (!subscriber->homeless)
        return;
    subscriber->map_changed = true;
    feed_subscriber_work_soon(subscriber);
}

static void on_topology(void *arg)
{
    struct feed_subscriber *subscriber = arg;
    subscriber->map_changed = true;
    feed_subscriber_work_soon(subscriber);
}

static void on_ping(void *arg)
{
    struct feed_subscriber *subscriber = arg;
    for (int i = 0; i < FEED_SHARDS_MAX; i++) {
        if (subscriber->lines[i])
            feed_line_ping(subscriber->lines[i]);
    }
}

/* ---- life ---- */

struct feed_subscriber *feed_subscriber_new(struct feed_loop *loop, struct feed_redis *redis,
                                            const struct feed_redis_settings *settings,
                                            const struct feed_subscriber_events *events, void *arg)
{
    struct feed_subscriber *subscriber = calloc(1, sizeof *subscriber);
    feed_assert(subscriber);
    subscriber->loop = loop;
    subscriber->redis = redis;
    subscriber->events = *events;
    subscriber->arg = arg;
    subscriber->connect_timeout_ms = settings->connect_timeout_ms;
    subscriber->turn = feed_timer_new(loop, on_turn, subscriber);
    subscriber->retry = feed_timer_new(loop, on_retry, subscriber);
    subscriber->ping = feed_timer_new(loop, on_ping, subscriber);
    feed_timer_start(subscriber->retry, FEED_SUBSCRIBE_RETRY_MS, FEED_SUBSCRIBE_RETRY_MS);
    feed_timer_start(subscriber->ping, settings->command_timeout_ms, settings->command_timeout_ms);
    feed_redis_on_topology(redis, on_topology, subscriber);
    on_topology(subscriber);
    return subscriber;
}

void feed_subscriber_free(struct feed_subscriber *subscriber)
{
    if (!subscriber) {
        return;
    }
    feed_redis_on_topology(subscriber->redis, NULL, NULL);
    for (int i = 0; i < FEED_SHARDS_MAX; i++) {
        if (subscriber->lines[i])
            feed_line_free(subscriber->lines[i]);
    }
    feed_timer_free(subscriber->turn);
    feed_timer_free(subscriber->retry);
    feed_timer_free(subscriber->ping);
    struct feed_channel *channel, *next;
    HASH_ITER(hh, subscriber->channels, channel, next)
    {
        /* The analyzer does not see that the last one frees the table. NOLINTNEXTLINE */
        HASH_DEL(subscriber->channels, channel);
        free(channel);
    }
    free(subscriber);
}

/* ---- channels come and go ---- */

static struct feed_channel *channel_new(struct feed_subscriber *subscriber, struct feed_str name)
{
    struct feed_channel *channel = calloc(1, sizeof *channel + name.len + 1);
    if (!channel)
        return NULL;
    memcpy(channel->name, name.data, name.len);
    channel->len = name.len;
    HASH_ADD(hh, subscriber->channels, name, (unsigned)name.len, channel);
    return channel;
}

enum feed_error feed_subscriber_add(struct feed_subscriber *subscriber, struct feed_str name)
{
    struct feed_channel *channel = feed_channel_find(subscriber, name);
    if (!channel)
        channel = channel_new(subscriber, name);
    if (!channel)
        return FEED_E_MEMORY;
    switch (channel->state) {
    case FEED_CHANNEL_IDLE: {
        subscriber->wanted++;
        struct feed_line *line = line_for(subscriber, channel);
        feed_channel_wait_at(subscriber, channel, line);
        if (line && feed_line_up(line)) {
            stop_waiting(subscriber, channel);
            ask(channel);
        } else if (!line) {
            feed_subscriber_work_soon(subscriber);
        }
        break;
    }
    case FEED_CHANNEL_STANDING:
        /* Asking again for one that stands costs a round trip and gives the confirmation that is promised. */
        ask(channel);
        break;
    case FEED_CHANNEL_WAITING:
    case FEED_CHANNEL_ASKED: /* its confirmation is on the way */
        break;
    }
    return FEED_OK;
}

void feed_subscriber_remove(struct feed_subscriber *subscriber, struct feed_str name)
{
    struct feed_channel *channel = feed_channel_find(subscriber, name);
    if (!channel || channel->state == FEED_CHANNEL_IDLE)
        return;
    subscriber->wanted--;
    stop_waiting(subscriber, channel);
    if (channel->state != FEED_CHANNEL_WAITING)
        feed_line_unsubscribe(channel->line, name);
    channel->state = FEED_CHANNEL_IDLE;
    feed_channel_drop_if_unused(subscriber, channel);
}

size_t feed_subscriber_count(const struct feed_subscriber *subscriber)
{
    return subscriber->wanted;
}

bool feed_subscriber_up(const struct feed_subscriber *subscriber)
{
    for (int i = 0; i < FEED_SHARDS_MAX; i++) {
        if (subscriber->lines[i] && feed_line_up(subscriber->lines[i]))
            return true;
    }
    return false;
}
