/* Commands on their way through a cluster. The difficulty is that a command may have several homes before it is
 * answered: each time its request is at exactly one place, under way or parked, and is delivered once. */
#include "shared/redis/cluster.h"

#include "shared/base/assert.h"
#include "shared/loop/loop.h"
#include "shared/redis/request.h"
#include "shared/redis/route.h"

#include <stdlib.h>

enum { TICK_MS = FEED_ROUTE_WAIT_MS };

struct feed_cluster_request {
    struct feed_cluster *cluster;
    feed_redis_fn *fn;
    void *arg;
    struct feed_redis_request command; /* kept for as long as it may have to be sent again */
    unsigned slot;
    int shard; /* where it is under way, or is to go */
    uint8_t hops, waits;
    bool asking, waiting; /* parked: goes after ASKING; goes to the owner when due */
    int64_t due_ms;       /* parked */
    struct feed_cluster_request *next;
};

/* ---- shards ---- */

bool feed_cluster_shard_up(const struct feed_cluster *cluster, int shard)
{
    return cluster->members[shard].node && feed_redis_node_up(cluster->members[shard].node);
}

static void release_parked(struct feed_cluster *cluster);

static void on_member_state(void *arg, bool up, const char *reason)
{
    struct feed_cluster_member *member = arg;
    struct feed_cluster *cluster = member->cluster;
    if (!up)
        feed_cluster_refresh(cluster);
    member->up = up;
    cluster->state_fn(cluster->arg, member->shard, up, reason);
    if (up)
        release_parked(cluster);
}

static void on_latency(void *arg, double seconds)
{
    struct feed_cluster *cluster = arg;
    if (cluster->latency_fn)
        cluster->latency_fn(cluster->arg, seconds);
}

static void join(struct feed_cluster *cluster, int shard)
{
    struct feed_cluster_member *member = &cluster->members[shard];
    member->leaving = false;
    if (member->node)
        return;
    const struct feed_endpoint *endpoint = &cluster->topology.shards[shard].endpoint;
    struct feed_redis_address address = cluster->seeds[0];
    enum feed_error error = feed_str_copy(feed_str_of(endpoint->host), address.host, sizeof address.host);
    feed_assert(error == FEED_OK); /* both have the same room */
    address.port = endpoint->port;
    /* The requests are counted here; besides them there may be an ASKING before each, and commands to a shard. */
    struct feed_redis_settings settings = cluster->settings;
    settings.in_flight_max = 2 * settings.in_flight_max;
    *member = (struct feed_cluster_member){.cluster = cluster, .shard = shard};
    member->node = feed_redis_node_new(cluster->loop, &address, FEED_REDIS_CLUSTER, &settings, on_member_state, member);
    feed_redis_node_on_latency(member->node, on_latency, cluster);
}

void feed_cluster_follow_map(struct feed_cluster *cluster)
{
    for (int i = 0; i < FEED_SHARDS_MAX; i++) {
        const struct feed_shard *shard = &cluster->topology.shards[i];
        if (shard->listed)
            join(cluster, i);
        else if (shard->known)
            cluster->members[i].leaving = true;
    }
}

static bool parked_for(const struct feed_cluster *cluster, int shard)
{
    for (const struct feed_cluster_request *r = cluster->parked; r; r = r->next) {
        if (r->shard == shard)
            return true;
    }
    return false;
}

/* From the tick, because a node must not be freed inside its own callback. */
static void let_go(struct feed_cluster *cluster)
{
    for (int i = 0; i < FEED_SHARDS_MAX; i++) {
        struct feed_cluster_member *member = &cluster->members[i];
        if (!member->node || !member->leaving || feed_redis_node_in_flight(member->node) || parked_for(cluster, i))
            continue;
        feed_redis_node_free(member->node);
        feed_topology_forget(&cluster->topology, i);
        bool was_up = member->up;
        *member = (struct feed_cluster_member){.node = NULL};
        if (was_up)
            cluster->state_fn(cluster->arg, i, false, "it is not a master of the cluster any more");
    }
}

/* ---- requests ---- */

