/* A sorted array: there are few purges, they change rarely, and most installations have none, which costs a record
 * nothing. With some, it costs a hash for each user that the record names. */
#include "fanout/purges.h"

#include "shared/base/assert.h"
#include "shared/model/names.h"

#include <stdlib.h>

enum { CAPACITY_FIRST = 16 };

void fan_purges_init(struct fan_purges *purges)
{
    *purges = (struct fan_purges){.list = NULL};
}

void fan_purges_fini(struct fan_purges *purges)
{
    free(purges->list);
    fan_purges_init(purges);
}

void fan_purges_reset(struct fan_purges *purges)
{
    purges->count = 0;
}

bool fan_purges_add(struct fan_purges *purges, const struct feed_id *id, int64_t until_ms)
{
    if (purges->count >= FAN_PURGES_MAX)
        return false;
    if (purges->count == purges->capacity) {
        size_t capacity = purges->capacity ? 2 * purges->capacity : CAPACITY_FIRST;
        struct fan_purged *list = realloc(purges->list, capacity * sizeof *list);
        feed_assert(list);
        purges->list = list;
        purges->capacity = capacity;
    }
    purges->list[purges->count++] = (struct fan_purged){*id, until_ms};
    return true;
}

static int by_id(const void *a, const void *b)
{
    const struct fan_purged *x = a, *y = b;
    return feed_id_cmp(&x->id, &y->id);
}

static void join_equal(struct fan_purges *purges)
{
    size_t kept = 0;
    for (size_t i = 0; i < purges->count; i++) {
        const struct fan_purged *next = &purges->list[i];
        struct fan_purged *last = kept ? &purges->list[kept - 1] : NULL;
        if (!last || by_id(last, next) != 0)
            purges->list[kept++] = *next;
        else if (next->until_ms > last->until_ms)
            last->until_ms = next->until_ms;
    }
    purges->count = kept;
}

void fan_purges_sort(struct fan_purges *purges)
{
    if (purges->count)
        qsort(purges->list, purges->count, sizeof *purges->list, by_id);
    join_equal(purges);
}

bool fan_purges_cover(const struct fan_purges *purges, struct feed_str tenant, struct feed_str user, int64_t time_ms)
{
    if (purges->count == 0 || !feed_user_valid(user))
        return false;
    const struct fan_purged wanted = {.id = feed_purged_id(tenant, user)};
    const struct fan_purged *found = bsearch(&wanted, purges->list, purges->count, sizeof *purges->list, by_id);
    return found && time_ms <= found->until_ms;
}

static bool covers_object(const struct fan_purges *purges, const struct feed_activity *activity, struct feed_str type,
                          struct feed_str id)
{
    return type.data && feed_str_eq(type, FEED_STR("user")) &&
           fan_purges_cover(purges, activity->tenant, id, activity->published_ms);
}

static void drop_recipients(const struct fan_purges *purges, struct feed_activity *activity)
{
    size_t kept = 0;
    for (size_t i = 0; i < activity->to_count; i++) {
        if (!fan_purges_cover(purges, activity->tenant, activity->to[i], activity->published_ms))
            activity->to[kept++] = activity->to[i];
    }
    activity->to_count = kept;
}

bool fan_purges_forget(const struct fan_purges *purges, struct feed_activity *activity)
{
    if (purges->count == 0)
        return false;
    if (fan_purges_cover(purges, activity->tenant, activity->actor, activity->published_ms) ||
        covers_object(purges, activity, activity->object_type, activity->object_id) ||
        covers_object(purges, activity, activity->target_type, activity->target_id) ||
        (activity->object_owner.data &&
         fan_purges_cover(purges, activity->tenant, activity->object_owner, activity->published_ms)))
        return true;
    drop_recipients(purges, activity);
    return false;
}
