/* Position: what a client has seen of a feed, as text that clients keep and return but do not read.
 *   "v1." + 16 hex digits of the epoch + "." + seq in decimal
 *   "v2." + the same + "." + 32 hex digits: a feed with outboxes of broadcast authors merged into it
 * The digits at the end are a digest of what was seen of each of these outboxes (struct feed_seen), so a position has
 * the same length whatever their number; docs/decisions/positions-of-merged-feeds.md says what follows from that.
 * A timeline that does not exist yet has epoch zero and seq 0; it has a position too. */
#ifndef FEED_CODEC_POSITION_H
#define FEED_CODEC_POSITION_H

#include "shared/base/limits.h"
#include "shared/base/str.h"

enum { FEED_POSITION_TEXT_MAX = 3 + 16 + 1 + 20 + 1 + 32 };

/* A sum, so that one outbox can change without looking at the others. All zero: no outbox is merged in. */
struct feed_seen {
    uint64_t low, high;
};

struct feed_position {
    uint8_t epoch[FEED_EPOCH_BYTES];
    uint64_t seq;
    struct feed_seen seen; /* zero in the position of a single timeline */
};

void feed_position_format(const struct feed_position *position, char out[FEED_POSITION_TEXT_MAX + 1]);
/* FEED_E_INVALID unless it is exactly what format writes. */
enum feed_error feed_position_parse(struct feed_str text, struct feed_position *out) FEED_MUST_USE;
bool feed_position_eq(const struct feed_position *a, const struct feed_position *b);

bool feed_seen_none(const struct feed_seen *seen);
bool feed_seen_eq(const struct feed_seen *a, const struct feed_seen *b);

#endif
