/* Task: plain HTTP requests on libwebsockets: collect the body and hand the request over. http_answer.c sends the
 * answer.
 *
 * Difficulties, all of lws 4.3: (1) While a request is being handled, lws would parse what follows it into the same
 * header memory. So input is stopped (rx flow control) from the complete request to the complete answer. (2) It serves
 * no "writable" to an HTTP connection whose input is stopped, so for the rest of a long answer input is allowed for
 * just that call. (3) It hands over everything after a head as body, also the next request. Such bytes are dropped and
 * the connection is closed after the answer, which tells a pipelining client that only the first was processed. (4) It
 * does not decode chunked bodies, and waits for their end without finding it: chunked.c does, and the connection is
 * closed after the answer. (5) Closing a socket with unread input destroys an answer
 * on its way, so after "connection: close" the socket is shut for writing and drained for a while. */
#include "shared/http/connection.h"

#include <string.h>

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

/* By the rules of this server, not by its owner's. */
static void refuse_by_rule(struct feed_conn *conn, unsigned status, const char *detail)
{
    if (conn->listener->refused_fn)
        conn->listener->refused_fn(conn->listener->arg, status);
    refuse(conn, status, detail);
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
    struct feed_str expect = feed_http_short_header(conn->wsi, WSI_TOKEN_HTTP_EXPECT, text, sizeof(text), &too_long);
    if (!expect.data && !too_long)
        return 0;
    if (!feed_http_list_has(expect, FEED_STR("100-continue"), true)) {
        refuse_by_rule(conn, 417, "The only expectation that is supported is 100-continue.");
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
    if (verdict.status != 0) {
        refuse_by_rule(conn, verdict.status, verdict.detail);
        return 0;
    }
    if (conn->listener->head_fn)
        verdict.status = conn->listener->head_fn(conn->listener->arg, &request->http, &verdict.detail);
    if (verdict.status != 0)
        refuse(conn, verdict.status, verdict.detail);
    else if (request->body_length == 0 && !request->is_chunked)
        hand_over(conn);
    else
        return expect_continue(conn);
    return 0;
}

static int take_chunks(struct feed_conn *conn, struct feed_str bytes)
{
    struct feed_request *request = conn->request;
    switch (feed_chunked_read(&request->chunked, &bytes, &request->body)) {
    case FEED_OK:
        break;
    case FEED_E_TOO_LARGE:
        refuse_by_rule(conn, 413, "The body is longer than this server accepts.");
        return 0;
    case FEED_E_INVALID:
        refuse_by_rule(conn, 400, "The body is not in the chunked coding.");
        return 0;
    default:
        return -1;
    }
    if (request->chunked.state == FEED_CHUNKED_END)
        hand_over(conn);
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
    if (request->is_chunked)
        return take_chunks(conn, (struct feed_str){bytes, len});
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
