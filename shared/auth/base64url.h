/* Base64url without padding (RFC 7515, section 2), strictly: each byte sequence has exactly one text. */
#ifndef FEED_AUTH_BASE64URL_H
#define FEED_AUTH_BASE64URL_H

#include "shared/base/str.h"

void feed_base64url_encode(struct feed_str bytes, struct feed_buf *out);

/* FEED_E_INVALID for padding, blanks, other alphabets, impossible lengths and trailing bits that are not zero;
 * FEED_E_TOO_LARGE if out (size out_size) has no room. */
enum feed_error feed_base64url_decode(struct feed_str text, char *out, size_t out_size, size_t *out_len) FEED_MUST_USE;

#endif
