/* Looks over msgpack bytes of a peer before msgpack-c sees them: msgpack-c allocates by the counts that the bytes
 * declare, and five bytes can declare 2^32 elements. */
#ifndef FEED_CODEC_MSGPACK_SCAN_H
#define FEED_CODEC_MSGPACK_SCAN_H

#include "shared/base/str.h"

enum { FEED_MSGPACK_DEPTH_MAX = 64 }; /* of any limit below */

struct feed_msgpack_limits {
    uint32_t depth_max;    /* nesting of arrays and maps; a scalar has depth 0; at most FEED_MSGPACK_DEPTH_MAX */
    uint32_t elements_max; /* values in all, keys included */
};

/* Finds the end of the first value. FEED_E_INVALID: cut short, or the byte 0xc1; FEED_E_TOO_LARGE: a limit is exceeded,
 * or a declared count cannot fit the bytes that are there. On success *used is the length of the value; no memory is
 * taken. */
enum feed_error feed_msgpack_scan(struct feed_str bytes, const struct feed_msgpack_limits *limits,
                                  size_t *used) FEED_MUST_USE;

#endif
