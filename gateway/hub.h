/* Hub: all sessions and feeds of one event loop, and what connects them. A feed exists once, however many sessions want
 * it: one subscription, one window read for all who wait for it, one frame for all who get the same.
 *
 * Nothing here does I/O: the shell reports events by the functions below and calls gw_hub_turn once each turn of the
 * loop and gw_hub_tick every GW_TICK_MS; the hub acts through struct gw_port. Work is collected during a turn and done
 * at its end, so that several entries for one client leave as one message and reads leave together. */
#ifndef GW_HUB_H
#define GW_HUB_H

#include "gateway/feed_map.h"
#include "gateway/port.h"
#include "gateway/progress.h"
#include "gateway/quota.h"
#include "gateway/sources.h"
#include "gateway/turns.h"
#include "gateway/view.h"
#include "shared/auth/auth.h"

struct feed_log;
struct feed_metrics;

enum {
    GW_TICK_MS = 100,
    /* Every session is looked at once in so many ticks, for its deadlines: all are therefore up to 1 s late. */
    GW_ROUND_TICKS = 10,
    GW_READS_MAX = 128,      /* windows on their way at once; 100 entries each, so some MB of answers */
    GW_READ_RETRY_MS = 500,  /* after a failed read of a feed */
    GW_DOUBT_GRACE_MS = 250, /* a notice may be so much later than a check that saw its effect */
    GW_SOURCES_MAX = 20000,  /* outboxes kept for merging, some 15 KB each; home feeds that need more are not served */
    GW_WAKE_AGAIN_MS = 5000, /* a wake that has shown no effect is asked for again */
    GW_WAKE_TIMEOUT_MS = 20000, /* for the slices that answer hello, when feeds must be woken first */
    GW_LINGER_MS = 3000,        /* a feed stays so long without sessions: reconnects find it subscribed */
    GW_HELLO_TIMEOUT_MS = 5000, /* for hello to come */
    GW_READ_TIMEOUT_MS = 5000,  /* for the slices that answer it */
    GW_DRAIN_MS = 2000,         /* for the last messages before a close */
    GW_ERRORS_MAX = 16,
    GW_MESSAGES_BURST = 100, /* from a client at once; the allowance then grows by GW_MESSAGES_PER_S */
    GW_MESSAGES_PER_S = 20,
    GW_RETRY_MIN_MS = 250, /* clients come back after a shutdown within min .. min + spread, each at its own time */
    GW_RETRY_SPREAD_MS = 4750
};

struct gw_hub_settings {
    size_t queue_bytes_max; /* of one connection's outbox */
    int64_t heartbeat_ms;
    int64_t check_interval_ms;
    int64_t stale_after_ms; /* how far fan-out, or this gateway, may be behind before clients are told; 0: any */
    int64_t ttl_ms;         /* of a home feed without a reader; 0: they do not sleep */
    struct feed_auth *auth; /* borrowed */
    const struct feed_tiers_file *tiers; /* borrowed; NULL: no limits by tenant */
    int64_t address_connections;         /* 0: no limit */
};

struct gw_hub {
    const struct gw_port *port;   /* borrowed */
    struct feed_metrics *metrics; /* borrowed; rows of gateway/metrics.h */
    struct feed_log *log;         /* borrowed */
    struct gw_hub_settings settings;

    struct gw_feed_map feeds;
    struct gw_link checks;     /* all feeds, the next to be checked first */
    struct gw_turns reads;     /* those that want a window */
    struct gw_link retries;    /* those whose read failed, in the order in which they may try again */
    struct gw_link doubts;     /* those whose check found another position */
    struct gw_link deliveries; /* those with notices to deliver */
    unsigned reads_in_flight;
    size_t source_count;
    struct gw_progress progress;
    struct gw_link awaits; /* struct gw_await.by_hub */

    struct gw_link sessions; /* all, the next to be looked at first */
    size_t session_count;
    struct gw_quota quota;
    struct gw_link writes;   /* sessions with new frames */
    struct gw_link closings; /* sessions that are to be closed */
    bool draining;

    struct feed_buf scratch; /* for encoding */
    struct feed_buf texts;   /* entries of one push, encoded once */
    struct feed_buf entry;   /* an outbox entry without the users addressed */
};

enum feed_error gw_hub_init(struct gw_hub *hub, const struct gw_port *port, const struct gw_hub_settings *settings,
                            struct feed_metrics *metrics, struct feed_log *log) FEED_MUST_USE;
/* All sessions are closed and all reads answered. */
void gw_hub_fini(struct gw_hub *hub);

/* ---- reported by the shell ---- */

void gw_hub_confirmed(struct gw_hub *hub, struct feed_str key);
void gw_hub_notice(struct gw_hub *hub, struct feed_str key, struct feed_str payload);
/* The subscription does not stand any more; gw_hub_confirmed comes when it does again. */
void gw_hub_unsubscribed(struct gw_hub *hub, struct feed_str key);

/* A worker of the fan-out says how far it is. */
void gw_hub_progress(struct gw_hub *hub, struct feed_str payload);

struct gw_window {
    struct feed_position position;
    bool unchanged; /* it is the known position, entries were not read */
    const struct gw_item *items;
    size_t count;
    /* Of a home feed: what is to be merged into it. */
    const struct gw_followee *followees;
    size_t followee_count;
    const struct feed_verb_rule *verbs;
    size_t verb_count;
    /* Set by gw_sources_merge: how many entries the timeline alone gave, and how many of them were hidden. */
    size_t raw_count, hidden;
    bool longer; /* merged, there is more than a window shows: when entries are removed, older ones come into view */
};
void gw_hub_window(struct gw_hub *hub, struct gw_feed *feed, const struct gw_window *window);
void gw_hub_window_failed(struct gw_hub *hub, struct gw_feed *feed);
void gw_hub_checked(struct gw_hub *hub, struct gw_feed *feed, const struct feed_position *position);
void gw_hub_check_failed(struct gw_hub *hub, struct gw_feed *feed);

void gw_hub_turn(struct gw_hub *hub);
void gw_hub_tick(struct gw_hub *hub);
/* Says bye to all sessions, each with its own time to come back, and closes them. Those that open later get the same.
 */
void gw_hub_drain(struct gw_hub *hub);
/* Sets the gauges. */
void gw_hub_measure(struct gw_hub *hub);

/* ---- for the parts of the core ---- */

int64_t gw_hub_now(const struct gw_hub *hub);
uint64_t gw_hub_random(const struct gw_hub *hub, uint64_t below);
/* Whether a home feed without a life sleeps, so that it must be woken before it can be read. */
bool gw_hub_sleeps(const struct gw_hub *hub, const struct gw_feed *feed, const struct feed_position *position);
/* Connects a JOINING view, whose session, limit, claim and position are set, with its feed. */
enum feed_error gw_hub_join(struct gw_hub *hub, struct gw_view *view, enum feed_timeline timeline,
                            struct feed_str tenant, struct feed_str user) FEED_MUST_USE;
/* The view, which has no page under way, wants this one; taken over. */
void gw_hub_page(struct gw_hub *hub, struct gw_view *view, struct gw_page *page);
void gw_hub_want_window(struct gw_hub *hub, struct gw_feed *feed);
void gw_hub_leave(struct gw_hub *hub, struct gw_view *view);
/* Makes a frame of scratch; NULL when it could not be encoded. One reference, the caller's. */
struct feed_frame *gw_hub_frame(struct gw_hub *hub);

#endif