static void discard(struct feed_cluster_request *request)
{
    feed_redis_request_fini(&request->command);
    free(request);
}

static void deliver(struct feed_cluster_request *request, enum feed_error error, const struct feed_reply *reply)
{
    struct feed_cluster *cluster = request->cluster;
    feed_redis_fn *fn = request->fn;
    void *arg = request->arg;
    int outer = cluster->answering;
    cluster->answering = request->shard;
    cluster->in_flight--;
    discard(request);
    if (fn)
        fn(arg, error, reply);
    cluster->answering = outer;
}

static void park(struct feed_cluster_request *request, int64_t ms)
{
    struct feed_cluster *cluster = request->cluster;
    request->due_ms = feed_loop_now_ms(cluster->loop) + ms;
    request->next = NULL;
    *cluster->parked_last = request;
    cluster->parked_last = &request->next;
}

static void on_reply(void *arg, enum feed_error error, const struct feed_reply *reply);

static enum feed_error send_to(struct feed_cluster_request *request, int shard, bool asking)
{
    static const struct feed_str words[] = {{"ASKING", 6}};
    struct feed_redis_node *node = request->cluster->members[shard].node;
    request->shard = shard;
    enum feed_error error = asking ? feed_redis_node_command(node, words, 1, NULL, NULL) : FEED_OK;
    if (error == FEED_OK)
        error = feed_redis_node_send(node, (struct feed_str){request->command.bytes, request->command.len}, on_reply,
                                     request);
    return error;
}

static void go_to(struct feed_cluster_request *request, int shard, bool asking)
{
    join(request->cluster, shard);
    request->asking = asking;
    request->waiting = false;
    if (send_to(request, shard, asking) != FEED_OK)
        park(request, FEED_ROUTE_CONNECT_MS);
}

/* False: the text names no place that can be gone to. */
static bool redirect(struct feed_cluster_request *request, struct feed_str text)
{
    struct feed_cluster *cluster = request->cluster;
    const char *asked_host = cluster->topology.shards[request->shard].endpoint.host;
    struct feed_redirect to;
    if (!feed_redirect_parse(text, asked_host, &to))
        return false;
    int shard = to.ask ? feed_topology_add(&cluster->topology, &to.to)
                       : feed_topology_moved(&cluster->topology, to.slot, &to.to);
    if (shard == FEED_SHARD_NONE)
        return false;
    if (!cluster->topology.shards[shard].listed)
        feed_cluster_refresh(cluster);
    request->hops++;
    go_to(request, shard, to.ask);
    if (!to.ask)
        cluster->topology_fn(cluster->arg);
    return true;
}

static void on_reply(void *arg, enum feed_error error, const struct feed_reply *reply)
{
    struct feed_cluster_request *request = arg;
    enum feed_route_event event = FEED_ROUTE_ANSWERED;
    if (error != FEED_OK)
        event = FEED_ROUTE_LOST;
    else if (feed_reply_type(reply) == FEED_REPLY_ERROR)
        event = feed_route_event_of(feed_reply_str(reply));
    struct feed_route_step step = feed_route_next(event, request->hops, request->waits);
    if (step.refresh)
        feed_cluster_refresh(request->cluster);
    switch (step.act) {
    case FEED_ROUTE_SEND:
    case FEED_ROUTE_ASK:
        if (!redirect(request, feed_reply_str(reply)))
            deliver(request, error, reply);
        return;
    case FEED_ROUTE_WAIT:
        request->waits++;
        request->waiting = true;
        park(request, FEED_ROUTE_WAIT_MS);
        return;
    case FEED_ROUTE_DELIVER:
        deliver(request, error, reply);
        return;
    }
}

/* True when the request has gone on. */
static bool go_on(struct feed_cluster_request *request, int64_t now_ms)
{
    struct feed_cluster *cluster = request->cluster;
    if (request->waiting) {
        int owner = feed_topology_owner(&cluster->topology, request->slot);
        if (request->due_ms > now_ms || owner == FEED_SHARD_NONE)
            return false;
        go_to(request, owner, false);
        return true;
    }
    return feed_cluster_shard_up(cluster, request->shard) &&
           send_to(request, request->shard, request->asking) == FEED_OK;
}

