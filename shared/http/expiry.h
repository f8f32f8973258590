/* Deadlines of many objects. All members of one list wait equally long, so a new member always belongs at the end and
 * the first is always the next to be due: every operation is O(1), however many there are. (libwebsockets keeps its
 * timeouts in one sorted list, where an insertion walks past all others.) The clock is passed in. */
#ifndef FEED_HTTP_EXPIRY_H
#define FEED_HTTP_EXPIRY_H

#include <stdbool.h>
#include <stdint.h>

struct feed_expiry { /* embedded in the object; all zero: in no list */
    struct feed_expiry *prev, *next;
    int64_t due_ms;
};

struct feed_expiry_list {
    struct feed_expiry ends; /* ring: ends.next is the first, ends.prev the last */
    int64_t after_ms;
};

void feed_expiry_list_init(struct feed_expiry_list *list, int64_t after_ms);
/* Leaves the list that it is in, and joins this one with a full time to wait. now_ms never goes back. */
void feed_expiry_set(struct feed_expiry *item, struct feed_expiry_list *list, int64_t now_ms);
void feed_expiry_clear(struct feed_expiry *item); /* may be in no list */
bool feed_expiry_pending(const struct feed_expiry *item);
/* Takes the first one out if it is due; NULL otherwise. */
struct feed_expiry *feed_expiry_take_due(struct feed_expiry_list *list, int64_t now_ms);

#endif
