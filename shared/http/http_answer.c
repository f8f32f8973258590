/* Task: the answers of HTTP requests, sent at the end of the turn in which they were given, wherever that was.
 * Difficulties: see http_request.c; and the client may have gone meanwhile. */
#include "shared/http/connection.h"

#include "shared/base/assert.h"
#include "shared/http/response_text.h"
#include "shared/loop/loop.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

enum {
    PROBLEM_MAX = 64 * 1024,
    LINGER_BYTES_MAX = 32 * 1024 * 1024, /* of a body that nobody wants; then the connection is cut */
    LINGER_READ = 16 * 1024,
    LINGER_READS_PER_TURN = 16
};

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
    feed_buf_init(&body, PROBLEM_MAX);
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
