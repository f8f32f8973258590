/* Reads msgpack item by item out of bytes in place: no memory is taken and nothing is built, so a declared count costs
 * nothing. Used by the scan, and by the decoders on bytes that the scan has passed. */
#ifndef FEED_CODEC_MSGPACK_READ_H
#define FEED_CODEC_MSGPACK_READ_H

#include "shared/base/str.h"

enum feed_msgpack_type {
    FEED_MSGPACK_NIL,
    FEED_MSGPACK_BOOL,
    FEED_MSGPACK_UINT, /* every integer that is not negative, however it is encoded */
    FEED_MSGPACK_NEGATIVE,
    FEED_MSGPACK_FLOAT, /* float 32 too */
    FEED_MSGPACK_STR,
    FEED_MSGPACK_BIN,
    FEED_MSGPACK_EXT,
    FEED_MSGPACK_ARRAY,
    FEED_MSGPACK_MAP
};

struct feed_msgpack_item {
    enum feed_msgpack_type type;
    bool boolean;
    uint64_t uint;
    int64_t negative;
    double number;
    struct feed_str bytes; /* content of str, bin and ext; borrowed; data is never NULL */
    uint32_t count;        /* elements of an array, pairs of a map: they follow as items of their own */
};

/* Takes the next item off *rest. FEED_E_INVALID, with *rest as it was: cut short, or the byte 0xc1. */
enum feed_error feed_msgpack_next(struct feed_str *rest, struct feed_msgpack_item *out) FEED_MUST_USE;

/* Takes one whole value, with all that is nested in it, off *rest, which has passed a scan (asserted). */
struct feed_str feed_msgpack_take(struct feed_str *rest);

#endif
