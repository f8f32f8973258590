/* Task: the life of a connection and its deadlines. Difficulty: a connection is freed only when lws says that the wsi
 * is gone (LWS_CALLBACK_WSI_DESTROY); everything else that ends it only asks lws to close it. */
#include "shared/http/connection.h"

#include "shared/base/assert.h"
#include "shared/loop/loop.h"

#include <stdlib.h>

unsigned *feed_conn_count(struct feed_server *server, const struct feed_listener *listener)
{
    return listener->own_connections_max > 0 ? &server->own_open[listener - server->listeners] : &server->counts.open;
}

struct feed_conn *feed_conn_of(struct lws *wsi)
{
    struct feed_guest_socket *socket = feed_guest_socket_of(wsi);
    return socket ? feed_guest_socket_owner(socket) : NULL;
}

struct feed_conn *feed_conn_new(struct feed_server *server, const struct feed_listener *listener, struct lws *wsi,
                                const struct feed_address *peer, const struct feed_stranger *stranger)
{
    struct feed_conn *conn = calloc(1, sizeof(*conn));
    if (!conn)
        return NULL;
    conn->server = server;
    conn->listener = listener;
    conn->wsi = wsi;
    conn->peer = *peer;
    conn->stranger = *stranger;
    conn->socket = feed_guest_socket_of(wsi);
    feed_guest_socket_set_owner(conn->socket, conn);
    feed_buf_init(&conn->ws.message, listener->message_max);
    ++*feed_conn_count(server, listener);
    feed_conn_move(conn, FEED_CONN_READING);
    return conn;
}

void feed_conn_free(struct feed_conn *conn)
{
    feed_ws_on_gone(conn);
    feed_strangers_leave(conn->server, conn->listener, &conn->stranger);
    feed_expiry_clear(&conn->expiry);
    feed_guest_socket_set_owner(conn->socket, NULL);
    struct feed_request *request = conn->request;
    if (request) {
        bool handler_has_it = request->handed && !request->answered;
        request->conn = NULL;
        if (!handler_has_it && !request->queued)
            feed_request_free(request);
    }
    feed_buf_fini(&conn->ws.message);
    free(conn->ws.close_reason);
    --*feed_conn_count(conn->server, conn->listener);
    free(conn);
}

void feed_conn_move(struct feed_conn *conn, enum feed_conn_phase phase)
{
    struct feed_server *server = conn->server;
    conn->phase = phase;
    if (server->expires[phase])
        feed_expiry_set(&conn->expiry, &server->expiry[phase], feed_loop_now_ms(server->loop));
    else
        feed_expiry_clear(&conn->expiry);
}

void feed_conn_kill(struct feed_conn *conn)
{
    if (conn->phase == FEED_CONN_DYING)
        return;
    feed_conn_move(conn, FEED_CONN_DYING);
    lws_set_timeout(conn->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

void feed_conn_expire(struct feed_server *server)
{
    int64_t now_ms = feed_loop_now_ms(server->loop);
    for (int phase = 0; phase < FEED_CONN_PHASES; phase++) {
        if (!server->expires[phase])
            continue;
        struct feed_expiry *due;
        while ((due = feed_expiry_take_due(&server->expiry[phase], now_ms))) {
            struct feed_conn *conn = lws_container_of(due, struct feed_conn, expiry);
            if (phase == FEED_CONN_WS_OPEN && server->settings.ping_after_s > 0)
                feed_ws_ping(conn);
            else if (phase != FEED_CONN_WS_PINGED || !feed_ws_stalls(conn, now_ms))
                feed_conn_kill(conn);
        }
    }
}
