/* Route: what becomes of a command of which a server of a cluster has said something. Pure: a table of decisions.
 *
 * A command follows the servers' own words only, never by guessing: to send it to another server at random finds the
 * right one by luck and loads all of them. What was lost on the way is not sent again here, because nobody knows
 * whether it was done; the caller knows whether it may be repeated. */
#ifndef FEED_REDIS_ROUTE_H
#define FEED_REDIS_ROUTE_H

#include "shared/base/str.h"

enum {
    FEED_ROUTE_HOPS_MAX = 5, /* redirections of one command: one is usual, two while a slot moves */
    FEED_ROUTE_WAITS_MAX = 10,
    FEED_ROUTE_WAIT_MS = 50,       /* after TRYAGAIN */
    FEED_ROUTE_CONNECT_MS = 3000,  /* for a server that was named and is being connected to */
    FEED_REFRESH_EVERY_MS = 5000,  /* the map is read anew */
    FEED_REFRESH_TROUBLE_MS = 500, /* while a slot has no server that can be reached */
    FEED_REFRESH_MIN_MS = 100,     /* between two, however many redirections say that the map is old */
    FEED_REFRESH_FRUITLESS_MAX = 4 /* in trouble, then another server is asked: this one may know no better */
};

/* What happened to a command. */
enum feed_route_event {
    FEED_ROUTE_ANSWERED, /* an answer for the caller, which may be another error */
    FEED_ROUTE_MOVED,    /* the slot has another owner */
    FEED_ROUTE_ASKED,    /* the slot is on its way, and this key is there already */
    FEED_ROUTE_TRYAGAIN, /* the slot is on its way, and the keys are on both sides */
    FEED_ROUTE_DOWN,     /* nobody serves the slot, or the server is cut off from the others */
    FEED_ROUTE_LOST,     /* the connection broke before the answer */
    FEED_ROUTE_EVENTS
};

enum feed_route_act {
    FEED_ROUTE_DELIVER, /* what happened is the caller's answer */
    FEED_ROUTE_SEND,    /* to the server that was named */
    FEED_ROUTE_ASK,     /* the same, after ASKING */
    FEED_ROUTE_WAIT     /* FEED_ROUTE_WAIT_MS, then to the owner */
};

struct feed_route_step {
    enum feed_route_act act;
    bool refresh; /* the map is wrong or something is amiss: read it anew soon */
};

/* Of an error's text. */
enum feed_route_event feed_route_event_of(struct feed_str error);
/* hops, waits: how often this command was redirected and has waited before. */
struct feed_route_step feed_route_next(enum feed_route_event event, unsigned hops, unsigned waits);

#endif
