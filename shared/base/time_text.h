/* RFC 3339 times and milliseconds since the Unix epoch. */
#ifndef FEED_BASE_TIME_TEXT_H
#define FEED_BASE_TIME_TEXT_H

#include "shared/base/str.h"

enum { FEED_TIME_TEXT = 24 }; /* 2026-01-02T03:04:05.678Z */

/* Reads "2026-01-02T03:04:05[.fraction](Z|+hh:mm|-hh:mm)", fractions cut to milliseconds; leap second 60 reads
 * as 59.999. FEED_E_INVALID for anything else, impossible dates included, and outside
 * FEED_TIME_MIN_MS..FEED_TIME_MAX_MS. */
enum feed_error feed_time_parse(struct feed_str text, int64_t *unix_ms) FEED_MUST_USE;
/* Always UTC with three digits of fraction; terminated. The time must be within the range above. */
void feed_time_format(int64_t unix_ms, char out[FEED_TIME_TEXT + 1]);

#endif
