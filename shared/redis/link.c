/* The event adapter. The difficulty is order: a context may be freed inside any call into hiredis, and the link with
 * it, so nothing of the link is touched after such a call unless `alive` says so. */
#include "shared/redis/link.h"

#include "shared/base/assert.h"
#include "shared/loop/loop.h"

#include <hiredis/async.h>
#include <stdlib.h>
#include <uv.h>

struct link {
    uv_poll_t poll;
    struct feed_loop *loop;
    redisAsyncContext *context;
    int events; /* as armed */
    bool reading;
    bool writing; /* POLLOUT is wanted */
    bool flush;   /* something waits to be written at the end of this turn */
    bool in_flush;
    bool *alive; /* set to false when the link is freed meanwhile */
};

static void on_events(uv_poll_t *poll, int status, int events);

static void arm(struct link *link)
{
    int events = (link->reading ? UV_READABLE : 0) | (link->writing ? UV_WRITABLE : 0);
    if (events == link->events) {
        return;
    }
    link->events = events;
    if (events) {
        uv_poll_start(&link->poll, events, on_events);
    } else {
        uv_poll_stop(&link->poll);
    }
}

static void on_events(uv_poll_t *poll, int status, int events)
{
    struct link *link = poll->data;
    bool alive = true;
    link->alive = &alive;
    /* An error is found by reading, which makes hiredis report it. */
    if (link->writing && (status != 0 || (events & UV_WRITABLE))) {
        redisAsyncHandleWrite(link->context);
    }
    if (alive && (status != 0 || (events & UV_READABLE))) {
        redisAsyncHandleRead(link->context);
    }
    if (alive) {
        link->alive = NULL;
    }
}

static void on_turn(void *arg)
{
    struct link *link = arg;
    if (!link->flush) {
        return;
    }
    link->flush = false;
    bool alive = true;
    link->alive = &alive;
    link->in_flush = true;
    redisAsyncHandleWrite(link->context);
    if (alive) {
        link->in_flush = false;
        link->alive = NULL;
    }
}

static void add_read(void *arg)
{
    struct link *link = arg;
    link->reading = true;
    arm(link);
}

static void del_read(void *arg)
{
    struct link *link = arg;
    link->reading = false;
    arm(link);
}

static void add_write(void *arg)
{
    struct link *link = arg;
    if ((link->context->c.flags & REDIS_CONNECTED) && !link->in_flush && !link->writing) {
        link->flush = true;
        return;
    }
    /* Still connecting, or the write just tried has left something: the socket is full. */
    link->writing = true;
    arm(link);
}

static void del_write(void *arg)
{
    struct link *link = arg;
    link->writing = false;
    arm(link);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void cleanup(void *arg)
{
    struct link *link = arg;
    if (link->alive) {
        *link->alive = false;
    }
    link->context->ev.data = NULL;
    feed_loop_on_turn(link->loop, NULL, link);
    uv_poll_stop(&link->poll);
    uv_close((uv_handle_t *)&link->poll, on_closed);
}

void feed_redis_link_attach(struct feed_loop *loop, struct redisAsyncContext *context)
{
    struct link *link = calloc(1, sizeof *link);
    feed_assert(link);
    link->loop = loop;
    link->context = context;
    link->poll.data = link;
    feed_assert(uv_poll_init(feed_loop_uv(loop), &link->poll, context->c.fd) == 0);
    context->ev.data = link;
    context->ev.addRead = add_read;
    context->ev.delRead = del_read;
    context->ev.addWrite = add_write;
    context->ev.delWrite = del_write;
    context->ev.cleanup = cleanup;
    feed_loop_on_turn(loop, on_turn, link);
}
