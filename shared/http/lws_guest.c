/* Task: the event-library hook of libwebsockets (event_lib_custom) on libuv. Difficulty: lws asks for writability
 * before nearly every write and expects to be called back by the poll; here the call comes at the end of the turn
 * instead, so every path that leaves lws with something to do must lead back to the ready list, to an armed poll, or to
 * the tick.
 *
 *              lws asks                     served, lws holds unsent bytes
 *    [quiet] -----------> [in ready list] ------------------------------> [armed]
 *       ^                      |   ^                                         |
 *       +---- served, done ----+   +------- asked again, or drained ---------+
 */
#include "shared/http/lws_guest.h"

#include "shared/base/assert.h"
#include "shared/loop/loop.h"

#include <libwebsockets.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <uv.h>

enum {
    TICK_MS = 200,
    /* lws may leave its wish standing though it can do nothing about it (in some closing states). After so many turns
     * without effect the socket waits for lws to ask anew, as otherwise the loop would spin. */
    FRUITLESS_TURNS_MAX = 4,
    /* Rounds of forced service (input that lws has already read) in one turn. */
    FORCED_ROUNDS_MAX = 16
};

struct feed_guest_socket {
    struct feed_guest *guest;
    struct lws *wsi;
    void *owner;
    struct feed_guest_socket *ready_prev, *ready_next; /* ring; NULL: not in the ready list */
    uv_poll_t poll;
    unsigned char polled; /* what uv watches: UV_READABLE, UV_WRITABLE */
    unsigned char fruitless;
    bool want_read, want_write, read_always, armed, closed;
};

struct feed_guest {
    struct feed_loop *loop;
    struct lws_context *context;
    const struct feed_guest_events *events;
    void *arg;
    struct feed_timer *tick;
    uv_idle_t *awake; /* active while the loop must not sleep */
    struct feed_guest_socket ready;
};

/* ---- the ready list ---- */

static void on_awake(uv_idle_t *idle)
{
    (void)idle; /* an active idle handle is all it takes to keep uv from sleeping */
}

void feed_guest_wake(struct feed_guest *guest)
{
    uv_idle_start(guest->awake, on_awake);
}

static void ready_push(struct feed_guest_socket *s)
{
    struct feed_guest_socket *ends = &s->guest->ready;
    if (s->ready_next)
        return;
    s->ready_prev = ends->ready_prev;
    s->ready_next = ends;
    s->ready_prev->ready_next = s;
    ends->ready_prev = s;
    feed_guest_wake(s->guest); /* this turn's on_turn may be over already */
}

static void ready_remove(struct feed_guest_socket *s)
{
    if (!s->ready_next)
        return;
    s->ready_prev->ready_next = s->ready_next;
    s->ready_next->ready_prev = s->ready_prev;
    s->ready_prev = s->ready_next = NULL;
}

/* ---- one socket ---- */

static void on_poll(uv_poll_t *poll, int status, int events);

/* Brings what uv watches in line. Reading is only ever added here; on_poll takes it out. */
static void sync_poll(struct feed_guest_socket *s, bool drop_reading)
{
    bool read = s->want_read || s->read_always || (!drop_reading && (s->polled & UV_READABLE));
    unsigned char events = (unsigned char)((read ? UV_READABLE : 0) | (s->armed ? UV_WRITABLE : 0));
    if (s->closed || events == s->polled)
        return;
    s->polled = events;
    if (events)
        feed_assert(uv_poll_start(&s->poll, events, on_poll) == 0);
    else
        feed_assert(uv_poll_stop(&s->poll) == 0);
}

static void service(struct feed_guest_socket *s, int revents)
{
    struct lws_pollfd pollfd = {.fd = lws_get_socket_fd(s->wsi),
                                .events = (short)((s->want_read ? LWS_POLLIN : 0) | LWS_POLLOUT),
                                .revents = (short)revents};
    lws_service_fd(s->guest->context, &pollfd);
}

/* lws wants to write: at the end of this turn, or when the socket has room again. */
static void want_write(struct feed_guest_socket *s)
{
    s->want_write = true;
    s->fruitless = 0;
    s->armed = lws_partial_buffered(s->wsi);
    if (s->armed)
        ready_remove(s);
    else
        ready_push(s);
}

