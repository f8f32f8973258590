/* What the lines of a subscriber report. It comes in the middle of a line's answers, so nothing is freed or connected
 * here; what must change is noted for the next turn. */
#include "shared/redis/route.h"
#include "shared/redis/subscriber_state.h"

static void on_line_up(struct feed_line *line)
{
    struct feed_subscriber *subscriber = line->arg;
    feed_subscriber_work_soon(subscriber);
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
            feed_channel_wait_at(subscriber, channel, line);
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
    feed_channel_wait_at(subscriber, channel, NULL);
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
        subscriber->events.confirmed_fn(subscriber->arg, feed_channel_name(channel)); /* which may remove it */
    } else {
        feed_channel_drop_if_unused(subscriber, channel);
    }
}

static void on_ended(struct feed_line *line, struct feed_channel *channel)
{
    channel->under_way--;
    feed_channel_drop_if_unused(line->arg, channel);
}

static void on_message(struct feed_line *line, struct feed_str name, struct feed_str payload)
{
    struct feed_subscriber *subscriber = line->arg;
    struct feed_channel *channel = feed_channel_find(subscriber, name);
    if (channel && channel->line == line && channel->state >= FEED_CHANNEL_ASKED)
        subscriber->events.message_fn(subscriber->arg, name, payload);
}

static void on_unsubscribed(struct feed_line *line, struct feed_str name)
{
    struct feed_subscriber *subscriber = line->arg;
    struct feed_channel *channel = feed_channel_find(subscriber, name);
    /* One that was asked for again since says itself how it stands. */
    if (!channel || channel->line != line || channel->state != FEED_CHANNEL_STANDING)
        return;
    /* Not asked for: Redis has ended it, because the slot is another shard's now. The map will say whose. */
    feed_channel_wait_at(subscriber, channel, NULL);
    feed_redis_moved(subscriber->redis, NULL);
}

const struct feed_line_events feed_subscriber_line_events = {.up_fn = on_line_up,
                                                             .down_fn = on_line_down,
                                                             .answered_fn = on_answered,
                                                             .ended_fn = on_ended,
                                                             .message_fn = on_message,
                                                             .unsubscribed_fn = on_unsubscribed};
