/* Task: what lws has parsed of a request's head, copied into a struct feed_request. Difficulty: the header memory is
 * lws's and gone before a later answer; lws joins a header that is given twice by commas, which check_head must see
 * through. */
#include "shared/http/connection.h"

#include "shared/base/assert.h"
#include "shared/http/proxies.h"

#include <stdlib.h>
#include <string.h>

enum { ANSWER_MAX = 64 * 1024 * 1024, HOST_MAX = 255 + 6 /* a name of DNS, and a port */ };

/* Those that lws knows only as custom headers, whose names have the colon. */
static const char *const custom_names[FEED_HTTP_HEADER_COUNT] = {
    [FEED_HTTP_TRACEPARENT] = "traceparent:",
    [FEED_HTTP_IDEMPOTENCY_KEY] = "idempotency-key:",
    [FEED_HTTP_CE_SPECVERSION] = "ce-specversion:",
    [FEED_HTTP_CE_ID] = "ce-id:",
    [FEED_HTTP_CE_SOURCE] = "ce-source:",
    [FEED_HTTP_CE_TYPE] = "ce-type:",
    [FEED_HTTP_CE_TIME] = "ce-time:",
    [FEED_HTTP_FORWARDED] = "forwarded:",
};

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
    [FEED_HTTP_X_FORWARDED_FOR] = WSI_TOKEN_X_FORWARDED_FOR,
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

/* What is found out while lws walks over the names of custom headers. */
struct custom_check {
    struct feed_http_verdict verdict;
    unsigned seen;      /* bit h: header h was there */
    unsigned forwarded; /* how often */
};

static void check_custom_name(const char *name, int len, void *arg)
{
    struct custom_check *check = arg;
    struct feed_str s = {name, len > 0 ? (size_t)len : 0};
    if (!feed_http_header_name_valid((struct feed_str){name, s.len > 0 ? s.len - 1 : 0})) /* without the colon */
        check->verdict = (struct feed_http_verdict){400, "A header's name has a character that is not allowed."};
    for (unsigned h = FEED_HTTP_IDEMPOTENCY_KEY; h <= FEED_HTTP_FORWARDED; h++) {
        if (!feed_str_eq(s, feed_str_of(custom_names[h])))
            continue;
        check->forwarded += h == FEED_HTTP_FORWARDED;
        if (check->seen & 1u << h && h < FEED_HTTP_CUSTOM_SINGLE_END)
            check->verdict = (struct feed_http_verdict){400, "A header that must have one value is there twice."};
        check->seen |= 1u << h;
    }
}

/* -1: absent; 0: there, and empty. */
static int custom_length(struct lws *wsi, const char *name)
{
    return lws_hdr_custom_length(wsi, name, (int)strlen(name));
}

static size_t text_size(struct lws *wsi, int path_len)
{
    size_t size = (size_t)path_len + 1 + (size_t)lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_URI_ARGS) + 1;
    for (int h = 0; h < FEED_HTTP_HEADER_COUNT; h++) {
        int len = custom_names[h] ? custom_length(wsi, custom_names[h]) : lws_hdr_total_length(wsi, header_tokens[h]);
        size += (size_t)(len > 0 ? len : 0) + 2;
    }
    return size;
}

static struct feed_str take_custom(struct lws *wsi, struct text_room *room, const char *name)
{
    int len = custom_length(wsi, name);
    if (len == 0)
        return take_text(room, 0);
    if (len < 0 || lws_hdr_custom_copy(wsi, room->at, (int)room->left, name, (int)strlen(name)) != len)
        return (struct feed_str){NULL, 0};
    return take_text(room, len);
}

static void read_headers(struct lws *wsi, struct feed_request *request, struct text_room *room)
{
    for (int h = 0; h < FEED_HTTP_HEADER_COUNT; h++)
        request->http.headers[h] =
            custom_names[h] ? take_custom(wsi, room, custom_names[h]) : take_header(wsi, room, header_tokens[h]);
}

struct feed_str feed_http_short_header(struct lws *wsi, enum lws_token_indexes token, char *out, int size,
                                       bool *too_long)
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
    char length[32], coding[64], version[16], connection[256], host[HOST_MAX + 1];
    bool too_long = false;
    struct feed_str content_length =
        feed_http_short_header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, length, sizeof(length), &too_long);
    struct feed_str transfer =
        feed_http_short_header(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING, coding, sizeof(coding), &too_long);
    struct feed_str http = feed_http_short_header(wsi, WSI_TOKEN_HTTP, version, sizeof(version), &too_long);
    struct feed_str options =
        feed_http_short_header(wsi, WSI_TOKEN_CONNECTION, connection, sizeof(connection), &too_long);
    struct feed_str named = feed_http_short_header(wsi, WSI_TOKEN_HOST, host, sizeof(host), &too_long);

    bool http11 = feed_str_eq(http, FEED_STR("HTTP/1.1"));
    request->close = !http11 || feed_http_list_has(options, FEED_STR("close"), true);
    if (too_long)
        return (struct feed_http_verdict){400, "A header that decides about the connection is too long."};
    if (!http11 && !feed_str_eq(http, FEED_STR("HTTP/1.0")))
        return (struct feed_http_verdict){400, "Only HTTP/1.0 and HTTP/1.1 are supported."};
    if (http11 && !named.data)
        return (struct feed_http_verdict){400, "The Host header is missing."};
    if (named.data && !feed_http_host_valid(named))
        return (struct feed_http_verdict){400, "The Host header must be one host, with or without a port."};
    for (int h = 0; h < FEED_HTTP_HEADER_COUNT; h++)
        if (!feed_http_header_value_valid(request->http.headers[h]))
            return (struct feed_http_verdict){400, "A header's value has a character that is not allowed."};
    struct custom_check check = {.verdict = {0, NULL}};
    lws_hdr_custom_name_foreach(wsi, check_custom_name, &check);
    if (check.forwarded > 1)
        request->http.headers[FEED_HTTP_FORWARDED] = (struct feed_str){NULL, 0};
    struct feed_http_verdict verdict = check.verdict;
    if (verdict.status == 0)
        verdict = feed_http_check_path(request->http.path);
    if (verdict.status == 0)
        verdict =
            feed_http_check_body(&(struct feed_http_framed){request->http.method, http11, content_length, transfer},
                                 conn->listener->body_max, &request->body_length, &request->is_chunked);
    request->close = request->close || request->is_chunked; /* lws does not know where it ended */
    return verdict;
}

static struct feed_address client_of(const struct feed_conn *conn, const struct feed_request *request)
{
    const struct feed_proxies *proxies = conn->listener->proxies;
    if (!proxies)
        return conn->peer;
    return feed_proxies_client(
        proxies, &conn->peer,
        request->http.headers[proxies->forwarded ? FEED_HTTP_FORWARDED : FEED_HTTP_X_FORWARDED_FOR]);
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
    request->http.query = take_header(conn->wsi, &room, WSI_TOKEN_HTTP_URI_ARGS);
    request->http.method = method_of(method);
    read_headers(conn->wsi, request, &room);
    *verdict = check_head(conn, request);
    request->http.client = client_of(conn, request);
    feed_buf_init(&request->body, request->is_chunked ? conn->listener->body_max : (size_t)request->body_length);
    feed_buf_init(&request->answer, ANSWER_MAX);
    return request;
}

void feed_request_free(struct feed_request *request)
{
    feed_buf_fini(&request->body);
    feed_buf_fini(&request->answer);
    free(request);
}
