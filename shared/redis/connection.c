/* Connecting and coming back. The difficulty: hiredis frees the context itself after a failure, at three different
 * places; each of them ends in `went_down`, once. Resolving the host's name is done by hiredis and blocks; use an
 * address, or a name that resolves quickly. */
#include "shared/redis/connection.h"

#include "shared/base/assert.h"
#include "shared/base/backoff.h"
#include "shared/loop/loop.h"
#include "shared/redis/link.h"

#include <stdio.h>
#include <string.h>

static const struct feed_backoff backoff = {.first_ms = 100, .max_ms = 5000};

static void connect_now(struct feed_redis_connection *connection);

static void remember(struct feed_redis_connection *connection, const char *reason)
{
    snprintf(connection->reason, sizeof connection->reason, "%s", reason && *reason ? reason : "connection closed");
}

/* The context is gone, or about to be freed by hiredis. */
static void went_down(struct feed_redis_connection *connection)
{
    bool was_up = connection->state == FEED_REDIS_UP;
    connection->context = NULL;
    connection->state = FEED_REDIS_WAITING;
    if (connection->closing) {
        return;
    }
    uint64_t random;
    feed_random_bytes(&random, sizeof random);
    if (was_up) {
        connection->attempt = 0;
    }
    feed_timer_start(connection->timer, feed_backoff_ms(backoff, connection->attempt++, random), 0);
    connection->down_fn(connection->arg, connection->reason);
}

static void give_up(struct feed_redis_connection *connection, const char *reason)
{
    remember(connection, reason);
    redisAsyncContext *context = connection->context;
    if (context) {
        context->data = NULL; /* its last callbacks are not ours */
        redisAsyncFree(context);
    }
    went_down(connection);
}

static void become_up(struct feed_redis_connection *connection)
{
    connection->state = FEED_REDIS_UP;
    connection->attempt = 0;
    feed_timer_stop(connection->timer);
    connection->up_fn(connection->arg);
}

/* From the answer to HELLO: a map, or in RESP2 a list of the same form. */
static enum feed_redis_kind kind_of(const redisReply *hello)
{
    for (size_t i = 0; i + 1 < hello->elements; i += 2) {
        const redisReply *name = hello->element[i], *value = hello->element[i + 1];
        if (name->str && strcmp(name->str, "mode") == 0 && value->str) {
            return strcmp(value->str, "cluster") == 0 ? FEED_REDIS_CLUSTER : FEED_REDIS_SINGLE;
        }
    }
    return FEED_REDIS_SINGLE;
}

static const char *refusal_of(struct feed_redis_connection *connection, const redisReply *reply, bool last)
{
    if (reply->type == REDIS_REPLY_ERROR) {
        return reply->str; /* it never repeats the password */
    }
    if (last) {
        connection->kind = kind_of(reply);
        if (connection->wanted == FEED_REDIS_CLUSTER && connection->kind != FEED_REDIS_CLUSTER) {
            return "a server of a cluster is expected, and this is a single one";
        }
        if (connection->wanted == FEED_REDIS_SINGLE && connection->kind != FEED_REDIS_SINGLE) {
            return "a single server has become one of a cluster; start again to use it as such";
        }
    }
    return NULL;
}

/* Answers to AUTH, SELECT and HELLO. Only the last one has connection as its argument and makes us up; any error breaks
 * the connection. */
static void on_greeting(redisAsyncContext *context, void *raw, void *last)
{
    struct feed_redis_connection *connection = context->data;
    redisReply *reply = raw;
    if (!connection || !reply) {
        return;
    }
    const char *refusal = refusal_of(connection, reply, last != NULL);
    if (refusal) {
        remember(connection, refusal);
        redisAsyncDisconnect(context);
        connection->state = FEED_REDIS_CONNECTING; /* what follows in this read is not a greeting any more */
        return;
    }
    if (last && connection->state == FEED_REDIS_GREETING) {
        become_up(connection);
    }
}

