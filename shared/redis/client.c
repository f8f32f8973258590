/* One server or many behind one door. The first connection tells which it is: a single server is then the only shard,
 * and its commands go straight to its connection; of a cluster, that connection is kept for asking for the map. */
#include "shared/redis/client.h"

#include "shared/base/assert.h"
#include "shared/loop/loop.h"
#include "shared/redis/cluster.h"

#include <stdlib.h>

struct feed_redis {
    struct feed_loop *loop;
    struct feed_redis_address seeds[FEED_REDIS_HOSTS_MAX];
    size_t seed_count, seed;
    struct feed_redis_settings settings;
    struct feed_redis_node *node;
    bool single;                  /* known to be a single server */
    struct feed_cluster *cluster; /* NULL: a single server, or not known yet */
    bool closing;
    feed_redis_state_fn *state_fn;
    void *state_arg;
    feed_redis_topology_fn *topology_fn;
    void *topology_arg;
    feed_redis_latency_fn *latency_fn;
    void *latency_arg;
};

/* ---- what the connections report ---- */

static void on_shard_state(void *arg, int shard, bool up, const char *reason)
{
    struct feed_redis *redis = arg;
    redis->state_fn(redis->state_arg, shard, up, reason);
}

static void on_topology(void *arg)
{
    struct feed_redis *redis = arg;
    if (redis->topology_fn && !redis->closing)
        redis->topology_fn(redis->topology_arg);
}

static void on_latency(void *arg, double seconds)
{
    struct feed_redis *redis = arg;
    if (redis->latency_fn)
        redis->latency_fn(redis->latency_arg, seconds);
}

static void begin_cluster(struct feed_redis *redis)
{
    feed_redis_node_want(redis->node, FEED_REDIS_CLUSTER);
    feed_redis_node_on_latency(redis->node, NULL, NULL);
    redis->cluster = calloc(1, sizeof *redis->cluster);
    feed_assert(redis->cluster);
    redis->cluster->state_fn = on_shard_state;
    redis->cluster->topology_fn = on_topology;
    redis->cluster->latency_fn = on_latency;
    redis->cluster->arg = redis;
    feed_cluster_init(redis->cluster, redis->loop, &redis->settings, redis->seeds, redis->seed_count, redis->node);
}

static void on_up(struct feed_redis *redis, const char *reason)
{
    if (redis->cluster) {
        feed_cluster_refresh(redis->cluster);
    } else if (feed_redis_node_kind(redis->node) == FEED_REDIS_CLUSTER) {
        begin_cluster(redis);
    } else {
        feed_redis_node_want(redis->node, FEED_REDIS_SINGLE);
        bool first = !redis->single;
        redis->single = true;
        redis->state_fn(redis->state_arg, 0, true, reason);
        if (first)
            on_topology(redis);
    }
}

static void on_node_state(void *arg, bool up, const char *reason)
{
    struct feed_redis *redis = arg;
    if (up) {
        on_up(redis, reason);
    } else if (redis->cluster) {
        feed_cluster_discovery_down(redis->cluster);
    } else {
        if (redis->seed_count > 1) {
            redis->seed = (redis->seed + 1) % redis->seed_count;
            feed_redis_node_retarget(redis->node, &redis->seeds[redis->seed]);
        }
        redis->state_fn(redis->state_arg, redis->single ? 0 : FEED_SHARD_NONE, false, reason);
    }
}

/* ---- life ---- */

static enum feed_error read_url(struct feed_redis *redis, const char **problem)
{
    enum feed_error error =
        feed_redis_address_parse(feed_str_of(redis->settings.url), redis->seeds, &redis->seed_count, problem);
    const char *password = redis->settings.password;
    for (size_t i = 0; error == FEED_OK && password && password[0] && i < redis->seed_count; i++) {
        if (feed_str_copy(feed_str_of(password), redis->seeds[i].password, sizeof redis->seeds[i].password) !=
            FEED_OK) {
            *problem = "the password is too long";
            error = FEED_E_INVALID;
        }
    }
    redis->settings.url = redis->settings.password = NULL; /* the caller's memory */
    return error;
}

enum feed_error feed_redis_new(struct feed_loop *loop, const struct feed_redis_settings *settings,
                               feed_redis_state_fn *state_fn, void *arg, struct feed_redis **out, const char **problem)
{
    struct feed_redis *redis = calloc(1, sizeof *redis);
    feed_assert(redis);
    redis->loop = loop;
    redis->settings = *settings;
    redis->state_fn = state_fn;
    redis->state_arg = arg;
    enum feed_error error = read_url(redis, problem);
    if (error != FEED_OK) {
        free(redis);
        return error;
    }
    enum feed_redis_kind wanted = redis->seed_count > 1 ? FEED_REDIS_CLUSTER : FEED_REDIS_ANY_KIND;
    redis->node = feed_redis_node_new(loop, &redis->seeds[0], wanted, &redis->settings, on_node_state, redis);
    feed_redis_node_on_latency(redis->node, on_latency, redis);
    *out = redis;
    return FEED_OK;
}

