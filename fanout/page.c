/* Texts one after the other in one buffer, so that a page of 500 names costs no allocation once it is warm. */
#include "fanout/page.h"

#include "shared/base/assert.h"

#include <stdlib.h>

enum {
    BYTES_MAX = 16 * 1024 * 1024, /* above a whole outbox of the largest entries: 1,020 x 2,560 */
    BYTES_KEPT = 32 * 1024,
    CAPACITY_FIRST = 64
};

struct fan_page *fan_page_new(void)
{
    struct fan_page *page = calloc(1, sizeof *page);
    feed_assert(page);
    feed_buf_init(&page->bytes, BYTES_MAX);
    return page;
}

void fan_page_free(struct fan_page *page)
{
    feed_buf_fini(&page->bytes);
    free(page->ends);
    free(page);
}

void fan_page_reset(struct fan_page *page)
{
    if (page->bytes.capacity > BYTES_KEPT) {
        feed_buf_fini(&page->bytes);
        feed_buf_init(&page->bytes, BYTES_MAX);
    }
    feed_buf_reset(&page->bytes);
    page->count = 0;
}

bool fan_page_add(struct fan_page *page, struct feed_str text)
{
    if (page->count == page->capacity) {
        page->capacity = page->capacity ? page->capacity * 2 : CAPACITY_FIRST;
        page->ends = realloc(page->ends, page->capacity * sizeof *page->ends);
        feed_assert(page->ends);
    }
    feed_buf_str(&page->bytes, text);
    if (page->bytes.error != FEED_OK)
        return false;
    page->ends[page->count++] = (uint32_t)page->bytes.len;
    return true;
}

struct feed_str fan_page_at(const struct fan_page *page, size_t i)
{
    feed_assert(i < page->count);
    size_t begin = i ? page->ends[i - 1] : 0;
    return (struct feed_str){page->bytes.data + begin, page->ends[i] - begin};
}
