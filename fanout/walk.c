/* Depth first, so that few pages wait. */
#include "fanout/walk.h"

#include "shared/base/assert.h"

#include <stdio.h>

/* The level with which the number of a page begins. */
static unsigned born(unsigned page)
{
    unsigned level = 0;
    while (page >> level)
        level++;
    return level;
}

static void open_some(struct fan_walk *walk)
{
    while (walk->open_count < FAN_WALK_OPEN && walk->waiting_count > 0)
        walk->open[walk->open_count++] = (struct fan_walk_page){.page = walk->waiting[--walk->waiting_count]};
}

void fan_walk_begin(struct fan_walk *walk)
{
    walk->open_count = 1;
    walk->waiting_count = 0;
    walk->open[0] = (struct fan_walk_page){.page = 0};
}

size_t fan_walk_share(const struct fan_walk *walk, size_t most)
{
    return most / walk->open_count;
}

bool fan_walk_take(struct fan_walk *walk, size_t i, int64_t level, bool full, struct feed_str last, int64_t time_ms)
{
    feed_assert(i < walk->open_count);
    struct fan_walk_page *page = &walk->open[i];
    if (level < (int64_t)born(page->page) || level > FEED_PAGE_LEVEL_MAX)
        return false;
    page->answered = true;
    page->full = full;
    page->level = (uint8_t)level;
    if (last.len == 0)
        return true;
    snprintf(page->time_text, sizeof page->time_text, "%lld", (long long)time_ms);
    enum feed_error error = feed_str_copy(last, page->cursor, sizeof page->cursor);
    feed_assert(error == FEED_OK); /* a valid name fits */
    return true;
}

/* The oldest child last, because it is the one with most below it: it is opened first. */
static void close_page(struct fan_walk *walk, const struct fan_walk_page *page)
{
    if (!page->answered)
        return;
    for (unsigned level = page->level; level > born(page->page); level--) {
        feed_assert(walk->waiting_count < FAN_WALK_WAITING);
        walk->waiting[walk->waiting_count++] = (uint16_t)(page->page | 1u << (level - 1));
    }
}

bool fan_walk_next(struct fan_walk *walk)
{
    size_t kept = 0;
    for (size_t i = 0; i < walk->open_count; i++) {
        struct fan_walk_page page = walk->open[i];
        if (page.answered && page.full) {
            page.answered = false;
            walk->open[kept++] = page;
        } else {
            close_page(walk, &page);
        }
    }
    walk->open_count = kept;
    open_some(walk);
    return walk->open_count > 0;
}
