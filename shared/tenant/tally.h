/* Tally: how many of something each holder has - a tenant, a user, an address - with a limit that is given with each
 * question. Takes memory only for holders that have any, so it is bounded by what can be held in all. */
#ifndef FEED_TENANT_TALLY_H
#define FEED_TENANT_TALLY_H

#include "shared/base/str.h"

enum { FEED_TALLY_NAME_MAX = 192 };

struct feed_tally_row;
struct feed_tally {
    struct feed_tally_row *rows; /* those that hold something */
};

/* n (> 0) more for the holder, if it then has at most max. A holder that has nothing gets n also when that is more than
 * max: else what is larger than its whole share could never pass. False: nothing changes; also without memory. */
bool feed_tally_take(struct feed_tally *tally, struct feed_str name, int64_t n, int64_t max);
/* Gives back what was taken. */
void feed_tally_give(struct feed_tally *tally, struct feed_str name, int64_t n);
int64_t feed_tally_of(const struct feed_tally *tally, struct feed_str name);

/* One unit that is held for long, without a second look at the name. NULL: there is no room (max as above), or no
 * memory. */
struct feed_tally_row *feed_tally_hold(struct feed_tally *tally, struct feed_str name, int64_t max);
void feed_tally_release(struct feed_tally *tally, struct feed_tally_row *row); /* NULL is ignored */
struct feed_str feed_tally_name(const struct feed_tally_row *row);             /* borrowed while it is held */

void feed_tally_fini(struct feed_tally *tally); /* forgets all; the tally is empty then */

#endif
