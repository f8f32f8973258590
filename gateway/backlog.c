/* Notices are kept decoded, with their entries one after another in one buffer. Memory is taken when the first one
 * comes and given back by the holder when all have been delivered, usually in the same turn of the loop. */
#include "gateway/backlog.h"

#include "shared/base/assert.h"
#include "shared/codec/entry.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 4 };

struct held {
    struct feed_notice notice; /* entry.data is NULL: it is at `at` of bytes, which may move */
    size_t at;
};

struct gw_backlog {
    uint32_t count, capacity;
    struct held *held;
    struct feed_buf bytes;
};

struct feed_id gw_item_id(const struct gw_item *item)
{
    struct feed_id id = {{0}};
    if (item->entry.len >= FEED_ID_BYTES)
        memcpy(id.bytes, item->entry.data, FEED_ID_BYTES);
    return id;
}

enum gw_change gw_change_of(const struct feed_notice *notice)
{
    if (notice->kind == FEED_NOTICE_ADD)
        return GW_CHANGE_ADDED;
    return feed_mark_is(notice->entry) ? GW_CHANGE_REMOVED_FOR_GOOD : GW_CHANGE_REMOVED;
}

static struct gw_backlog *backlog_new(void)
{
    struct gw_backlog *backlog = calloc(1, sizeof *backlog);
    if (backlog)
        feed_buf_init(&backlog->bytes, GW_BACKLOG_BYTES_MAX);
    return backlog;
}

static bool reserve(struct gw_backlog *backlog)
{
    if (backlog->count < backlog->capacity)
        return true;
    uint32_t capacity = backlog->capacity ? backlog->capacity * 2 : FIRST_CAPACITY;
    struct held *bigger = realloc(backlog->held, capacity * sizeof *bigger);
    if (!bigger)
        return false;
    backlog->held = bigger;
    backlog->capacity = capacity;
    return true;
}

enum feed_error gw_backlog_append(struct gw_backlog **backlog, const struct feed_notice *notice)
{
    feed_assert(notice->entry.len <= FEED_ENTRY_MAX);
    if (!*backlog && !(*backlog = backlog_new()))
        return FEED_E_MEMORY;
    struct gw_backlog *b = *backlog;
    if (b->count == GW_BACKLOG_NOTICES_MAX || notice->entry.len > GW_BACKLOG_BYTES_MAX - b->bytes.len)
        return FEED_E_FULL;
    if (!reserve(b))
        return FEED_E_MEMORY;
    struct held *held = &b->held[b->count];
    *held = (struct held){.notice = *notice, .at = b->bytes.len};
    held->notice.entry.data = NULL;
    feed_buf_str(&b->bytes, notice->entry);
    if (b->bytes.error != FEED_OK) {
        b->bytes.error = FEED_OK; /* what was there before still stands */
        b->bytes.len = held->at;
        return FEED_E_MEMORY;
    }
    b->count++;
    return FEED_OK;
}

uint32_t gw_backlog_count(const struct gw_backlog *backlog)
{
    return backlog ? backlog->count : 0;
}

struct feed_notice gw_backlog_at(const struct gw_backlog *backlog, uint32_t i)
{
    feed_assert(backlog && i < backlog->count);
    struct feed_notice notice = backlog->held[i].notice;
    notice.entry.data = backlog->bytes.data + backlog->held[i].at;
    return notice;
}

void gw_backlog_free(struct gw_backlog *backlog)
{
    if (!backlog)
        return;
    feed_buf_fini(&backlog->bytes);
    free(backlog->held);
    free(backlog);
}
