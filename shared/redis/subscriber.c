/* Sharded subscriptions. Two difficulties. hiredis knows SUBSCRIBE but not SSUBSCRIBE: on a RESP3 connection everything
 * about subscriptions comes as a push message, so the commands are appended to the context without a callback, and all
 * is taken from the push callback. And a channel may be removed and added again while the answers of the first time are
 * still under way: a subscription counts as standing only when as many confirmations came as were asked for. */
#include "shared/redis/subscriber.h"

#include "shared/base/assert.h"
#include "shared/loop/loop.h"
#include "shared/redis/connection.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct channel {
    UT_hash_handle hh;
    unsigned asked, unasked; /* SSUBSCRIBE, SUNSUBSCRIBE whose answer has not come */
    bool wanted;
    size_t len;
    char name[];
};

struct feed_subscriber {
    struct feed_redis_connection connection;
    struct feed_subscriber_events events;
    void *arg;
    struct channel *channels; /* wanted ones, and those with answers under way */
    size_t wanted;
    struct feed_timer *ping;
    bool ping_unanswered;
};

static void send_words(struct feed_subscriber *subscriber, const char *command, const struct channel *channel)
{
    const char *words[] = {command, channel->name};
    const size_t lengths[] = {strlen(command), channel->len};
    char *formatted;
    redisAsyncContext *context = subscriber->connection.context;
    long long len = redisFormatCommandArgv(&formatted, 2, words, lengths);
    feed_assert(len > 0);
    feed_assert(redisAppendFormattedCommand(&context->c, formatted, (size_t)len) == REDIS_OK);
    redisFreeCommand(formatted);
    context->ev.addWrite(context->ev.data);
}

static void ask(struct feed_subscriber *subscriber, struct channel *channel)
{
    if (feed_subscriber_up(subscriber)) {
        channel->asked++;
        send_words(subscriber, "SSUBSCRIBE", channel);
    }
}

static void drop_if_unused(struct feed_subscriber *subscriber, struct channel *channel)
{
    if (!channel->wanted && channel->asked == 0 && channel->unasked == 0) {
        HASH_DEL(subscriber->channels, channel);
        free(channel);
    }
}

static struct channel *find(struct feed_subscriber *subscriber, struct feed_str name)
{
    struct channel *channel = NULL;
    HASH_FIND(hh, subscriber->channels, name.data, (unsigned)name.len, channel);
    return channel;
}

static void on_confirmed(struct feed_subscriber *subscriber, struct channel *channel)
{
    if (channel->asked > 0) {
        channel->asked--;
    }
    if (channel->wanted && channel->asked == 0) {
        subscriber->events.confirmed_fn(subscriber->arg, (struct feed_str){channel->name, channel->len});
        return; /* the callback may have removed it */
    }
    drop_if_unused(subscriber, channel);
}

static void on_ended(struct feed_subscriber *subscriber, struct channel *channel)
{
    if (channel->unasked > 0) {
        channel->unasked--;
        drop_if_unused(subscriber, channel);
        return;
    }
    /* Not asked for: Redis has ended it, because the slot moves to another server. */
    if (channel->wanted) {
        ask(subscriber, channel);
    }
}

static bool is_word(const redisReply *reply, const char *word)
{
    return reply->str && reply->len == strlen(word) && memcmp(reply->str, word, reply->len) == 0;
}

static void on_push(redisAsyncContext *context, void *raw)
{
    struct feed_redis_connection *connection = context->data;
    const redisReply *reply = raw;
    if (!connection || reply->elements < 3 || !reply->element[1]->str) {
        return;
    }
    struct feed_subscriber *subscriber = connection->arg;
    struct feed_str name = {reply->element[1]->str, reply->element[1]->len};
    struct channel *channel = find(subscriber, name);
    if (!channel) {
        return;
    }
    if (is_word(reply->element[0], "smessage")) {
        if (channel->wanted && reply->element[2]->str) {
            struct feed_str payload = {reply->element[2]->str, reply->element[2]->len};
            subscriber->events.message_fn(subscriber->arg, name, payload);
        }
    } else if (is_word(reply->element[0], "ssubscribe")) {
        on_confirmed(subscriber, channel);
    } else if (is_word(reply->element[0], "sunsubscribe")) {
        on_ended(subscriber, channel);
    }
}

static void on_pong(redisAsyncContext *context, void *reply, void *arg)
{
    (void)context;
    struct feed_subscriber *subscriber = arg;
    if (reply) {
        subscriber->ping_unanswered = false;
    }
}

