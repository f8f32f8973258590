/* Quota: how many connections each address, tenant and user has at this gateway, and whether there may be one more. The
 * limits of addresses are options; those of tenants and users are their tier's. */
#ifndef GW_QUOTA_H
#define GW_QUOTA_H

#include "gateway/close.h"
#include "shared/auth/token.h"
#include "shared/http/address.h"
#include "shared/tenant/tally.h"
#include "shared/tenant/tiers_file.h"

struct gw_quota {
    const struct feed_tiers_file *tiers; /* borrowed; NULL: no limits */
    int64_t address_connections;         /* 0: no limit */
    struct feed_tally addresses, tenants, users;
};
void gw_quota_fini(struct gw_quota *quota); /* nothing is held any more */

/* What one connection holds; all NULL: nothing. A user is counted from the moment that there is a limit. */
struct gw_holding {
    struct feed_tally_row *address, *tenant, *user;
};

/* Before the handshake: whether this address may have one more. */
bool gw_quota_address_free(const struct gw_quota *quota, const struct feed_address *address);
/* After it, unconditionally. */
void gw_quota_hold_address(struct gw_quota *quota, struct gw_holding *holding, const struct feed_address *address);
/* After hello. GW_CLOSE_NONE, or why not (then with *limit, how many there may be); without memory GW_CLOSE_INTERNAL.
 */
enum gw_close gw_quota_hold(struct gw_quota *quota, struct gw_holding *holding, const struct feed_token_claims *claims,
                            int64_t *limit);
void gw_quota_release(struct gw_quota *quota, struct gw_holding *holding);

/* How many feeds one connection of the tenant may have. */
size_t gw_quota_feeds(const struct gw_quota *quota, struct feed_str tenant);
/* The tenant's name; empty before hello. */
struct feed_str gw_holding_tenant(const struct gw_holding *holding);

#endif
