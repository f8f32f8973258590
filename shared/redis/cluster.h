/* Cluster: the shards of a Redis Cluster, a node each, and the commands that are on their way to them. Private to this
 * room. Its files: cluster.c (shards and commands), discovery.c (the map).
 *
 * A command keeps its bytes until it is answered, so that it can follow redirections. It is in one of two places:
 *
 *     feed_cluster_command --> under way at a shard --(an answer for the caller, or the connection broke)--> delivered
 *                               ^      |                                                                        ^
 *                               |      | MOVED or ASK to a server that is not connected yet; TRYAGAIN           |
 *                               |      v                                                                        |
 *                               '--- parked --(too long)--------------------------------------------------------'
 */
#ifndef FEED_REDIS_CLUSTER_H
#define FEED_REDIS_CLUSTER_H

#include "shared/redis/node.h"
#include "shared/redis/topology.h"

struct feed_cluster_member {
    struct feed_cluster *cluster;
    struct feed_redis_node *node; /* NULL: this number is not in use */
    int shard;
    bool leaving; /* the last map did not list it: it goes when nothing is under way */
    bool up;      /* as reported */
};

struct feed_cluster_discovery {
    struct feed_redis_node *node; /* of the facade; asked for the map, and nothing else */
    bool asking, wanted, found;   /* found: a map has been applied */
    int64_t asked_ms;
    unsigned fruitless, candidate;
};

struct feed_cluster {
    struct feed_loop *loop;
    struct feed_redis_settings settings;
    const struct feed_redis_address *seeds; /* borrowed */
    size_t seed_count;
    struct feed_topology topology;
    struct feed_topology_draft draft; /* of the map that is being read */
    struct feed_cluster_member members[FEED_SHARDS_MAX];
    struct feed_cluster_discovery discovery;
    struct feed_cluster_request *parked, **parked_last;
    unsigned in_flight; /* commands without an answer, parked ones included */
    int answering;
    struct feed_timer *tick;

    /* Set by the facade. */
    feed_redis_state_fn *state_fn;
    feed_redis_topology_fn *topology_fn;
    feed_redis_latency_fn *latency_fn;
    void *arg;
};

/* discovery is borrowed; the callbacks are set by the caller before. */
void feed_cluster_init(struct feed_cluster *cluster, struct feed_loop *loop, const struct feed_redis_settings *settings,
                       const struct feed_redis_address *seeds, size_t seed_count, struct feed_redis_node *discovery);
void feed_cluster_fini(struct feed_cluster *cluster);
enum feed_error feed_cluster_command(struct feed_cluster *cluster, const struct feed_str *argv, size_t argc,
                                     feed_redis_fn *fn, void *arg) FEED_MUST_USE;
void feed_cluster_moved(struct feed_cluster *cluster, const struct feed_redirect *to);
bool feed_cluster_shard_up(const struct feed_cluster *cluster, int shard);

/* ---- cluster.c, for discovery.c ---- */

/* Connects to shards that are new in the topology, and lets go of those that the map does not list. */
void feed_cluster_follow_map(struct feed_cluster *cluster);

/* ---- discovery.c ---- */

/* The map is read anew soon. */
void feed_cluster_refresh(struct feed_cluster *cluster);
void feed_cluster_discovery_tick(struct feed_cluster *cluster);
/* The connection for the map broke: another server is tried next. */
void feed_cluster_discovery_down(struct feed_cluster *cluster);

#endif
