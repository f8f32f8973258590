/* Topology: the masters of a cluster and which of them owns each slot. A master keeps its number for as long as it is
 * listed, however often the map is read anew, so that others can keep things by number. Pure.
 *
 * A new map is collected in a draft, checked, and applied as a whole or not at all: what a server says is input from
 * outside. */
#ifndef FEED_REDIS_TOPOLOGY_H
#define FEED_REDIS_TOPOLOGY_H

#include "shared/redis/redirect.h"
#include "shared/redis/slot.h"

enum {
    FEED_SHARDS_MAX = 128, /* masters; each costs a daemon one or two connections */
    FEED_SLOT_RANGES_MAX = FEED_SLOTS,
    FEED_SHARD_NONE = -1
};

struct feed_shard {
    struct feed_endpoint endpoint;
    bool known;     /* this number is in use */
    bool listed;    /* by the map applied last; known but not listed: only a redirect named it, or it has left */
    unsigned slots; /* how many it owns */
};

struct feed_topology {
    struct feed_shard shards[FEED_SHARDS_MAX];
    int16_t owner[FEED_SLOTS]; /* a number, or FEED_SHARD_NONE */
    unsigned covered;          /* slots that have an owner */
};

struct feed_topology_draft {
    struct feed_endpoint masters[FEED_SHARDS_MAX];
    size_t count, ranges;
    int16_t owner[FEED_SLOTS]; /* an index of masters */
    enum feed_error error;     /* the first fault; nothing is taken after it */
};

void feed_topology_init(struct feed_topology *topology);
int feed_topology_owner(const struct feed_topology *topology, unsigned slot);
int feed_topology_find(const struct feed_topology *topology, const struct feed_endpoint *endpoint);
/* Finds it or gives it a number, unlisted. FEED_SHARD_NONE when all are in use. */
int feed_topology_add(struct feed_topology *topology, const struct feed_endpoint *endpoint);
/* What a MOVED says. The number of the new owner, or FEED_SHARD_NONE. */
int feed_topology_moved(struct feed_topology *topology, unsigned slot, const struct feed_endpoint *to);
/* The number is free again. It owns nothing (asserted). */
void feed_topology_forget(struct feed_topology *topology, int shard);

void feed_topology_draft_init(struct feed_topology_draft *draft);
/* A master; its slots follow. host and port as the server gave them; FEED_E_INVALID when they lead nowhere. */
void feed_topology_draft_master(struct feed_topology_draft *draft, struct feed_str host, int64_t port,
                                const char *asked_host);
/* Slots of the last master, both ends included. A slot can have one owner. */
void feed_topology_draft_slots(struct feed_topology_draft *draft, int64_t first, int64_t last);
/* FEED_OK: from now on the topology is what the draft says; masters that it does not list stay known, without slots.
 * *changed: whether an owner or the list is another than before. On an error (the draft's, or FEED_E_INVALID when it
 * has no master, or FEED_E_FULL) nothing changes. */
enum feed_error feed_topology_apply(struct feed_topology *topology, const struct feed_topology_draft *draft,
                                    bool *changed) FEED_MUST_USE;

#endif