static void send_words(struct feed_redis_connection *connection, int count, const char **words, bool last)
{
    redisAsyncCommandArgv(connection->context, on_greeting, last ? connection : NULL, count, words, NULL);
}

static void greet(struct feed_redis_connection *connection)
{
    const struct feed_redis_address *address = &connection->address;
    const char *user = address->user[0] ? address->user : "default";
    bool auth = address->password[0] != '\0';
    connection->state = FEED_REDIS_GREETING;
    if (connection->resp3) {
        const char *hello[] = {"HELLO", "3", "AUTH", user, address->password};
        send_words(connection, auth ? 5 : 2, hello, true);
        return;
    }
    if (auth) {
        const char *words[] = {"AUTH", user, address->password};
        send_words(connection, 3, words, false);
    }
    char db[12];
    snprintf(db, sizeof db, "%u", address->db);
    const char *words[] = {"SELECT", db}, *hello[] = {"HELLO"}; /* without a version it changes none, only tells */
    send_words(connection, 2, words, false);
    send_words(connection, 1, hello, true);
}

static void on_connect(redisAsyncContext *context, int status)
{
    struct feed_redis_connection *connection = context->data;
    if (!connection) {
        return;
    }
    if (status != REDIS_OK) {
        remember(connection, context->errstr); /* hiredis frees the context after this */
        went_down(connection);
        return;
    }
    greet(connection);
}

static void on_disconnect(const redisAsyncContext *context, int status)
{
    struct feed_redis_connection *connection = context->data;
    if (!connection) {
        return;
    }
    if (status != REDIS_OK) {
        remember(connection, context->errstr);
    }
    went_down(connection);
}

static void on_timer(void *arg)
{
    struct feed_redis_connection *connection = arg;
    if (connection->state == FEED_REDIS_WAITING) {
        connect_now(connection);
    } else {
        give_up(connection, "connecting took too long");
    }
}

static void connect_now(struct feed_redis_connection *connection)
{
    if (connection->attempts) {
        ++*connection->attempts;
    }
    redisOptions options = {0};
    REDIS_OPTIONS_SET_TCP(&options, connection->address.host, connection->address.port);
    redisAsyncContext *context = redisAsyncConnectWithOptions(&options);
    feed_assert(context);
    if (context->err) {
        remember(connection, context->errstr);
        redisAsyncFree(context);
        went_down(connection);
        return;
    }
    connection->state = FEED_REDIS_CONNECTING;
    connection->context = context;
    context->data = connection;
    feed_redis_link_attach(connection->loop, context);
    redisAsyncSetConnectCallbackNC(context, on_connect);
    redisAsyncSetDisconnectCallback(context, on_disconnect);
    redisEnableKeepAlive(&context->c);
    feed_timer_start(connection->timer, connection->connect_timeout_ms, 0);
}

void feed_redis_connection_init(struct feed_redis_connection *connection, struct feed_loop *loop,
                                const struct feed_redis_address *address, unsigned connect_timeout_ms)
{
    connection->address = *address;
    if (connection->resp3) {
        connection->address.db = 0; /* channels have no database */
    }
    connection->loop = loop;
    connection->connect_timeout_ms = connect_timeout_ms;
    connection->state = FEED_REDIS_WAITING;
    connection->timer = feed_timer_new(loop, on_timer, connection);
    feed_timer_start(connection->timer, 0, 0); /* the first attempt, from the loop */
}

void feed_redis_connection_fini(struct feed_redis_connection *connection)
{
    connection->closing = true;
    if (connection->context) {
        redisAsyncContext *context = connection->context;
        connection->context = NULL;
        connection->state = FEED_REDIS_WAITING;
        context->data = NULL;
        redisAsyncFree(context);
    }
    feed_timer_free(connection->timer);
    connection->timer = NULL;
}

void feed_redis_connection_break(struct feed_redis_connection *connection, const char *reason)
{
    if (connection->context) {
        give_up(connection, reason);
    }
}
