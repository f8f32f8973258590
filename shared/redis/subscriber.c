/* Which channel is subscribed where. A channel may be removed and added again, or move to another shard, while answers
 * of the first time are still under way: it stands only when as many confirmations came, on the line to which it
 * belongs now, as were asked for there.
 *
 * Whatever changes the map is only noted where it is learnt, which may be in the middle of a line's answers; the turn
 * that follows moves the channels and frees lines. */
#include "shared/redis/subscriber.h"

#include "shared/base/assert.h"
#include "shared/loop/loop.h"
#include "shared/redis/line.h"
#include "shared/redis/route.h"

#include <stdlib.h>
#include <string.h>
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

static struct feed_str name_of(const struct feed_channel *channel)
{
    return (struct feed_str){channel->name, channel->len};
}

static struct feed_channel *find(struct feed_subscriber *subscriber, struct feed_str name)
{
    struct feed_channel *channel = NULL;
    if (name.data)
        HASH_FIND(hh, subscriber->channels, name.data, (unsigned)name.len, channel);
    return channel;
}

static void drop_if_unused(struct feed_subscriber *subscriber, struct feed_channel *channel)
{
    if (channel->state == FEED_CHANNEL_IDLE && channel->under_way == 0) {
        HASH_DEL(subscriber->channels, channel);
        free(channel);
    }
}

static void work_soon(struct feed_subscriber *subscriber)
{
    feed_timer_start(subscriber->turn, 0, 0);
}

/* ---- where a channel belongs ---- */

static void ask(struct feed_channel *channel)
{
    channel->state = FEED_CHANNEL_ASKED;
    channel->asked++;
    channel->under_way++;
    feed_line_subscribe(channel->line, channel, name_of(channel));
}

static void stop_waiting(struct feed_subscriber *subscriber, struct feed_channel *channel)
{
    if (channel->state != FEED_CHANNEL_WAITING)
        return;
    struct feed_channel **list = channel->line ? &channel->line->waiting : &subscriber->homeless;
    DL_DELETE(*list, channel);
}

/* It is asked for when its turn comes. line NULL: when a shard is known for it. */
static void wait_at(struct feed_subscriber *subscriber, struct feed_channel *channel, struct feed_line *line)
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
        subscriber->events.lost_fn(subscriber->arg, name_of(channel));
}

static struct feed_line *line_for(struct feed_subscriber *subscriber, const struct feed_channel *channel)
{
    int shard = feed_redis_shard_of_key(subscriber->redis, name_of(channel));
    return shard == FEED_SHARD_NONE ? NULL : subscriber->lines[shard];
}

/* ---- what the lines report ---- */

static void on_line_up(struct feed_line *line)
{
    struct feed_subscriber *subscriber = line->arg;
    work_soon(subscriber);
    subscriber->events.state_fn(subscriber->arg, line->shard, true, "connected");
}

static void on_line_down(struct feed_line *line, const char *reason)
{
    struct feed_subscriber *subscriber = line->arg;
    struct feed_channel *channel, *next;
    HASH_ITER(hh, subscriber->channels, channel, next)
    {
        if (channel->line != line)
            continue;
        if (channel->state == FEED_CHANNEL_ASKED || channel->state == FEED_CHANNEL_STANDING)
            wait_at(subscriber, channel, line);
        channel->asked = 0;
    }
    feed_redis_moved(subscriber->redis, NULL);
    subscriber->events.state_fn(subscriber->arg, line->shard, false, reason);
}

/* True when the answer is one that the channel waits for. */
static bool answer_came(struct feed_line *line, struct feed_channel *channel)
{
    channel->under_way--;
    if (channel->line != line || channel->asked == 0)
        return false;
    channel->asked--;
    return channel->state == FEED_CHANNEL_ASKED;
}

