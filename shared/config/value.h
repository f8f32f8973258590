/* The value of one option: from text into the field of the options struct. */
#ifndef FEED_CONFIG_VALUE_H
#define FEED_CONFIG_VALUE_H

#include "shared/config/options.h"

enum { FEED_OPTION_SECRET_BYTES_MAX = 64 * 1024 };

/* Sets the field. FEED_E_INVALID with a sentence appended to `fault` ("must be an integer from 1 to 65535"), which
 * never repeats a text, a URL or a secret. */
enum feed_error feed_option_set(const struct feed_option *row, const char *text, void *options,
                                struct feed_buf *fault) FEED_MUST_USE;
/* Frees what the field holds. */
void feed_option_clear(const struct feed_option *row, void *options);
/* Whether the text shows a password: in a URL, or as a property such as sasl.password=... */
bool feed_option_shows_password(const struct feed_option *row, const char *text);
/* "1..65535", "1..32 bytes" or "": appended to out. */
void feed_option_range(const struct feed_option *row, struct feed_buf *out);

#endif
