/* Source: the outbox of one broadcast author, kept here once for all home feeds that it is merged into: its newest
 * entries and marks, and how far they go. It belongs to the feed of that outbox, which follows the timeline as any
 * other does; the source is one more who gets the window and the notices, like a session. */
#ifndef GW_SOURCE_H
#define GW_SOURCE_H

#include "gateway/hub.h"
#include "gateway/sources.h"
#include "shared/model/merge.h"

struct gw_source {
    struct gw_feed *feed; /* that owns this */
    bool loaded;
    bool ready;                           /* loaded, and the feed is followed: what is kept is what Redis has */
    struct feed_position position;        /* of what is kept */
    struct feed_seen term;                /* what this outbox at that position adds to the position of a merged feed */
    struct feed_member members[FEED_CAP]; /* newest first; their bytes are owned, without the users addressed */
    size_t count;
    struct gw_link edges; /* struct gw_edge.by_source: the home feeds that it is merged into */
};

/* Finds or makes the feed of that outbox, with its source. NULL: no memory, or there are GW_SOURCES_MAX already. */
struct gw_source *gw_source_acquire(struct gw_hub *hub, struct feed_str tenant, struct feed_str author);
/* The source of that author if it is here; NULL otherwise. */
struct gw_source *gw_source_find(struct gw_hub *hub, struct feed_str tenant, struct feed_str author);
/* No home feed needs it. */
bool gw_source_idle(const struct gw_source *source);
void gw_source_free(struct gw_source *source); /* NULL is ignored */

/* The window of the outbox, with its marks, was read. truth: as for gw_deliver_window. Says to the home feeds what
 * differs from what they have. */
void gw_source_window(struct gw_hub *hub, struct gw_source *source, const struct gw_window *window, bool truth);
/* The notices of the feed that lead to its position; to the home feeds too. */
void gw_source_backlog(struct gw_hub *hub, struct gw_source *source);
/* The state of the feed may have changed: who waits for this source is told. */
void gw_source_look(struct gw_hub *hub, struct gw_source *source);

#endif
