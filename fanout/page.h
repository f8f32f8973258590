/* Page: the texts that a reading step got from Redis and the next step writes out: followers, or (time, entry) pairs of
 * an outbox. The engine has a bounded number of them. */
#ifndef FANOUT_PAGE_H
#define FANOUT_PAGE_H

#include "shared/base/str.h"

struct fan_page {
    struct feed_buf bytes;
    uint32_t *ends; /* owned; where text i ends in bytes */
    size_t count, capacity;
    struct fan_page *next; /* in the list of free ones */
};

struct fan_page *fan_page_new(void); /* aborts when there is no memory */
void fan_page_free(struct fan_page *page);
/* Empties it; memory beyond what is usual is given back. */
void fan_page_reset(struct fan_page *page);
/* Copies. False when the page would be larger than anything that Feedwire writes: then it is not ours. */
bool fan_page_add(struct fan_page *page, struct feed_str text) FEED_MUST_USE;
struct feed_str fan_page_at(const struct fan_page *page, size_t i);

#endif
