/* Lanes: which records must wait for which. Each record stands in the lane of its actor, a follow or unfollow also in
 * that of the followed user, and runs when it is the first in all of its lanes. So one author's acts stay in order, a
 * follow stands between what its followee did before and after it, and everybody else goes on meanwhile. Records join
 * all their lanes at once, in the order of arrival, so two can never wait for each other.
 *
 * A lane is a hash of (tenant, user): users that share one wait for each other needlessly, which costs time only. */
#ifndef FANOUT_LANES_H
#define FANOUT_LANES_H

#include "shared/base/str.h"

enum { FAN_LANES = 4096, FAN_LANES_OF_RECORD = 2 };

struct fan_lane_ticket; /* a record's place in the lanes; embedded in the record */

struct fan_lane_link {
    struct fan_lane_ticket *ticket;
    struct fan_lane_link *next; /* the one behind */
    uint32_t lane;
};

struct fan_lane_ticket {
    struct fan_lane_link links[FAN_LANES_OF_RECORD];
    unsigned lanes;   /* links in use */
    unsigned blocked; /* lanes in which somebody is before this one */
};

struct fan_lanes {
    struct {
        struct fan_lane_link *first, *last;
    } lanes[FAN_LANES];
};

/* The lane of a user. */
uint32_t fan_lane_of(struct feed_str tenant, struct feed_str user);
/* Called for each record that became first in all of its lanes; inline. */
typedef void fan_lanes_ready_fn(void *arg, struct fan_lane_ticket *ticket);

void fan_lanes_init(struct fan_lanes *lanes);
/* Joins one or two lanes (the same one twice counts once). True when the record may run now. */
bool fan_lanes_join(struct fan_lanes *lanes, struct fan_lane_ticket *ticket, const uint32_t *numbers, unsigned count);
/* The record is done: it is first in all of its lanes (asserted). */
void fan_lanes_leave(struct fan_lanes *lanes, struct fan_lane_ticket *ticket, fan_lanes_ready_fn *ready_fn, void *arg);

#endif
