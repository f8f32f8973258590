/* Task: plain HTTP requests on libwebsockets: collect the body, hand the request over, send the answer when it comes.
 *
 * Difficulties, all of lws 4.3: (1) While a request is being handled, lws would parse what follows it into the same
 * header memory. So input is stopped (rx flow control) from the complete request to the complete answer. (2) It serves
 * no "writable" to an HTTP connection whose input is stopped, so for the rest of a long answer input is allowed for
 * just that call. (3) It hands over everything after a head as body, also the next request. Such bytes are dropped and
 * the connection is closed after the answer, which tells a pipelining client that only the first was processed. (4) It
 * does not decode chunked bodies: those are refused with 411. (5) Closing a socket with unread input destroys an answer
 * on its way, so after "connection: close" the socket is shut for writing and drained for a while. */
#include "shared/http/connection.h"

#include "shared/base/assert.h"
#include "shared/http/response_text.h"
#include "shared/loop/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum {
    ANSWER_MAX = 64 * 1024 * 1024,
    LINGER_BYTES_MAX = 32 * 1024 * 1024, /* of a body that nobody wants; then the connection is cut */
    LINGER_READ = 16 * 1024,
    LINGER_READS_PER_TURN = 16
};

static const char traceparent[] = "traceparent:"; /* lws knows it only as a custom header, whose name has the colon */

/* ---- the head ---- */

static enum feed_http_method method_of(int lws_method)
{
    switch (lws_method) {
    case LWSHUMETH_GET:
        return FEED_HTTP_GET;
    case LWSHUMETH_HEAD:
        return FEED_HTTP_HEAD;
    case LWSHUMETH_POST:
        return FEED_HTTP_POST;
    case LWSHUMETH_PUT:
        return FEED_HTTP_PUT;
    case LWSHUMETH_DELETE:
        return FEED_HTTP_DELETE;
    case LWSHUMETH_OPTIONS:
        return FEED_HTTP_OPTIONS;
    default:
        return FEED_HTTP_OTHER;
    }
}

static const enum lws_token_indexes header_tokens[FEED_HTTP_HEADER_COUNT] = {
    [FEED_HTTP_AUTHORIZATION] = WSI_TOKEN_HTTP_AUTHORIZATION,
    [FEED_HTTP_CONTENT_TYPE] = WSI_TOKEN_HTTP_CONTENT_TYPE,
    [FEED_HTTP_CONTENT_ENCODING] = WSI_TOKEN_HTTP_CONTENT_ENCODING,
    [FEED_HTTP_ORIGIN] = WSI_TOKEN_ORIGIN,
};

/* Where the texts of a request go; its size was computed before. */
struct text_room {
    char *at;
    size_t left;
};

static struct feed_str take_text(struct text_room *room, int len)
{
    struct feed_str s = {room->at, (size_t)len};
    feed_assert(len >= 0 && s.len + 1 <= room->left);
    room->at += s.len + 1;
    room->left -= s.len + 1;
    return feed_http_trim(s);
}

/* Absent: data NULL. A header given twice comes as one list. */
static struct feed_str take_header(struct lws *wsi, struct text_room *room, enum lws_token_indexes token)
{
    if (lws_hdr_total_length(wsi, token) == 0)
        return (struct feed_str){NULL, 0};
    return take_text(room, lws_hdr_copy(wsi, room->at, (int)room->left, token));
}

static void check_custom_name(const char *name, int len, void *arg)
{
    struct feed_http_verdict *verdict = arg;
    struct feed_str s = {name, len > 0 ? (size_t)len - 1 : 0}; /* without the colon */
    if (!feed_http_header_name_valid(s))
        *verdict = (struct feed_http_verdict){400, "A header's name has a character that is not allowed."};
}

static size_t text_size(struct lws *wsi, int path_len)
{
    size_t size = (size_t)path_len + 1;
    for (int h = 0; h < FEED_HTTP_HEADER_COUNT; h++)
        if (h != FEED_HTTP_TRACEPARENT)
            size += (size_t)lws_hdr_total_length(wsi, header_tokens[h]) + 1;
    int len = lws_hdr_custom_length(wsi, traceparent, sizeof(traceparent) - 1);
    return size + (len > 0 ? (size_t)len : 0) + 2;
}

