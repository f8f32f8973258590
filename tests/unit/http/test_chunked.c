/* The chunked coding: what is read of it, whole and byte by byte, and what is refused. */
#include "shared/http/chunked.h"

#include "tests/unit/support/check.h"

#include <string.h>

enum { BODY_MAX = 64 };

/* Reads the text in pieces of this size; the body, and how much was left behind its end. */
static enum feed_error read_in_pieces(struct feed_str text, size_t piece, struct feed_buf *body, size_t *behind,
                                      bool *ended)
{
    struct feed_chunked chunked = {0};
    enum feed_error error = FEED_OK;
    while (error == FEED_OK && text.len > 0 && chunked.state != FEED_CHUNKED_END) {
        size_t len = piece < text.len ? piece : text.len;
        struct feed_str some = {text.data, len};
        error = feed_chunked_read(&chunked, &some, body);
        size_t used = len - some.len;
        text = (struct feed_str){text.data + used, text.len - used};
    }
    *ended = chunked.state == FEED_CHUNKED_END;
    *behind = text.len;
    return error;
}

static void test_good(void **state)
{
    (void)state;
    static const struct {
        const char *text, *body;
        size_t behind;
    } rows[] = {
        {"0\r\n\r\n", "", 0},
        {"5\r\nhello\r\n0\r\n\r\n", "hello", 0},
        {"5\r\nhello\r\n000001\r\n!\r\n00000000\r\n\r\nGET /", "hello!", 5},
        {"a\r\n0123456789\r\n0A;x=y\r\n0123456789\r\n0;last\r\nTrailer: 1\r\nX:\t2\r\n\r\n", "01234567890123456789", 0},
        {"2\r\n\r\n\r\n0\r\n\r\n", "\r\n", 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t piece = 1; piece <= strlen(rows[i].text); piece++) {
            struct feed_buf body;
            size_t behind;
            bool ended;
            feed_buf_init(&body, BODY_MAX);
            assert_int_equal(read_in_pieces(feed_str_of(rows[i].text), piece, &body, &behind, &ended), FEED_OK);
            assert_true(ended);
            assert_int_equal(behind, rows[i].behind);
            assert_true(feed_str_eq(feed_buf_view(&body), feed_str_of(rows[i].body)));
            feed_buf_fini(&body);
        }
    }
}

static void test_bad(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "\r\n",          "x\r\n",           " 5\r\nhello",       "5 \r\nhello",        "+5\r\nhello", "-1\r\n",
        "0x5\r\nhello",  "5\nhello",        "5\rhello",          "5\r\rhello",         ";x\r\n",      "000000005\r\n",
        "5\r\nhello0\r", "5\r\nhello\n0\r", "5\r\nhello\r\r",    "0\r\nA: b\n\r\n",    "0\r\n\n",     "0\n\r\n",
        "0\r\n\r\r",     "5;\x01\r\nhello", "0\r\nA\x7f: b\r\n", "5\r\nhello\r\n\r\n", "5_\r\n",      "5\t\r\n",
        "FFFFFFFFF\r\n", "0\r\nA: b\r\r",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t piece = 1; piece <= strlen(rows[i]); piece++) {
            struct feed_buf body;
            size_t behind;
            bool ended;
            feed_buf_init(&body, BODY_MAX);
            if (read_in_pieces(feed_str_of(rows[i]), piece, &body, &behind, &ended) != FEED_E_INVALID)
                fail_msg("row %zu in pieces of %zu was taken", i, piece);
            feed_buf_fini(&body);
        }
    }
}

static void fill(char *text, size_t len, const char *begin, char with)
{
    size_t used = strlen(begin);
    memcpy(text, begin, used);
    memset(text + used, with, len - used);
}

static void test_limits(void **state)
{
    (void)state;
    struct feed_buf body;
    size_t behind;
    bool ended;
    char text[3 * FEED_CHUNKED_EXTRAS_MAX];
    feed_buf_init(&body, BODY_MAX);
    fill(text, sizeof(text), "41\r\n", 'a'); /* 65 bytes */
    assert_int_equal(read_in_pieces((struct feed_str){text, 4 + 65}, 7, &body, &behind, &ended), FEED_E_TOO_LARGE);
    feed_buf_fini(&body);
    feed_buf_init(&body, BODY_MAX);
    fill(text, sizeof(text), "1;", 'a');
    assert_int_equal(read_in_pieces((struct feed_str){text, 2 + FEED_CHUNKED_EXTRAS_MAX}, 7, &body, &behind, &ended),
                     FEED_OK);
    assert_int_equal(read_in_pieces((struct feed_str){text, 3 + FEED_CHUNKED_EXTRAS_MAX}, 7, &body, &behind, &ended),
                     FEED_E_INVALID);
    fill(text, sizeof(text), "0\r\n", 'a');
    assert_int_equal(read_in_pieces((struct feed_str){text, sizeof(text)}, 7, &body, &behind, &ended), FEED_E_INVALID);
    feed_buf_fini(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
