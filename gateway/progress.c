/* The difficulty is not to cry wolf: workers speak once a second, so a lag of a second or two means nothing, and one
 * that goes up and down around the limit must not be told each time. */
#include "gateway/progress.h"

#include <stdlib.h>

void gw_progress_init(struct gw_progress *progress, int64_t stale_after_ms, int64_t now_ms)
{
    *progress = (struct gw_progress){.stale_after_ms = stale_after_ms, .begun_ms = now_ms};
}

void gw_progress_fini(struct gw_progress *progress)
{
    free(progress->partitions);
    progress->partitions = NULL;
    progress->count = 0;
}

/* Those below the highest are there too, and speak soon, or are late from now on. */
static enum feed_error make_room(struct gw_progress *progress, size_t count, int64_t now_ms)
{
    if (count <= progress->count)
        return FEED_OK;
    struct gw_progress_partition *partitions = realloc(progress->partitions, count * sizeof *partitions);
    if (!partitions)
        return FEED_E_MEMORY;
    for (size_t i = progress->count; i < count; i++)
        partitions[i] = (struct gw_progress_partition){.next_offset = -1, .heard_ms = now_ms};
    progress->partitions = partitions;
    progress->count = count;
    return FEED_OK;
}

enum feed_error gw_progress_heard(struct gw_progress *progress, const struct feed_progress *said, int64_t now_ms)
{
    size_t count = 0;
    for (size_t i = 0; i < said->count; i++)
        count = (size_t)said->rows[i].partition >= count ? (size_t)said->rows[i].partition + 1 : count;
    enum feed_error error = make_room(progress, count, now_ms);
    if (error != FEED_OK)
        return error;
    for (size_t i = 0; i < said->count; i++) {
        const struct feed_progress_row *row = &said->rows[i];
        progress->partitions[row->partition] =
            (struct gw_progress_partition){row->next_offset, row->lag_ms, now_ms, row->replaying};
    }
    return FEED_OK;
}

int64_t gw_progress_lag_ms(const struct gw_progress *progress, int64_t now_ms)
{
    int64_t worst_ms = progress->count ? 0 : now_ms - progress->begun_ms;
    for (size_t i = 0; i < progress->count; i++) {
        const struct gw_progress_partition *partition = &progress->partitions[i];
        int64_t silent_ms = now_ms - partition->heard_ms;
        int64_t lag_ms = partition->lag_ms < INT64_MAX - silent_ms ? partition->lag_ms + silent_ms : INT64_MAX;
        worst_ms = lag_ms > worst_ms ? lag_ms : worst_ms;
    }
    return worst_ms;
}

static bool any_replays(const struct gw_progress *progress)
{
    for (size_t i = 0; i < progress->count; i++) {
        if (progress->partitions[i].replaying)
            return true;
    }
    return false;
}

void gw_progress_look(struct gw_progress *progress, int64_t now_ms)
{
    if (progress->stale_after_ms == 0)
        return;
    bool replays = any_replays(progress);
    int64_t lag_ms = gw_progress_lag_ms(progress, now_ms);
    if (!progress->stale) {
        progress->stale = replays || lag_ms > progress->stale_after_ms;
        progress->calm_since_ms = 0;
        return;
    }
    if (replays || lag_ms > progress->stale_after_ms / GW_FRESH_PART)
        progress->calm_since_ms = 0;
    else if (progress->calm_since_ms == 0)
        progress->calm_since_ms = now_ms;
    else if (now_ms - progress->calm_since_ms >= GW_FRESH_AFTER_MS)
        progress->stale = false;
}

bool gw_progress_finished(const struct gw_progress *progress, int32_t partition, int64_t offset)
{
    return partition >= 0 && (size_t)partition < progress->count &&
           progress->partitions[partition].next_offset > offset;
}
