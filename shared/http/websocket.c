/* Task: WebSocket connections: the checks before the handshake, reassembly, sending, closing.
 *
 * Difficulty: lws has its own closing states. A close frame is sent by lws_close_reason() and -1 from the writable
 * callback, and only if lws holds no unsent bytes then (otherwise it drops the code); lws calls that callback only when
 * it holds none, so all closing of ours happens there, after the frame that is on its way and before any other. */
#include "shared/http/connection.h"

#include "shared/base/assert.h"
#include "shared/http/response_text.h"
#include "shared/loop/loop.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    FRAMES_PER_TURN = 16, /* of one connection; then the others have their turn */
    CLOSE_REASON_MAX = 123,
    HANDSHAKE_HEADER_MAX = 256,
    RETRY_AFTER_S = 5,
    CLOSE_NO_CODE = 1005,
    CLOSE_ABNORMAL = 1006,
    CLOSE_BAD_PAYLOAD = 1007,
    CLOSE_TOO_LARGE = 1009,
    CLOSE_INTERNAL = 1011
};

/* ---- the handshake ---- */

static struct feed_str offered(struct lws *wsi, enum lws_token_indexes token, char out[HANDSHAKE_HEADER_MAX])
{
    int len = lws_hdr_copy(wsi, out, HANDSHAKE_HEADER_MAX, token);
    return len > 0 ? feed_http_trim((struct feed_str){out, (size_t)len}) : (struct feed_str){"", 0};
}

static struct feed_http_verdict check_offer(struct feed_conn *conn, const struct feed_request *request)
{
    char upgrade[HANDSHAKE_HEADER_MAX], connection[HANDSHAKE_HEADER_MAX], version[HANDSHAKE_HEADER_MAX];
    char key[HANDSHAKE_HEADER_MAX], protocols[HANDSHAKE_HEADER_MAX], host[HANDSHAKE_HEADER_MAX];
    struct feed_ws_offer offer = {
        .upgrade = offered(conn->wsi, WSI_TOKEN_UPGRADE, upgrade),
        .connection = offered(conn->wsi, WSI_TOKEN_CONNECTION, connection),
        .version = offered(conn->wsi, WSI_TOKEN_VERSION, version),
        .key = offered(conn->wsi, WSI_TOKEN_KEY, key),
        .protocols = offered(conn->wsi, WSI_TOKEN_PROTOCOL, protocols),
        .host = offered(conn->wsi, WSI_TOKEN_HOST, host),
    };
    return feed_http_check_upgrade(request->http.method, &offer,
                                   conn->listener->ws_protocol ? feed_str_of(conn->listener->ws_protocol)
                                                               : (struct feed_str){NULL, 0});
}

/* Written at once and closed by the caller: lws has no way back to plain HTTP from here. */
static void refuse_upgrade(struct feed_conn *conn, const struct feed_ws_refusal *refusal)
{
    static const char room[LWS_PRE];
    struct feed_buf body, out;
    char seconds[16];
    feed_buf_init(&body, 4096);
    feed_buf_init(&out, 8192);
    feed_http_problem_write(&body, refusal->status, refusal->detail);
    struct feed_http_response response = {
        .status = refusal->status, .content_type = "application/problem+json", .body = feed_buf_view(&body)};
    if (refusal->status == 426)
        response.headers[response.header_count++] =
            (struct feed_http_response_header){"sec-websocket-version", FEED_STR("13")};
    if (refusal->retry_after_s > 0) {
        snprintf(seconds, sizeof(seconds), "%u", refusal->retry_after_s);
        response.headers[response.header_count++] =
            (struct feed_http_response_header){"retry-after", feed_str_of(seconds)};
    }
    struct feed_http_framing framing = {.close = true, .unix_s = feed_clock_wall_ms() / 1000};
    feed_buf_append(&out, room, sizeof(room));
    feed_http_response_write(&out, &response, &framing);
    size_t len = out.len - LWS_PRE;
    if (!out.error && lws_write(conn->wsi, (unsigned char *)out.data + LWS_PRE, len, LWS_WRITE_HTTP_HEADERS) > 0)
        conn->server->counts.bytes_sent += len;
    feed_buf_fini(&body);
    feed_buf_fini(&out);
}

