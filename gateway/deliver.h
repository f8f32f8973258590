/* Deliver: who of a feed's sessions gets which part of a window or of the backlog, in frames that are shared by those
 * who get the same. */
#ifndef GW_DELIVER_H
#define GW_DELIVER_H

#include "gateway/hub.h"

/* The read that serves everybody who waits for this feed. */
struct gw_plan {
    unsigned limit;
    bool has_known; /* all of them have this position: entries are not needed if the feed still has it */
    struct feed_position known;
};
struct gw_plan gw_deliver_plan(const struct gw_feed *feed);

/* The answer to a read of feed->asked_limit entries. truth: it also corrects sessions that had another position.
 * Returns false if some of those that it should have served need another read. */
bool gw_deliver_window(struct gw_hub *hub, struct gw_feed *feed, const struct gw_window *window, bool truth);

/* The answer to the read has everything that the window has: a part of it, read for a short slice, does not say what is
 * missing. */
bool gw_window_whole(const struct gw_feed *feed, const struct gw_window *window);

/* The client's entries end above this one, though the feed goes on. */
bool gw_view_below_floor(const struct gw_view *view, const struct gw_item *item);

/* The notices that lead to the feed's position, to everybody who lacks them. */
void gw_deliver_backlog(struct gw_hub *hub, struct gw_feed *feed);

#endif
