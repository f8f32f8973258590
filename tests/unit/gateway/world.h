/* A world for the gateway's core: clocks, sockets and a Redis in memory, whose connections lose, repeat and delay as
 * the test says. Everything random comes from one seed. */
#ifndef TEST_GATEWAY_WORLD_H
#define TEST_GATEWAY_WORLD_H

#include "gateway/session.h"
#include "shared/observe/log.h"
#include "shared/observe/metrics.h"

enum {
    WORLD_HOMES = 2,
    WORLD_AUTHORS = 2,
    WORLD_OUTBOX = 3,
    WORLD_TIMELINES = WORLD_OUTBOX + WORLD_AUTHORS,
    WORLD_ENTRIES_MAX = FEED_CAP + FEED_TRIM_SLACK,
    WORLD_QUEUE_MAX = 4096
};

struct world;

struct feed_ws {
    struct world *world;
    struct gw_session *session; /* NULL when it is gone */
    bool stalled;               /* takes no bytes */
    unsigned close_code;        /* what the gateway closed it with; 0: not yet */
    /* Called for each message; borrowed. */
    void (*frame_fn)(void *arg, struct feed_str json);
    void *arg;
};

/* A timeline, as the functions in schemas/redis/feedwire_v1.lua keep it. */
struct timeline {
    struct feed_key key;
    struct feed_position position;
    struct {
        int64_t published_ms;
        struct feed_id id;
        unsigned actor;               /* 0: nobody's outbox is here; else the author, from 1 */
        bool post;                    /* the verb: post or like */
        bool mark;                    /* it was removed for good */
    } entries[WORLD_ENTRIES_MAX + 1]; /* newest first */
    size_t count;
    bool purged;            /* something was removed without a mark */
    bool wanted, confirmed; /* the gateway's subscription */
};

/* What the user of a home feed, timelines[0] or [1], has settled about the broadcast authors. */
struct world_followees {
    struct {
        bool follows;
        int64_t since_ms, visible_from_ms;
    } authors[WORLD_AUTHORS];
    int64_t likes_out_from_ms, likes_out_until_ms; /* both 0: likes are not left out */
};

enum world_event_kind { WORLD_CONFIRM, WORLD_NOTICE };
struct world_event {
    enum world_event_kind kind;
    struct timeline *timeline;
    struct feed_buf bytes; /* notice */
};

struct world_read {
    struct gw_feed *feed;
    struct timeline *timeline;
    bool check, done, failed, unchanged;
    unsigned limit;
    bool has_known;
    struct feed_position known;
    /* the answer, when done */
    struct feed_position position;
    struct gw_item items[FEED_CAP];
    struct feed_buf bytes;
    size_t count;
    bool with_marks;
    struct gw_followee followees[WORLD_AUTHORS];
    size_t followee_count;
    struct feed_verb_rule verb;
};

struct world {
    struct gw_port port;
    struct gw_hub hub;
    struct feed_auth *auth;
    struct feed_metrics *metrics;
    struct feed_log *log;
    int64_t mono_ms, wall_ms;
    uint64_t random;
    uint64_t ids;     /* entries published so far; the number is the id's end */
    uint8_t *removed; /* for each number; owned */
    size_t removed_size;
    bool up;   /* the connections to Redis */
    bool busy; /* Redis refuses more commands (FEED_E_FULL) */
    struct timeline timelines[WORLD_TIMELINES];
    struct world_followees followees[WORLD_HOMES];
    struct world_event *events[WORLD_QUEUE_MAX];
    size_t event_count;
    struct world_read *reads[WORLD_QUEUE_MAX];
    size_t read_count;
    size_t frames;         /* alive */
    size_t wakes, touches; /* asked for */
    bool wakes_refused;
};

extern const char world_secret[];
/* Timelines: f:{demo/ann}, f:{demo/bob}, n:{demo/ann}, o:{demo/eve} and o:{demo/fay}. */
void world_init(struct world *world, uint64_t seed, size_t queue_bytes_max, int64_t check_interval_ms);
/* Closes what is open, and fails the test if anything was leaked. */
void world_fini(struct world *world);

/* Clients are told when feeds are behind, from now on. */
void world_stale_after(struct world *world, int64_t ms);
/* A worker of the fan-out says how far it is. */
void world_progress(struct world *world, const struct feed_progress *said);

uint64_t world_random(struct world *world, uint64_t below);
bool world_chance(struct world *world, unsigned percent);

/* ---- Redis ---- */

/* Adds an entry, as feedwire_v1_add does; its notice goes into the queue if the gateway is subscribed. Returns the seq,
 * or 0 if it ranks beyond the cap. */
uint64_t world_publish(struct world *world, struct timeline *timeline, int64_t published_ms);
/* Removes the entry of that rank, 0 the newest: with a mark as feedwire_v1_remove does, or without, as a purge. No
 * effect when there is none. */
void world_remove(struct world *world, struct timeline *timeline, size_t rank, bool for_good);
/* A copy of the outbox's entry of that rank goes into that home feed, as fan-out makes them while an author crosses the
 * threshold. No effect when there is none, or when the copy is there. */
void world_copy(struct world *world, unsigned author, size_t rank, unsigned home);
/* world->followees[home] was changed: the feed gets its seq and its notice. */
void world_sources_changed(struct world *world, unsigned home);
/* As world_remove for good, in the outbox and in the home feeds. */
void world_undo(struct world *world, unsigned author, size_t rank);
/* What is in that home feed for its user, newest first, by the rules of schemas/redis.md: at most FEED_CAP. */
struct world_entry {
    int64_t published_ms;
    struct feed_id id;
};
size_t world_union(const struct world *world, unsigned home, struct world_entry out[FEED_CAP]);
bool world_removed(const struct world *world, const char *id);     /* so named in a frame */
void world_forget(struct world *world, struct timeline *timeline); /* as if Redis had lost it */
/* The timeline is there from now on, empty if nothing was published before; its notice of kind 4 arrives at once. */
void world_awake(struct world *world, struct timeline *timeline);
/* Its notice is lost. */
void world_awake_unseen(struct world *world, struct timeline *timeline);
void world_redis_down(struct world *world);
void world_redis_up(struct world *world);
/* The connection for notices breaks and comes back; that for commands stays, with what is on its way. */
void world_cut_notices(struct world *world);
bool world_deliver_event(struct world *world); /* the oldest confirmation or notice; false: there is none */
void world_drop_event(struct world *world);    /* the oldest, if it is a notice */
void world_repeat_event(struct world *world);
void world_swap_events(struct world *world);      /* the two oldest, if both are notices */
void world_execute_reads(struct world *world);    /* Redis works all commands off; answers are on their way */
bool world_answer_read(struct world *world);      /* the oldest answer arrives; false: there is none */
void world_fail_reads(struct world *world);       /* no answers come */
void world_settle(struct world *world);           /* all events and reads, until nothing more comes */
void world_pass(struct world *world, int64_t ms); /* time, with ticks and turns, and Redis at work if it is up */

/* ---- clients ---- */

struct feed_ws *world_connect(struct world *world, void (*frame_fn)(void *, struct feed_str), void *arg,
                              const char *authorization);
void world_say(struct feed_ws *ws, const char *json);
/* The client goes away with this code (or the gateway's close is completed); frees the connection. */
void world_disconnect(struct feed_ws *ws, unsigned code);
void world_resume_reading(struct feed_ws *ws);
/* A token for demo/USER that ends in so many seconds. */
void world_token(struct world *world, const char *user, int64_t ends_in_s, struct feed_buf *out);

#endif