static void read_headers(struct lws *wsi, struct feed_request *request, struct text_room *room)
{
    for (int h = 0; h < FEED_HTTP_HEADER_COUNT; h++)
        if (h != FEED_HTTP_TRACEPARENT)
            request->http.headers[h] = take_header(wsi, room, header_tokens[h]);
    int len = lws_hdr_custom_length(wsi, traceparent, sizeof(traceparent) - 1);
    if (len > 0 && lws_hdr_custom_copy(wsi, room->at, (int)room->left, traceparent, sizeof(traceparent) - 1) == len)
        request->http.headers[FEED_HTTP_TRACEPARENT] = take_text(room, len);
}

/* A short header into a buffer of the caller; absent or too long for it: data NULL, and *too_long says which. */
static struct feed_str short_header(struct lws *wsi, enum lws_token_indexes token, char *out, int size, bool *too_long)
{
    int len = lws_hdr_total_length(wsi, token);
    if (len == 0)
        return (struct feed_str){NULL, 0};
    if (lws_hdr_copy(wsi, out, size, token) < 0) {
        *too_long = true;
        return (struct feed_str){NULL, 0};
    }
    return feed_http_trim((struct feed_str){out, (size_t)len});
}

static struct feed_http_verdict check_head(struct feed_conn *conn, struct feed_request *request)
{
    struct lws *wsi = conn->wsi;
    char length[32], coding[64], version[16], connection[256];
    bool too_long = false;
    struct feed_str content_length =
        short_header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, length, sizeof(length), &too_long);
    struct feed_str transfer = short_header(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING, coding, sizeof(coding), &too_long);
    struct feed_str http = short_header(wsi, WSI_TOKEN_HTTP, version, sizeof(version), &too_long);
    struct feed_str options = short_header(wsi, WSI_TOKEN_CONNECTION, connection, sizeof(connection), &too_long);

    bool http11 = feed_str_eq(http, FEED_STR("HTTP/1.1"));
    request->close = !http11 || feed_http_list_has(options, FEED_STR("close"), true);
    if (too_long)
        return (struct feed_http_verdict){400, "A header that decides about the connection is too long."};
    if (!http11 && !feed_str_eq(http, FEED_STR("HTTP/1.0")))
        return (struct feed_http_verdict){400, "Only HTTP/1.0 and HTTP/1.1 are supported."};
    if (http11 && lws_hdr_total_length(wsi, WSI_TOKEN_HOST) == 0)
        return (struct feed_http_verdict){400, "The Host header is missing."};
    struct feed_http_verdict verdict = {0, NULL};
    lws_hdr_custom_name_foreach(wsi, check_custom_name, &verdict);
    if (verdict.status == 0)
        verdict = feed_http_check_path(request->http.path);
    if (verdict.status == 0)
        verdict = feed_http_check_body(request->http.method, content_length, transfer, conn->listener->body_max,
                                       &request->body_length);
    return verdict;
}

struct feed_request *feed_http_read_head(struct feed_conn *conn, struct feed_http_verdict *verdict)
{
    char *path = NULL;
    int path_len = 0;
    int method = lws_http_get_uri_and_method(conn->wsi, &path, &path_len);
    if (method < 0 || !path || path_len < 0)
        path_len = 0;
    size_t size = text_size(conn->wsi, path_len);
    struct feed_request *request = calloc(1, sizeof(*request) + size);
    if (!request)
        return NULL;
    request->conn = conn;
    struct text_room room = {request->text, size};
    if (path_len > 0)
        memcpy(room.at, path, (size_t)path_len);
    request->http.path = (struct feed_str){room.at, (size_t)path_len};
    room.at += path_len + 1;
    room.left -= (size_t)path_len + 1;
    request->http.method = method_of(method);
    read_headers(conn->wsi, request, &room);
    *verdict = check_head(conn, request);
    feed_buf_init(&request->body, (size_t)request->body_length);
    feed_buf_init(&request->answer, ANSWER_MAX);
    return request;
}

