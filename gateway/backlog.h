/* Backlog: notices of one feed that were received and not yet given to everybody, in the order of arrival; bounded.
 * It copies the entries, because a notice is borrowed from the connection. An empty backlog takes no memory. */
#ifndef GW_BACKLOG_H
#define GW_BACKLOG_H

#include "shared/base/id.h"
#include "shared/codec/notice.h"

enum {
    GW_BACKLOG_NOTICES_MAX = 128,
    GW_BACKLOG_BYTES_MAX = 64 * 1024 /* of entries; above FEED_ENTRY_MAX, so that an empty backlog takes any notice */
};

/* One entry with its place in the feed: what pushes and slices are made of. */
struct gw_item {
    int64_t published_ms;
    struct feed_str entry; /* borrowed */
};

/* All zero if the entry is too short to have one. */
struct feed_id gw_item_id(const struct gw_item *item);

/* What one message can say of several notices. */
enum gw_change { GW_CHANGE_ADDED, GW_CHANGE_REMOVED, GW_CHANGE_REMOVED_FOR_GOOD };
enum gw_change gw_change_of(const struct feed_notice *notice);

struct gw_backlog; /* NULL: empty */

/* FEED_E_FULL: a limit is reached; FEED_E_MEMORY. Makes the backlog when it is NULL. */
enum feed_error gw_backlog_append(struct gw_backlog **backlog, const struct feed_notice *notice) FEED_MUST_USE;
uint32_t gw_backlog_count(const struct gw_backlog *backlog);
/* The i-th notice; its entry is borrowed until the next change. */
struct feed_notice gw_backlog_at(const struct gw_backlog *backlog, uint32_t i);
void gw_backlog_free(struct gw_backlog *backlog); /* NULL is ignored */

#endif