static void serve_writable(struct feed_guest_socket *s)
{
    const struct feed_guest_events *events = s->guest->events;
    s->armed = false;
    if (!s->owner || !events->writable_fn(s->owner))
        service(s, LWS_POLLOUT);
    if (s->closed)
        return;
    if (s->want_write && !s->ready_next) { /* a standing wish, not a new one */
        s->armed = lws_partial_buffered(s->wsi);
        if (!s->armed && ++s->fruitless < FRUITLESS_TURNS_MAX)
            ready_push(s);
    }
    sync_poll(s, false);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct feed_guest_socket *s = poll->data;
    if (status < 0) { /* uv has stopped watching: the connection is broken */
        s->polled = 0;
        service(s, LWS_POLLHUP);
        return;
    }
    if (events & UV_READABLE) {
        if (s->owner && s->guest->events->readable_fn(s->owner)) {
            /* done */
        } else if (s->want_read) {
            service(s, LWS_POLLIN);
        } else {
            sync_poll(s, true);
        }
    }
    if (!s->closed && (events & UV_WRITABLE) && s->armed)
        serve_writable(s);
    else
        sync_poll(s, false);
}

/* ---- what lws calls ---- */

static struct feed_guest *guest_of(struct lws *wsi)
{
    return *(struct feed_guest **)lws_evlib_wsi_to_evlib_pt(wsi);
}

static int on_init_pt(struct lws_context *context, void *loop, int tsi)
{
    *(struct feed_guest **)lws_evlib_tsi_to_evlib_pt(context, tsi) = loop;
    return 0;
}

/* lws's own netlink socket stays unwatched: lws would close connections whose route goes away for a moment. */
static bool is_netlink(int fd)
{
    int domain = 0;
    socklen_t len = sizeof(domain);
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_NETLINK;
}

static int on_accept(struct lws *wsi)
{
    if (!lws_get_vhost(wsi) && is_netlink(lws_get_socket_fd(wsi)))
        return 0;
    struct feed_guest_socket *s = calloc(1, sizeof(*s));
    if (!s)
        return 1;
    s->guest = guest_of(wsi);
    s->wsi = wsi;
    if (uv_poll_init(feed_loop_uv(s->guest->loop), &s->poll, lws_get_socket_fd(wsi)) != 0) {
        free(s);
        return 1;
    }
    s->poll.data = s;
    s->want_read = true;
    lws_set_opaque_user_data(wsi, s);
    sync_poll(s, false);
    return 0;
}

