/* Task: deadlines in rings in which all members wait equally long. Difficulty: none, as long as a member is always in
 * one ring only, which feed_expiry_set sees to. */
#include "shared/http/expiry.h"

#include "shared/base/assert.h"

#include <stddef.h>

void feed_expiry_list_init(struct feed_expiry_list *list, int64_t after_ms)
{
    feed_assert(after_ms > 0);
    list->ends = (struct feed_expiry){.prev = &list->ends, .next = &list->ends};
    list->after_ms = after_ms;
}

void feed_expiry_clear(struct feed_expiry *item)
{
    if (!feed_expiry_pending(item))
        return;
    item->prev->next = item->next;
    item->next->prev = item->prev;
    item->prev = item->next = NULL;
}

void feed_expiry_set(struct feed_expiry *item, struct feed_expiry_list *list, int64_t now_ms)
{
    feed_expiry_clear(item);
    item->due_ms = now_ms + list->after_ms;
    item->prev = list->ends.prev;
    item->next = &list->ends;
    item->prev->next = item;
    list->ends.prev = item;
}

bool feed_expiry_pending(const struct feed_expiry *item)
{
    return item->next != NULL;
}

struct feed_expiry *feed_expiry_take_due(struct feed_expiry_list *list, int64_t now_ms)
{
    struct feed_expiry *first = list->ends.next;
    if (first == &list->ends || first->due_ms > now_ms)
        return NULL;
    feed_expiry_clear(first);
    return first;
}
