/* Edge: a follow as an import has it, one of many that were made elsewhere: {"actor", "object", "since"}. Read here for
 * all who import, from JSON and from a line of CSV, and turned into the record that fan-out takes it from. */
#ifndef FEED_MODEL_EDGE_H
#define FEED_MODEL_EDGE_H

#include "shared/base/id.h"
#include "shared/model/activity.h"

enum {
    FEED_EDGE_LINE_MAX = 4096,   /* of a line; the longest that says anything has 400 bytes */
    FEED_EDGE_FUTURE_MS = 60000, /* how far `since` may be ahead: clocks differ */
    FEED_EDGE_COLUMNS = 3
};

struct feed_edge {
    struct feed_str actor, object; /* borrowed from what was read */
    int64_t since_ms;              /* 0: not given */
};

/* FEED_E_INVALID or FEED_E_MISSING with a problem: names are users, and two; `since` (optional, RFC 3339 or ms since
 * the Unix epoch) is not in the future. Unknown members are ignored; one that is there twice is refused. */
struct yyjson_val;
enum feed_error feed_edge_from_yyjson(struct yyjson_val *value, int64_t now_ms, struct feed_edge *out,
                                      struct feed_activity_problem *problem) FEED_MUST_USE;
/* A line of CSV without its end: actor,object[,since], each with or without quotes. */
enum feed_error feed_edge_from_csv(struct feed_str line, int64_t now_ms, struct feed_edge *out,
                                   struct feed_activity_problem *problem) FEED_MUST_USE;
/* Whether a line of CSV is the head of such a table. */
bool feed_edge_is_csv_head(struct feed_str line);

/* The activity that stands for the edge, borrowed from it: imported, with everything but id, source, tenant and
 * published_ms. fill: the follower's home feed is to be filled when the edge is there. */
void feed_edge_activity(const struct feed_edge *edge, bool fill, struct feed_activity *out);
/* The same for an activity that is one already. */
void feed_edge_fill(struct feed_activity *activity);
/* The id of an edge whose time is known: the same for the same edge. */
void feed_edge_id(struct feed_str tenant, const struct feed_edge *edge, char out[FEED_ID_TEXT + 1]);

#endif
