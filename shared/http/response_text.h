/* The text of HTTP responses: head and body into one buffer, so that a response leaves in one write. */
#ifndef FEED_HTTP_RESPONSE_TEXT_H
#define FEED_HTTP_RESPONSE_TEXT_H

#include "shared/http/server.h"

/* "Not Found"; "Status" for codes that Feedwire does not use. Static. */
const char *feed_http_reason(unsigned status);

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7). */
enum { FEED_HTTP_DATE_TEXT = 29 };
void feed_http_date(int64_t unix_s, char out[FEED_HTTP_DATE_TEXT + 1]);

struct feed_http_framing {
    bool head_only; /* the answer to HEAD: the length of the body, but no body */
    bool close;     /* "connection: close" */
    int64_t unix_s; /* for Date */
};

/* Appends status line, headers and body. Cache-Control is no-store unless the response has its own. Asserts that no
 * header has CR, LF or NUL. Fails only for memory (out->error). */
void feed_http_response_write(struct feed_buf *out, const struct feed_http_response *response,
                              const struct feed_http_framing *framing);

/* Appends {"type":"about:blank","title":..,"status":..,"detail":..} (RFC 9457); detail NULL: left out. */
void feed_http_problem_write(struct feed_buf *out, unsigned status, const char *detail);

#endif
