/* What the source files of the hub (hub.c, check.c, source.c, sources.c) share, and nobody else uses. */
#ifndef GW_HUB_PARTS_H
#define GW_HUB_PARTS_H

#include "gateway/hub.h"

void gw_hub_subscribe(struct gw_hub *hub, struct gw_feed *feed);
/* Unsubscribes and frees a feed that no session wants, and that waits for no answer. */
void gw_hub_release(struct gw_hub *hub, struct gw_feed *feed);
/* Puts the feed where it belongs: among those that want a window, or not. */
void gw_hub_file_read(struct gw_hub *hub, struct gw_feed *feed);
/* Finds or makes a feed, which then is subscribed to. NULL: out of memory. */
struct gw_feed *gw_hub_feed(struct gw_hub *hub, enum feed_timeline timeline, struct feed_str tenant,
                            struct feed_str user);
/* A session here or a home feed wants it. */
bool gw_hub_wants(const struct gw_feed *feed);
/* What it waited for has come: a feed that is to be read later is read now. */
void gw_hub_read_soon(struct gw_hub *hub, struct gw_feed *feed);
/* sleep.c. The feed is not there: asks for it to be woken, and for its window again in a while. The answer was taken as
 * one that failed. */
void gw_hub_found_asleep(struct gw_hub *hub, struct gw_feed *feed);
/* A notice came for a feed that sleeps; known: it is of a kind that this version knows. Its window is wanted at once if
 * it is awake now. True: nothing else is to be done with the notice. */
bool gw_hub_slept_through(struct gw_hub *hub, struct gw_feed *feed, bool known);
/* The feed was read: its time to live is renewed, rarely. */
void gw_hub_touch(struct gw_hub *hub, struct gw_feed *feed);
/* Among those whose read failed, to be tried again later. */
void gw_hub_file_retry(struct gw_hub *hub, struct gw_feed *feed);
/* how: found by what, for the log. */
void gw_hub_count_gap(struct gw_hub *hub, const struct gw_feed *feed, const char *how);

/* Feeds whose moment of grace is over are read again, if their notices have not come. */
void gw_hub_settle_doubts(struct gw_hub *hub, int64_t now_ms);
/* Checks the feeds that are due; releases those that nobody has wanted for GW_LINGER_MS. */
void gw_hub_run_checks(struct gw_hub *hub, int64_t now_ms);

#endif
