/* Task: the server as a whole: listening sockets, the lws context, and who gets which of its callbacks.
 *
 * Difficulty: lws must never choose. It gets one virtual host without a port and adopts the sockets that are accepted
 * here, so that a Host header cannot move a request from one listener to another, the limit of connections holds before
 * lws spends memory, and a port that is taken is a clear error. Its own timeouts are set far away: ours (connection.c)
 * know what a connection is waiting for. */
#include "shared/http/connection.h"

#include "shared/base/assert.h"
#include "shared/loop/loop.h"
#include "shared/observe/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEAD_BYTES_MAX = 12 * 1024, /* all headers of a request together; a token has up to FEED_TOKEN_MAX */
    READ_BUFFER = 16 * 1024,    /* one for all connections */
    WS_READ_BUFFER = 256,       /* one for each connection: larger messages are put together from pieces */
    LWS_TIMEOUT_S = 24 * 3600,
    SENDING_MS = 30 * 1000, /* an answer must have left by then */
    LINGERING_MS = 5 * 1000,
    IDLE_MS = 75 * 1000, /* between two requests; a bit more than the usual 60 s of balancers */
    WS_CLOSING_MS = 5 * 1000
};

/* ---- lws callbacks ---- */

static int on_connection_event(struct feed_conn *conn, enum lws_callback_reasons reason, void *in, size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_HTTP:
        return feed_http_on_head(conn);
    case LWS_CALLBACK_HTTP_BODY:
        return feed_http_on_body(conn, in, len);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return feed_ws_on_upgrade(conn, in);
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return conn->request ? 0 : -1;
    case LWS_CALLBACK_ESTABLISHED:
        return feed_ws_on_open(conn);
    case LWS_CALLBACK_RECEIVE:
        return feed_ws_on_receive(conn, in, len);
    case LWS_CALLBACK_RECEIVE_PONG:
        feed_ws_on_pong(conn);
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return feed_ws_on_writable(conn);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        feed_ws_on_peer_close(conn, in, len);
        return 0;
    case LWS_CALLBACK_CLOSED:
        feed_ws_on_gone(conn);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        feed_conn_free(conn);
        return 0;
    default:
        return 0;
    }
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)user;
    switch (reason) {
    case LWS_CALLBACK_HTTP:
    case LWS_CALLBACK_HTTP_BODY:
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
    case LWS_CALLBACK_ESTABLISHED:
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_RECEIVE_PONG:
    case LWS_CALLBACK_SERVER_WRITEABLE:
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_WSI_DESTROY: {
        struct feed_conn *conn = feed_conn_of(wsi);
        return conn ? on_connection_event(conn, reason, in, len) : 0;
    }
    case LWS_CALLBACK_RAW_ADOPT: /* lws takes CONNECT for a wish to leave HTTP */
        return -1;
    default:
        return 0;
    }
}

static void on_lws_log(lws_log_cx_t *cx, int level, const char *line, size_t len)
{
    struct feed_server *server = cx->opaque;
    while (len > 0 && line[len - 1] == '\n')
        len--;
    FEED_LOG(server->log, FEED_LOG_WARN, "lws", NULL, FEED_LOG_NUMBER("lws_level", level),
             FEED_LOG_TEXT("text", ((struct feed_str){line, len})));
}

/* ---- what the guest calls ---- */

static bool on_readable(void *owner)
{
    return feed_http_on_readable(owner);
}

static bool on_writable(void *owner)
{
    return feed_http_on_writable(owner);
}

static void on_turn(void *arg)
{
    feed_http_send_answers(arg);
}

static void on_tick(void *arg)
{
    struct feed_server *server = arg;
    feed_conn_expire(server);
    for (size_t i = 0; i < server->listener_count; i++)
        feed_listening_resume(server->listening[i]);
}

static const struct feed_guest_events guest_events = {
    .turn_fn = on_turn, .tick_fn = on_tick, .readable_fn = on_readable, .writable_fn = on_writable};

/* ---- life ---- */

static void expire_after(struct feed_server *server, enum feed_conn_phase phase, int64_t after_ms)
{
    server->expires[phase] = after_ms > 0;
    if (after_ms > 0)
        feed_expiry_list_init(&server->expiry[phase], after_ms);
}

static void set_deadlines(struct feed_server *server)
{
    const struct feed_server_settings *s = &server->settings;
    unsigned hear_by_s = s->ping_after_s > 0 ? s->ping_after_s : s->hangup_after_s;
    expire_after(server, FEED_CONN_READING, s->handshake_timeout_ms);
    expire_after(server, FEED_CONN_SENDING, SENDING_MS);
    expire_after(server, FEED_CONN_LINGERING, LINGERING_MS);
    expire_after(server, FEED_CONN_IDLE, IDLE_MS);
    expire_after(server, FEED_CONN_WS_OPEN, (int64_t)hear_by_s * 1000);
    if (s->ping_after_s > 0 && s->hangup_after_s > s->ping_after_s)
        expire_after(server, FEED_CONN_WS_PINGED, (int64_t)(s->hangup_after_s - s->ping_after_s) * 1000);
    expire_after(server, FEED_CONN_WS_CLOSING, WS_CLOSING_MS);
}

/* Each listener is complete, and all WebSocket listeners speak the same subprotocol, as lws chooses by its name alone.
 */
