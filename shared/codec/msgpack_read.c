/* The format table of msgpack. Each first byte tells the kind and how many bytes of length or number follow; all
 * lengths are compared with what is left before they are used. */
#include "shared/codec/msgpack_read.h"

#include "shared/base/assert.h"

#include <string.h>

static uint64_t big_endian(const uint8_t *bytes, size_t count)
{
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++)
        value = value << 8 | bytes[i];
    return value;
}

static double float_of(uint64_t bits, size_t size)
{
    if (size == 4) {
        uint32_t narrow = (uint32_t)bits;
        float number;
        memcpy(&number, &narrow, sizeof(number));
        return (double)number;
    }
    double number;
    memcpy(&number, &bits, sizeof(number));
    return number;
}

static void set_signed(struct feed_msgpack_item *out, uint64_t bits, size_t size)
{
    feed_assert(size >= 1 && size <= 8);
    unsigned unused = (unsigned)(64 - 8 * size);
    int64_t value = (int64_t)(bits << unused) >> unused; /* copies the sign bit down */
    out->type = value < 0 ? FEED_MSGPACK_NEGATIVE : FEED_MSGPACK_UINT;
    out->negative = value < 0 ? value : 0;
    out->uint = value < 0 ? 0 : (uint64_t)value;
}

/* What the first bytes 0xc0 to 0xdf announce. */
struct head {
    enum feed_msgpack_type type;
    uint8_t size;     /* bytes of number or length after the first byte */
    uint8_t ext_type; /* 1: a byte with the type of an ext follows */
    uint8_t fixed;    /* length of the content when the first byte alone says it */
};

/* clang-format off */
static const struct head heads[32] = {
    {FEED_MSGPACK_NIL, 0, 0, 0}, /* c0 */
    {FEED_MSGPACK_NIL, 0, 0, 0}, /* c1: never used, refused before this table is asked */
    {FEED_MSGPACK_BOOL, 0, 0, 0}, {FEED_MSGPACK_BOOL, 0, 0, 0}, /* c2 false, c3 true */
    {FEED_MSGPACK_BIN, 1, 0, 0}, {FEED_MSGPACK_BIN, 2, 0, 0}, {FEED_MSGPACK_BIN, 4, 0, 0}, /* c4 - c6 */
    {FEED_MSGPACK_EXT, 1, 1, 0}, {FEED_MSGPACK_EXT, 2, 1, 0}, {FEED_MSGPACK_EXT, 4, 1, 0}, /* c7 - c9 */
    {FEED_MSGPACK_FLOAT, 4, 0, 0}, {FEED_MSGPACK_FLOAT, 8, 0, 0}, /* ca cb */
    {FEED_MSGPACK_UINT, 1, 0, 0}, {FEED_MSGPACK_UINT, 2, 0, 0}, {FEED_MSGPACK_UINT, 4, 0, 0}, {FEED_MSGPACK_UINT, 8, 0, 0}, /* cc - cf */
    {FEED_MSGPACK_NEGATIVE, 1, 0, 0}, {FEED_MSGPACK_NEGATIVE, 2, 0, 0}, {FEED_MSGPACK_NEGATIVE, 4, 0, 0}, {FEED_MSGPACK_NEGATIVE, 8, 0, 0}, /* d0 - d3: int 8 - 64 */
    {FEED_MSGPACK_EXT, 0, 1, 1}, {FEED_MSGPACK_EXT, 0, 1, 2}, {FEED_MSGPACK_EXT, 0, 1, 4}, {FEED_MSGPACK_EXT, 0, 1, 8}, {FEED_MSGPACK_EXT, 0, 1, 16}, /* d4 - d8 */
    {FEED_MSGPACK_STR, 1, 0, 0}, {FEED_MSGPACK_STR, 2, 0, 0}, {FEED_MSGPACK_STR, 4, 0, 0}, /* d9 - db */
    {FEED_MSGPACK_ARRAY, 2, 0, 0}, {FEED_MSGPACK_ARRAY, 4, 0, 0}, /* dc dd */
    {FEED_MSGPACK_MAP, 2, 0, 0}, {FEED_MSGPACK_MAP, 4, 0, 0}, /* de df */
};
/* clang-format on */

/* Everything after a head whose number is `value`; `at` is where the head ends. */
static enum feed_error finish(struct feed_str *rest, size_t at, struct feed_msgpack_item *out, uint64_t value)
{
    if (out->type == FEED_MSGPACK_ARRAY || out->type == FEED_MSGPACK_MAP) {
        out->count = (uint32_t)value;
    } else if (out->type == FEED_MSGPACK_STR || out->type == FEED_MSGPACK_BIN || out->type == FEED_MSGPACK_EXT) {
        if (value > rest->len - at)
            return FEED_E_INVALID;
        out->bytes = (struct feed_str){rest->data + at, (size_t)value};
        at += (size_t)value;
    }
    rest->data += at;
    rest->len -= at;
    return FEED_OK;
}

/* First bytes whose own bits hold the value. */
static enum feed_error read_fix(struct feed_str *rest, uint8_t first, struct feed_msgpack_item *out)
{
    if (first < 0x80 || first >= 0xe0) {
        set_signed(out, first, 1);
        return finish(rest, 1, out, 0);
    }
    if (first >= 0xa0) {
        out->type = FEED_MSGPACK_STR;
        return finish(rest, 1, out, first & 0x1f);
    }
    out->type = first >= 0x90 ? FEED_MSGPACK_ARRAY : FEED_MSGPACK_MAP;
    return finish(rest, 1, out, first & 0x0f);
}

enum feed_error feed_msgpack_next(struct feed_str *rest, struct feed_msgpack_item *out)
{
    if (rest->len == 0)
        return FEED_E_INVALID;
    *out = (struct feed_msgpack_item){.type = FEED_MSGPACK_NIL};
    const uint8_t *bytes = (const uint8_t *)rest->data;
    if (bytes[0] < 0xc0 || bytes[0] >= 0xe0)
        return read_fix(rest, bytes[0], out);
    if (bytes[0] == 0xc1)
        return FEED_E_INVALID;
    const struct head *head = &heads[bytes[0] - 0xc0];
    size_t at = 1u + head->size + head->ext_type;
    if (rest->len < at)
        return FEED_E_INVALID;
    uint64_t value = head->fixed > 0 ? head->fixed : big_endian(bytes + 1, head->size);
    out->type = head->type;
    switch (head->type) {
    case FEED_MSGPACK_BOOL:
        out->boolean = bytes[0] == 0xc3;
        break;
    case FEED_MSGPACK_UINT:
        out->uint = value;
        break;
    case FEED_MSGPACK_NEGATIVE:
        set_signed(out, value, head->size);
        break;
    case FEED_MSGPACK_FLOAT:
        out->number = float_of(value, head->size);
        break;
    default:
        break;
    }
    return finish(rest, at, out, value);
}

struct feed_str feed_msgpack_take(struct feed_str *rest)
{
    const char *start = rest->data;
    uint64_t pending = 1;
    while (pending > 0) {
        struct feed_msgpack_item item;
        enum feed_error error = feed_msgpack_next(rest, &item);
        feed_assert(error == FEED_OK);
        pending--;
        if (item.type == FEED_MSGPACK_ARRAY)
            pending += item.count;
        else if (item.type == FEED_MSGPACK_MAP)
            pending += 2 * (uint64_t)item.count;
    }
    return (struct feed_str){start, (size_t)(rest->data - start)};
}
