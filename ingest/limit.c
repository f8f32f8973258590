#include "ingest/limit.h"

#include "shared/base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

const char *const ing_limit_names[ING_LIMIT_KINDS + 1] = {
#define ING_LIMIT_ROW(id, name) name,
    FEED_RATES(ING_LIMIT_ROW)
#undef ING_LIMIT_ROW
        "in_flight",
    NULL};

/* ---- what is taken ---- */

static int compare_actors(const void *a, const void *b)
{
    const struct feed_str *one = a, *other = b;
    return feed_str_cmp(*one, *other);
}

static void add(struct ing_takes *takes, enum feed_rate_kind kind, unsigned cost, const char *tenant,
                const char *between, struct feed_str name)
{
    struct ing_take *take = &takes->list[takes->count++];
    int len = snprintf(take->key, sizeof take->key, "r:{%s}%s%.*s", tenant, between, (int)name.len,
                       name.len ? name.data : "");
    feed_assert(len > 0 && (size_t)len < sizeof take->key);
    take->kind = kind;
    take->cost = cost;
}

static void add_actors(struct ing_takes *takes, const char *tenant, struct feed_str *actors, size_t count)
{
    qsort(actors, count, sizeof *actors, compare_actors);
    for (size_t i = 0, next; i < count; i = next) {
        for (next = i + 1; next < count && feed_str_eq(actors[i], actors[next]); next++)
            ;
        add(takes, FEED_RATE_ACTOR, (unsigned)(next - i), tenant, "/a/", actors[i]);
    }
}

/* Those that have one bucket for all of a request. */
static void add_single(struct ing_takes *takes, const struct feed_tier *tier, enum feed_rate_kind endpoint,
                       const struct feed_token_claims *claims, unsigned cost)
{
    const char *tenant = claims->tenant;
    if (tier->rates[FEED_RATE_TENANT].per_s > 0)
        add(takes, FEED_RATE_TENANT, cost, tenant, "", FEED_STR(""));
    if (tier->rates[FEED_RATE_SUBJECT].per_s > 0)
        add(takes, FEED_RATE_SUBJECT, cost, tenant, "/s/", feed_str_of(claims->subject));
    if (tier->rates[FEED_RATE_KEY].per_s > 0 && claims->credential[0])
        add(takes, FEED_RATE_KEY, cost, tenant, "/k/", feed_str_of(claims->credential));
    if (tier->rates[endpoint].per_s > 0)
        add(takes, endpoint, cost, tenant, "/e/", feed_str_of(feed_rate_names[endpoint]));
}

enum feed_error ing_takes_init(struct ing_takes *takes, const struct feed_tier *tier, enum feed_rate_kind endpoint,
                               const struct feed_token_claims *claims, const struct ing_submission *submission)
{
    size_t count = submission->count;
    *takes = (struct ing_takes){.list = calloc(count + FEED_RATE_KINDS, sizeof *takes->list)};
    struct feed_str *actors = calloc(count, sizeof *actors);
    if (!takes->list || !actors) {
        free(actors);
        ing_takes_fini(takes);
        return FEED_E_MEMORY;
    }
    for (size_t i = 0; i < count; i++)
        actors[i] = submission->elements[i].activity.actor;
    add_single(takes, tier, endpoint, claims, (unsigned)count);
    if (tier->rates[FEED_RATE_ACTOR].per_s > 0 && !submission->imports) /* a graph is nobody's own act */
        add_actors(takes, claims->tenant, actors, count);
    free(actors);
    return FEED_OK;
}

void ing_takes_fini(struct ing_takes *takes)
{
    free(takes->list);
    *takes = (struct ing_takes){.list = NULL};
}

/* ---- the buckets of this process ---- */

/* The bucket's place: its own, or else the one that is full the soonest. */
static int64_t *find(struct ing_buckets *buckets, const struct ing_take *take)
{
    uint64_t hash = XXH3_64bits(take->key, strlen(take->key)) | 1; /* 0 is an empty place */
    unsigned set = (unsigned)(hash >> 32) % ING_BUCKET_SETS, soonest = 0;
    for (unsigned way = 0; way < ING_BUCKET_WAYS; way++) {
        if (buckets->sets[set][way].hash == hash)
            return &buckets->sets[set][way].full_at_us;
        if (buckets->sets[set][way].full_at_us < buckets->sets[set][soonest].full_at_us)
            soonest = way;
    }
    buckets->sets[set][soonest].hash = hash;
    buckets->sets[set][soonest].full_at_us = 0;
    return &buckets->sets[set][soonest].full_at_us;
}

struct ing_limit_verdict ing_buckets_take(struct ing_buckets *buckets, const struct feed_tier *tier, int64_t instances,
                                          const struct ing_takes *takes, int64_t now_us)
{
    struct ing_limit_verdict verdict = {.limited = false};
    for (size_t i = 0; i < takes->count; i++) {
        const struct ing_take *take = &takes->list[i];
        const struct feed_rate *limit = &tier->rates[take->kind];
        int64_t full_at = *find(buckets, take);
        double every_us = 1e6 * (double)instances / (double)limit->per_s;
        double burst = (double)limit->burst / (double)instances;
        double lacks = full_at > now_us ? (double)(full_at - now_us) : 0;
        double room = burst * every_us - lacks;
        double need = ((double)take->cost < burst ? (double)take->cost : burst) * every_us;
        if (room + 1 < need && (!verdict.limited || (int64_t)(need - room) > verdict.wait_us))
            verdict = (struct ing_limit_verdict){.limited = true,
                                                 .kind = take->kind,
                                                 .limit = *limit,
                                                 .remaining = room > 0 ? (int64_t)(room / every_us) : 0,
                                                 .wait_us = (int64_t)(need - room)};
    }
    for (size_t i = 0; i < takes->count && !verdict.limited; i++) {
        const struct ing_take *take = &takes->list[i];
        int64_t *full_at = find(buckets, take);
        double every_us = 1e6 * (double)instances / (double)tier->rates[take->kind].per_s;
        *full_at = (*full_at > now_us ? *full_at : now_us) + (int64_t)(every_us * (double)take->cost);
    }
    return verdict;
}
