/* Resume: what a client gets that comes with a position, decided from two positions. */
#ifndef GW_RESUME_H
#define GW_RESUME_H

#include "shared/codec/position.h"

#define GW_OUTCOMES(ROW)                                                                                               \
    ROW(GW_OUTCOME_NEW, "new")         /* no position: the newest entries */                                           \
    ROW(GW_OUTCOME_CURRENT, "current") /* nothing was missed */                                                        \
    ROW(GW_OUTCOME_WINDOW, "window")   /* something was missed: the whole window */                                    \
    ROW(GW_OUTCOME_FUTURE, "future")   /* the position is not from this life of the feed: the newest entries */

enum gw_outcome {
#define GW_OUTCOME_ROW(id, name) id,
    GW_OUTCOMES(GW_OUTCOME_ROW)
#undef GW_OUTCOME_ROW
        GW_OUTCOME_COUNT
};

enum gw_claim {
    GW_CLAIM_NONE,      /* the client sent no position */
    GW_CLAIM_POSITION,  /* it sent this one */
    GW_CLAIM_UNREADABLE /* it sent something that this gateway cannot read, e.g. of a later version */
};

extern const char *const gw_outcome_names[GW_OUTCOME_COUNT + 1];

/* client is read for GW_CLAIM_POSITION only. */
enum gw_outcome gw_resume(enum gw_claim claim, const struct feed_position *client, const struct feed_position *feed);

/* The position of a feed that does not exist: epoch zero. */
bool gw_position_none(const struct feed_position *position);
/* True if a change with this epoch and seq is the one right after `position`. The first write makes a feed and gives it
 * its epoch, so seq 1 of any epoch follows the position of no feed. */
bool gw_position_next(const struct feed_position *position, const uint8_t epoch[FEED_EPOCH_BYTES], uint64_t seq);
/* True if `later` can be reached from `earlier` by changes of one life: the same, or further. */
bool gw_position_reaches(const struct feed_position *earlier, const struct feed_position *later);

#endif
