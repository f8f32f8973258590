/* The growing buffer. It doubles, never beyond its limit; the first failure sticks, so that a writer of many small
 * pieces needs one check at the end. All comparisons of lengths come before the arithmetic that they protect. */
#include "shared/base/str.h"

#include "shared/base/assert.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 }; /* bytes; most buffers hold a short text or one entry */

void feed_buf_init(struct feed_buf *buf, size_t max)
{
    *buf = (struct feed_buf){.max = max};
}

void feed_buf_fini(struct feed_buf *buf)
{
    free(buf->data);
    feed_buf_init(buf, buf->max);
}

void feed_buf_reset(struct feed_buf *buf)
{
    buf->len = 0;
    buf->error = FEED_OK;
}

static bool grow(struct feed_buf *buf, size_t more)
{
    if (buf->error != FEED_OK)
        return false;
    if (more > buf->max - buf->len) {
        buf->error = FEED_E_TOO_LARGE;
        return false;
    }
    size_t needed = buf->len + more;
    if (needed <= buf->capacity)
        return true;
    size_t capacity = buf->capacity > 0 ? buf->capacity : FIRST_CAPACITY;
    while (capacity < needed)
        capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
    if (capacity > buf->max)
        capacity = buf->max;
    char *data = realloc(buf->data, capacity);
    if (!data) {
        buf->error = FEED_E_MEMORY;
        return false;
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

/* Makes room for `more` bytes; false (and the error remembered) if there cannot be. Inlined into the writers, which are
 * called for every few bytes of every message. */
static inline bool make_room(struct feed_buf *buf, size_t more)
{
    return (buf->error == FEED_OK && more <= buf->capacity - buf->len) || grow(buf, more);
}

void feed_buf_reserve(struct feed_buf *buf, size_t more)
{
    (void)make_room(buf, more);
}

void feed_buf_append(struct feed_buf *buf, const void *bytes, size_t len)
{
    if (len == 0 || !make_room(buf, len))
        return;
    memcpy(buf->data + buf->len, bytes, len);
    buf->len += len;
}

void feed_buf_str(struct feed_buf *buf, struct feed_str s)
{
    feed_buf_append(buf, s.data, s.len);
}

void feed_buf_text(struct feed_buf *buf, const char *text)
{
    feed_buf_append(buf, text, strlen(text));
}

void feed_buf_char(struct feed_buf *buf, char c)
{
    if (make_room(buf, 1))
        buf->data[buf->len++] = c;
}

void feed_buf_u64(struct feed_buf *buf, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    feed_buf_append(buf, digits + at, sizeof(digits) - at);
}

void feed_buf_i64(struct feed_buf *buf, int64_t value)
{
    if (value < 0)
        feed_buf_char(buf, '-');
    feed_buf_u64(buf, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void feed_buf_printf(struct feed_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    feed_assert(len >= 0);
    /* vsnprintf wants room for a NUL that is not part of the content: it goes to a place of its own when the limit
     * leaves none in the buffer. */
    if (make_room(buf, (size_t)len)) {
        if (buf->capacity - buf->len > (size_t)len) {
            vsnprintf(buf->data + buf->len, (size_t)len + 1, format, again);
            buf->len += (size_t)len;
        } else {
            char *text = malloc((size_t)len + 1);
            if (text) {
                vsnprintf(text, (size_t)len + 1, format, again);
                feed_buf_append(buf, text, (size_t)len);
                free(text);
            } else {
                buf->error = FEED_E_MEMORY;
            }
        }
    }
    va_end(again);
}

struct feed_str feed_buf_view(const struct feed_buf *buf)
{
    return (struct feed_str){buf->data, buf->len};
}
