/* The `data` of an activity: one small value that Feedwire carries and does not read. In canonical msgpack (see
 * schemas/entry.md), because it is part of the bytes of an entry. It can always be written as JSON: maps have text as
 * keys, each once, text is UTF-8, numbers are finite, and there is neither bin nor ext. */
#ifndef FEED_CODEC_DATA_H
#define FEED_CODEC_DATA_H

#include "shared/base/limits.h"
#include "shared/base/str.h"

struct feed_json_out;

/* Appends the canonical form of one msgpack value of a peer. FEED_E_TOO_LARGE: longer than FEED_DATA_MAX bytes or
 * nested deeper than FEED_DATA_DEPTH_MAX. FEED_E_INVALID: no msgpack, or one of the rules above is broken. The buffer's
 * content is then of no use. */
enum feed_error feed_data_canonical(struct feed_str value, struct feed_buf *out) FEED_MUST_USE;

/* The rules above for a value that is written canonically already. */
enum feed_error feed_data_check(struct feed_str canonical) FEED_MUST_USE;

/* Writes a value that has passed a scan. It need not keep the rules: bin, ext and numbers that JSON does not know are
 * written as null, and members whose key is no text are left out. */
void feed_data_to_json(struct feed_str data, struct feed_json_out *out);

#endif
