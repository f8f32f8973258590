/* Place: where the edge of one follower stands among the pages of an author, found from page 0 on: a page that does not
 * have it names a child and says what it still has of the edge, which is then taken along. See schemas/redis.md. */
#ifndef FANOUT_PLACE_H
#define FANOUT_PLACE_H

#include "fanout/answer.h"
#include "shared/base/limits.h"

#include <stdbool.h>

struct fan_call;

struct fan_place {
    unsigned page;
    int64_t since_ms, ended_ms, latest_ms; /* taken along; 0: nothing */
    bool elsewhere;                        /* the last answer sent us on */
};

/* What a page wants to be done, as answers about an edge say. */
enum fan_page_todo { FAN_PAGE_FINE, FAN_PAGE_MOVE, FAN_PAGE_FILL, FAN_PAGE_SPLIT };

/* To page 0, with nothing. */
void fan_place_reset(struct fan_place *place);
/* Appends the keys of the page: g:, k:, l:, q:. */
void fan_place_keys(unsigned page, struct feed_str tenant, struct feed_str author, struct fan_call *call);
/* Appends page, since, ended, latest. */
void fan_place_args(const struct fan_place *place, struct fan_call *call);
/* False: no answer about an edge. Otherwise place->elsewhere says whether it sent us on; if not, it has at least
 * `count` elements. */
bool fan_place_take(struct fan_place *place, const struct fan_answer *answer, size_t count) FEED_MUST_USE;

/* Once after each answer, or none: whether it sent us on. */
bool fan_place_sent_on(struct fan_place *place);

#endif
