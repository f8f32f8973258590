/* Activity ids. (source, id) identifies an activity; inside Feedwire it is 16 bytes: those of the id if it is a UUID
 * (RFC 9562, any version; both cases of hexadecimal), else the first 16 bytes of SHA-256(source, 0x00, id). */
#ifndef FEED_BASE_ID_H
#define FEED_BASE_ID_H

#include "shared/base/str.h"

enum { FEED_ID_BYTES = 16, FEED_ID_TEXT = 36 };

struct feed_id {
    uint8_t bytes[FEED_ID_BYTES];
};

/* The 8-4-4-4-12 form only; FEED_E_INVALID otherwise. */
enum feed_error feed_id_parse(struct feed_str text, struct feed_id *out) FEED_MUST_USE;
/* A UUID is taken as it is, anything else is hashed together with its source. Never fails. */
struct feed_id feed_id_from_text(struct feed_str source, struct feed_str id);
/* The 8-4-4-4-12 form in lower case, terminated. */
void feed_id_format(const struct feed_id *id, char out[FEED_ID_TEXT + 1]);
/* UUIDv7 (RFC 9562, 5.7) of a time and 10 random bytes, both given. */
struct feed_id feed_id_v7(int64_t unix_ms, const uint8_t random[10]);
/* The time in a UUIDv7 in ms; 0 for any other id. */
int64_t feed_id_time_ms(const struct feed_id *id);
int feed_id_cmp(const struct feed_id *a, const struct feed_id *b);

#endif