static void release_parked(struct feed_cluster *cluster)
{
    int64_t now_ms = feed_loop_now_ms(cluster->loop);
    struct feed_cluster_request *list = cluster->parked;
    cluster->parked = NULL;
    cluster->parked_last = &cluster->parked;
    while (list) {
        struct feed_cluster_request *request = list;
        list = request->next;
        if (go_on(request, now_ms))
            continue;
        int64_t due_ms = request->due_ms;
        park(request, 0);
        request->due_ms = due_ms;
    }
}

static void give_up_parked(struct feed_cluster *cluster, int64_t now_ms)
{
    struct feed_cluster_request **link = &cluster->parked;
    while (*link) {
        struct feed_cluster_request *request = *link;
        if (request->due_ms + (request->waiting ? FEED_ROUTE_CONNECT_MS : 0) > now_ms) {
            link = &request->next;
            continue;
        }
        *link = request->next;
        if (!*link)
            cluster->parked_last = link;
        deliver(request, FEED_E_UNAVAILABLE, NULL); /* may park others, at the end */
    }
}

enum feed_error feed_cluster_command(struct feed_cluster *cluster, const struct feed_str *argv, size_t argc,
                                     feed_redis_fn *fn, void *arg)
{
    feed_assert(argc > 0);
    unsigned slot = feed_slot_of(feed_slot_key(argv, argc));
    int owner = feed_topology_owner(&cluster->topology, slot);
    if (owner == FEED_SHARD_NONE || !feed_cluster_shard_up(cluster, owner))
        return FEED_E_UNAVAILABLE;
    if (cluster->in_flight >= cluster->settings.in_flight_max)
        return FEED_E_FULL;
    struct feed_cluster_request *request = malloc(sizeof *request);
    feed_assert(request);
    *request = (struct feed_cluster_request){.cluster = cluster, .fn = fn, .arg = arg, .slot = slot};
    feed_redis_request_set(&request->command, argv, argc);
    enum feed_error error = send_to(request, owner, false);
    if (error != FEED_OK) {
        discard(request);
        return error;
    }
    cluster->in_flight++;
    return FEED_OK;
}

void feed_cluster_moved(struct feed_cluster *cluster, const struct feed_redirect *to)
{
    feed_cluster_refresh(cluster);
    int shard = to ? feed_topology_moved(&cluster->topology, to->slot, &to->to) : FEED_SHARD_NONE;
    if (shard == FEED_SHARD_NONE)
        return;
    join(cluster, shard);
    cluster->topology_fn(cluster->arg);
}

/* ---- life ---- */

static void on_tick(void *arg)
{
    struct feed_cluster *cluster = arg;
    release_parked(cluster);
    give_up_parked(cluster, feed_loop_now_ms(cluster->loop));
    let_go(cluster);
    feed_cluster_discovery_tick(cluster);
}

void feed_cluster_init(struct feed_cluster *cluster, struct feed_loop *loop, const struct feed_redis_settings *settings,
                       const struct feed_redis_address *seeds, size_t seed_count, struct feed_redis_node *discovery)
{
    cluster->loop = loop;
    cluster->settings = *settings;
    cluster->seeds = seeds;
    cluster->seed_count = seed_count;
    cluster->discovery.node = discovery;
    cluster->answering = FEED_SHARD_NONE;
    cluster->parked_last = &cluster->parked;
    feed_topology_init(&cluster->topology);
    cluster->tick = feed_timer_new(loop, on_tick, cluster);
    feed_timer_start(cluster->tick, 0, TICK_MS);
}

void feed_cluster_fini(struct feed_cluster *cluster)
{
    for (int i = 0; i < FEED_SHARDS_MAX; i++)
        feed_redis_node_free(cluster->members[i].node);
    while (cluster->parked) {
        struct feed_cluster_request *request = cluster->parked;
        cluster->parked = request->next;
        deliver(request, FEED_E_UNAVAILABLE, NULL);
    }
    feed_timer_free(cluster->tick);
}