void feed_request_free(struct feed_request *request)
{
    feed_buf_fini(&request->body);
    feed_buf_fini(&request->answer);
    free(request);
}

/* ---- a request comes in ---- */

static void stop_reading(struct feed_conn *conn)
{
    lws_set_timeout(conn->wsi, NO_PENDING_TIMEOUT, 0); /* lws set one for the body, which would run on */
    lws_rx_flow_control(conn->wsi, 0);
    conn->request->handed = true;
    feed_conn_move(conn, FEED_CONN_WAITING);
}

static void refuse(struct feed_conn *conn, unsigned status, const char *detail)
{
    conn->request->close = true;
    stop_reading(conn);
    feed_request_problem(conn->request, status, detail, 0);
}

static void hand_over(struct feed_conn *conn)
{
    struct feed_request *request = conn->request;
    request->http.body = feed_buf_view(&request->body);
    stop_reading(conn);
    conn->listener->http_fn(conn->listener->arg, request, &request->http);
}

/* curl waits for this before it sends a long body. */
static int expect_continue(struct feed_conn *conn)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    char text[32];
    bool too_long = false;
    struct feed_str expect = short_header(conn->wsi, WSI_TOKEN_HTTP_EXPECT, text, sizeof(text), &too_long);
    if (!expect.data && !too_long)
        return 0;
    if (expect.len != 12 || strncasecmp(expect.data, "100-continue", 12) != 0) {
        refuse(conn, 417, "The only expectation that is supported is 100-continue.");
        return 0;
    }
    unsigned char out[LWS_PRE + sizeof(go_on)];
    memcpy(out + LWS_PRE, go_on, sizeof(go_on));
    return lws_write(conn->wsi, out + LWS_PRE, sizeof(go_on) - 1, LWS_WRITE_HTTP_HEADERS) < 0 ? -1 : 0;
}

int feed_http_on_head(struct feed_conn *conn)
{
    struct feed_http_verdict verdict;
    if (conn->request)
        return -1; /* cannot be: input is stopped while there is a request */
    conn->server->counts.http_requests++;
    feed_conn_move(conn, FEED_CONN_READING);
    struct feed_request *request = conn->request = feed_http_read_head(conn, &verdict);
    if (!request)
        return -1;
    if (verdict.status == 0 && !conn->listener->http_fn)
        verdict = (struct feed_http_verdict){404, "There is nothing at this path."};
    if (verdict.status == 0 && conn->listener->head_fn)
        verdict.status = conn->listener->head_fn(conn->listener->arg, &request->http, &verdict.detail);
    if (verdict.status != 0)
        refuse(conn, verdict.status, verdict.detail);
    else if (request->body_length == 0)
        hand_over(conn);
    else
        return expect_continue(conn);
    return 0;
}

int feed_http_on_body(struct feed_conn *conn, const void *bytes, size_t len)
{
    struct feed_request *request = conn->request;
    if (!request || request->handed) { /* refused, or the bytes after a complete body */
        if (request && len > 0)
            request->close = true;
        return 0;
    }
    size_t missing = (size_t)request->body_length - request->body.len;
    if (len > missing) {
        request->close = true;
        len = missing;
    }
    feed_buf_append(&request->body, bytes, len);
    if (request->body.error)
        return -1;
    if (request->body.len == request->body_length)
        hand_over(conn);
    return 0;
}

/* ---- the answer goes out ---- */

void feed_request_respond(struct feed_request *request, const struct feed_http_response *response)
{
    feed_assert(!request->answered);
    struct feed_conn *conn = request->conn;
    if (!conn) {
        feed_request_free(request);
        return;
    }
    static const char room[LWS_PRE];
    request->answered = request->queued = true;
    request->close = request->close || response->close;
    struct feed_http_framing framing = {.head_only = request->http.method == FEED_HTTP_HEAD,
                                        .close = request->close,
                                        .unix_s = feed_clock_wall_ms() / 1000};
    feed_buf_append(&request->answer, room, sizeof(room));
    feed_http_response_write(&request->answer, response, &framing);
    feed_buf_fini(&request->body);
    struct feed_server *server = conn->server;
    if (server->answers_last)
        server->answers_last->next_answer = request;
    else
        server->answers_first = request;
    server->answers_last = request;
    feed_guest_wake(server->guest);
}

