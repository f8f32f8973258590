/* Positions. Each has exactly one text, so that comparing texts is comparing positions: parsing writes what it read
 * and compares. */
#include "shared/codec/position.h"

#include "shared/base/assert.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    PREFIX = 3,
    EPOCH_TEXT = 2 * FEED_EPOCH_BYTES,
    SEQ_AT = PREFIX + EPOCH_TEXT + 1,
    HALF_BYTES = 8,
    HALF_TEXT = 2 * HALF_BYTES
};

bool feed_seen_none(const struct feed_seen *seen)
{
    return seen->low == 0 && seen->high == 0;
}

bool feed_seen_eq(const struct feed_seen *a, const struct feed_seen *b)
{
    return a->low == b->low && a->high == b->high;
}

/* Most significant byte first, by hand: each push to each follower of a broadcast author has a text of its own. */
static char *put_hex(char *at, uint64_t value)
{
    static const char digits[] = "0123456789abcdef";
    for (int shift = 60; shift >= 0; shift -= 4)
        *at++ = digits[value >> shift & 15];
    return at;
}

void feed_position_format(const struct feed_position *position, char out[FEED_POSITION_TEXT_MAX + 1])
{
    bool merged = !feed_seen_none(&position->seen);
    memcpy(out, merged ? "v2." : "v1.", PREFIX);
    feed_hex(position->epoch, FEED_EPOCH_BYTES, out + PREFIX);
    int len = snprintf(out + SEQ_AT - 1, FEED_POSITION_TEXT_MAX + 2 - SEQ_AT, ".%" PRIu64, position->seq);
    feed_assert(len > 1 && SEQ_AT - 1 + len <= FEED_POSITION_TEXT_MAX);
    if (!merged)
        return;
    char *at = out + SEQ_AT - 1 + len;
    *at++ = '.';
    *put_hex(put_hex(at, position->seen.high), position->seen.low) = '\0';
}

static uint64_t half(const uint8_t bytes[HALF_BYTES])
{
    uint64_t value = 0;
    for (unsigned i = 0; i < HALF_BYTES; i++)
        value = value << 8 | bytes[i];
    return value;
}

static bool parse_seen(struct feed_str text, struct feed_seen *out)
{
    uint8_t bytes[2 * HALF_BYTES];
    if (feed_unhex(text, bytes, sizeof bytes) != FEED_OK)
        return false;
    *out = (struct feed_seen){.high = half(bytes), .low = half(bytes + HALF_BYTES)};
    return true;
}

enum feed_error feed_position_parse(struct feed_str text, struct feed_position *out)
{
    if (text.len <= SEQ_AT || text.len > FEED_POSITION_TEXT_MAX)
        return FEED_E_INVALID;
    struct feed_position position = {.seq = 0};
    struct feed_str epoch = {text.data + PREFIX, EPOCH_TEXT};
    struct feed_str seq = {text.data + SEQ_AT, text.len - SEQ_AT};
    const char *dot = memchr(seq.data, '.', seq.len);
    if (dot) {
        struct feed_str seen = {dot + 1, seq.len - 1 - (size_t)(dot - seq.data)};
        if (!parse_seen(seen, &position.seen))
            return FEED_E_INVALID;
        seq.len = (size_t)(dot - seq.data);
    }
    if (feed_unhex(epoch, position.epoch, FEED_EPOCH_BYTES) != FEED_OK ||
        feed_str_to_u64(seq, UINT64_MAX, &position.seq) != FEED_OK)
        return FEED_E_INVALID;
    char again[FEED_POSITION_TEXT_MAX + 1];
    feed_position_format(&position, again);
    if (!feed_str_eq(text, feed_str_of(again)))
        return FEED_E_INVALID;
    *out = position;
    return FEED_OK;
}

bool feed_position_eq(const struct feed_position *a, const struct feed_position *b)
{
    return a->seq == b->seq && memcmp(a->epoch, b->epoch, FEED_EPOCH_BYTES) == 0 && feed_seen_eq(&a->seen, &b->seen);
}
