/* Split: makes two pages of one that has grown too large, or goes on where somebody left off. The new page is told that
 * it is being filled, the level of the old one is raised, and then its edges are moved in parts: taken from the old
 * page, joined to the new one, removed from the old one. An edge that is in both meanwhile does no harm, and neither
 * does anybody who does the same at the same time or stands still in the middle of it: see
 * docs/decisions/pages-of-followers.md. One command at a time; each may be repeated. */
#ifndef FANOUT_SPLIT_H
#define FANOUT_SPLIT_H

#include "fanout/answer.h"
#include "fanout/page.h"
#include "fanout/place.h"

enum { FAN_SPLIT_PART = 120 }; /* edges in one call: half a millisecond of Redis' time */

enum fan_split_state {
    FAN_SPLIT_OFF,
    FAN_SPLIT_ANNOUNCE, /* to the new page */
    FAN_SPLIT_RAISE,    /* the level of the old one */
    FAN_SPLIT_TAKE,     /* a part of the edges -> page; and those of the part before go out */
    FAN_SPLIT_JOIN,     /* page -> the new page */
    FAN_SPLIT_CLOSE     /* the new page is complete */
};

struct fan_split {
    enum fan_split_state state;
    unsigned parent, child, level; /* level: that of the parent before */
    char set[2], after[FEED_USER_MAX + 1];
    bool joined[FAN_SPLIT_PART]; /* of the page: stands in the child now */
    bool moved;                  /* something, since the walk through the old page began */
};

/* Begins what an answer asked for: todo of the page with this level. Off when nothing is to be done. */
void fan_split_begin(struct fan_split *split, unsigned page, int64_t todo, int64_t level);
/* Builds the next command; not when it is off. page: a buffer of its own while it is on, empty at first. */
void fan_split_build(const struct fan_split *split, const struct fan_page *page, struct feed_str tenant,
                     struct feed_str author, const char *limit, struct fan_call *call);
/* Takes the answer; it may be off then. False: no answer to this command; nothing has changed. */
bool fan_split_take(struct fan_split *split, struct fan_page *page, const struct fan_answer *answer) FEED_MUST_USE;

#endif
