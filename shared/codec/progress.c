/* Progress. The bytes come from Redis, which is trusted to be ours but not to be of this version. */
#include "shared/codec/progress.h"

#include "shared/codec/msgpack_read.h"
#include "shared/codec/msgpack_scan.h"
#include "shared/codec/msgpack_write.h"

enum {
    VERSION = 1,
    ROW_ELEMENTS = 4,
    STATE_FOLLOWING = 0,
    STATE_REPLAYING = 1,
    VALUES_MAX = 16 * (FEED_PROGRESS_ROWS_MAX + 1) /* room for what later versions add to a row */
};

static const struct feed_msgpack_limits limits = {3, VALUES_MAX};

static bool next_number(struct feed_str *rest, int64_t least, int64_t most, int64_t *out)
{
    struct feed_msgpack_item item;
    if (feed_msgpack_next(rest, &item) != FEED_OK)
        return false;
    if (item.type == FEED_MSGPACK_UINT && item.uint <= INT64_MAX)
        *out = (int64_t)item.uint;
    else if (item.type == FEED_MSGPACK_NEGATIVE)
        *out = item.negative;
    else
        return false;
    return *out >= least && *out <= most;
}

static bool next_row(struct feed_str *rest, struct feed_progress_row *out)
{
    struct feed_msgpack_item array;
    int64_t partition, state;
    if (feed_msgpack_next(rest, &array) != FEED_OK || array.type != FEED_MSGPACK_ARRAY || array.count < ROW_ELEMENTS ||
        !next_number(rest, 0, FEED_PROGRESS_PARTITIONS_MAX - 1, &partition) ||
        !next_number(rest, -1, INT64_MAX, &out->next_offset) || !next_number(rest, 0, INT64_MAX, &out->lag_ms) ||
        !next_number(rest, 0, INT64_MAX, &state))
        return false;
    out->partition = (int32_t)partition;
    out->replaying = state != STATE_FOLLOWING; /* of a later version: whatever it is, it is not all well */
    for (uint32_t i = ROW_ELEMENTS; i < array.count; i++)
        (void)feed_msgpack_take(rest);
    return true;
}

enum feed_error feed_progress_decode(struct feed_str bytes, struct feed_progress *out)
{
    size_t used = 0;
    struct feed_msgpack_item array;
    int64_t version;
    if (feed_msgpack_scan(bytes, &limits, &used) != FEED_OK || used != bytes.len ||
        feed_msgpack_next(&bytes, &array) != FEED_OK || array.type != FEED_MSGPACK_ARRAY || array.count < 1 ||
        !next_number(&bytes, 0, INT64_MAX, &version))
        return FEED_E_INVALID;
    if (version != VERSION)
        return FEED_E_UNSUPPORTED;
    if (array.count - 1 > FEED_PROGRESS_ROWS_MAX)
        return FEED_E_TOO_LARGE;
    out->count = 0;
    while (out->count < array.count - 1) {
        if (!next_row(&bytes, &out->rows[out->count++]))
            return FEED_E_INVALID;
    }
    return FEED_OK;
}

void feed_progress_encode(const struct feed_progress *progress, struct feed_buf *out)
{
    feed_msgpack_array(out, 1 + progress->count);
    feed_msgpack_u64(out, VERSION);
    for (size_t i = 0; i < progress->count; i++) {
        const struct feed_progress_row *row = &progress->rows[i];
        feed_msgpack_array(out, ROW_ELEMENTS);
        feed_msgpack_i64(out, row->partition);
        feed_msgpack_i64(out, row->next_offset);
        feed_msgpack_i64(out, row->lag_ms);
        feed_msgpack_u64(out, row->replaying ? STATE_REPLAYING : STATE_FOLLOWING);
    }
}
