/* Commands and their answers. Redis answers in the order of asking, so the commands under way are a queue, and the
 * oldest tells whether the connection has stopped answering. The difficulty is the promise that each callback fires
 * exactly once, never inside the call that sent it. */
#include "shared/redis/node.h"

#include "shared/base/assert.h"
#include "shared/loop/loop.h"
#include "shared/redis/request.h"

#include <stdlib.h>

enum { ARGC_MAX = 8192, SPARE_MAX = 8192 };

struct pending {
    struct feed_redis_node *node;
    feed_redis_fn *fn;
    void *arg;
    uint64_t sent_us;
    struct pending *next;
};

struct feed_redis_node {
    struct feed_redis_connection connection;
    struct feed_timer *watch;
    uint64_t timeout_us;
    unsigned in_flight, in_flight_max;
    struct pending *first, **last; /* under way, oldest first */
    struct pending *spare;         /* kept for reuse: a delivery takes no memory of ours */
    unsigned spare_count;
    struct feed_redis_request request; /* the one that is being sent */
    bool timed_out;
    bool in_callback;
    feed_redis_node_fn *state_fn;
    void *state_arg;
    feed_redis_latency_fn *latency_fn;
    void *latency_arg;
};

static struct pending *take(struct feed_redis_node *node)
{
    struct pending *pending = node->spare;
    if (pending) {
        node->spare = pending->next;
        node->spare_count--;
        return pending;
    }
    pending = malloc(sizeof *pending);
    feed_assert(pending);
    return pending;
}

static void give_back(struct feed_redis_node *node, struct pending *pending)
{
    if (node->spare_count == SPARE_MAX) {
        free(pending);
        return;
    }
    pending->next = node->spare;
    node->spare = pending;
    node->spare_count++;
}

static void on_reply(redisAsyncContext *context, void *reply, void *arg)
{
    (void)context;
    struct pending *pending = arg;
    struct feed_redis_node *node = pending->node;
    feed_assert(node->first == pending);
    node->first = pending->next;
    if (!node->first) {
        node->last = &node->first;
    }
    node->in_flight--;
    if (reply && node->latency_fn) {
        node->latency_fn(node->latency_arg, (double)(feed_clock_mono_us() - pending->sent_us) / 1e6);
    }
    feed_redis_fn *fn = pending->fn;
    void *fn_arg = pending->arg;
    give_back(node, pending);
    if (fn) {
        enum feed_error error = reply ? FEED_OK : node->timed_out ? FEED_E_TIMEOUT : FEED_E_UNAVAILABLE;
        bool outer = node->in_callback;
        node->in_callback = true;
        fn(fn_arg, error, reply);
        node->in_callback = outer;
    }
}

static void on_watch(void *arg)
{
    struct feed_redis_node *node = arg;
    if (node->first && feed_clock_mono_us() - node->first->sent_us > node->timeout_us) {
        node->timed_out = true;
        feed_redis_connection_break(&node->connection, "no answer in time");
        node->timed_out = false;
    }
}

static void on_up(void *arg)
{
    struct feed_redis_node *node = arg;
    node->state_fn(node->state_arg, true, "connected");
}

static void on_down(void *arg, const char *reason)
{
    struct feed_redis_node *node = arg;
    node->state_fn(node->state_arg, false, reason);
}

struct feed_redis_node *feed_redis_node_new(struct feed_loop *loop, const struct feed_redis_address *address,
                                            enum feed_redis_kind wanted, const struct feed_redis_settings *settings,
                                            feed_redis_node_fn *state_fn, void *arg)
{
    struct feed_redis_node *node = calloc(1, sizeof *node);
    feed_assert(node);
    node->last = &node->first;
    node->in_flight_max = settings->in_flight_max;
    node->timeout_us = (uint64_t)settings->command_timeout_ms * 1000;
    node->state_fn = state_fn;
    node->state_arg = arg;
    node->connection.up_fn = on_up;
    node->connection.down_fn = on_down;
    node->connection.arg = node;
    node->connection.wanted = wanted;
    node->connection.attempts = settings->attempts;
    feed_redis_connection_init(&node->connection, loop, address, settings->connect_timeout_ms);
    node->watch = feed_timer_new(loop, on_watch, node);
    uint64_t every_ms = settings->command_timeout_ms / 4 + 1;
    feed_timer_start(node->watch, every_ms, every_ms);
    return node;
}