void feed_request_problem(struct feed_request *request, unsigned status, const char *detail, unsigned retry_after_s)
{
    char seconds[16];
    struct feed_buf body;
    feed_buf_init(&body, ANSWER_MAX);
    feed_http_problem_write(&body, status, detail);
    struct feed_http_response response = {
        .status = status, .content_type = "application/problem+json", .body = feed_buf_view(&body)};
    if (retry_after_s > 0) {
        snprintf(seconds, sizeof(seconds), "%u", retry_after_s);
        response.headers[response.header_count++] =
            (struct feed_http_response_header){"retry-after", feed_str_of(seconds)};
    }
    feed_request_respond(request, &response);
    feed_buf_fini(&body);
}

/* The whole answer is with the kernel. */
static void sent(struct feed_conn *conn)
{
    bool close = conn->request->close;
    feed_request_free(conn->request);
    conn->request = NULL;
    if (close) {
        shutdown(lws_get_socket_fd(conn->wsi), SHUT_WR);
        feed_conn_move(conn, FEED_CONN_LINGERING);
        feed_guest_socket_read_always(conn->socket);
        return;
    }
    feed_conn_move(conn, FEED_CONN_IDLE);
    lws_rx_flow_control(conn->wsi, 1);
    if (lws_http_transaction_completed(conn->wsi))
        feed_conn_kill(conn);
}

static void send_answer(struct feed_conn *conn)
{
    struct feed_request *request = conn->request;
    if (conn->phase == FEED_CONN_DYING)
        return;
    feed_conn_move(conn, FEED_CONN_SENDING);
    if (request->answer.error) {
        feed_conn_kill(conn);
        return;
    }
    size_t len = request->answer.len - LWS_PRE;
    if (lws_write(conn->wsi, (unsigned char *)request->answer.data + LWS_PRE, len, LWS_WRITE_HTTP_HEADERS) < 0) {
        feed_conn_kill(conn);
        return;
    }
    feed_buf_fini(&request->answer); /* what the socket did not take, lws has copied */
    conn->server->counts.bytes_sent += len;
    if (lws_partial_buffered(conn->wsi)) {
        conn->server->counts.write_full++;
        feed_guest_socket_arm(conn->socket);
    } else {
        sent(conn);
    }
}

void feed_http_send_answers(struct feed_server *server)
{
    while (server->answers_first) {
        struct feed_request *request = server->answers_first;
        server->answers_first = request->next_answer;
        if (!server->answers_first)
            server->answers_last = NULL;
        request->queued = false;
        if (request->conn)
            send_answer(request->conn);
        else
            feed_request_free(request);
    }
}

bool feed_http_on_writable(struct feed_conn *conn)
{
    if (conn->phase != FEED_CONN_SENDING)
        return false;
    lws_rx_flow_control(conn->wsi, 1);
    if (!feed_guest_socket_write_now(conn->socket))
        return true; /* conn is gone */
    lws_rx_flow_control(conn->wsi, 0);
    if (!lws_partial_buffered(conn->wsi))
        sent(conn);
    return true;
}

static void linger(struct feed_conn *conn)
{
    char scratch[LINGER_READ];
    for (int i = 0; i < LINGER_READS_PER_TURN; i++) {
        ssize_t n = recv(lws_get_socket_fd(conn->wsi), scratch, sizeof(scratch), MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n > 0)
            conn->lingered_bytes += (size_t)n;
        if (n <= 0 || conn->lingered_bytes > LINGER_BYTES_MAX) {
            feed_conn_kill(conn);
            return;
        }
    }
}

bool feed_http_on_readable(struct feed_conn *conn)
{
    if (conn->phase == FEED_CONN_IDLE)
        feed_conn_move(conn, FEED_CONN_READING); /* the first byte of the next request starts its time */
    if (conn->phase != FEED_CONN_LINGERING)
        return false;
    linger(conn);
    return true;
}
