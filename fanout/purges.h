/* Purges: who was erased, and until when: what they published until then, and what names them, is worked off by
 * forgetting it. Every member has all of them, because any record may come again. Pure. */
#ifndef FANOUT_PURGES_H
#define FANOUT_PURGES_H

#include "shared/model/activity.h"
#include "shared/model/purged.h"

/* 24 bytes each in every member; a purge beyond it is refused. */
enum { FAN_PURGES_MAX = 1000000 };

struct fan_purged {
    struct feed_id id;
    int64_t until_ms;
};

struct fan_purges {
    struct fan_purged *list; /* owned; by id, once it is sorted */
    size_t count, capacity;
};

void fan_purges_init(struct fan_purges *purges);
void fan_purges_fini(struct fan_purges *purges);
/* Forgets all; then each is added, and sort makes them known; of several of one user the latest. False: there are too
 * many. */
void fan_purges_reset(struct fan_purges *purges);
bool fan_purges_add(struct fan_purges *purges, const struct feed_id *id, int64_t until_ms) FEED_MUST_USE;
void fan_purges_sort(struct fan_purges *purges);

/* Whether the user was purged at that time or later. */
bool fan_purges_cover(const struct fan_purges *purges, struct feed_str tenant, struct feed_str user, int64_t time_ms);
/* Whether the activity is to be forgotten: by a user who was purged at its time or later, or about one (object or
 * target of type `user`, or owner of the object). One that is only addressed to such a user loses that recipient. */
bool fan_purges_forget(const struct fan_purges *purges, struct feed_activity *activity);

#endif
