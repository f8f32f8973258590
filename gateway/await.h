/* Await: a session waits until activities of which it knows the places in Kafka are in one of its feeds, or have been
 * worked off without getting there: whoever has done something sees it, or knows why not.
 *
 * Only a window knows what is in the feed. It is read when the wait begins, when the feed changes, and when fan-out is
 * past all the places: what is not in the window that was asked for after that, will not be. */
#ifndef GW_AWAIT_H
#define GW_AWAIT_H

#include "gateway/message.h"
#include "gateway/session.h"

enum { GW_AWAITS_MAX = 8 /* of one view */ };

struct gw_await {
    struct gw_link by_view, by_hub;
    struct gw_view *view;
    struct gw_await_ask ask;
    struct feed_buf id;           /* of the message, as JSON; empty: none */
    int64_t deadline_ms;          /* monotonic */
    unsigned wanted, asked, done; /* windows: the last one that is needed, was asked for, was looked at */
    bool asking;                  /* a window is on its way, for whatever reason */
    bool finished, finished_when_asked;
};

enum gw_await_end { GW_AWAIT_VISIBLE, GW_AWAIT_PASSED, GW_AWAIT_TIMEOUT, GW_AWAIT_ENDS };
extern const char *const gw_await_names[GW_AWAIT_ENDS + 1]; /* types of the answers; labels of the metric */

/* FEED_E_FULL: the view has GW_AWAITS_MAX already; FEED_E_MEMORY. */
enum feed_error gw_await_open(struct gw_view *view, const struct gw_message *message) FEED_MUST_USE;
/* All of a view that goes. */
void gw_awaits_drop(struct gw_view *view);
/* A window is needed for this view. */
bool gw_awaits_wanted(const struct gw_view *view);
/* The window of the feed was asked for just now. */
void gw_awaits_asked(struct gw_feed *feed);
/* It is here, with all that is merged into it, and was delivered. */
void gw_awaits_window(struct gw_feed *feed, const struct gw_window *window);
/* The feed has changed. */
void gw_awaits_stir(struct gw_feed *feed);
/* Fan-out has said how far it is. */
void gw_awaits_progress(struct gw_hub *hub);
/* Looks at the clock. */
void gw_awaits_look(struct gw_session *session);

#endif
