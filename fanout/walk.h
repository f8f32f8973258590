/* Walk: the way through all pages of an author's followers (or ended edges), some of them at a time, so that several
 * shards read at once. A round asks each open page for its next part. A page is followed by its children, which the
 * answer to its last part names: an edge moves from a page to a child only after the level of the page has been raised,
 * so it is met in one of the two, perhaps in both. */
#ifndef FANOUT_WALK_H
#define FANOUT_WALK_H

#include "shared/base/limits.h"
#include "shared/base/str.h"

#include <stdbool.h>

enum {
    FAN_WALK_OPEN = 4, /* pages read at the same time */
    /* Pages that wait: for each open one at most the children of all on the way to it, the siblings behind them. */
    FAN_WALK_WAITING = FAN_WALK_OPEN * (FEED_PAGE_LEVEL_MAX + 1) * FEED_PAGE_LEVEL_MAX / 2
};

struct fan_walk_page {
    uint16_t page;
    bool answered, full; /* in this round: there may be more of it */
    uint8_t level;
    char cursor[FEED_USER_MAX + 1]; /* the last follower of the part; "" before the first */
    char time_text[24];
};

struct fan_walk {
    struct fan_walk_page open[FAN_WALK_OPEN];
    size_t open_count;
    uint16_t waiting[FAN_WALK_WAITING];
    size_t waiting_count;
};

/* At page 0. */
void fan_walk_begin(struct fan_walk *walk);
/* How many followers the round asks each page for, so that all together they are at most `most`. */
size_t fan_walk_share(const struct fan_walk *walk, size_t most);
/* The answer for open page i: its level (from its birth to FEED_PAGE_LEVEL_MAX, else it returns false and nothing has
 * changed), whether its part was full, and the last follower in it (empty: none) with the time of its follow. */
bool fan_walk_take(struct fan_walk *walk, size_t i, int64_t level, bool full, struct feed_str last,
                   int64_t time_ms) FEED_MUST_USE;
/* Ends the round: pages that are through are closed (also those without an answer, which cannot be read) and others
 * opened. False: that was all. */
bool fan_walk_next(struct fan_walk *walk);

#endif