static void on_io(struct lws *wsi, unsigned flags)
{
    struct feed_guest_socket *s = feed_guest_socket_of(wsi);
    if (!s || s->closed)
        return;
    if (flags & LWS_EV_READ)
        s->want_read = (flags & LWS_EV_START) != 0;
    if (flags & LWS_EV_WRITE) {
        if (flags & LWS_EV_START) {
            want_write(s);
        } else {
            s->want_write = s->armed = false;
            ready_remove(s);
        }
    }
    sync_poll(s, false);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

/* lws closes the descriptor right after this, and calls LWS_CALLBACK_WSI_DESTROY; the memory lives until uv is done. */
static int on_logical_close(struct lws *wsi)
{
    struct feed_guest_socket *s = feed_guest_socket_of(wsi);
    if (s && !s->closed) {
        s->closed = true;
        ready_remove(s);
        uv_close((uv_handle_t *)&s->poll, on_closed);
    }
    return 0;
}

static const struct lws_event_loop_ops guest_ops = {.name = "feedwire",
                                                    .init_pt = on_init_pt,
                                                    .sock_accept = on_accept,
                                                    .io = on_io,
                                                    .wsi_logical_close = on_logical_close,
                                                    .evlib_size_pt = sizeof(struct feed_guest *)};

static const lws_plugin_evlib_t guest_plugin = {
    .hdr = {"feedwire", "lws_evlib_plugin", LWS_BUILD_HASH, LWS_PLUGIN_API_MAGIC}, .ops = &guest_ops};

/* ---- the turn ---- */

/* Serves everybody who is in the list now, once; who asks again meanwhile is served in the next turn. */
static void serve_ready(struct feed_guest *guest)
{
    struct feed_guest_socket *ends = &guest->ready, batch;
    if (ends->ready_next == ends)
        return;
    batch.ready_next = ends->ready_next;
    batch.ready_prev = ends->ready_prev;
    batch.ready_next->ready_prev = batch.ready_prev->ready_next = &batch;
    ends->ready_next = ends->ready_prev = ends;
    while (batch.ready_next != &batch) {
        struct feed_guest_socket *s = batch.ready_next;
        ready_remove(s);
        if (s->want_write)
            serve_writable(s);
    }
}

/* lws_service_adjust_timeout runs the timers of lws that are due, and says 0 when it holds input that was read but not
 * yet processed. */
static bool serve_forced(struct feed_guest *guest)
{
    for (int round = 0; round < FORCED_ROUNDS_MAX; round++) {
        if (lws_service_adjust_timeout(guest->context, TICK_MS, 0) != 0)
            return false;
        _lws_plat_service_forced_tsi(guest->context, 0);
    }
    return true;
}

static void on_turn(void *arg)
{
    struct feed_guest *guest = arg;
    guest->events->turn_fn(guest->arg);
    serve_ready(guest);
    bool more = serve_forced(guest);
    if (more || guest->ready.ready_next != &guest->ready)
        feed_guest_wake(guest);
    else
        uv_idle_stop(guest->awake);
}

/* Every turn serves lws's timers; this makes sure that there is a turn. */
static void on_tick(void *arg)
{
    struct feed_guest *guest = arg;
    guest->events->tick_fn(guest->arg);
}

/* ---- life ---- */

static void on_awake_closed(uv_handle_t *handle)
{
    free(handle);
}

static void guest_release(struct feed_guest *guest)
{
    feed_timer_free(guest->tick);
    uv_close((uv_handle_t *)guest->awake, on_awake_closed);
    free(guest);
}

struct feed_guest *feed_guest_new(struct feed_loop *loop, struct lws_context_creation_info *info,
                                  const struct feed_guest_events *events, void *arg)
{
    struct feed_guest *guest = calloc(1, sizeof(*guest));
    uv_idle_t *awake = calloc(1, sizeof(*awake));
    struct feed_timer *tick = guest ? feed_timer_new(loop, on_tick, guest) : NULL;
    if (!guest || !awake || !tick) {
        feed_timer_free(tick);
        free(awake);
        free(guest);
        return NULL;
    }
    *guest = (struct feed_guest){.loop = loop, .events = events, .arg = arg, .tick = tick, .awake = awake};
    guest->ready.ready_next = guest->ready.ready_prev = &guest->ready;
    feed_assert(uv_idle_init(feed_loop_uv(loop), awake) == 0);

    void *foreign_loops[1] = {guest};
    info->event_lib_custom = &guest_plugin;
    info->foreign_loops = foreign_loops;
    guest->context = lws_create_context(info);
    if (!guest->context) {
        guest_release(guest);
        return NULL;
    }
    feed_timer_start(guest->tick, TICK_MS, TICK_MS);
    feed_loop_on_turn(loop, on_turn, guest);
    return guest;
}

void feed_guest_free(struct feed_guest *guest)
{
    if (!guest)
        return;
    feed_loop_on_turn(guest->loop, NULL, guest);
    lws_context_destroy(guest->context);
    guest_release(guest);
}

struct lws_context *feed_guest_context(const struct feed_guest *guest)
{
    return guest->context;
}

struct feed_guest_socket *feed_guest_socket_of(struct lws *wsi)
{
    return lws_get_opaque_user_data(wsi);
}

void feed_guest_socket_set_owner(struct feed_guest_socket *socket, void *owner)
{
    socket->owner = owner;
}

void *feed_guest_socket_owner(const struct feed_guest_socket *socket)
{
    return socket->owner;
}

void feed_guest_socket_read_always(struct feed_guest_socket *socket)
{
    socket->read_always = true;
    sync_poll(socket, false);
}

bool feed_guest_socket_write_now(struct feed_guest_socket *socket)
{
    service(socket, LWS_POLLOUT);
    return !socket->closed;
}

void feed_guest_socket_arm(struct feed_guest_socket *socket)
{
    want_write(socket);
    sync_poll(socket, false);
}
