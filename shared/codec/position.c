/* Positions. Each has exactly one text, so that comparing texts is comparing positions: parsing writes what it read
 * and compares. */
#include "shared/codec/position.h"

#include "shared/base/assert.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PREFIX = 3, EPOCH_TEXT = 2 * FEED_EPOCH_BYTES, SEQ_AT = PREFIX + EPOCH_TEXT + 1 };

void feed_position_format(const struct feed_position *position, char out[FEED_POSITION_TEXT_MAX + 1])
{
    char epoch[EPOCH_TEXT + 1];
    feed_hex(position->epoch, FEED_EPOCH_BYTES, epoch);
    int len = snprintf(out, FEED_POSITION_TEXT_MAX + 1, "v1.%s.%" PRIu64, epoch, position->seq);
    feed_assert(len > SEQ_AT && len <= FEED_POSITION_TEXT_MAX);
}

enum feed_error feed_position_parse(struct feed_str text, struct feed_position *out)
{
    if (text.len <= SEQ_AT || text.len > FEED_POSITION_TEXT_MAX)
        return FEED_E_INVALID;
    struct feed_position position;
    struct feed_str epoch = {text.data + PREFIX, EPOCH_TEXT};
    struct feed_str seq = {text.data + SEQ_AT, text.len - SEQ_AT};
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
    return a->seq == b->seq && memcmp(a->epoch, b->epoch, FEED_EPOCH_BYTES) == 0;
}
