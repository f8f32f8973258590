/* Progress: how far fan-out is with each partition of Kafka, as its workers say every second, and what follows for the
 * feeds here: any activity may come through any partition, so the worst one counts for all of them.
 *
 * The lag of a partition is what its worker said, and the time since then: who is silent falls behind. No clock but
 * that of this process is compared with anything. Pure. */
#ifndef GW_PROGRESS_H
#define GW_PROGRESS_H

#include "shared/codec/progress.h"

enum {
    /* Not before so long without a reason to be: else each hiccup of a worker that limps would be told twice. */
    GW_FRESH_AFTER_MS = 1000,
    GW_FRESH_PART = 2 /* and only below this part of the limit */
};

struct gw_progress_partition {
    int64_t next_offset; /* -1: not known */
    int64_t lag_ms;      /* as said at heard_ms */
    int64_t heard_ms;
    bool replaying;
};

struct gw_progress {
    int64_t stale_after_ms; /* 0: never */
    int64_t begun_ms;
    struct gw_progress_partition *partitions; /* owned; by number, with those that nothing was heard of */
    size_t count;
    bool stale;
    int64_t calm_since_ms; /* 0: there is a reason to be stale */
};

void gw_progress_init(struct gw_progress *progress, int64_t stale_after_ms, int64_t now_ms);
void gw_progress_fini(struct gw_progress *progress);
/* FEED_E_MEMORY: nothing was taken. */
enum feed_error gw_progress_heard(struct gw_progress *progress, const struct feed_progress *said,
                                  int64_t now_ms) FEED_MUST_USE;
/* Sets `stale` by what is known now. */
void gw_progress_look(struct gw_progress *progress, int64_t now_ms);
/* Of the worst partition; before anything was heard, the time since the beginning. */
int64_t gw_progress_lag_ms(const struct gw_progress *progress, int64_t now_ms);
/* What is at this offset is in its feeds, if it belongs there. */
bool gw_progress_finished(const struct gw_progress *progress, int32_t partition, int64_t offset);

#endif
