/* Graph load: takes the records of the topic `graph` and makes the Redis commands that put back what they say, a
 * bounded number at a time. An edge is two commands: at the followed, whose answer says how it stands now, or in which
 * page it belongs; then the same at the follower (h:, m:). Pages are split as they grow, and whoever meets one that is
 * too large waits meanwhile, so that they stay bounded. Settings are one command; with a block in them, another one in
 * the slot of the other user, and the end of the edge from that one. Every command joins what was true once with what
 * is there, so records may come in any order and again, and a command that is carried out long after its load (this
 * member slept, another one has loaded the graph, and work has gone on) changes nothing. Pure: the caller sends, in the
 * order in which commands are given out, and hands the answers back. */
#ifndef FANOUT_GRAPH_LOAD_H
#define FANOUT_GRAPH_LOAD_H

#include "fanout/answer.h"
#include "fanout/job.h"
#include "fanout/page.h"
#include "fanout/split.h"
#include "shared/model/relation.h"

enum { FAN_LOAD_WINDOW = 1024 }; /* what is to be put back, between being read and being done */

enum fan_load_what {
    FAN_LOAD_EDGE,
    FAN_LOAD_SETTINGS,        /* of user about subject, */
    FAN_LOAD_SETTINGS_OTHERS, /* and what they are to subject */
    FAN_LOAD_FILTER,
    FAN_LOAD_PURGE
};

struct fan_load_slot {
    enum fan_load_what what;
    char tenant[FEED_TENANT_MAX + 1], user[FEED_USER_MAX + 1], subject[FEED_USER_MAX + 1];
    char since_text[24], ended_text[24]; /* "0": none */
    char latest_text[24];
    struct fan_place place;
    struct feed_id purged; /* of a purge */
    bool decided;          /* the edge is done; the follower's side is left */
    struct feed_buf text;  /* of settings and filters: both texts, */
    size_t text_len;       /* and where the first one ends */
};

struct fan_load_counts {
    uint64_t records;  /* taken, whatever they were */
    uint64_t edges;    /* put back */
    uint64_t settings; /* the same */
    uint64_t purges;   /* so many users stay erased */
    uint64_t erased;   /* left out */
    uint64_t unknown;  /* of kinds that this version does not know */
    uint64_t bad;      /* no records of ours */
};

struct fan_load {
    struct fan_load_slot slots[FAN_LOAD_WINDOW];
    unsigned spare[FAN_LOAD_WINDOW], ready[FAN_LOAD_WINDOW]; /* slots that are free; that want to be sent, as a ring */
    size_t spare_count, ready_first, ready_count;
    struct fan_split split; /* of a page of the edge in split_slot, with split_page as its buffer */
    unsigned split_slot;
    struct fan_page *split_page;
    unsigned waiting[FAN_LOAD_WINDOW]; /* slots that wait for its end */
    size_t waiting_count;
    char page_followers[12];
    struct fan_purges purges;
    struct fan_load_counts counts;
};

/* page_followers: a page with more is split. */
void fan_load_init(struct fan_load *load, unsigned page_followers);
void fan_load_fini(struct fan_load *load);
/* Whether another record may be given. */
bool fan_load_has_room(const struct fan_load *load);
/* First, for every record: only who was erased is taken. Whatever names them afterwards is left out, if it is not
 * younger: the records without a value that took its place stand behind it, until the topic is compacted. False: there
 * are too many. */
bool fan_load_purge(struct fan_load *load, struct feed_str key, struct feed_str value) FEED_MUST_USE;
void fan_load_purges_known(struct fan_load *load);
/* A record; there is room (asserted). */
void fan_load_record(struct fan_load *load, struct feed_str key, struct feed_str value);
/* The next command, and for which slot it is; false when there is none. Views borrowed from load and call. It is given
 * again until fan_load_sent says that it went out. */
bool fan_load_next(const struct fan_load *load, struct fan_call *call, unsigned *slot);
void fan_load_sent(struct fan_load *load);
/* The answer of a command that went out. False: it is not an answer to this command; the edge is left out. */
bool fan_load_answer(struct fan_load *load, unsigned slot, const struct fan_answer *answer);
/* Nothing is to be sent, and nothing under way. */
bool fan_load_idle(const struct fan_load *load);

#endif
