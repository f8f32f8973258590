/* First-in first-out lanes as linked lists; the links are embedded in the records, so nothing is allocated here. */
#include "fanout/lanes.h"

#include "shared/base/assert.h"

#include <string.h>
#include <xxhash.h>

uint32_t fan_lane_of(struct feed_str tenant, struct feed_str user)
{
    uint64_t seed = XXH3_64bits(tenant.data, tenant.len);
    return (uint32_t)(XXH3_64bits_withSeed(user.data, user.len, seed) % FAN_LANES);
}

void fan_lanes_init(struct fan_lanes *lanes)
{
    memset(lanes, 0, sizeof *lanes);
}

static void join(struct fan_lanes *lanes, struct fan_lane_ticket *ticket, uint32_t number)
{
    feed_assert(number < FAN_LANES);
    struct fan_lane_link *link = &ticket->links[ticket->lanes++];
    *link = (struct fan_lane_link){.ticket = ticket, .lane = number};
    if (lanes->lanes[number].last) {
        lanes->lanes[number].last->next = link;
        ticket->blocked++;
    } else {
        lanes->lanes[number].first = link;
    }
    lanes->lanes[number].last = link;
}

bool fan_lanes_join(struct fan_lanes *lanes, struct fan_lane_ticket *ticket, const uint32_t *numbers, unsigned count)
{
    feed_assert(count >= 1 && count <= FAN_LANES_OF_RECORD);
    *ticket = (struct fan_lane_ticket){0};
    join(lanes, ticket, numbers[0]);
    if (count == 2 && numbers[1] != numbers[0])
        join(lanes, ticket, numbers[1]);
    return ticket->blocked == 0;
}

void fan_lanes_leave(struct fan_lanes *lanes, struct fan_lane_ticket *ticket, fan_lanes_ready_fn *ready_fn, void *arg)
{
    feed_assert(ticket->blocked == 0);
    for (unsigned i = 0; i < ticket->lanes; i++) {
        uint32_t number = ticket->links[i].lane;
        feed_assert(lanes->lanes[number].first == &ticket->links[i]);
        struct fan_lane_link *next = ticket->links[i].next;
        lanes->lanes[number].first = next;
        if (!next)
            lanes->lanes[number].last = NULL;
        else if (--next->ticket->blocked == 0)
            ready_fn(arg, next->ticket);
    }
    ticket->lanes = 0;
}
