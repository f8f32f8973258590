/* Decisions about positions. A position says which life of a feed (epoch) and how many changes of it (seq) were seen;
 * seqs of different lives cannot be compared, and a feed that was never written has no life yet. */
#include "gateway/resume.h"

#include <string.h>

const char *const gw_outcome_names[GW_OUTCOME_COUNT + 1] = {
#define GW_OUTCOME_ROW(id, name) name,
    GW_OUTCOMES(GW_OUTCOME_ROW)
#undef GW_OUTCOME_ROW
        NULL};

bool gw_position_none(const struct feed_position *position)
{
    static const uint8_t zero[FEED_EPOCH_BYTES];
    return memcmp(position->epoch, zero, sizeof zero) == 0;
}

bool gw_position_next(const struct feed_position *position, const uint8_t epoch[FEED_EPOCH_BYTES], uint64_t seq)
{
    if (gw_position_none(position))
        return seq == 1;
    return memcmp(position->epoch, epoch, FEED_EPOCH_BYTES) == 0 && seq == position->seq + 1;
}

bool gw_position_reaches(const struct feed_position *earlier, const struct feed_position *later)
{
    if (gw_position_none(earlier))
        return true;
    return memcmp(earlier->epoch, later->epoch, FEED_EPOCH_BYTES) == 0 && later->seq >= earlier->seq;
}

enum gw_outcome gw_resume(enum gw_claim claim, const struct feed_position *client, const struct feed_position *feed)
{
    if (claim == GW_CLAIM_NONE)
        return GW_OUTCOME_NEW;
    if (claim == GW_CLAIM_UNREADABLE)
        return GW_OUTCOME_FUTURE;
    if (feed_position_eq(client, feed))
        return GW_OUTCOME_CURRENT;
    return gw_position_reaches(client, feed) ? GW_OUTCOME_WINDOW : GW_OUTCOME_FUTURE;
}
