/* Rate limits: which buckets a request takes from, and the buckets of this process for when Redis is away. A bucket
 * holds `burst` activities and is filled with `per_s` in a second; a request takes from all of its buckets or from
 * none. One that is larger than a burst passes when the bucket is full, and is then owed. Pure.
 *
 * A bucket is one number (the generic cell rate algorithm): the time at which it will be full again. Redis has the same
 * in the function feedwire_ingest_v1_take. */
#ifndef INGEST_LIMIT_H
#define INGEST_LIMIT_H

#include "ingest/submission.h"

enum ing_limit_kind { ING_LIMIT_TENANT, ING_LIMIT_SUBJECT, ING_LIMIT_ACTOR, ING_LIMIT_KINDS };
extern const char *const ing_limit_names[ING_LIMIT_KINDS + 1]; /* ends with NULL, for the metric */

struct ing_limit {
    int64_t per_s, burst; /* per_s 0: no limit */
};

struct ing_limits {
    struct ing_limit of[ING_LIMIT_KINDS];
    int64_t instances; /* among which a limit is divided while Redis is away */
};
bool ing_limits_any(const struct ing_limits *limits);

enum { ING_TAKE_KEY_MAX = 3 + FEED_TENANT_MAX + 4 + FEED_USER_MAX };

struct ing_take {
    char key[ING_TAKE_KEY_MAX + 1]; /* r:{tenant}, r:{tenant}/s/subject, r:{tenant}/a/actor: one slot */
    enum ing_limit_kind kind;
    unsigned cost; /* activities */
};

struct ing_takes {
    struct ing_take *list; /* owned */
    size_t count;
};
/* What a good submission takes: of the tenant, of the token's subject, and of each of its actors. FEED_E_MEMORY. */
enum feed_error ing_takes_init(struct ing_takes *takes, const struct ing_limits *limits,
                               const struct feed_token_claims *claims,
                               const struct ing_submission *submission) FEED_MUST_USE;
void ing_takes_fini(struct ing_takes *takes);

/* limited: which was short of activities, and when it will have them. */
struct ing_limit_verdict {
    bool limited;
    enum ing_limit_kind kind;
    int64_t remaining; /* activities */
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
/* At now_us of any clock that does not go back. */
struct ing_limit_verdict ing_buckets_take(struct ing_buckets *buckets, const struct ing_limits *limits,
                                          const struct ing_takes *takes, int64_t now_us);

#endif
