/* The gateway's side towards Redis: windows and checks over one connection to each shard, notices
 * over another. */
#ifndef GW_REDIS_SIDE_H
#define GW_REDIS_SIDE_H

#include "gateway/hub.h"
#include "gateway/options.h"

struct feed_health;
struct feed_loop;
struct feed_redis;
struct feed_subscriber;

struct gw_redis_side {
    struct gw_hub *hub;
    struct feed_log *log;
    struct feed_metrics *metrics;
    struct feed_health *health;
    int64_t ttl_ms; /* of home feeds */
    char progress_key[FEED_PROGRESS_KEY_MAX + 1];
    unsigned condition; /* in health: there is a connection of both kinds */
    struct feed_redis *client;
    struct feed_subscriber *subscriber;
};

/* hub, log, metrics, health and condition are set. FEED_OK: connects in the background. */
enum feed_error gw_redis_side_start(struct gw_redis_side *side, struct feed_loop *loop,
                                    const struct gw_options *options, const char **problem) FEED_MUST_USE;
/* The hub gets failures for what it waits for. */
void gw_redis_side_stop(struct gw_redis_side *side);
/* Sets the gauges. */
void gw_redis_side_measure(struct gw_redis_side *side);
/* Fills the Redis functions of the port, whose arg is a struct gw_redis_side. */
void gw_redis_side_port(struct gw_port *port);

#endif
