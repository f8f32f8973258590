/* Page: older entries of a feed that a session has asked for. It is cut out of a window that is read for it, as for a
 * session that joins; only the window knows what is there now. One page at a time and feed, so what waits is bounded.
 */
#ifndef GW_PAGE_H
#define GW_PAGE_H

#include "gateway/message.h"
#include "gateway/view.h"

enum { GW_PAGE_TIMEOUT_MS = 5000 /* after that the client hears `unavailable`, and may ask again */ };

struct gw_page {
    struct gw_page_ask ask;
    struct feed_buf id;  /* of the message, as JSON; empty: none */
    int64_t deadline_ms; /* monotonic */
};

/* NULL: out of memory. Copies what it keeps of the message. */
struct gw_page *gw_page_new(const struct gw_message *message, int64_t now_ms);
void gw_page_free(struct gw_page *page);

/* What was sent to the client, perhaps just now, ends at the view's floor. If that is above what it has asked from, the
 * page begins at the floor, so that there is no hole between them. */
void gw_page_follow(struct gw_page *page, const struct gw_view *view);

/* The part of a whole window that was asked for. */
struct gw_page_cut {
    size_t first, count; /* of the window's items */
    bool rest;           /* the window has more below */
};
struct gw_page_cut gw_page_cut(const struct gw_page_ask *ask, const struct gw_item *items, size_t count);

#endif
