/* Three tallies. */
#include "gateway/quota.h"

#include <stdio.h>
#include <string.h>

enum { USER_NAME_MAX = FEED_TENANT_MAX + 1 + FEED_USER_MAX };

void gw_quota_fini(struct gw_quota *quota)
{
    feed_tally_fini(&quota->addresses);
    feed_tally_fini(&quota->tenants);
    feed_tally_fini(&quota->users);
}

bool gw_quota_address_free(const struct gw_quota *quota, const struct feed_address *address)
{
    return quota->address_connections == 0 ||
           feed_tally_of(&quota->addresses, feed_address_bucket(address)) < quota->address_connections;
}

void gw_quota_hold_address(struct gw_quota *quota, struct gw_holding *holding, const struct feed_address *address)
{
    if (quota->address_connections > 0)
        holding->address = feed_tally_hold(&quota->addresses, feed_address_bucket(address), INT64_MAX);
}

static int64_t max_of(int64_t limit)
{
    return limit > 0 ? limit : INT64_MAX;
}

static enum gw_close refusal(int64_t limit, enum gw_close close, int64_t *out)
{
    *out = limit;
    return limit > 0 ? close : GW_CLOSE_INTERNAL;
}

enum gw_close gw_quota_hold(struct gw_quota *quota, struct gw_holding *holding, const struct feed_token_claims *claims,
                            int64_t *limit)
{
    const struct feed_tier unlimited = feed_tier_unlimited();
    const struct feed_tier *tier =
        quota->tiers ? feed_tiers_file_of(quota->tiers, feed_str_of(claims->tenant)) : &unlimited;
    holding->tenant = feed_tally_hold(&quota->tenants, feed_str_of(claims->tenant), max_of(tier->connections));
    if (!holding->tenant)
        return refusal(tier->connections, GW_CLOSE_TENANT_FULL, limit);
    if (tier->user_connections == 0)
        return GW_CLOSE_NONE;
    char name[USER_NAME_MAX + 1];
    snprintf(name, sizeof name, "%s/%s", claims->tenant, claims->subject);
    holding->user = feed_tally_hold(&quota->users, feed_str_of(name), tier->user_connections);
    if (holding->user)
        return GW_CLOSE_NONE;
    feed_tally_release(&quota->tenants, holding->tenant);
    holding->tenant = NULL;
    return refusal(tier->user_connections, GW_CLOSE_USER_FULL, limit);
}

void gw_quota_release(struct gw_quota *quota, struct gw_holding *holding)
{
    feed_tally_release(&quota->addresses, holding->address);
    feed_tally_release(&quota->tenants, holding->tenant);
    feed_tally_release(&quota->users, holding->user);
    *holding = (struct gw_holding){.address = NULL};
}

size_t gw_quota_feeds(const struct gw_quota *quota, struct feed_str tenant)
{
    return quota->tiers ? (size_t)feed_tiers_file_of(quota->tiers, tenant)->feeds : FEED_CLIENT_FEEDS_MAX;
}

struct feed_str gw_holding_tenant(const struct gw_holding *holding)
{
    return holding->tenant ? feed_tally_name(holding->tenant) : FEED_STR("");
}