/* A subscription only listens: a peer that has vanished is found by asking. */
static void on_ping_timer(void *arg)
{
    struct feed_subscriber *subscriber = arg;
    if (!feed_subscriber_up(subscriber)) {
        return;
    }
    if (subscriber->ping_unanswered) {
        feed_redis_connection_break(&subscriber->connection, "no answer to PING in time");
        return;
    }
    subscriber->ping_unanswered = true;
    redisAsyncCommand(subscriber->connection.context, on_pong, subscriber, "PING");
}

static void on_up(void *arg)
{
    struct feed_subscriber *subscriber = arg;
    struct channel *channel, *next;
    subscriber->ping_unanswered = false;
    HASH_ITER(hh, subscriber->channels, channel, next)
    {
        ask(subscriber, channel);
    }
    subscriber->events.state_fn(subscriber->arg, true, "connected");
}

static void on_down(void *arg, const char *reason)
{
    struct feed_subscriber *subscriber = arg;
    struct channel *channel, *next;
    HASH_ITER(hh, subscriber->channels, channel, next)
    {
        channel->asked = channel->unasked = 0;
        drop_if_unused(subscriber, channel);
    }
    subscriber->events.state_fn(subscriber->arg, false, reason);
}

enum feed_error feed_subscriber_new(struct feed_loop *loop, const struct feed_redis_settings *settings,
                                    const struct feed_subscriber_events *events, void *arg,
                                    struct feed_subscriber **out, const char **problem)
{
    struct feed_subscriber *subscriber = calloc(1, sizeof *subscriber);
    feed_assert(subscriber);
    subscriber->events = *events;
    subscriber->arg = arg;
    subscriber->connection.resp3 = true;
    subscriber->connection.push_fn = on_push;
    subscriber->connection.up_fn = on_up;
    subscriber->connection.down_fn = on_down;
    subscriber->connection.arg = subscriber;
    enum feed_error error = feed_redis_connection_init(&subscriber->connection, loop, settings, problem);
    if (error != FEED_OK) {
        free(subscriber);
        return error;
    }
    subscriber->ping = feed_timer_new(loop, on_ping_timer, subscriber);
    feed_timer_start(subscriber->ping, settings->command_timeout_ms, settings->command_timeout_ms);
    *out = subscriber;
    return FEED_OK;
}

void feed_subscriber_free(struct feed_subscriber *subscriber)
{
    if (!subscriber) {
        return;
    }
    feed_redis_connection_fini(&subscriber->connection);
    feed_timer_free(subscriber->ping);
    struct channel *channel, *next;
    HASH_ITER(hh, subscriber->channels, channel, next)
    {
        /* The analyzer does not see that the last one frees the table. NOLINTNEXTLINE */
        HASH_DEL(subscriber->channels, channel);
        free(channel);
    }
    free(subscriber);
}

enum feed_error feed_subscriber_add(struct feed_subscriber *subscriber, struct feed_str name)
{
    struct channel *channel = find(subscriber, name);
    if (!channel) {
        channel = calloc(1, sizeof *channel + name.len + 1);
        if (!channel) {
            return FEED_E_MEMORY;
        }
        memcpy(channel->name, name.data, name.len);
        channel->len = name.len;
        HASH_ADD(hh, subscriber->channels, name, (unsigned)name.len, channel);
    } else if (channel->wanted && (channel->asked > 0 || !feed_subscriber_up(subscriber))) {
        return FEED_OK; /* its confirmation is on the way */
    }
    if (!channel->wanted) {
        channel->wanted = true;
        subscriber->wanted++;
    }
    /* Asking again for one that stands costs a round trip and gives the confirmation that is promised. */
    ask(subscriber, channel);
    return FEED_OK;
}

void feed_subscriber_remove(struct feed_subscriber *subscriber, struct feed_str name)
{
    struct channel *channel = find(subscriber, name);
    if (!channel || !channel->wanted) {
        return;
    }
    channel->wanted = false;
    subscriber->wanted--;
    if (feed_subscriber_up(subscriber)) {
        channel->unasked++;
        send_words(subscriber, "SUNSUBSCRIBE", channel);
    }
    drop_if_unused(subscriber, channel);
}

size_t feed_subscriber_count(const struct feed_subscriber *subscriber)
{
    return subscriber->wanted;
}

bool feed_subscriber_up(const struct feed_subscriber *subscriber)
{
    return subscriber->connection.state == FEED_REDIS_UP;
}
