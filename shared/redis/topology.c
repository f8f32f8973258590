/* Numbers are given in two passes, so that a draft that does not fit changes nothing. */
#include "shared/redis/topology.h"

#include "shared/base/assert.h"

#include <string.h>

static void own_nothing(int16_t owner[FEED_SLOTS])
{
    for (unsigned slot = 0; slot < FEED_SLOTS; slot++)
        owner[slot] = FEED_SHARD_NONE;
}

void feed_topology_init(struct feed_topology *topology)
{
    memset(topology, 0, sizeof *topology);
    own_nothing(topology->owner);
}

int feed_topology_owner(const struct feed_topology *topology, unsigned slot)
{
    feed_assert(slot < FEED_SLOTS);
    return topology->owner[slot];
}

int feed_topology_find(const struct feed_topology *topology, const struct feed_endpoint *endpoint)
{
    for (int i = 0; i < FEED_SHARDS_MAX; i++) {
        if (topology->shards[i].known && feed_endpoint_equal(&topology->shards[i].endpoint, endpoint))
            return i;
    }
    return FEED_SHARD_NONE;
}

int feed_topology_add(struct feed_topology *topology, const struct feed_endpoint *endpoint)
{
    int found = feed_topology_find(topology, endpoint);
    for (int i = 0; found == FEED_SHARD_NONE && i < FEED_SHARDS_MAX; i++) {
        if (topology->shards[i].known)
            continue;
        topology->shards[i] = (struct feed_shard){.endpoint = *endpoint, .known = true};
        found = i;
    }
    return found;
}

static void give(struct feed_topology *topology, unsigned slot, int to)
{
    int from = topology->owner[slot];
    if (from != FEED_SHARD_NONE) {
        topology->shards[from].slots--;
        topology->covered--;
    }
    topology->owner[slot] = (int16_t)to;
    if (to != FEED_SHARD_NONE) {
        topology->shards[to].slots++;
        topology->covered++;
    }
}

int feed_topology_moved(struct feed_topology *topology, unsigned slot, const struct feed_endpoint *to)
{
    feed_assert(slot < FEED_SLOTS);
    int shard = feed_topology_add(topology, to);
    if (shard != FEED_SHARD_NONE)
        give(topology, slot, shard);
    return shard;
}

void feed_topology_forget(struct feed_topology *topology, int shard)
{
    feed_assert(topology->shards[shard].known && topology->shards[shard].slots == 0);
    memset(&topology->shards[shard], 0, sizeof topology->shards[shard]);
}

/* ---- drafts ---- */

void feed_topology_draft_init(struct feed_topology_draft *draft)
{
    memset(draft, 0, sizeof *draft);
    own_nothing(draft->owner);
}

void feed_topology_draft_master(struct feed_topology_draft *draft, struct feed_str host, int64_t port,
                                const char *asked_host)
{
    if (draft->error != FEED_OK)
        return;
    struct feed_endpoint endpoint;
    if (!feed_endpoint_set(&endpoint, host, port, asked_host)) {
        draft->error = FEED_E_INVALID;
        return;
    }
    for (size_t i = 0; i < draft->count; i++) {
        if (feed_endpoint_equal(&draft->masters[i], &endpoint)) {
            draft->error = FEED_E_INVALID;
            return;
        }
    }
    if (draft->count == FEED_SHARDS_MAX) {
        draft->error = FEED_E_TOO_LARGE;
        return;
    }
    draft->masters[draft->count++] = endpoint;
}

void feed_topology_draft_slots(struct feed_topology_draft *draft, int64_t first, int64_t last)
{
    if (draft->error != FEED_OK)
        return;
    if (draft->count == 0 || first < 0 || last >= FEED_SLOTS || first > last ||
        ++draft->ranges > FEED_SLOT_RANGES_MAX) {
        draft->error = FEED_E_INVALID;
        return;
    }
    for (int64_t slot = first; slot <= last; slot++) {
        if (draft->owner[slot] != FEED_SHARD_NONE) {
            draft->error = FEED_E_INVALID;
            return;
        }
        draft->owner[slot] = (int16_t)(draft->count - 1);
    }
}

static size_t free_numbers(const struct feed_topology *topology)
{
    size_t count = 0;
    for (int i = 0; i < FEED_SHARDS_MAX; i++)
        count += !topology->shards[i].known;
    return count;
}

enum feed_error feed_topology_apply(struct feed_topology *topology, const struct feed_topology_draft *draft,
                                    bool *changed)
{
    size_t fresh = 0;
    for (size_t i = 0; i < draft->count; i++)
        fresh += feed_topology_find(topology, &draft->masters[i]) == FEED_SHARD_NONE;
    if (draft->error != FEED_OK)
        return draft->error;
    if (draft->count == 0)
        return FEED_E_INVALID;
    if (fresh > free_numbers(topology))
        return FEED_E_FULL;
    bool listed[FEED_SHARDS_MAX] = {false};
    int number[FEED_SHARDS_MAX];
    for (size_t i = 0; i < draft->count; i++) {
        number[i] = feed_topology_add(topology, &draft->masters[i]);
        listed[number[i]] = true;
    }
    *changed = false;
    for (int i = 0; i < FEED_SHARDS_MAX; i++) {
        *changed |= topology->shards[i].listed != listed[i];
        topology->shards[i].listed = listed[i];
    }
    for (unsigned slot = 0; slot < FEED_SLOTS; slot++) {
        int to = draft->owner[slot] == FEED_SHARD_NONE ? FEED_SHARD_NONE : number[draft->owner[slot]];
        if (to == topology->owner[slot])
            continue;
        give(topology, slot, to);
        *changed = true;
    }
    return FEED_OK;
}