static void refused(struct feed_subscriber *subscriber, struct feed_line *line, struct feed_channel *channel,
                    struct feed_str error)
{
    struct feed_redirect to;
    bool moved = channel->hops++ < FEED_ROUTE_HOPS_MAX &&
                 feed_redirect_parse(error, line->connection.address.host, &to) && !to.ask;
    if (!moved)
        channel->hops = 0; /* it begins anew after a while */
    wait_at(subscriber, channel, NULL);
    feed_redis_moved(subscriber->redis, moved ? &to : NULL);
}

static void on_answered(struct feed_line *line, struct feed_channel *channel, struct feed_str error)
{
    struct feed_subscriber *subscriber = line->arg;
    bool awaited = answer_came(line, channel);
    if (awaited && error.len) {
        refused(subscriber, line, channel, error);
    } else if (awaited && channel->asked == 0) {
        channel->state = FEED_CHANNEL_STANDING;
        channel->hops = 0;
        subscriber->events.confirmed_fn(subscriber->arg, name_of(channel)); /* which may remove it */
    } else {
        drop_if_unused(subscriber, channel);
    }
}

static void on_ended(struct feed_line *line, struct feed_channel *channel)
{
    channel->under_way--;
    drop_if_unused(line->arg, channel);
}

static void on_message(struct feed_line *line, struct feed_str name, struct feed_str payload)
{
    struct feed_subscriber *subscriber = line->arg;
    struct feed_channel *channel = find(subscriber, name);
    if (channel && channel->line == line && channel->state >= FEED_CHANNEL_ASKED)
        subscriber->events.message_fn(subscriber->arg, name, payload);
}

static void on_unsubscribed(struct feed_line *line, struct feed_str name)
{
    struct feed_subscriber *subscriber = line->arg;
    struct feed_channel *channel = find(subscriber, name);
    /* One that was asked for again since says itself how it stands. */
    if (!channel || channel->line != line || channel->state != FEED_CHANNEL_STANDING)
        return;
    /* Not asked for: Redis has ended it, because the slot is another shard's now. The map will say whose. */
    wait_at(subscriber, channel, NULL);
    feed_redis_moved(subscriber->redis, NULL);
}

static const struct feed_line_events line_events = {.up_fn = on_line_up,
                                                    .down_fn = on_line_down,
                                                    .answered_fn = on_answered,
                                                    .ended_fn = on_ended,
                                                    .message_fn = on_message,
                                                    .unsubscribed_fn = on_unsubscribed};

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
                    wait_at(subscriber, channel, NULL);
                else if (channel->line == line)
                    channel->line = NULL;
            }
            feed_line_free(line);
            subscriber->lines[i] = NULL;
        }
        if (known && !subscriber->lines[i])
            subscriber->lines[i] =
                feed_line_new(subscriber->loop, &address, subscriber->connect_timeout_ms, &line_events, subscriber, i);
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
            wait_at(subscriber, channel, line);
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
                work_soon(subscriber);
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
    work_soon(subscriber);
}

static void on_topology(void *arg)
{
    struct feed_subscriber *subscriber = arg;
    subscriber->map_changed = true;
    work_soon(subscriber);
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
    struct feed_channel *channel = find(subscriber, name);
    if (!channel)
        channel = channel_new(subscriber, name);
    if (!channel)
        return FEED_E_MEMORY;
    switch (channel->state) {
    case FEED_CHANNEL_IDLE: {
        subscriber->wanted++;
        struct feed_line *line = line_for(subscriber, channel);
        wait_at(subscriber, channel, line);
        if (line && feed_line_up(line)) {
            stop_waiting(subscriber, channel);
            ask(channel);
        } else if (!line) {
            work_soon(subscriber);
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
    struct feed_channel *channel = find(subscriber, name);
    if (!channel || channel->state == FEED_CHANNEL_IDLE)
        return;
    subscriber->wanted--;
    stop_waiting(subscriber, channel);
    if (channel->state != FEED_CHANNEL_WAITING)
        feed_line_unsubscribe(channel->line, name);
    channel->state = FEED_CHANNEL_IDLE;
    drop_if_unused(subscriber, channel);
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
