/* The scan keeps, for each open array or map, how many values it still lacks: a list of fixed length, so that hostile
 * nesting costs neither stack nor memory. */
#include "shared/codec/msgpack_scan.h"

#include "shared/base/assert.h"
#include "shared/codec/msgpack_read.h"

static uint64_t values_inside(const struct feed_msgpack_item *item)
{
    if (item->type == FEED_MSGPACK_ARRAY)
        return item->count;
    return item->type == FEED_MSGPACK_MAP ? 2 * (uint64_t)item->count : 0;
}

enum feed_error feed_msgpack_scan(struct feed_str bytes, const struct feed_msgpack_limits *limits, size_t *used)
{
    feed_assert(limits->depth_max <= FEED_MSGPACK_DEPTH_MAX);
    uint64_t lacking[FEED_MSGPACK_DEPTH_MAX + 1] = {1}; /* at depth 0: the value itself */
    uint32_t depth = 0;
    uint32_t elements = 0;
    struct feed_str rest = bytes;
    while (lacking[0] > 0 || depth > 0) {
        if (lacking[depth] == 0) {
            depth--;
            continue;
        }
        struct feed_msgpack_item item;
        enum feed_error error = feed_msgpack_next(&rest, &item);
        if (error != FEED_OK)
            return error;
        if (++elements > limits->elements_max)
            return FEED_E_TOO_LARGE;
        lacking[depth]--;
        if (item.type != FEED_MSGPACK_ARRAY && item.type != FEED_MSGPACK_MAP)
            continue;
        uint64_t inside = values_inside(&item);
        if (inside > rest.len || depth >= limits->depth_max)
            return FEED_E_TOO_LARGE; /* each value has at least one byte */
        lacking[++depth] = inside;
    }
    *used = bytes.len - rest.len;
    return FEED_OK;
}
