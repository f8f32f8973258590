/* Link: when Redis can be worked with. Connected is not enough: the functions must be there, and Redis must accept
 * writes. Loading the functions is both: it is what must be done first, and a probe, because it is refused whenever
 * writes are.
 *
 *             connected             loaded
 *     DOWN ---------------> LOADING -------> READY
 *      ^                     |   ^             |
 *      |             refused |   | time        | refused (halted)
 *      |                     v   |             |
 *      '--(lost, from all)-- RESTING <---------'
 *
 * The rest is a random part of a span that doubles from 100 ms to 5 s (shared/base/backoff.h), and starts small again
 * after 5 s of good work. */
#ifndef FANOUT_LINK_H
#define FANOUT_LINK_H

#include "fanout/trouble.h"

enum fan_link_state { FAN_LINK_DOWN, FAN_LINK_LOADING, FAN_LINK_READY, FAN_LINK_RESTING };

enum { FAN_LINK_REST_FIRST_MS = 100, FAN_LINK_REST_MAX_MS = 5000, FAN_LINK_GOOD_MS = 5000 };

struct fan_link {
    enum fan_link_state state;
    unsigned refusals; /* in a row */
    int64_t since_ms;  /* READY: since when */
    int64_t until_ms;  /* RESTING: until when */
};

/* What is to be done now. */
enum fan_link_do {
    FAN_LINK_NOTHING,
    FAN_LINK_LOAD, /* send FUNCTION LOAD REPLACE */
    FAN_LINK_GO    /* tell the engine that Redis is ready */
};

enum fan_link_do fan_link_connected(struct fan_link *link);
void fan_link_lost(struct fan_link *link);
/* The answer to FUNCTION LOAD; random: any number, for the jitter. */
enum fan_link_do fan_link_loaded(struct fan_link *link, bool good, int64_t now_ms, uint32_t random);
/* The engine stopped because of a refusal. A missing function is loaded at once, the first time. */
enum fan_link_do fan_link_halted(struct fan_link *link, enum fan_trouble trouble, int64_t now_ms, uint32_t random);
/* A few times a second. */
enum fan_link_do fan_link_tick(struct fan_link *link, int64_t now_ms);

#endif
