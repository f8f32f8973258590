/* Rate limits: which buckets a request takes from, and the buckets of this process for when Redis is away. A bucket
 * holds `burst` activities and is filled with `per_s` in a second; a request takes from all of its buckets or from
 * none. One that is larger than a burst passes when the bucket is full, and is then owed. Pure.
 *
 * A bucket is one number (the generic cell rate algorithm): the time at which it will be full again. Redis has the same
 * in the function feedwire_ingest_v1_take. */
#ifndef INGEST_LIMIT_H
#define INGEST_LIMIT_H

#include "ingest/submission.h"
#include "shared/tenant/tier.h"

/* What a request can meet: a rate (enum feed_rate_kind), or the tenant's share of what is under way. */
enum { ING_LIMIT_IN_FLIGHT = FEED_RATE_KINDS, ING_LIMIT_KINDS };
extern const char *const ing_limit_names[ING_LIMIT_KINDS + 1]; /* ends with NULL, for the metric */

enum { ING_TAKE_KEY_MAX = 3 + FEED_TENANT_MAX + 4 + FEED_USER_MAX };

struct ing_take {
    /* r:{tenant}, and in the same slot r:{tenant}/s/subject, /k/key, /a/actor, /e/endpoint */
    char key[ING_TAKE_KEY_MAX + 1];
    enum feed_rate_kind kind;
    unsigned cost; /* activities */
};

struct ing_takes {
    struct ing_take *list; /* owned */
    size_t count;
};
/* What a good submission takes: of the tenant, of the credential's subject, of the API key, of the endpoint (one of the
 * last kinds), and of each of its actors. FEED_E_MEMORY. */
enum feed_error ing_takes_init(struct ing_takes *takes, const struct feed_tier *tier, enum feed_rate_kind endpoint,
                               const struct feed_token_claims *claims,
                               const struct ing_submission *submission) FEED_MUST_USE;
void ing_takes_fini(struct ing_takes *takes);

/* limited: which was short of activities, and when it will have them. */
struct ing_limit_verdict {
    bool limited;
    unsigned kind;          /* enum feed_rate_kind, or ING_LIMIT_IN_FLIGHT */
    struct feed_rate limit; /* of IN_FLIGHT: burst is the share, and per_s 0 */
    int64_t remaining;      /* activities */
    int64_t wait_us;
};

/* The buckets of this process, in a table of fixed size: when it is full, the one that is nearest to being full of
 * activities is forgotten, which lets its owner have a burst more. All zero is a table of full buckets. */
enum { ING_BUCKET_SETS = 2048, ING_BUCKET_WAYS = 4 };
struct ing_buckets {
    struct {
        uint64_t hash;
        int64_t full_at_us;
    } sets[ING_BUCKET_SETS][ING_BUCKET_WAYS];
};
/* At now_us of any clock that does not go back; with the share of one of so many instances. */
struct ing_limit_verdict ing_buckets_take(struct ing_buckets *buckets, const struct feed_tier *tier, int64_t instances,
                                          const struct ing_takes *takes, int64_t now_us);

#endif
