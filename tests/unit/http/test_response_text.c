/* The bytes of responses. */
#include "shared/http/response_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const int64_t rfc_time_s = 784111777; /* the example of RFC 9110 */

static void expect(const struct feed_http_response *response, struct feed_http_framing framing, const char *wanted)
{
    struct feed_buf buf;
    feed_buf_init(&buf, 100000);
    framing.unix_s = rfc_time_s;
    feed_http_response_write(&buf, response, &framing);
    feed_buf_char(&buf, '\0');
    assert_int_equal(buf.error, FEED_OK);
    assert_string_equal(buf.data, wanted);
    feed_buf_fini(&buf);
}

static void test_date(void **state)
{
    (void)state;
    char text[FEED_HTTP_DATE_TEXT + 1];
    feed_http_date(rfc_time_s, text);
    assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
    feed_http_date(951827696, text);
    assert_string_equal(text, "Tue, 29 Feb 2000 12:34:56 GMT");
    feed_http_date(0, text);
    assert_string_equal(text, "Thu, 01 Jan 1970 00:00:00 GMT");
    feed_http_date(253402300799, text);
    assert_string_equal(text, "Fri, 31 Dec 9999 23:59:59 GMT");
}

static void test_with_body_and_headers(void **state)
{
    (void)state;
    struct feed_http_response r = {.status = 202,
                                   .content_type = "application/json",
                                   .body = FEED_STR("{}"),
                                   .headers = {{"retry-after", FEED_STR("3")}, {"x", FEED_STR("")}},
                                   .header_count = 2};
    expect(&r, (struct feed_http_framing){0},
           "HTTP/1.1 202 Accepted\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\ncontent-type: application/json\r\n"
           "content-length: 2\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\nretry-after: 3\r\nx: "
           "\r\n\r\n{}");
}

static void test_head_and_close(void **state)
{
    (void)state;
    struct feed_http_response r = {.status = 200, .content_type = "text/plain", .body = FEED_STR("hello")};
    expect(&r, (struct feed_http_framing){.head_only = true, .close = true},
           "HTTP/1.1 200 OK\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n"
           "cache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n");
}

static void test_no_content_and_own_cache_control(void **state)
{
    (void)state;
    struct feed_http_response r = {
        .status = 204, .headers = {{"Cache-Control", FEED_STR("max-age=60")}}, .header_count = 1};
    expect(&r, (struct feed_http_framing){0},
           "HTTP/1.1 204 No Content\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\nx-content-type-options: nosniff\r\n"
           "Cache-Control: max-age=60\r\n\r\n");
}

static void test_reasons(void **state)
{
    (void)state;
    assert_string_equal(feed_http_reason(413), "Content Too Large");
    assert_string_equal(feed_http_reason(299), "Status");
}

static void test_problem(void **state)
{
    (void)state;
    struct feed_buf buf;
    feed_buf_init(&buf, 1000);
    feed_http_problem_write(&buf, 422, "verb: \"x\"\n");
    feed_buf_char(&buf, '\0');
    assert_string_equal(buf.data, "{\"type\":\"about:blank\",\"title\":\"Unprocessable Content\",\"status\":422,"
                                  "\"detail\":\"verb: \\\"x\\\"\\n\"}");
    feed_buf_reset(&buf);
    feed_http_problem_write(&buf, 404, NULL);
    feed_buf_char(&buf, '\0');
    assert_string_equal(buf.data, "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404}");
    feed_buf_fini(&buf);
}

static void test_too_little_memory_is_remembered(void **state)
{
    (void)state;
    struct feed_buf buf;
    struct feed_http_response r = {.status = 200, .body = FEED_STR("hello")};
    feed_buf_init(&buf, 20);
    feed_http_response_write(&buf, &r, &(struct feed_http_framing){0});
    assert_int_equal(buf.error, FEED_E_TOO_LARGE);
    feed_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_date),
        cmocka_unit_test(test_with_body_and_headers),
        cmocka_unit_test(test_head_and_close),
        cmocka_unit_test(test_no_content_and_own_cache_control),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_problem),
        cmocka_unit_test(test_too_little_memory_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
