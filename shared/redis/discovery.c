/* Reading the map of slots. It is asked for over a connection of its own, so that it never waits behind a full
 * pipeline, and never from a server picked at random: one is kept for as long as what it says helps. */
#include "shared/redis/cluster.h"

#include "shared/base/assert.h"
#include "shared/loop/loop.h"
#include "shared/redis/route.h"

static bool in_trouble(const struct feed_cluster *cluster)
{
    if (!cluster->discovery.found || cluster->topology.covered < FEED_SLOTS)
        return true;
    for (int i = 0; i < FEED_SHARDS_MAX; i++) {
        if (cluster->topology.shards[i].slots && !feed_cluster_shard_up(cluster, i))
            return true;
    }
    return false;
}

/* ---- the answer ---- */

/* The value under a name in a map, which in RESP2 is a list of names and values. */
static const struct feed_reply *value_of(const struct feed_reply *map, const char *name)
{
    for (size_t i = 0; i + 1 < feed_reply_count(map); i += 2) {
        if (feed_str_eq(feed_reply_str(feed_reply_at(map, i)), feed_str_of(name)))
            return feed_reply_at(map, i + 1);
    }
    return NULL;
}

static bool is(const struct feed_reply *map, const char *name, const char *value)
{
    return feed_str_eq(feed_reply_str(value_of(map, name)), feed_str_of(value));
}

/* endpoint is what clients should use; empty or unknown ("?"), it is the address, and that of the server that knows no
 * address of its own is the one that was asked. */
static struct feed_str host_of(const struct feed_reply *server)
{
    struct feed_str endpoint = feed_reply_str(value_of(server, "endpoint"));
    bool usable = endpoint.len && !feed_str_eq(endpoint, FEED_STR("?"));
    return usable ? endpoint : feed_reply_str(value_of(server, "ip"));
}

/* -1, which no draft takes, when it is not a number. */
static int64_t slot_at(const struct feed_reply *slots, size_t i)
{
    const struct feed_reply *slot = feed_reply_at(slots, i);
    return feed_reply_type(slot) == FEED_REPLY_INTEGER ? feed_reply_int(slot) : -1;
}

static bool is_master(const struct feed_reply *server)
{
    return is(server, "role", "master");
}

static bool has_failed(const struct feed_reply *server)
{
    return is(server, "health", "fail");
}

/* Since Redis 7.2 a master that failed stands in one shard with the replica that took its place, still as a master;
 * before, in a shard of its own without slots. */
static bool is_replaced(const struct feed_reply *server, const struct feed_reply *servers,
                        const struct feed_reply *slots)
{
    if (!has_failed(server))
        return false;
    for (size_t i = 0; i < feed_reply_count(servers); i++) {
        const struct feed_reply *other = feed_reply_at(servers, i);
        if (is_master(other) && !has_failed(other))
            return true;
    }
    return feed_reply_count(slots) == 0;
}

static void read_shard(struct feed_cluster *cluster, const struct feed_reply *shard)
{
    const struct feed_reply *slots = value_of(shard, "slots"), *servers = value_of(shard, "nodes");
    const char *asked_host = feed_redis_node_address(cluster->discovery.node)->host;
    for (size_t i = 0; i < feed_reply_count(servers); i++) {
        const struct feed_reply *server = feed_reply_at(servers, i);
        if (!is_master(server) || is_replaced(server, servers, slots))
            continue;
        feed_topology_draft_master(&cluster->draft, host_of(server), feed_reply_int(value_of(server, "port")),
                                   asked_host);
        for (size_t j = 0; j < feed_reply_count(slots); j += 2)
            feed_topology_draft_slots(&cluster->draft, slot_at(slots, j), slot_at(slots, j + 1));
    }
}

static void on_shards(void *arg, enum feed_error error, const struct feed_reply *reply)
{
    struct feed_cluster *cluster = arg;
    cluster->discovery.asking = false;
    if (error != FEED_OK)
        return;
    feed_topology_draft_init(&cluster->draft);
    for (size_t i = 0; i < feed_reply_count(reply); i++)
        read_shard(cluster, feed_reply_at(reply, i));
    bool changed = false;
    error = feed_topology_apply(&cluster->topology, &cluster->draft, &changed);
    if (error != FEED_OK && !cluster->discovery.found)
        cluster->state_fn(cluster->arg, FEED_SHARD_NONE, false, "the map of the cluster's slots cannot be used");
    bool first = error == FEED_OK && !cluster->discovery.found;
    cluster->discovery.found |= first;
    if (error == FEED_OK)
        feed_cluster_follow_map(cluster);
    cluster->discovery.fruitless = changed || !in_trouble(cluster) ? 0 : cluster->discovery.fruitless + 1;
    if (changed || first)
        cluster->topology_fn(cluster->arg);
}

/* ---- asking ---- */

static void ask(struct feed_cluster *cluster)
{
    static const struct feed_str argv[] = {{"CLUSTER", 7}, {"SHARDS", 6}};
    struct feed_cluster_discovery *discovery = &cluster->discovery;
    discovery->asked_ms = feed_loop_now_ms(cluster->loop);
    if (feed_redis_node_command(discovery->node, argv, 2, on_shards, cluster) != FEED_OK)
        return;
    discovery->asking = true;
    discovery->wanted = false;
}

void feed_cluster_refresh(struct feed_cluster *cluster)
{
    cluster->discovery.wanted = true;
}

/* The servers of the URL and all masters in turn. */
static void next_candidate(struct feed_cluster *cluster)
{
    struct feed_cluster_discovery *discovery = &cluster->discovery;
    for (;;) {
        unsigned at = discovery->candidate++ % (unsigned)(cluster->seed_count + FEED_SHARDS_MAX);
        if (at < cluster->seed_count) {
            feed_redis_node_retarget(discovery->node, &cluster->seeds[at]);
            return;
        }
        const struct feed_shard *shard = &cluster->topology.shards[at - cluster->seed_count];
        if (!shard->listed)
            continue;
        struct feed_redis_address address = cluster->seeds[0];
        enum feed_error error = feed_str_copy(feed_str_of(shard->endpoint.host), address.host, sizeof address.host);
        feed_assert(error == FEED_OK); /* both have the same room */
        address.port = shard->endpoint.port;
        feed_redis_node_retarget(discovery->node, &address);
        return;
    }
}

void feed_cluster_discovery_down(struct feed_cluster *cluster)
{
    cluster->discovery.asking = false;
    next_candidate(cluster);
}

void feed_cluster_discovery_tick(struct feed_cluster *cluster)
{
    struct feed_cluster_discovery *discovery = &cluster->discovery;
    if (discovery->asking || !feed_redis_node_up(discovery->node))
        return;
    if (discovery->fruitless >= FEED_REFRESH_FRUITLESS_MAX) {
        discovery->fruitless = 0;
        feed_redis_node_break(discovery->node, "another server is asked for the map");
        return;
    }
    int64_t since_ms = feed_loop_now_ms(cluster->loop) - discovery->asked_ms;
    int64_t pause_ms = discovery->wanted     ? FEED_REFRESH_MIN_MS
                       : in_trouble(cluster) ? FEED_REFRESH_TROUBLE_MS
                                             : FEED_REFRESH_EVERY_MS;
    if (since_ms >= pause_ms)
        ask(cluster);
}
