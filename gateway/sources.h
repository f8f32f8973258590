/* Sources: the outboxes that are merged into one home feed, as its window in Redis last said. Each has an edge: the
 * time of the follow and what the follower has settled about the author. */
#ifndef GW_SOURCES_H
#define GW_SOURCES_H

#include "gateway/feed.h"
#include "shared/model/merge.h"

struct gw_hub;
struct gw_source;
struct gw_window;

/* Copies of a broadcast author's entries that came before the outbox's own notice are remembered, so that this one does
 * not bring them again. Beyond so many the client gets an entry twice, and leaves it out. */
enum { GW_EARLY_MAX = 64 };

struct gw_edge {
    struct gw_link by_source;
    struct gw_sources *sources;
    struct gw_source *source;
    int64_t since_ms, visible_from_ms;
};

struct gw_early {
    int64_t published_ms;
    struct feed_id id;
};

struct gw_sources {
    struct gw_feed *feed;  /* the home feed */
    struct feed_seen seen; /* the sum of the sources' terms */
    size_t count;
    size_t unready;               /* of these, not ready */
    struct feed_verb_rule *verbs; /* owned, with their texts */
    size_t verb_count;
    struct gw_early *early; /* owned; NULL: none yet */
    size_t early_count;
    struct gw_edge edges[];
};

/* What a window says of broadcast authors; borrowed. */
struct gw_followee {
    struct feed_str author; /* a valid name */
    int64_t since_ms, visible_from_ms;
};

enum gw_sources_result {
    GW_SOURCES_READY,  /* feed->sources, or else feed->next_sources, is what the window says, and all of it is known */
    GW_SOURCES_WAITING /* an outbox is not known yet; feed->next_sources waits for it, and asks for the window again */
};
/* The window of a home feed was read. */
enum gw_sources_result gw_sources_prepare(struct gw_hub *hub, struct gw_feed *feed, const struct gw_window *window);
/* True if the window speaks of other sources than feed->sources. */
bool gw_sources_changed(const struct gw_feed *feed);
/* feed->next_sources becomes feed->sources. */
void gw_sources_accept(struct gw_feed *feed);
/* Both of the feed's. */
void gw_sources_drop(struct gw_hub *hub, struct gw_feed *feed);

/* What is seen of the feed: `raw`, the window of the timeline alone, with feed->sources merged in. `items` has room for
 * FEED_CAP and belongs to the caller, *out borrows it. */
void gw_sources_merge(struct gw_hub *hub, struct gw_feed *feed, const struct gw_window *raw, struct gw_item *items,
                      struct gw_window *out);

/* An entry was added to the timeline of a home feed with sources. True: it is a copy of what an outbox has brought
 * already, or of what was removed there. */
bool gw_sources_have(struct gw_hub *hub, struct gw_feed *feed, const struct gw_item *item);
/* The follower has this entry already, as an early copy; it is not remembered any longer. */
bool gw_sources_take_early(struct gw_sources *sources, const struct feed_member *member);

struct feed_merge_rules gw_sources_rules(const struct gw_sources *sources);
struct feed_merge_source gw_edge_view(const struct gw_edge *edge);

void gw_seen_replace(struct feed_seen *sum, const struct feed_seen *old, const struct feed_seen *by);

#endif
