/* Task: what is wrong with a request's head. Difficulty: libwebsockets is lenient (it reads "5, 6" as a length of 5,
 * and takes an unknown transfer coding for plain bytes), so everything that decides where a request ends is judged
 * here. */
#include "shared/http/request_rules.h"

#include <string.h>
#include <strings.h>

/* libwebsockets copies the offered subprotocols into 128 bytes and hangs up without an answer when they do not fit. */
enum { WS_PROTOCOLS_MAX = 127, WS_KEY_LEN = 24 };

static const struct feed_http_verdict fine = {0, NULL};

static struct feed_http_verdict refuse(unsigned status, const char *detail)
{
    return (struct feed_http_verdict){.status = status, .detail = detail};
}

static struct feed_http_verdict check_coding(const struct feed_http_framed *head, bool *chunked)
{
    static const char word[] = "chunked";
    struct feed_str coding = head->transfer_encoding;
    if (head->content_length.data)
        return refuse(400, "A request must not have both Content-Length and Transfer-Encoding.");
    if (!head->http11)
        return refuse(400, "HTTP/1.0 has no Transfer-Encoding.");
    if (coding.len != sizeof(word) - 1 || strncasecmp(coding.data, word, coding.len) != 0)
        return refuse(400, "The only transfer coding that is supported is chunked.");
    if (head->method != FEED_HTTP_POST)
        return refuse(411, "A body for this method needs Content-Length.");
    *chunked = true;
    return fine;
}

struct feed_http_verdict feed_http_check_body(const struct feed_http_framed *head, size_t body_max, uint64_t *length,
                                              bool *chunked)
{
    struct feed_str content_length = head->content_length;
    *length = 0;
    *chunked = false;
    if (head->transfer_encoding.data)
        return check_coding(head, chunked);
    if (!content_length.data) {
        bool expected = head->method == FEED_HTTP_POST || head->method == FEED_HTTP_OTHER;
        return expected ? refuse(411, "A request with this method needs Content-Length.") : fine;
    }
    for (size_t i = 0; i < content_length.len; i++)
        if (content_length.data[i] < '0' || content_length.data[i] > '9')
            return refuse(400, "Content-Length must be one decimal number.");
    if (content_length.len == 0)
        return refuse(400, "Content-Length must be one decimal number.");
    if (feed_str_to_u64(content_length, body_max, length) != FEED_OK)
        return refuse(413, "The body is longer than this server accepts.");
    return fine;
}

static bool dot_segment(const char *segment, size_t len)
{
    return (len == 1 && segment[0] == '.') || (len == 2 && segment[0] == '.' && segment[1] == '.');
}

struct feed_http_verdict feed_http_check_path(struct feed_str path)
{
    if (path.len == 0 || path.data[0] != '/')
        return refuse(400, "The path must begin with a slash.");
    if (path.len > FEED_HTTP_PATH_MAX)
        return refuse(414, "The path is too long.");
    size_t segment = 1;
    for (size_t i = 1; i <= path.len; i++) {
        if (i == path.len || path.data[i] == '/') {
            if (dot_segment(path.data + segment, i - segment))
                return refuse(400, "The path must not have dot segments.");
            segment = i + 1;
            continue;
        }
        unsigned char c = (unsigned char)path.data[i];
        if (c < 0x20 || c == 0x7f || c == '\\')
            return refuse(400, "The path has a character that is not allowed.");
    }
    return fine;
}

bool feed_http_header_name_valid(struct feed_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.data[i];
        bool alphanumeric = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        if (!alphanumeric && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    return name.len > 0;
}

bool feed_http_header_value_valid(struct feed_str value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

bool feed_http_host_valid(struct feed_str host)
{
    for (size_t i = 0; i < host.len; i++) {
        unsigned char c = (unsigned char)host.data[i];
        bool alphanumeric = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        if (!alphanumeric && (c == '\0' || !strchr("-._~:[]%", c)))
            return false;
    }
    return host.len > 0;
}

struct feed_str feed_http_trim(struct feed_str s)
{
    while (s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s.data++;
        s.len--;
    }
    while (s.len > 0 && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t'))
        s.len--;
    return s;
}

bool feed_http_list_has(struct feed_str list, struct feed_str token, bool ignore_case)
{
    while (list.len > 0) {
        const char *comma = memchr(list.data, ',', list.len);
        size_t len = comma ? (size_t)(comma - list.data) : list.len;
        struct feed_str member = feed_http_trim((struct feed_str){list.data, len});
        if (member.len == token.len &&
            (ignore_case ? strncasecmp(member.data, token.data, token.len) == 0 : feed_str_eq(member, token)))
            return true;
        size_t step = comma ? len + 1 : len;
        list.data += step;
        list.len -= step;
    }
    return false;
}

/* lws hangs up without an answer on a list that has something else than tokens. */
static bool only_tokens(struct feed_str list)
{
    while (list.len > 0) {
        const char *comma = memchr(list.data, ',', list.len);
        size_t len = comma ? (size_t)(comma - list.data) : list.len, step = comma ? len + 1 : len;
        if (!feed_http_header_name_valid(feed_http_trim((struct feed_str){list.data, len})))
            return false;
        list.data += step;
        list.len -= step;
    }
    return true;
}

struct feed_http_verdict feed_http_check_upgrade(enum feed_http_method method, const struct feed_ws_offer *offer,
                                                 struct feed_str wanted_protocol)
{
    if (!feed_http_list_has(offer->upgrade, FEED_STR("websocket"), true))
        return refuse(400, "The only protocol to upgrade to is websocket.");
    if (method != FEED_HTTP_GET)
        return refuse(405, "A WebSocket handshake is a GET request.");
    if (!feed_http_list_has(offer->connection, FEED_STR("upgrade"), true))
        return refuse(400, "A WebSocket handshake needs 'Connection: Upgrade'.");
    if (!feed_str_eq(offer->version, FEED_STR("13")))
        return refuse(426, "Only version 13 of the WebSocket protocol is supported.");
    if (offer->key.len != WS_KEY_LEN)
        return refuse(400, "Sec-WebSocket-Key must be 16 bytes in base64.");
    if (offer->host.len == 0)
        return refuse(400, "The Host header is missing.");
    if (!wanted_protocol.data && offer->protocols.len > 0)
        return refuse(400, "This endpoint has no subprotocol.");
    if (!wanted_protocol.data)
        return fine;
    if (offer->protocols.len > WS_PROTOCOLS_MAX || !only_tokens(offer->protocols) ||
        !feed_http_list_has(offer->protocols, wanted_protocol, false))
        return refuse(400, "Sec-WebSocket-Protocol must offer the subprotocol of this endpoint.");
    return fine;
}
