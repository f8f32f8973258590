/* Feed: what a gateway knows of one timeline that at least one session here wants: how far it has followed it, and
 * whether that can be trusted. A pure state machine: events go in, the caller does what the results say.
 *
 *                    confirmed                answer
 *   SUBSCRIBING -------------------> READING ----------> LIVE
 *     ^  the channel is not           | ^  ^              | ^
 *     |  ours yet: nothing            | |  '--- gap ------' | answer
 *     |  can be known                 | |                   |
 *     |                               | '--- gap ---- REFRESHING <--- joined (from LIVE)
 *     '------------ lost (from any state) ------------------'
 *
 *   SUBSCRIBING  Notices are of no use: between them and the read to come any number may be missing.
 *   READING      The channel stands, the position is unknown or in doubt. Notices that come after the window was asked
 *                for are kept and sorted out by seq when it is there.
 *   LIVE         Every notice so far was the next one. Each is given to all sessions.
 *   REFRESHING   As LIVE, while a window is being read for a session that joined. Notices are given to the others at
 *                once, and kept as well, because the window may be older than some of them. */
#ifndef GW_FEED_H
#define GW_FEED_H

#include "gateway/backlog.h"
#include "gateway/list.h"
#include "gateway/resume.h"
#include "shared/model/keys.h"

enum gw_feed_state { GW_FEED_SUBSCRIBING, GW_FEED_READING, GW_FEED_LIVE, GW_FEED_REFRESHING, GW_FEED_STATES };
extern const char *const gw_feed_state_names[GW_FEED_STATES + 1];

enum gw_feed_read {
    GW_READ_NONE,
    GW_READ_WANTED, /* a window is needed; the caller asks for it when there is room, then calls gw_feed_asked */
    GW_READ_ASKED   /* on its way */
};

enum gw_notice_result {
    GW_NOTICE_NEXT,    /* the feed moved on; it is in the backlog, to be given to the sessions */
    GW_NOTICE_OLD,     /* known already */
    GW_NOTICE_KEPT,    /* in the backlog until the window is there */
    GW_NOTICE_EARLY,   /* before anything is known; the read to come covers it */
    GW_NOTICE_GAP,     /* not the next one: something was missed, the window is WANTED */
    GW_NOTICE_SOURCES, /* what is merged into the feed has changed; the window is WANTED */
    GW_NOTICE_FULL,    /* not taken: deliver the backlog, call gw_feed_delivered and gw_feed_forget, try again */
    GW_NOTICE_RESULTS
};
extern const char *const gw_notice_result_names[GW_NOTICE_RESULTS + 1];

enum gw_answer {
    GW_ANSWER_STALE, /* asked before the channel was lost: worth nothing */
    GW_ANSWER_AGAIN, /* does not join with the notices; WANTED again */
    GW_ANSWER_TRUTH, /* the feed was READING: whoever has another position gets this window */
    GW_ANSWER_JOIN   /* the feed was REFRESHING: only for those who wait for it; the others are served by notices */
};

struct gw_hub;
struct gw_source;
struct gw_sources;

struct gw_feed {
    /* The state machine; changed by the functions below only. */
    enum gw_feed_state state;
    enum gw_feed_read read;
    bool stale;                    /* the answer on its way was asked for before the channel was lost */
    bool tainted;                  /* notices were dropped since it was asked for: it cannot be joined */
    struct feed_position position; /* LIVE, REFRESHING: all changes up to it were received */
    struct feed_position asked_at; /* position when the window was asked for */
    uint64_t base_seq;             /* the backlog begins after it */
    struct gw_backlog *backlog;
    uint32_t ready; /* so many of the backlog's first notices lead, one by one, to position */
    bool checking;  /* a check is on its way, asked for at checked_at */
    struct feed_position checked_at;
    bool doubted; /* the last check found `doubt`, which notices should have reached by doubt_until_ms */
    struct feed_position doubt;

    /* The hub's. */
    struct gw_hub *hub;
    struct gw_link by_check, by_read, by_doubt, by_delivery;
    int64_t check_due_ms, retry_due_ms, doubt_until_ms, empty_since_ms;
    int64_t away_since_ms;             /* when it was first seen not to be followed; 0: it is */
    bool woken;                        /* a notice said so while a window was on its way */
    bool asleep;                       /* the last window said that there is no such home feed; a wake was asked for */
    int64_t wake_due_ms, touch_due_ms; /* when a wake may be asked for again; when to look after the time to live */
    struct gw_link views;              /* sessions that want it */
    unsigned asked_limit;
    bool asked_sources, asked_merged; /* the answer says which sources there are; unless nothing has changed */
    struct gw_source *source;         /* of an outbox that is merged into home feeds; owned */
    struct gw_sources *sources;       /* of a home feed, what is merged into it; owned; NULL: nothing */
    struct gw_sources *next_sources;  /* will be, as soon as all of it is known; owned */
    bool sources_change;              /* next_sources is to replace sources, also if it is NULL */
    bool subscribed;
    struct gw_feed *hash_next;
    uint64_t hash;
    enum feed_timeline timeline;
    uint8_t share; /* of its tenant, in gw_turns */
    size_t key_len;
    char key[]; /* terminated */
};

struct gw_feed *gw_feed_new(enum feed_timeline timeline, struct feed_str key); /* NULL: out of memory */
void gw_feed_free(struct gw_feed *feed);
struct feed_str gw_feed_key(const struct gw_feed *feed);

void gw_feed_confirmed(struct gw_feed *feed);
void gw_feed_lost(struct gw_feed *feed);
/* A session needs a window. */
void gw_feed_joined(struct gw_feed *feed);
/* The window was asked for just now; the backlog was delivered before. */
void gw_feed_asked(struct gw_feed *feed);
enum gw_answer gw_feed_answered(struct gw_feed *feed, const struct feed_position *answer) FEED_MUST_USE;
/* No answer will come. */
void gw_feed_read_failed(struct gw_feed *feed);
enum gw_notice_result gw_feed_notice(struct gw_feed *feed, const struct feed_notice *notice) FEED_MUST_USE;
/* Something unknown happened to the timeline: what is on its way or known does not count. */
void gw_feed_distrust(struct gw_feed *feed);
/* The first `ready` notices of the backlog were given to all sessions that wait for nothing. Drops them, unless the
 * answer on its way may need them. */
void gw_feed_delivered(struct gw_feed *feed);
/* Drops them in any case; an answer that would have needed them is asked for again. */
void gw_feed_forget(struct gw_feed *feed);

/* A periodic look at the position in Redis finds the notice that was lost last, after which no other came. */
void gw_feed_checking(struct gw_feed *feed); /* the check was asked for just now */
/* True: the position is ahead of ours or odd. The notices may be on their way: ask gw_feed_still_doubted later. */
bool gw_feed_checked(struct gw_feed *feed, const struct feed_position *answer) FEED_MUST_USE;
void gw_feed_check_failed(struct gw_feed *feed);
/* True: the doubt was right, something was missed; the window is WANTED. */
bool gw_feed_still_doubted(struct gw_feed *feed) FEED_MUST_USE;

/* LIVE or REFRESHING. */
bool gw_feed_followed(const struct gw_feed *feed);

#endif
