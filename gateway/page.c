/* What is older than a given entry is a range of the window, whether the window still has that entry or not. */
#include "gateway/page.h"

#include "shared/codec/entry.h"

#include <stdlib.h>

struct gw_page *gw_page_new(const struct gw_message *message, int64_t now_ms)
{
    struct gw_page *page = calloc(1, sizeof *page);
    if (!page)
        return NULL;
    page->ask = message->page;
    page->deadline_ms = now_ms + GW_PAGE_TIMEOUT_MS;
    feed_buf_init(&page->id, GW_MESSAGE_ID_JSON_MAX);
    feed_buf_str(&page->id, feed_buf_view(&message->id));
    if (page->id.error == FEED_OK)
        return page;
    gw_page_free(page);
    return NULL;
}

void gw_page_free(struct gw_page *page)
{
    if (!page)
        return;
    feed_buf_fini(&page->id);
    free(page);
}

void gw_page_follow(struct gw_page *page, const struct gw_view *view)
{
    struct gw_page_ask *ask = &page->ask;
    if (!view->floored || feed_entry_order(view->floor_ms, &view->floor_id, ask->before_ms, &ask->before_id) <= 0)
        return;
    ask->before_ms = view->floor_ms;
    ask->before_id = view->floor_id;
}

struct gw_page_cut gw_page_cut(const struct gw_page_ask *ask, const struct gw_item *items, size_t count)
{
    size_t first = 0;
    while (first < count) {
        struct feed_id id = gw_item_id(&items[first]);
        if (feed_entry_order(items[first].published_ms, &id, ask->before_ms, &ask->before_id) < 0)
            break;
        first++;
    }
    size_t left = count - first;
    size_t taken = left < ask->limit ? left : ask->limit;
    return (struct gw_page_cut){.first = first, .count = taken, .rest = left > taken};
}
