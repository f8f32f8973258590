#include "shared/redis/route.h"

#include "shared/base/assert.h"

#include <string.h>

struct route_row {
    const char *prefix; /* of the error; NULL: not an error */
    enum feed_route_act act;
    bool refresh;
};

static const struct route_row rows[FEED_ROUTE_EVENTS] = {
    [FEED_ROUTE_ANSWERED] = {NULL, FEED_ROUTE_DELIVER, false},
    [FEED_ROUTE_MOVED] = {"MOVED ", FEED_ROUTE_SEND, true},
    /* While a slot moves there is one of these for each of its keys, and the map is right. */
    [FEED_ROUTE_ASKED] = {"ASK ", FEED_ROUTE_ASK, false},
    [FEED_ROUTE_TRYAGAIN] = {"TRYAGAIN ", FEED_ROUTE_WAIT, false},
    [FEED_ROUTE_DOWN] = {"CLUSTERDOWN ", FEED_ROUTE_DELIVER, true},
    [FEED_ROUTE_LOST] = {NULL, FEED_ROUTE_DELIVER, true},
};

enum feed_route_event feed_route_event_of(struct feed_str error)
{
    for (int event = 0; event < FEED_ROUTE_EVENTS; event++) {
        const char *prefix = rows[event].prefix;
        if (prefix && error.len >= strlen(prefix) && memcmp(error.data, prefix, strlen(prefix)) == 0)
            return (enum feed_route_event)event;
    }
    return FEED_ROUTE_ANSWERED;
}

struct feed_route_step feed_route_next(enum feed_route_event event, unsigned hops, unsigned waits)
{
    feed_assert(event < FEED_ROUTE_EVENTS);
    struct feed_route_step step = {rows[event].act, rows[event].refresh};
    bool hop = step.act == FEED_ROUTE_SEND || step.act == FEED_ROUTE_ASK;
    if ((hop && hops >= FEED_ROUTE_HOPS_MAX) || (step.act == FEED_ROUTE_WAIT && waits >= FEED_ROUTE_WAITS_MAX))
        step = (struct feed_route_step){FEED_ROUTE_DELIVER, true};
    return step;
}
