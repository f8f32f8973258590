/* Edges: the elements of POST /v1/follows, {actor, object, since?}, as activities of a submission. They are follows
 * that were made elsewhere (shared/model/edge.h), on the same way as all that is submitted. */
#ifndef INGEST_EDGES_H
#define INGEST_EDGES_H

#include "shared/model/activity.h"

#define ING_PATH_FOLLOWS "/v1/follows"

struct yyjson_val;
struct ing_submission;

/* Reads one; everything is copied into out. FEED_E_MEMORY, or another error with a problem. */
enum feed_error ing_edge_read(struct yyjson_val *value, int64_t now_ms, struct feed_activity *out,
                              struct feed_activity_problem *problem) FEED_MUST_USE;
/* Of a good submission of edges: the last one of each actor fills the feed. FEED_E_MEMORY. */
enum feed_error ing_edges_mark_last(struct ing_submission *submission) FEED_MUST_USE;

#endif
