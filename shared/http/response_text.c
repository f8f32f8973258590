/* Task: the bytes of a response. Difficulty: header values come from callers and must not be able to end a header. */
#include "shared/http/response_text.h"

#include "shared/base/assert.h"
#include "shared/base/json_out.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

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
    /* Not strftime: its names follow the locale. */
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t t = (time_t)unix_s;
    struct tm tm;
    char text[80];
    feed_assert(gmtime_r(&t, &tm) != NULL);
    int n = snprintf(text, sizeof(text), "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + (size_t)tm.tm_wday * 3,
                     tm.tm_mday, months + (size_t)tm.tm_mon * 3, tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
    feed_assert(n == FEED_HTTP_DATE_TEXT);
    memcpy(out, text, FEED_HTTP_DATE_TEXT + 1);
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

    feed_buf_printf(out, "HTTP/1.1 %u %s\r\n", response->status, feed_http_reason(response->status));
    feed_http_date(framing->unix_s, date);
    header(out, "date", feed_str_of(date));
    if (response->content_type)
        header(out, "content-type", feed_str_of(response->content_type));
    if (!bodiless)
        feed_buf_printf(out, "content-length: %zu\r\n", response->body.len);
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
