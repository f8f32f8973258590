/* A ring of offsets with the finished ones crossed out. Records finish in any order, commits go in Kafka's order; so
 * the front of the ring moves over everything that is crossed out, and stops at the first that is not. */
#include "fanout/offsets.h"

#include "shared/base/assert.h"

#include <stdlib.h>

enum { CAPACITY_FIRST = 64 };

static struct fan_offset *slot(const struct fan_offsets *offsets, uint64_t ticket)
{
    return &offsets->ring[ticket & (offsets->capacity - 1)];
}

void fan_offsets_init(struct fan_offsets *offsets)
{
    *offsets = (struct fan_offsets){.last_seen = -1};
}

void fan_offsets_fini(struct fan_offsets *offsets)
{
    free(offsets->ring);
    fan_offsets_init(offsets);
}

size_t fan_offsets_count(const struct fan_offsets *offsets)
{
    return (size_t)(offsets->next - offsets->first);
}

bool fan_offsets_full(const struct fan_offsets *offsets)
{
    return fan_offsets_count(offsets) >= FAN_OFFSETS_MAX;
}

static void grow(struct fan_offsets *offsets)
{
    struct fan_offsets wider = *offsets;
    wider.capacity = offsets->capacity ? offsets->capacity * 2 : CAPACITY_FIRST;
    wider.ring = malloc(wider.capacity * sizeof *wider.ring);
    feed_assert(wider.ring);
    for (uint64_t t = offsets->first; t != offsets->next; t++)
        *slot(&wider, t) = *slot(offsets, t);
    free(offsets->ring);
    *offsets = wider;
}

uint64_t fan_offsets_begin(struct fan_offsets *offsets, int64_t offset, int64_t time_ms)
{
    feed_assert(offset > offsets->last_seen);
    feed_assert(!fan_offsets_full(offsets));
    if (fan_offsets_count(offsets) == offsets->capacity)
        grow(offsets);
    offsets->last_seen = offset;
    *slot(offsets, offsets->next) = (struct fan_offset){.offset = offset, .time_ms = time_ms};
    return offsets->next++;
}

void fan_offsets_finish(struct fan_offsets *offsets, uint64_t ticket)
{
    feed_assert(ticket >= offsets->first && ticket < offsets->next);
    feed_assert(!slot(offsets, ticket)->finished);
    slot(offsets, ticket)->finished = true;
    while (offsets->first != offsets->next && slot(offsets, offsets->first)->finished)
        offsets->finished_ms = slot(offsets, offsets->first++)->time_ms;
}

int64_t fan_offsets_committable(const struct fan_offsets *offsets)
{
    if (offsets->last_seen < 0)
        return -1;
    return offsets->first == offsets->next ? offsets->last_seen + 1 : slot(offsets, offsets->first)->offset;
}

int64_t fan_offsets_waiting_ms(const struct fan_offsets *offsets)
{
    return offsets->first == offsets->next ? 0 : slot(offsets, offsets->first)->time_ms;
}
