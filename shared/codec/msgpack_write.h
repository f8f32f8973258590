/* Writes canonical msgpack into a feed_buf, each value with its shortest header (numbers that are no integers: float
 * 64). What it costs in memory and whether it fitted stands in the buffer's error. */
#ifndef FEED_CODEC_MSGPACK_WRITE_H
#define FEED_CODEC_MSGPACK_WRITE_H

#include "shared/base/str.h"

void feed_msgpack_nil(struct feed_buf *out);
void feed_msgpack_bool(struct feed_buf *out, bool value);
void feed_msgpack_u64(struct feed_buf *out, uint64_t value);
void feed_msgpack_i64(struct feed_buf *out, int64_t value); /* a positive one as u64 writes it */
void feed_msgpack_double(struct feed_buf *out, double value);
void feed_msgpack_str(struct feed_buf *out, struct feed_str value);
void feed_msgpack_array(struct feed_buf *out, size_t count); /* count values follow */
void feed_msgpack_map(struct feed_buf *out, size_t count);   /* count keys and values follow */

#endif
