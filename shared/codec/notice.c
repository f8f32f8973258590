/* Notices. Their bytes come from Redis, which is trusted to be ours but not to be of this version: what is not
 * understood is an error that makes the reader read the window. */
#include "shared/codec/notice.h"

#include "shared/base/assert.h"
#include "shared/codec/entry.h"
#include "shared/codec/msgpack_read.h"
#include "shared/codec/msgpack_scan.h"
#include "shared/codec/msgpack_write.h"

#include <string.h>

enum { ELEMENTS_OF_ANY_KIND = 3, ELEMENTS = 5 };

static const struct feed_msgpack_limits limits = {8, FEED_NOTICE_MAX};

static bool next_uint(struct feed_str *rest, uint64_t *out)
{
    struct feed_msgpack_item item;
    if (feed_msgpack_next(rest, &item) != FEED_OK || item.type != FEED_MSGPACK_UINT)
        return false;
    *out = item.uint;
    return true;
}

static bool next_bytes(struct feed_str *rest, struct feed_str *out)
{
    struct feed_msgpack_item item;
    if (feed_msgpack_next(rest, &item) != FEED_OK || (item.type != FEED_MSGPACK_STR && item.type != FEED_MSGPACK_BIN))
        return false;
    *out = item.bytes;
    return true;
}

static bool member_fits(enum feed_notice_kind kind, struct feed_str member)
{
    if (kind == FEED_NOTICE_REMOVE)
        return member.len == FEED_ID_BYTES || feed_mark_is(member);
    return member.len > FEED_ID_BYTES && member.len <= FEED_OUTBOX_ENTRY_MAX;
}

enum feed_error feed_notice_decode(struct feed_str bytes, struct feed_notice *out)
{
    if (bytes.len > FEED_NOTICE_MAX)
        return FEED_E_TOO_LARGE;
    size_t used = 0;
    struct feed_msgpack_item array, kind;
    struct feed_str epoch, entry;
    uint64_t seq, published_ms;
    if (feed_msgpack_scan(bytes, &limits, &used) != FEED_OK || used != bytes.len ||
        feed_msgpack_next(&bytes, &array) != FEED_OK || array.type != FEED_MSGPACK_ARRAY ||
        array.count < ELEMENTS_OF_ANY_KIND || feed_msgpack_next(&bytes, &kind) != FEED_OK ||
        (kind.type != FEED_MSGPACK_UINT && kind.type != FEED_MSGPACK_NEGATIVE))
        return FEED_E_INVALID;
    if (!next_bytes(&bytes, &epoch) || epoch.len != FEED_EPOCH_BYTES || !next_uint(&bytes, &seq) || seq == 0)
        return FEED_E_INVALID;
    *out = (struct feed_notice){.seq = seq};
    memcpy(out->epoch, epoch.data, FEED_EPOCH_BYTES);
    if (kind.type == FEED_MSGPACK_UINT && kind.uint == FEED_NOTICE_SOURCES) {
        out->kind = FEED_NOTICE_SOURCES;
        return FEED_OK;
    }
    if (kind.type != FEED_MSGPACK_UINT || (kind.uint != FEED_NOTICE_ADD && kind.uint != FEED_NOTICE_REMOVE))
        return FEED_E_UNSUPPORTED;
    if (array.count < ELEMENTS || !next_uint(&bytes, &published_ms) || published_ms < (uint64_t)FEED_TIME_MIN_MS ||
        published_ms > (uint64_t)FEED_TIME_MAX_MS)
        return FEED_E_INVALID;
    if (!next_bytes(&bytes, &entry) || !member_fits((enum feed_notice_kind)kind.uint, entry))
        return FEED_E_INVALID;
    out->kind = (enum feed_notice_kind)kind.uint;
    out->published_ms = (int64_t)published_ms;
    out->entry = entry;
    return FEED_OK;
}

void feed_notice_encode(const struct feed_notice *notice, struct feed_buf *out)
{
    bool sources = notice->kind == FEED_NOTICE_SOURCES;
    feed_assert(sources || member_fits(notice->kind, notice->entry));
    feed_msgpack_array(out, sources ? ELEMENTS_OF_ANY_KIND : ELEMENTS);
    feed_msgpack_u64(out, notice->kind);
    feed_msgpack_str(out, (struct feed_str){(const char *)notice->epoch, FEED_EPOCH_BYTES});
    feed_msgpack_u64(out, notice->seq);
    if (sources)
        return;
    feed_msgpack_i64(out, notice->published_ms);
    feed_msgpack_str(out, notice->entry);
}