void feed_redis_free(struct feed_redis *redis)
{
    if (!redis) {
        return;
    }
    redis->closing = true;
    feed_redis_node_free(redis->node);
    if (redis->cluster) {
        feed_cluster_fini(redis->cluster);
        free(redis->cluster);
    }
    free(redis);
}

/* ---- commands ---- */

enum feed_error feed_redis_command(struct feed_redis *redis, const struct feed_str *argv, size_t argc,
                                   feed_redis_fn *fn, void *arg)
{
    return redis->cluster ? feed_cluster_command(redis->cluster, argv, argc, fn, arg)
                          : feed_redis_node_command(redis->node, argv, argc, fn, arg);
}

enum feed_error feed_redis_command_to(struct feed_redis *redis, int shard, const struct feed_str *argv, size_t argc,
                                      feed_redis_fn *fn, void *arg)
{
    struct feed_redis_node *node = redis->cluster ? redis->cluster->members[shard].node : redis->node;
    return node ? feed_redis_node_command(node, argv, argc, fn, arg) : FEED_E_UNAVAILABLE;
}

/* ---- shards ---- */

bool feed_redis_up(const struct feed_redis *redis)
{
    for (int i = 0; redis->cluster && i < FEED_SHARDS_MAX; i++) {
        if (feed_cluster_shard_up(redis->cluster, i))
            return true;
    }
    return !redis->cluster && feed_redis_node_up(redis->node);
}

int feed_redis_shard_of_key(const struct feed_redis *redis, struct feed_str key)
{
    if (!redis->cluster)
        return redis->single ? 0 : FEED_SHARD_NONE;
    return feed_topology_owner(&redis->cluster->topology, feed_slot_of(key));
}

int feed_redis_shard_of(const struct feed_redis *redis, const struct feed_str *argv, size_t argc)
{
    return redis->single ? 0 : feed_redis_shard_of_key(redis, feed_slot_key(argv, argc));
}

int feed_redis_answering(const struct feed_redis *redis)
{
    return redis->cluster ? redis->cluster->answering : 0;
}

bool feed_redis_shard(const struct feed_redis *redis, int shard, struct feed_redis_address *out)
{
    const struct feed_redis_node *node = NULL;
    if (redis->cluster)
        node = redis->cluster->members[shard].leaving ? NULL : redis->cluster->members[shard].node;
    else if (redis->single && shard == 0)
        node = redis->node;
    if (node)
        *out = *feed_redis_node_address(node);
    return node != NULL;
}

unsigned feed_redis_shard_slots(const struct feed_redis *redis, int shard)
{
    if (redis->cluster)
        return redis->cluster->topology.shards[shard].slots;
    return redis->single && shard == 0 ? FEED_SLOTS : 0;
}

int feed_redis_shard_first_slot(const struct feed_redis *redis, int shard)
{
    if (!redis->cluster)
        return redis->single && shard == 0 ? 0 : -1;
    if (redis->cluster->topology.shards[shard].slots == 0)
        return -1;
    unsigned slot = 0;
    while (slot < FEED_SLOTS && feed_topology_owner(&redis->cluster->topology, slot) != shard)
        slot++;
    return slot < FEED_SLOTS ? (int)slot : -1;
}

struct feed_redis_shards feed_redis_count_shards(const struct feed_redis *redis)
{
    struct feed_redis_shards shards = {redis->single, redis->single && feed_redis_node_up(redis->node)};
    for (int i = 0; redis->cluster && i < FEED_SHARDS_MAX; i++) {
        bool known = redis->cluster->members[i].node && !redis->cluster->members[i].leaving;
        shards.known += known;
        shards.up += known && feed_cluster_shard_up(redis->cluster, i);
    }
    return shards;
}

void feed_redis_on_topology(struct feed_redis *redis, feed_redis_topology_fn *fn, void *arg)
{
    redis->topology_fn = fn;
    redis->topology_arg = arg;
}

void feed_redis_moved(struct feed_redis *redis, const struct feed_redirect *to)
{
    if (redis->cluster)
        feed_cluster_moved(redis->cluster, to);
}

void feed_redis_on_latency(struct feed_redis *redis, feed_redis_latency_fn *fn, void *arg)
{
    redis->latency_fn = fn;
    redis->latency_arg = arg;
}
