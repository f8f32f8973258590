/* The one place where msgpack-c is called. Its packer writes to a callback; failures are kept by the buffer, so its
 * return values have nothing to say. */
#include "shared/codec/msgpack_write.h"

#include <msgpack/pack.h>

static int write_to_buf(void *buf, const char *bytes, size_t len)
{
    feed_buf_append(buf, bytes, len);
    return 0;
}

static msgpack_packer packer_of(struct feed_buf *out)
{
    msgpack_packer packer;
    msgpack_packer_init(&packer, out, write_to_buf);
    return packer;
}

void feed_msgpack_nil(struct feed_buf *out)
{
    msgpack_packer packer = packer_of(out);
    msgpack_pack_nil(&packer);
}

void feed_msgpack_bool(struct feed_buf *out, bool value)
{
    msgpack_packer packer = packer_of(out);
    if (value)
        msgpack_pack_true(&packer);
    else
        msgpack_pack_false(&packer);
}

void feed_msgpack_u64(struct feed_buf *out, uint64_t value)
{
    msgpack_packer packer = packer_of(out);
    msgpack_pack_uint64(&packer, value);
}

void feed_msgpack_i64(struct feed_buf *out, int64_t value)
{
    msgpack_packer packer = packer_of(out);
    msgpack_pack_int64(&packer, value);
}

void feed_msgpack_double(struct feed_buf *out, double value)
{
    msgpack_packer packer = packer_of(out);
    msgpack_pack_double(&packer, value);
}

void feed_msgpack_str(struct feed_buf *out, struct feed_str value)
{
    msgpack_packer packer = packer_of(out);
    msgpack_pack_str_with_body(&packer, value.data, value.len);
}

void feed_msgpack_array(struct feed_buf *out, size_t count)
{
    msgpack_packer packer = packer_of(out);
    msgpack_pack_array(&packer, count);
}

void feed_msgpack_map(struct feed_buf *out, size_t count)
{
    msgpack_packer packer = packer_of(out);
    msgpack_pack_map(&packer, count);
}