static bool is_handshake(struct feed_conn *conn)
{
    char upgrade[HANDSHAKE_HEADER_MAX], *path = NULL;
    int path_len = 0;
    const char *ws_path = conn->listener->ws_path;
    if (!ws_path || lws_http_get_uri_and_method(conn->wsi, &path, &path_len) < 0 || !path)
        return false;
    return feed_str_eq((struct feed_str){path, (size_t)path_len}, feed_str_of(ws_path)) &&
           feed_http_list_has(offered(conn->wsi, WSI_TOKEN_UPGRADE, upgrade), FEED_STR("websocket"), true);
}

int feed_ws_on_upgrade(struct feed_conn *conn, char *upgrade)
{
    /* An upgrade to something that lws does not know was answered by lws itself, and then its header memory may be gone
     * already: `upgrade` points there. */
    if (conn->request || lws_hdr_total_length(conn->wsi, WSI_TOKEN_UPGRADE) == 0)
        return -1;
    if (!is_handshake(conn)) {
        /* An offer may be ignored (RFC 9110, 7.8), and must be: Java's client offers h2c with any first request. lws
         * has no return value for that, but it looks at this text only after we did. */
        upgrade[0] = '\0';
        return 0;
    }
    conn->server->counts.http_requests++;
    feed_conn_move(conn, FEED_CONN_READING);
    struct feed_http_verdict verdict;
    struct feed_request *request = conn->request = feed_http_read_head(conn, &verdict);
    if (!request)
        return -1;
    if (verdict.status == 0)
        verdict = check_offer(conn, request);
    if (verdict.status == 0 && request->body_length > 0)
        verdict = (struct feed_http_verdict){400, "A WebSocket handshake has no body."};
    const struct feed_listener *listener = conn->listener;
    if (verdict.status != 0 && listener->refused_fn)
        listener->refused_fn(listener->arg, verdict.status);
    struct feed_ws_refusal refusal = {403, "The handshake was refused.", 0};
    if (verdict.status == 0 && !feed_strangers_forwarded(conn, &request->http.client))
        refusal = (struct feed_ws_refusal){429, "Too many connections of this address say nothing.", RETRY_AFTER_S};
    else if (verdict.status != 0)
        refusal = (struct feed_ws_refusal){verdict.status, verdict.detail, 0};
    else if (!listener->ws_events->accept_fn || listener->ws_events->accept_fn(listener->arg, &request->http, &refusal))
        return 0;
    refuse_upgrade(conn, &refusal);
    return -1;
}

static void close_with(struct feed_conn *conn, unsigned code, const char *reason)
{
    struct feed_ws *ws = &conn->ws;
    if (ws->close_code || ws->peer_code || conn->phase == FEED_CONN_DYING)
        return;
    ws->close_code = (uint16_t)code;
    ws->close_reason = reason ? strdup(reason) : NULL; /* without memory: without a reason */
    feed_buf_fini(&ws->message);
    feed_conn_move(conn, FEED_CONN_WS_CLOSING);
    lws_callback_on_writable(conn->wsi);
}

int feed_ws_on_open(struct feed_conn *conn)
{
    struct feed_request *head = conn->request;
    struct feed_ws *ws = &conn->ws;
    if (!head)
        return -1;
    feed_conn_move(conn, FEED_CONN_WS_OPEN);
    ws->open = true;
    ws->session = conn->listener->ws_events->open_fn(conn->listener->arg, ws, &head->http);
    conn->request = NULL;
    feed_request_free(head);
    if (!ws->session) {
        ws->open = false;
        close_with(conn, CLOSE_INTERNAL, NULL);
    }
    return 0;
}

/* ---- receiving ---- */

