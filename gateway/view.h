/* View: one feed as one session sees it: what it has been sent, and what it still waits for. */
#ifndef GW_VIEW_H
#define GW_VIEW_H

#include "gateway/feed.h"
#include "shared/base/id.h"

struct gw_page;
struct gw_session;

enum gw_view_state {
    GW_VIEW_JOINING, /* waits for the slice that answers hello */
    GW_VIEW_BEHIND,  /* changes were dropped, because the socket did not take them; waits until it has taken the rest */
    GW_VIEW_STALE,   /* had the feed, something was missed or dropped, and it waits for a window */
    GW_VIEW_LIVE     /* has everything up to `position`; a position ahead of the feed's means that the notices up to it
                        are on their way, and it has their entries already */
};

struct gw_view {
    struct gw_session *session;
    struct gw_feed *feed;
    struct gw_link by_feed;
    enum gw_view_state state;
    uint8_t limit;
    uint8_t claim;                 /* enum gw_claim, while JOINING */
    bool told_stale;               /* the client heard `stale`, and not `fresh` since */
    bool dropped;                  /* what was sent last did not leave: needs a window, whatever `position` says */
    bool floored;                  /* the client's entries end at the floor though the feed goes on */
    struct feed_position position; /* sent; while JOINING what the client claims to have */
    int64_t floor_ms;
    struct feed_id floor_id;
    struct gw_link awaits; /* struct gw_await.by_view */
    struct gw_page *page;  /* owned; asked for and not answered; NULL: none */
};

#endif
