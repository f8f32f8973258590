/* The JSON writer. It knows only where commas go; that members and lists are opened and closed in pairs is asserted,
 * because a wrong call is a mistake of ours. The difficulties are numbers (shortest text that reads back) and text
 * from outside that may be no UTF-8. */
#include "shared/base/json_out.h"

#include "shared/base/assert.h"
#include "shared/base/utf8.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void feed_json_out_init(struct feed_json_out *out, struct feed_buf *buf)
{
    *out = (struct feed_json_out){.buf = buf};
}

/* Before each value: a comma, unless it is the first of its list or follows its key. */
static void begin_value(struct feed_json_out *out)
{
    uint64_t bit = UINT64_C(1) << out->depth;
    if (out->after_key)
        out->after_key = false;
    else if (out->has_element & bit)
        feed_buf_char(out->buf, ',');
    out->has_element |= bit;
}

static void open_with(struct feed_json_out *out, char bracket)
{
    feed_assert(out->depth < FEED_JSON_OUT_DEPTH_MAX);
    begin_value(out);
    feed_buf_char(out->buf, bracket);
    out->depth++;
    out->has_element &= ~(UINT64_C(1) << out->depth);
}

static void close_with(struct feed_json_out *out, char bracket)
{
    feed_assert(out->depth > 0 && !out->after_key);
    out->depth--;
    feed_buf_char(out->buf, bracket);
}

void feed_json_open(struct feed_json_out *out)
{
    open_with(out, '{');
}

void feed_json_close(struct feed_json_out *out)
{
    close_with(out, '}');
}

void feed_json_open_list(struct feed_json_out *out)
{
    open_with(out, '[');
}

void feed_json_close_list(struct feed_json_out *out)
{
    close_with(out, ']');
}

static void write_escaped(struct feed_buf *buf, unsigned char c)
{
    static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* pairs: character, letter of its escape */
    for (size_t i = 0; i < sizeof(letters) - 1; i += 2) {
        if ((unsigned char)letters[i] == c) {
            feed_buf_char(buf, '\\');
            feed_buf_char(buf, letters[i + 1]);
            return;
        }
    }
    feed_buf_printf(buf, "\\u%04x", c);
}

/* How many bytes from here on are ASCII without need of an escape. Eight at a time, because nearly all text is; a byte
 * is one of the others if the highest bit of its place in `odd` is set (a carry may set those above it too, which
 * only sends them the slow way). */
static size_t plain_run(const char *text, size_t len)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
    size_t run = 0;
    for (; run + 8 <= len; run += 8) {
        uint64_t v;
        memcpy(&v, text + run, 8);
        uint64_t quote = v ^ (ones * '"'), backslash = v ^ (ones * '\\');
        uint64_t odd = v | (v - ones * 0x20) | (quote - ones) | (backslash - ones);
        if (odd & high)
            break;
    }
    return run;
}

/* Text that needs no escape goes out in runs. */
static void write_quoted(struct feed_buf *buf, struct feed_str s)
{
    feed_buf_char(buf, '"');
    size_t run = plain_run(s.data, s.len);
    while (run < s.len) {
        unsigned char c = (unsigned char)s.data[run];
        if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
            run++;
            continue;
        }
        size_t step = c < 0x80 ? 1 : feed_utf8_step((struct feed_str){s.data + run, s.len - run});
        if (step > 0 && c >= 0x80) {
            run += step;
            continue;
        }
        feed_buf_append(buf, s.data, run);
        if (step == 0)
            feed_buf_text(buf, "\xEF\xBF\xBD"); /* U+FFFD */
        else
            write_escaped(buf, c);
        s.data += run + 1;
        s.len -= run + 1;
        run = 0;
    }
    feed_buf_append(buf, s.data, run);
    feed_buf_char(buf, '"');
}

void feed_json_key(struct feed_json_out *out, const char *key)
{
    feed_json_key_str(out, feed_str_of(key));
}

void feed_json_key_str(struct feed_json_out *out, struct feed_str key)
{
    feed_assert(out->depth > 0 && !out->after_key);
    begin_value(out);
    write_quoted(out->buf, key);
    feed_buf_char(out->buf, ':');
    out->after_key = true;
}

void feed_json_str(struct feed_json_out *out, struct feed_str value)
{
    begin_value(out);
    write_quoted(out->buf, value);
}

void feed_json_text(struct feed_json_out *out, const char *value)
{
    feed_json_str(out, feed_str_of(value));
}

void feed_json_i64(struct feed_json_out *out, int64_t value)
{
    begin_value(out);
    feed_buf_i64(out->buf, value);
}

void feed_json_u64(struct feed_json_out *out, uint64_t value)
{
    begin_value(out);
    feed_buf_u64(out->buf, value);
}

void feed_json_double(struct feed_json_out *out, double value)
{
    if (!isfinite(value)) {
        feed_json_null(out);
        return;
    }
    /* 15 digits always survive the way there and back, 17 always suffice. Only denormal numbers have less precision
     * than 15 digits, and so may have a shorter text. */
    char text[32];
    int digits = fabs(value) < DBL_MIN ? 1 : 15;
    do {
        snprintf(text, sizeof(text), "%.*g", digits, value);
    } while (strtod(text, NULL) != value && ++digits <= 17);
    begin_value(out);
    feed_buf_text(out->buf, text);
}

void feed_json_bool(struct feed_json_out *out, bool value)
{
    begin_value(out);
    feed_buf_text(out->buf, value ? "true" : "false");
}

void feed_json_null(struct feed_json_out *out)
{
    begin_value(out);
    feed_buf_text(out->buf, "null");
}

void feed_json_raw(struct feed_json_out *out, struct feed_str json)
{
    begin_value(out);
    feed_buf_str(out->buf, json);
}

void feed_json_member(struct feed_json_out *out, const char *key, struct feed_str value)
{
    feed_json_key(out, key);
    feed_json_str(out, value);
}
