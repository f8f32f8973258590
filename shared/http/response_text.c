/* Task: the bytes of a response. Difficulty: header values come from callers and must not be able to end a header. */
#include "shared/http/response_text.h"

#include "shared/base/assert.h"
#include "shared/base/json_out.h"
#include "shared/base/limits.h"
#include "shared/base/time_text.h"

#include <string.h>
#include <strings.h>

enum { HEAD_USUAL = 512 }; /* bytes; a longer head only grows the buffer once more */

static const struct {
    unsigned status;
    const char *reason;
} reasons[] = {
    {200, "OK"},
    {202, "Accepted"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
};

const char *feed_http_reason(unsigned status)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Status";
}

void feed_http_date(int64_t unix_s, char out[FEED_HTTP_DATE_TEXT + 1])
{
    /* Put together from RFC 3339, 2026-01-02T03:04:05: every answer has one, strftime's names follow the locale, and
     * printf would be the dearest part of the answer. */
    static const char days[] = "ThuFriSatSunMonTueWed", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char time[FEED_TIME_TEXT + 1];
    feed_time_format(unix_s > 0 ? unix_s * 1000 : FEED_TIME_MIN_MS, time);
    size_t month = (size_t)((time[5] - '0') * 10 + (time[6] - '0') - 1);
    memcpy(out, "Thu, 01 Jan 1970 00:00:00 GMT", FEED_HTTP_DATE_TEXT + 1);
    memcpy(out, days + (size_t)(unix_s / 86400 % 7) * 3, 3);
    memcpy(out + 5, time + 8, 2);
    memcpy(out + 8, months + month * 3, 3);
    memcpy(out + 12, time, 4);
    memcpy(out + 17, time + 11, 8);
}

static bool one_line(struct feed_str s)
{
    return s.len == 0 || (!memchr(s.data, '\r', s.len) && !memchr(s.data, '\n', s.len) && !memchr(s.data, '\0', s.len));
}

static void header(struct feed_buf *out, const char *name, struct feed_str value)
{
    feed_assert(one_line(feed_str_of(name)) && one_line(value));
    feed_buf_text(out, name);
    feed_buf_text(out, ": ");
    feed_buf_str(out, value);
    feed_buf_text(out, "\r\n");
}

static bool has_header(const struct feed_http_response *response, const char *name)
{
    for (size_t i = 0; i < response->header_count; i++)
        if (strcasecmp(response->headers[i].name, name) == 0)
            return true;
    return false;
}

void feed_http_response_write(struct feed_buf *out, const struct feed_http_response *response,
                              const struct feed_http_framing *framing)
{
    char date[FEED_HTTP_DATE_TEXT + 1];
    feed_assert(response->status >= 200 && response->status <= 599);
    feed_assert(response->header_count <= FEED_HTTP_RESPONSE_HEADERS_MAX);
    bool bodiless = response->status == 204 || response->status == 304; /* RFC 9110: these never have one */
    feed_assert(!bodiless || response->body.len == 0);

    feed_buf_reserve(out, HEAD_USUAL + response->body.len);
    feed_buf_text(out, "HTTP/1.1 ");
    feed_buf_u64(out, response->status);
    feed_buf_char(out, ' ');
    feed_buf_text(out, feed_http_reason(response->status));
    feed_buf_text(out, "\r\n");
    feed_http_date(framing->unix_s, date);
    header(out, "date", feed_str_of(date));
    if (response->content_type)
        header(out, "content-type", feed_str_of(response->content_type));
    if (!bodiless) {
        feed_buf_text(out, "content-length: ");
        feed_buf_u64(out, response->body.len);
        feed_buf_text(out, "\r\n");
    }
    if (!has_header(response, "cache-control"))
        header(out, "cache-control", FEED_STR("no-store"));
    header(out, "x-content-type-options", FEED_STR("nosniff"));
    for (size_t i = 0; i < response->header_count; i++)
        header(out, response->headers[i].name, response->headers[i].value);
    if (framing->close)
        header(out, "connection", FEED_STR("close"));
    feed_buf_text(out, "\r\n");
    if (!framing->head_only)
        feed_buf_str(out, response->body);
}

void feed_http_problem_write(struct feed_buf *out, unsigned status, const char *detail)
{
    struct feed_json_out json;
    feed_json_out_init(&json, out);
    feed_json_open(&json);
    feed_json_member(&json, "type", FEED_STR("about:blank"));
    feed_json_member(&json, "title", feed_str_of(feed_http_reason(status)));
    feed_json_key(&json, "status");
    feed_json_u64(&json, status);
    if (detail)
        feed_json_member(&json, "detail", feed_str_of(detail));
    feed_json_close(&json);
}
