/* Task: listening sockets, and the adoption of what they accept by lws. Difficulty: when the process is out of
 * descriptors, a listening socket stays readable and the loop would spin; it is left alone until the next tick. */
#include "shared/http/connection.h"

#include "shared/base/assert.h"
#include "shared/loop/loop.h"
#include "shared/observe/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

enum { ACCEPTS_PER_TURN = 64, BACKLOG = 1024 };

struct feed_listening {
    struct feed_server *server;
    const struct feed_listener *listener;
    uv_poll_t poll;
    int fd; /* -1: stopped */
    unsigned port;
    bool paused; /* out of descriptors; tried again at the next tick */
};

static void adopt(struct feed_listening *listening, int fd, const struct feed_address *peer)
{
    struct feed_server *server = listening->server;
    struct feed_stranger stranger;
    int one = 1;
    unsigned own_max = listening->listener->own_connections_max;
    if (*feed_conn_count(server, listening->listener) >= (own_max > 0 ? own_max : server->settings.connections_max)) {
        server->counts.refused_full++;
        close(fd);
        return;
    }
    if (!feed_strangers_enter(server, listening->listener, peer, &stranger)) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    struct lws *wsi = lws_adopt_socket_vhost(server->vhost, fd); /* closes fd if it fails */
    server->counts.accepted += wsi != NULL;
    if (wsi && feed_conn_new(server, listening->listener, wsi, peer, &stranger))
        return;
    feed_strangers_leave(server, listening->listener, &stranger);
    if (wsi)
        lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

static void on_incoming(uv_poll_t *poll, int status, int events)
{
    struct feed_listening *listening = poll->data;
    (void)events;
    for (int i = 0; status == 0 && i < ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage from = {0};
        socklen_t len = sizeof(from);
        int fd = accept4(listening->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            struct feed_address peer = feed_address_of_socket((struct sockaddr *)&from);
            adopt(listening, fd, &peer);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            FEED_LOG(listening->server->log, FEED_LOG_ERROR, "accept_failed",
                     "no descriptors or memory for connections", FEED_LOG_NUMBER("errno", errno),
                     FEED_LOG_NUMBER("open", listening->server->counts.open));
            listening->paused = true;
            uv_poll_stop(&listening->poll);
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
}

static int open_listening(const struct feed_listener *listener, unsigned *port)
{
    struct sockaddr_storage storage = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&storage;
    socklen_t len = sizeof(*v4);
    int one = 1;
    if (inet_pton(AF_INET, listener->address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)listener->port);
    } else if (inet_pton(AF_INET6, listener->address, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)listener->port);
        len = sizeof(*v6);
    } else {
        errno = EINVAL;
        return -1;
    }
    int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&storage, len) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&storage, &len) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    *port = ntohs(storage.ss_family == AF_INET ? v4->sin_port : v6->sin6_port);
    return fd;
}

struct feed_listening *feed_listening_new(struct feed_server *server, const struct feed_listener *listener)
{
    struct feed_listening *listening = calloc(1, sizeof(*listening));
    if (!listening) {
        errno = ENOMEM;
        return NULL;
    }
    listening->server = server;
    listening->listener = listener;
    listening->fd = open_listening(listener, &listening->port);
    if (listening->fd < 0) {
        free(listening);
        return NULL;
    }
    feed_assert(uv_poll_init(feed_loop_uv(server->loop), &listening->poll, listening->fd) == 0);
    listening->poll.data = listening;
    feed_assert(uv_poll_start(&listening->poll, UV_READABLE, on_incoming) == 0);
    return listening;
}

static void on_listening_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void feed_listening_stop(struct feed_listening *listening)
{
    if (listening->fd < 0)
        return;
    uv_poll_stop(&listening->poll);
    close(listening->fd);
    listening->fd = -1;
}

void feed_listening_free(struct feed_listening *listening)
{
    feed_listening_stop(listening);
    uv_close((uv_handle_t *)&listening->poll, on_listening_closed);
}

void feed_listening_resume(struct feed_listening *listening)
{
    if (!listening->paused || listening->fd < 0)
        return;
    listening->paused = false;
    feed_assert(uv_poll_start(&listening->poll, UV_READABLE, on_incoming) == 0);
}

unsigned feed_listening_port(const struct feed_listening *listening)
{
    return listening->port;
}
