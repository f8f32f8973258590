/* Tiers as values. */
#include "shared/tenant/tier.h"

const char *const feed_rate_names[FEED_RATE_KINDS + 1] = {
#define FEED_RATE_ROW(id, name) name,
    FEED_RATES(FEED_RATE_ROW)
#undef FEED_RATE_ROW
        NULL};

struct feed_tier feed_tier_unlimited(void)
{
    return (struct feed_tier){
        .name = "none", .feeds = FEED_CLIENT_FEEDS_MAX, .data_bytes = FEED_DATA_MAX, .in_flight_percent = 100};
}

bool feed_tier_has_rates(const struct feed_tier *tier)
{
    for (int kind = 0; kind < FEED_RATE_KINDS; kind++) {
        if (tier->rates[kind].per_s > 0)
            return true;
    }
    return false;
}

int64_t feed_tier_share(const struct feed_tier *tier, int64_t places)
{
    if (tier->in_flight_percent == 100)
        return INT64_MAX;
    int64_t share = places * tier->in_flight_percent / 100;
    return share > 0 ? share : 1;
}