static const char *check_listeners(const struct feed_listener *listeners, size_t count, const char **protocol)
{
    *protocol = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct feed_listener *l = &listeners[i];
        if (l->port > 65535)
            return "a port is above 65535";
        if (!l->ws_path)
            continue;
        if (!l->ws_events || l->message_max == 0)
            return "a WebSocket listener needs events and a limit for messages";
        if (!l->ws_protocol)
            continue;
        if (*protocol && strcmp(*protocol, l->ws_protocol) != 0)
            return "two listeners have different WebSocket subprotocols";
        *protocol = l->ws_protocol;
    }
    return NULL;
}

static bool create_context(struct feed_server *server, const char *ws_protocol)
{
    /* lws's global log has no place for a pointer to ours, and would write plain text to stderr. What concerns a
     * context or a connection comes to log_cx. */
    lws_set_log_level(0, NULL);
    server->log_cx = (lws_log_cx_t){
        .u.emit_cx = on_lws_log, .opaque = server, .lll_flags = LLL_ERR | LLL_WARN | LLLF_LOG_CONTEXT_AWARE};
    /* The slash keeps clients from naming the first protocol, which is plain HTTP. The packet size is the most that lws
     * gives to one send(): with 0 it would be the small read buffer, and every frame would leave in pieces. */
    server->protocols[0] =
        (struct lws_protocols){.name = "feedwire/http", .callback = on_lws, .tx_packet_size = INT32_MAX};
    if (ws_protocol)
        server->protocols[1] = (struct lws_protocols){
            .name = ws_protocol, .callback = on_lws, .rx_buffer_size = WS_READ_BUFFER, .tx_packet_size = INT32_MAX};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = server->protocols,
        .options = LWS_SERVER_OPTION_VALIDATE_UTF8 | LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME |
                   LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS,
        .vhost_name = "feedwire",
        .alpn = "http/1.1",
        .pt_serv_buf_size = READ_BUFFER,
        .max_http_header_data = HEAD_BYTES_MAX,
        .timeout_secs = LWS_TIMEOUT_S,
        .timeout_secs_ah_idle = LWS_TIMEOUT_S,
        .keepalive_timeout = LWS_TIMEOUT_S,
        .log_cx = &server->log_cx,
    };
    server->guest = feed_guest_new(server->loop, &info, &guest_events, server);
    if (!server->guest)
        return false;
    server->vhost = lws_get_vhost_by_name(feed_guest_context(server->guest), "feedwire");
    return server->vhost != NULL;
}

static struct feed_server *server_alloc(size_t listener_count)
{
    struct feed_server *server = calloc(1, sizeof(*server));
    if (!server)
        return NULL;
    server->listeners = calloc(listener_count, sizeof(*server->listeners));
    server->listening = calloc(listener_count, sizeof(struct feed_listening *));
    server->strangers = calloc(listener_count, sizeof(*server->strangers));
    server->own_open = calloc(listener_count, sizeof(*server->own_open));
    if (server->listeners && server->listening && server->strangers && server->own_open)
        return server;
    free(server->own_open);
    free(server->strangers);
    free(server->listeners);
    free(server->listening);
    free(server);
    return NULL;
}

enum feed_error feed_server_new(struct feed_loop *loop, struct feed_log *log,
                                const struct feed_server_settings *settings, const struct feed_listener *listeners,
                                size_t listener_count, struct feed_server **out, char *problem, size_t problem_size)
{
    const char *ws_protocol;
    const char *wrong = check_listeners(listeners, listener_count, &ws_protocol);
    if (settings->handshake_timeout_ms == 0)
        wrong = "the time for a handshake must not be 0";
    if (settings->hangup_after_s > 0 && settings->hangup_after_s <= settings->ping_after_s)
        wrong = "the time to hang up must be longer than that to ping";
    if (wrong) {
        snprintf(problem, problem_size, "%s", wrong);
        return FEED_E_INVALID;
    }
    struct feed_server *server = server_alloc(listener_count);
    if (!server) {
        snprintf(problem, problem_size, "out of memory");
        return FEED_E_MEMORY;
    }
    server->loop = loop;
    server->log = log;
    server->settings = *settings;
    set_deadlines(server);
    if (!create_context(server, ws_protocol)) {
        snprintf(problem, problem_size, "libwebsockets could not be started");
        feed_server_free(server);
        return FEED_E_SYSTEM;
    }
    for (size_t i = 0; i < listener_count; i++) {
        server->listeners[i] = listeners[i];
        server->listening[i] = feed_listening_new(server, &server->listeners[i]);
        if (!server->listening[i]) {
            snprintf(problem, problem_size, "cannot listen on %s port %u: %s", listeners[i].address, listeners[i].port,
                     strerror(errno));
            feed_server_free(server);
            return FEED_E_SYSTEM;
        }
        server->listener_count++;
    }
    *out = server;
    return FEED_OK;
}

unsigned feed_server_port(const struct feed_server *server, size_t i)
{
    feed_assert(i < server->listener_count);
    return feed_listening_port(server->listening[i]);
}

void feed_server_stop_accepting(struct feed_server *server, size_t i)
{
    feed_assert(i < server->listener_count);
    feed_listening_stop(server->listening[i]);
}

const struct feed_server_counts *feed_server_counts(const struct feed_server *server)
{
    return &server->counts;
}

void feed_server_free(struct feed_server *server)
{
    if (!server)
        return;
    for (size_t i = 0; i < server->listener_count; i++)
        feed_listening_free(server->listening[i]);
    server->listener_count = 0;
    feed_guest_free(server->guest);
    feed_http_send_answers(server); /* only frees: all connections are gone */
    free(server->strangers);        /* nobody is counted any more */
    free(server->own_open);
    free(server->listeners);
    free(server->listening);
    free(server);
}
