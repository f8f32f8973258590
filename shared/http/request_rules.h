/* The rules for the head of an HTTP request, as pure functions: which body may follow, which paths and header names are
 * refused, what a comma-separated list names. What two parsers could read differently (a length given twice, a length
 * beside a transfer coding, a blank before a colon) is refused, so that no request can hide inside another. */
#ifndef FEED_HTTP_REQUEST_RULES_H
#define FEED_HTTP_REQUEST_RULES_H

#include "shared/http/server.h"

/* What is wrong with a request: 0 nothing, otherwise the status to answer and one sentence for it (static). */
struct feed_http_verdict {
    unsigned status;
    const char *detail;
};

/* What a head says about its body. Values of absent headers have data NULL. */
struct feed_http_framed {
    enum feed_http_method method;
    bool http11;
    struct feed_str content_length, transfer_encoding;
};

/* The body that follows a head. Sets *length when the verdict is 0, and *chunked when its end is in the body.
 * 400: a length that is no number, several, or beside Transfer-Encoding; another coding than chunked, or one in
 * HTTP/1.0; 411: a coding with another method than POST (libwebsockets reads no such body), or nothing where a body is
 * expected (POST and unknown methods; a PUT without both has no body, RFC 9112, 6.3); 413: longer than body_max. */
struct feed_http_verdict feed_http_check_body(const struct feed_http_framed *head, size_t body_max, uint64_t *length,
                                              bool *chunked);

/* A decoded path: absolute, at most FEED_HTTP_PATH_MAX bytes (414), without control characters, backslashes and dot
 * segments (400). */
struct feed_http_verdict feed_http_check_path(struct feed_str path);

/* A header's name is a token (RFC 9110, 5.6.2). */
bool feed_http_header_name_valid(struct feed_str name);

/* A header's value has no control characters but tabs (RFC 9110, 5.5). */
bool feed_http_header_value_valid(struct feed_str value);

/* One host, with or without a port (RFC 9110, 7.2): letters, digits and -._~:[]% only, so two Host headers, which come
 * as a list, are none. */
bool feed_http_host_valid(struct feed_str host);

/* Does a comma-separated list name this token? Blanks around members are ignored. */
bool feed_http_list_has(struct feed_str list, struct feed_str token, bool ignore_case);

/* Without blanks and tabs at both ends. */
struct feed_str feed_http_trim(struct feed_str s);

/* The headers of a WebSocket handshake (RFC 6455, 4.2.1). wanted_protocol with data NULL: none may be offered. */
struct feed_ws_offer {
    struct feed_str upgrade, connection, version, key, protocols, host;
};
struct feed_http_verdict feed_http_check_upgrade(enum feed_http_method method, const struct feed_ws_offer *offer,
                                                 struct feed_str wanted_protocol);

#endif
