/* The state machine of link.h. An event that does not belong to the present state comes too late and is ignored. */
#include "fanout/link.h"

#include "shared/base/backoff.h"

static const struct feed_backoff backoff = {.first_ms = FAN_LINK_REST_FIRST_MS, .max_ms = FAN_LINK_REST_MAX_MS};

static enum fan_link_do load(struct fan_link *link)
{
    link->state = FAN_LINK_LOADING;
    return FAN_LINK_LOAD;
}

static void rest(struct fan_link *link, int64_t now_ms, uint32_t random)
{
    link->until_ms = now_ms + (int64_t)feed_backoff_ms(backoff, link->refusals, random);
    link->refusals++;
    link->state = FAN_LINK_RESTING;
}

enum fan_link_do fan_link_connected(struct fan_link *link)
{
    return link->state == FAN_LINK_DOWN ? load(link) : FAN_LINK_NOTHING;
}

void fan_link_lost(struct fan_link *link)
{
    link->state = FAN_LINK_DOWN;
}

enum fan_link_do fan_link_loaded(struct fan_link *link, bool good, int64_t now_ms, uint32_t random)
{
    if (link->state != FAN_LINK_LOADING)
        return FAN_LINK_NOTHING;
    if (!good) {
        rest(link, now_ms, random);
        return FAN_LINK_NOTHING;
    }
    link->state = FAN_LINK_READY;
    link->since_ms = now_ms;
    return FAN_LINK_GO;
}

enum fan_link_do fan_link_halted(struct fan_link *link, enum fan_trouble trouble, int64_t now_ms, uint32_t random)
{
    if (link->state != FAN_LINK_READY)
        return FAN_LINK_NOTHING;
    if (now_ms - link->since_ms >= FAN_LINK_GOOD_MS)
        link->refusals = 0;
    if (trouble == FAN_TROUBLE_NO_FUNCTION && link->refusals == 0) {
        link->refusals++;
        return load(link);
    }
    rest(link, now_ms, random);
    return FAN_LINK_NOTHING;
}

enum fan_link_do fan_link_tick(struct fan_link *link, int64_t now_ms)
{
    return link->state == FAN_LINK_RESTING && now_ms >= link->until_ms ? load(link) : FAN_LINK_NOTHING;
}