static void deliver(struct feed_conn *conn, struct feed_str payload)
{
    bool binary = lws_frame_is_binary(conn->wsi) != 0;
    /* lws checks UTF-8 too, but not that the last character is complete when the last fragment is empty. */
    if (!binary && !feed_str_utf8(payload))
        close_with(conn, CLOSE_BAD_PAYLOAD, "not UTF-8");
    else
        conn->listener->ws_events->message_fn(conn->ws.session, payload, binary);
}

int feed_ws_on_receive(struct feed_conn *conn, const void *bytes, size_t len)
{
    struct feed_ws *ws = &conn->ws;
    if (!ws->open || ws->close_code || ws->peer_code || conn->phase == FEED_CONN_DYING)
        return 0;
    feed_conn_move(conn, FEED_CONN_WS_OPEN);
    size_t room = conn->listener->message_max - ws->message.len;
    size_t announced = lws_remaining_packet_payload(conn->wsi); /* of this frame, still to come */
    if (len > room || announced > room - len) {
        close_with(conn, CLOSE_TOO_LARGE, "message too large");
        return 0;
    }
    bool complete = lws_is_final_fragment(conn->wsi) != 0;
    if (complete && ws->message.len == 0) { /* the usual case: in one piece, not copied */
        deliver(conn, (struct feed_str){bytes ? bytes : "", len});
        return 0;
    }
    feed_buf_append(&ws->message, bytes, len);
    if (ws->message.error) {
        close_with(conn, CLOSE_INTERNAL, NULL);
        return 0;
    }
    if (complete) {
        struct feed_buf message = ws->message;
        feed_buf_init(&ws->message, conn->listener->message_max);
        deliver(conn, feed_buf_view(&message));
        feed_buf_fini(&message);
    }
    return 0;
}

void feed_ws_on_pong(struct feed_conn *conn)
{
    if (conn->phase == FEED_CONN_WS_PINGED || conn->phase == FEED_CONN_WS_OPEN)
        feed_conn_move(conn, FEED_CONN_WS_OPEN);
}

/* ---- sending ---- */

static int send_close(struct feed_conn *conn)
{
    struct feed_ws *ws = &conn->ws;
    if (ws->close_sent) /* lws waits for the peer's answer; -1 now would cut the connection */
        return 0;
    ws->close_sent = true;
    size_t len = ws->close_reason ? strlen(ws->close_reason) : 0;
    lws_close_reason(conn->wsi, (enum lws_close_status)ws->close_code, (unsigned char *)ws->close_reason, len);
    return -1;
}

static int send_ping(struct feed_conn *conn)
{
    unsigned char ping[LWS_PRE + 1] = {0}; /* not empty: lws does not tell of empty pongs */
    ping[LWS_PRE] = '!';
    conn->ws.ping_due = false;
    if (conn->phase == FEED_CONN_WS_PINGED)
        feed_conn_move(conn, FEED_CONN_WS_PINGED); /* the time to answer begins now */
    return lws_write(conn->wsi, ping + LWS_PRE, 1, LWS_WRITE_PING) < 0 ? -1 : 0;
}

/* Sends one frame; *more is false when the session has no other or the socket takes no other now. */
static int send_frame(struct feed_conn *conn, bool *more)
{
    struct feed_ws *ws = &conn->ws;
    struct feed_frame *frame = conn->listener->ws_events->next_frame_fn(ws->session);
    if (!frame) {
        ws->wants_write = *more = false;
        return 0;
    }
    size_t len;
    unsigned char *bytes = feed_frame_bytes(frame, &len);
    int n = lws_write(conn->wsi, bytes, len, feed_frame_binary(frame) ? LWS_WRITE_BINARY : LWS_WRITE_TEXT);
    feed_frame_unref(frame);
    if (n < 0)
        return -1;
    conn->server->counts.frames_sent++;
    conn->server->counts.bytes_sent += len;
    if (lws_partial_buffered(conn->wsi)) { /* lws calls again when it is rid of the rest */
        conn->server->counts.write_full++;
        *more = false;
    }
    return 0;
}

