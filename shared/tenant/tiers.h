/* Tiers: which tenant has which tier, as a file says it:
 *
 *   {"default": "free",
 *    "tiers": {"free": {"rates": {"tenant": {"per_s": 100, "burst": 1000}, "actor": {"per_s": 5}},
 *                       "connections": 1000, "user_connections": 10, "feeds": 4, "data_bytes": 512,
 *                       "in_flight_percent": 25},
 *              "gold": {}},
 *    "tenants": {"acme": "gold"}}
 *
 * What a tier does not name is that of the base tier, which the options of a daemon make. A rate without burst has that
 * of one second. Strict: a member that is not known is an error, since a limit that was misspelt limits nothing. */
#ifndef FEED_TENANT_TIERS_H
#define FEED_TENANT_TIERS_H

#include "shared/tenant/tier.h"

enum { FEED_TIERS_MAX = 64, FEED_TIERED_TENANTS_MAX = 100000, FEED_TIERS_BYTES_MAX = 8 * 1024 * 1024 };

struct feed_tiers;

/* Takes the whole text or nothing: FEED_E_INVALID or FEED_E_TOO_LARGE with a sentence that names the line (of broken
 * JSON) or the path (tiers.free.connections). */
enum feed_error feed_tiers_parse(struct feed_str json, const struct feed_tier *base, struct feed_tiers **out,
                                 char *problem, size_t problem_size) FEED_MUST_USE;
/* All tenants have the base tier; NULL: out of memory. */
struct feed_tiers *feed_tiers_new(const struct feed_tier *base);
void feed_tiers_free(struct feed_tiers *tiers); /* NULL is ignored */

/* The tenant's tier, or the default; borrowed. */
const struct feed_tier *feed_tiers_of(const struct feed_tiers *tiers, struct feed_str tenant);
size_t feed_tiers_count(const struct feed_tiers *tiers);
size_t feed_tiers_tenants(const struct feed_tiers *tiers); /* that are named */

#endif