void feed_redis_node_free(struct feed_redis_node *node)
{
    if (!node) {
        return;
    }
    feed_assert(!node->in_callback); /* defer it: feed_loop_defer */
    feed_redis_connection_fini(&node->connection);
    feed_assert(!node->first);
    feed_timer_free(node->watch);
    feed_redis_request_fini(&node->request);
    while (node->spare) {
        struct pending *pending = node->spare;
        node->spare = pending->next;
        free(pending);
    }
    free(node);
}

bool feed_redis_node_up(const struct feed_redis_node *node)
{
    return node->connection.state == FEED_REDIS_UP;
}

enum feed_redis_kind feed_redis_node_kind(const struct feed_redis_node *node)
{
    return node->connection.kind;
}

const struct feed_redis_address *feed_redis_node_address(const struct feed_redis_node *node)
{
    return &node->connection.address;
}

unsigned feed_redis_node_in_flight(const struct feed_redis_node *node)
{
    return node->in_flight;
}

void feed_redis_node_want(struct feed_redis_node *node, enum feed_redis_kind wanted)
{
    node->connection.wanted = wanted;
}

void feed_redis_node_retarget(struct feed_redis_node *node, const struct feed_redis_address *address)
{
    feed_assert(!node->connection.context);
    node->connection.address = *address;
}

void feed_redis_node_break(struct feed_redis_node *node, const char *reason)
{
    feed_redis_connection_break(&node->connection, reason);
}

/* A place for a command that may be sent now; NULL with *error otherwise. */
static struct pending *begin(struct feed_redis_node *node, feed_redis_fn *fn, void *arg, enum feed_error *error)
{
    *error = FEED_OK;
    if (!feed_redis_node_up(node) || !node->connection.context) {
        *error = FEED_E_UNAVAILABLE;
        return NULL;
    }
    if (node->in_flight >= node->in_flight_max) {
        *error = FEED_E_FULL;
        return NULL;
    }
    struct pending *pending = take(node);
    *pending = (struct pending){.node = node, .fn = fn, .arg = arg, .sent_us = feed_clock_mono_us()};
    return pending;
}

static enum feed_error sent(struct feed_redis_node *node, struct pending *pending, int status)
{
    if (status != REDIS_OK) {
        give_back(node, pending); /* the context is being given up: its callbacks are firing now */
        return FEED_E_UNAVAILABLE;
    }
    *node->last = pending;
    node->last = &pending->next;
    node->in_flight++;
    return FEED_OK;
}

enum feed_error feed_redis_node_command(struct feed_redis_node *node, const struct feed_str *argv, size_t argc,
                                        feed_redis_fn *fn, void *arg)
{
    feed_assert(argc > 0 && argc <= ARGC_MAX);
    enum feed_error error;
    struct pending *pending = begin(node, fn, arg, &error);
    if (!pending) {
        return error;
    }
    feed_redis_request_set(&node->request, argv, argc);
    return sent(node, pending,
                redisAsyncFormattedCommand(node->connection.context, on_reply, pending, node->request.bytes,
                                           node->request.len));
}

enum feed_error feed_redis_node_send(struct feed_redis_node *node, struct feed_str bytes, feed_redis_fn *fn, void *arg)
{
    enum feed_error error;
    struct pending *pending = begin(node, fn, arg, &error);
    if (!pending) {
        return error;
    }
    return sent(node, pending,
                redisAsyncFormattedCommand(node->connection.context, on_reply, pending, bytes.data, bytes.len));
}

void feed_redis_node_on_latency(struct feed_redis_node *node, feed_redis_latency_fn *fn, void *arg)
{
    node->latency_fn = fn;
    node->latency_arg = arg;
}
