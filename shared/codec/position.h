/* Position: what a client has seen of a feed, as text that clients keep and return but do not read: "v1." + 16 hex
 * digits of the epoch
 * + "." + seq in decimal. A timeline that does not exist yet has epoch zero and seq 0; it has a position too. */
#ifndef FEED_CODEC_POSITION_H
#define FEED_CODEC_POSITION_H

#include "shared/base/limits.h"
#include "shared/base/str.h"

enum { FEED_POSITION_TEXT_MAX = 3 + 16 + 1 + 20 };

struct feed_position {
    uint8_t epoch[FEED_EPOCH_BYTES];
    uint64_t seq;
};

void feed_position_format(const struct feed_position *position, char out[FEED_POSITION_TEXT_MAX + 1]);
/* FEED_E_INVALID unless it is exactly what format writes. */
enum feed_error feed_position_parse(struct feed_str text, struct feed_position *out) FEED_MUST_USE;
bool feed_position_eq(const struct feed_position *a, const struct feed_position *b);

#endif
