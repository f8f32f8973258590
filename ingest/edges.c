/* Which element is the last of its actor is found by sorting, so that a thousand actors cost no more than one. */
#include "ingest/edges.h"

#include "ingest/submission.h"
#include "shared/model/edge.h"

#include <stdlib.h>

enum feed_error ing_edge_read(struct yyjson_val *value, int64_t now_ms, struct feed_activity *out,
                              struct feed_activity_problem *problem)
{
    struct feed_edge edge;
    enum feed_error error = feed_edge_from_yyjson(value, now_ms, &edge, problem);
    if (error != FEED_OK)
        return error;
    struct feed_buf *memory = &out->memory;
    feed_buf_reset(memory);
    feed_buf_str(memory, edge.actor);
    feed_buf_str(memory, edge.object);
    if (memory->error != FEED_OK)
        return memory->error;
    edge.actor.data = memory->data;
    edge.object.data = memory->data + edge.actor.len;
    feed_edge_activity(&edge, false, out);
    out->published_ms = edge.since_ms;
    return FEED_OK;
}

struct place {
    struct feed_str actor;
    size_t index;
};

static int compare(const void *a, const void *b)
{
    const struct place *one = a, *other = b;
    int order = feed_str_cmp(one->actor, other->actor);
    return order ? order : one->index < other->index ? -1 : one->index > other->index;
}

enum feed_error ing_edges_mark_last(struct ing_submission *submission)
{
    size_t count = submission->count;
    struct place *places = calloc(count, sizeof *places);
    if (!places)
        return FEED_E_MEMORY;
    for (size_t i = 0; i < count; i++)
        places[i] = (struct place){submission->elements[i].activity.actor, i};
    qsort(places, count, sizeof *places, compare);
    for (size_t i = 0; i < count; i++) {
        if (i + 1 == count || !feed_str_eq(places[i].actor, places[i + 1].actor))
            feed_edge_fill(&submission->elements[places[i].index].activity);
    }
    free(places);
    return FEED_OK;
}
