/* The difficulty is to know which answer belongs to what. A confirmation names its channel, but an error does not; and
 * SUNSUBSCRIBE may be answered by a push message, by an error, or by both, when the slot moves at that moment. So a
 * PING goes behind each SUNSUBSCRIBE: its PONG says that whatever there was to say has been said. */
#include "shared/redis/line.h"

#include "shared/base/assert.h"
#include "shared/loop/loop.h"
#include "shared/redis/request.h"

#include <stdlib.h>
#include <string.h>

struct feed_line_expected {
    struct feed_channel *channel; /* of a SSUBSCRIBE; NULL: a PONG is expected, and errors before it mean nothing */
    struct feed_line_expected *next;
};

static void expect(struct feed_line *line, struct feed_channel *channel)
{
    struct feed_line_expected *expected = malloc(sizeof *expected);
    feed_assert(expected);
    *expected = (struct feed_line_expected){.channel = channel};
    *line->last = expected;
    line->last = &expected->next;
}

/* The channel of the first one, which is taken off the queue. */
static struct feed_channel *came(struct feed_line *line)
{
    struct feed_line_expected *expected = line->first;
    struct feed_channel *channel = expected->channel;
    line->first = expected->next;
    if (!line->first)
        line->last = &line->first;
    free(expected);
    return channel;
}

static void append(struct feed_line *line, const struct feed_str *argv, size_t argc)
{
    struct feed_redis_request request = {0};
    redisAsyncContext *context = line->connection.context;
    feed_redis_request_set(&request, argv, argc);
    feed_assert(redisAppendFormattedCommand(&context->c, request.bytes, request.len) == REDIS_OK);
    feed_redis_request_fini(&request);
    context->ev.addWrite(context->ev.data);
}

static void send_ping(struct feed_line *line)
{
    const struct feed_str argv[] = {FEED_STR("PING")};
    append(line, argv, 1);
    expect(line, NULL);
}

void feed_line_subscribe(struct feed_line *line, struct feed_channel *channel, struct feed_str name)
{
    const struct feed_str argv[] = {FEED_STR("SSUBSCRIBE"), name};
    append(line, argv, 2);
    expect(line, channel);
}

void feed_line_unsubscribe(struct feed_line *line, struct feed_str name)
{
    const struct feed_str argv[] = {FEED_STR("SUNSUBSCRIBE"), name};
    append(line, argv, 2);
    send_ping(line);
}

/* ---- answers ---- */

static bool is_word(const redisReply *reply, const char *word)
{
    return reply->str && reply->len == strlen(word) && memcmp(reply->str, word, reply->len) == 0;
}

/* False: this is not what a server says that understood us. */
static bool take_push(struct feed_line *line, const redisReply *reply)
{
    if (reply->elements < 3 || !reply->element[0]->str)
        return true; /* of a kind that is none of our business */
    struct feed_str name = {reply->element[1]->str, reply->element[1]->str ? reply->element[1]->len : 0};
    if (is_word(reply->element[0], "smessage")) {
        const redisReply *payload = reply->element[2];
        if (payload->str)
            line->events->message_fn(line, name, (struct feed_str){payload->str, payload->len});
    } else if (is_word(reply->element[0], "ssubscribe")) {
        if (!line->first || !line->first->channel)
            return false;
        line->events->answered_fn(line, came(line), (struct feed_str){NULL, 0});
    } else if (is_word(reply->element[0], "sunsubscribe")) {
        line->events->unsubscribed_fn(line, name);
    }
    return true;
}

static bool take(struct feed_line *line, const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_PUSH)
        return take_push(line, reply);
    if (!line->first)
        return false;
    if (reply->type == REDIS_REPLY_ERROR) {
        if (line->first->channel)
            line->events->answered_fn(line, came(line), (struct feed_str){reply->str, reply->len});
        return true;
    }
    if (line->first->channel || !is_word(reply, "PONG"))
        return false;
    came(line);
    line->ping_unanswered = false;
    return true;
}

/* In the place of hiredis' own reader. Nothing of the context is touched after the line was broken. */
static void on_readable(redisAsyncContext *context)
{
    struct feed_redis_connection *connection = context->data;
    struct feed_line *line = connection->arg;
    void *reply = NULL;
    if (redisBufferRead(&context->c) != REDIS_OK) {
        feed_redis_connection_break(connection, context->c.errstr);
        return;
    }
    for (;;) {
        if (redisGetReplyFromReader(&context->c, &reply) != REDIS_OK) {
            feed_redis_connection_break(connection, context->c.errstr);
            return;
        }
        if (!reply)
            return;
        bool good = take(line, reply);
        freeReplyObject(reply);
        if (!good) {
            feed_redis_connection_break(connection, "an answer that nothing was asked for");
            return;
        }
    }
}

/* ---- life ---- */

static void on_up(void *arg)
{
    struct feed_line *line = arg;
    redisContext *context = &line->connection.context->c;
    line->funcs = *context->funcs; /* hiredis' own, with our reader */
    line->funcs.async_read = on_readable;
    context->funcs = &line->funcs;
    line->ping_unanswered = false;
    line->events->up_fn(line);
}

static void end_all(struct feed_line *line)
{
    while (line->first) {
        struct feed_channel *channel = came(line);
        if (channel)
            line->events->ended_fn(line, channel);
    }
}

static void on_down(void *arg, const char *reason)
{
    struct feed_line *line = arg;
    end_all(line);
    line->events->down_fn(line, reason);
}

struct feed_line *feed_line_new(struct feed_loop *loop, const struct feed_redis_address *address,
                                unsigned connect_timeout_ms, const struct feed_line_events *events, void *arg,
                                int shard)
{
    struct feed_line *line = calloc(1, sizeof *line);
    feed_assert(line);
    line->events = events;
    line->arg = arg;
    line->shard = shard;
    line->last = &line->first;
    line->connection.resp3 = true;
    line->connection.up_fn = on_up;
    line->connection.down_fn = on_down;
    line->connection.arg = line;
    feed_redis_connection_init(&line->connection, loop, address, connect_timeout_ms);
    return line;
}

void feed_line_free(struct feed_line *line)
{
    feed_redis_connection_fini(&line->connection);
    end_all(line);
    free(line);
}

bool feed_line_up(const struct feed_line *line)
{
    return line->connection.state == FEED_REDIS_UP;
}

void feed_line_ping(struct feed_line *line)
{
    if (!feed_line_up(line))
        return;
    if (line->ping_unanswered) {
        feed_redis_connection_break(&line->connection, "no answer to PING in time");
        return;
    }
    line->ping_unanswered = true;
    send_ping(line);
}
