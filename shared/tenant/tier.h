/* Tier: what a tenant may use. All numbers that a tenant is held against, in one place for all daemons. */
#ifndef FEED_TENANT_TIER_H
#define FEED_TENANT_TIER_H

#include "shared/base/limits.h"
#include "shared/base/str.h"

/* What is limited in activities a second: id, and the word for the file, headers and metrics. The last three are
 * endpoints: what a request does. */
#define FEED_RATES(ROW)                                                                                                \
    ROW(FEED_RATE_TENANT, "tenant")                                                                                    \
    ROW(FEED_RATE_SUBJECT, "subject") /* the sub of a credential */                                                    \
    ROW(FEED_RATE_KEY, "key")         /* one API key */                                                                \
    ROW(FEED_RATE_ACTOR, "actor")                                                                                      \
    ROW(FEED_RATE_PUBLISH, "publish") /* POST /v1/activities */                                                        \
    ROW(FEED_RATE_UNDO, "undo")       /* DELETE /v1/activities/{id} */                                                 \
    ROW(FEED_RATE_RELATE, "relate")   /* /v1/follows, /v1/blocks, /v1/mutes */

enum feed_rate_kind {
#define FEED_RATE_ROW(id, name) id,
    FEED_RATES(FEED_RATE_ROW)
#undef FEED_RATE_ROW
        FEED_RATE_KINDS
};
extern const char *const feed_rate_names[FEED_RATE_KINDS + 1]; /* ends with NULL */

enum {
    FEED_RATE_PER_S_MAX = 1000000,
    FEED_RATE_BURST_MAX = 10000000,
    FEED_QUOTA_MAX = 1000000000, /* of things that are counted */
    FEED_TIER_NAME_MAX = 32
};

struct feed_rate {
    int64_t per_s, burst; /* per_s 0: no limit */
};

struct feed_tier {
    char name[FEED_TIER_NAME_MAX + 1];
    struct feed_rate rates[FEED_RATE_KINDS];
    int64_t connections, user_connections; /* WebSockets, at one gateway; 0: no limit */
    int64_t feeds;                         /* of one connection */
    int64_t data_bytes;                    /* of one activity's data, as msgpack */
    int64_t in_flight_percent;             /* of each daemon's queues: what one tenant may hold at a time */
};

/* No limits but those of base/limits.h. */
struct feed_tier feed_tier_unlimited(void);
bool feed_tier_has_rates(const struct feed_tier *tier);
/* The tenant's share of so many places, at least one. INT64_MAX with 100 %: then it is not the tenant who meets a
 * limit, but everybody. */
int64_t feed_tier_share(const struct feed_tier *tier, int64_t places);

#endif