int feed_ws_on_writable(struct feed_conn *conn)
{
    struct feed_ws *ws = &conn->ws;
    bool more = true;
    if (ws->peer_code || conn->phase == FEED_CONN_DYING)
        return 0;
    if (ws->close_code)
        return send_close(conn);
    if (ws->ping_due && send_ping(conn) != 0)
        return -1;
    for (unsigned i = 0; more && ws->open && ws->wants_write && !ws->close_code; i++) {
        if (i == FRAMES_PER_TURN || lws_partial_buffered(conn->wsi))
            break;
        if (send_frame(conn, &more) != 0)
            return -1;
    }
    if (ws->wants_write || ws->close_code)
        lws_callback_on_writable(conn->wsi); /* more in the next turn */
    return 0;
}

void feed_ws_want_write(struct feed_ws *ws)
{
    struct feed_conn *conn = lws_container_of(ws, struct feed_conn, ws);
    if (ws->wants_write || !ws->open || ws->close_code || ws->peer_code)
        return;
    ws->wants_write = true;
    lws_callback_on_writable(conn->wsi);
}

void feed_ws_known(struct feed_ws *ws)
{
    struct feed_conn *conn = lws_container_of(ws, struct feed_conn, ws);
    feed_strangers_leave(conn->server, conn->listener, &conn->stranger);
}

void feed_ws_ping(struct feed_conn *conn)
{
    feed_conn_move(conn, FEED_CONN_WS_PINGED);
    if (!conn->ws.ping_due)
        conn->ws.ping_due_ms = feed_loop_now_ms(conn->server->loop);
    conn->ws.ping_due = true;
    lws_callback_on_writable(conn->wsi);
}

/* A kernel that has no room acknowledges the probes of ours (every 0.2 s at first, then half as often each time), a
 * peer that is gone does not. */
static bool acknowledges(struct feed_conn *conn)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    if (getsockopt(lws_get_socket_fd(conn->wsi), IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return false;
    return info.tcpi_last_ack_recv < conn->server->settings.hangup_after_s * 1000;
}

bool feed_ws_stalls(struct feed_conn *conn, int64_t now_ms)
{
    int64_t most_ms = (int64_t)conn->server->settings.stall_after_s * 1000;
    if (!conn->ws.ping_due || now_ms - conn->ws.ping_due_ms >= most_ms || !acknowledges(conn))
        return false;
    feed_conn_move(conn, FEED_CONN_WS_PINGED);
    return true;
}

/* ---- closing ---- */

void feed_ws_close(struct feed_ws *ws, unsigned code, const char *reason)
{
    feed_assert(code >= 1000 && code <= 4999 && (!reason || strlen(reason) <= CLOSE_REASON_MAX));
    close_with(lws_container_of(ws, struct feed_conn, ws), code, reason);
}

void feed_ws_on_peer_close(struct feed_conn *conn, const uint8_t *payload, size_t len)
{
    conn->ws.peer_code = len >= 2 ? (uint16_t)(payload[0] << 8 | payload[1]) : CLOSE_NO_CODE;
    feed_conn_move(conn, FEED_CONN_WS_CLOSING); /* lws answers it */
}

static unsigned final_code(struct feed_conn *conn)
{
    const struct feed_ws *ws = &conn->ws;
    if (ws->close_code)
        return ws->close_code;
    if (ws->peer_code)
        return ws->peer_code;
    if (lws_get_close_length(conn->wsi) >= 2) { /* lws closed it, for a breach of the protocol */
        const unsigned char *payload = lws_get_close_payload(conn->wsi);
        return (unsigned)payload[0] << 8 | payload[1];
    }
    return CLOSE_ABNORMAL;
}

void feed_ws_on_gone(struct feed_conn *conn)
{
    struct feed_ws *ws = &conn->ws;
    if (!ws->open)
        return;
    ws->open = false;
    conn->listener->ws_events->closed_fn(ws->session, final_code(conn));
    ws->session = NULL;
}
