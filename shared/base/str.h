/* struct feed_str: a borrowed view of bytes. struct feed_buf: a growing buffer that its holder owns.
 * Neither is terminated by NUL unless a function says so. */
#ifndef FEED_BASE_STR_H
#define FEED_BASE_STR_H

#include "shared/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct feed_str {
    const char *data; /* may be NULL when len is 0 */
    size_t len;
};

/* For literals: FEED_STR("home"). */
#define FEED_STR(literal) ((struct feed_str){"" literal, sizeof(literal) - 1})

struct feed_str feed_str_of(const char *text); /* borrows a NUL-terminated text; NULL gives the empty view */
bool feed_str_eq(struct feed_str a, struct feed_str b);
int feed_str_cmp(struct feed_str a,
                 struct feed_str b); /* by bytes, the shorter first when one is a prefix; <0, 0, >0 */
/* Copies into out (size out_size) and terminates it; FEED_E_TOO_LARGE if it does not fit, then out is "". */
enum feed_error feed_str_copy(struct feed_str s, char *out, size_t out_size) FEED_MUST_USE;
/* Decimal digits only, no sign, no blanks; FEED_E_INVALID otherwise or above max. */
enum feed_error feed_str_to_u64(struct feed_str s, uint64_t max, uint64_t *out) FEED_MUST_USE;
/* Takes the part before the next separator out of the text, which begins behind it then; all of it where there is none.
 */
struct feed_str feed_str_cut(struct feed_str *text, char separator);
/* True if all bytes are well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF). */
bool feed_str_utf8(struct feed_str s);
/* Lower-case hexadecimal; out has room for 2 * len + 1 bytes and is terminated. */
void feed_hex(const uint8_t *bytes, size_t len, char *out);
/* Exactly 2 * len hexadecimal digits of either case. */
enum feed_error feed_unhex(struct feed_str text, uint8_t *out, size_t len) FEED_MUST_USE;

/* A buffer remembers the first failure (out of memory, or beyond max): later appends do nothing, and the holder asks
 * once at the end. */
struct feed_buf {
    char *data; /* NULL until the first append */
    size_t len;
    size_t capacity;
    size_t max; /* appending beyond this many bytes fails with FEED_E_TOO_LARGE */
    enum feed_error error;
};

void feed_buf_init(struct feed_buf *buf, size_t max);
void feed_buf_fini(struct feed_buf *buf);  /* frees; the buffer is as after init */
void feed_buf_reset(struct feed_buf *buf); /* length 0, error cleared, memory kept */
/* Makes room for as many more bytes at once, where somebody knows how many will come. */
void feed_buf_reserve(struct feed_buf *buf, size_t more);
void feed_buf_append(struct feed_buf *buf, const void *bytes, size_t len);
void feed_buf_str(struct feed_buf *buf, struct feed_str s);
void feed_buf_text(struct feed_buf *buf, const char *text);
void feed_buf_char(struct feed_buf *buf, char c);
void feed_buf_u64(struct feed_buf *buf, uint64_t value);
void feed_buf_i64(struct feed_buf *buf, int64_t value);
void feed_buf_printf(struct feed_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The content as a view; borrowed until the next change. */
struct feed_str feed_buf_view(const struct feed_buf *buf);

#endif
