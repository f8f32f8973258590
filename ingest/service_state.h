/* What the files of the daemon's shell share: service.c (life), requests.c (requests and acknowledgements). */
#ifndef INGEST_SERVICE_STATE_H
#define INGEST_SERVICE_STATE_H

#include "ingest/gate.h"
#include "ingest/limit.h"
#include "ingest/options.h"
#include "shared/http/admin.h"
#include "shared/http/proxies.h"
#include "shared/http/server.h"
#include "shared/loop/loop.h"
#include "shared/observe/health.h"
#include "shared/tenant/tally.h"
#include "shared/tenant/tiers_file.h"

struct feed_log;
struct feed_kafka_producer;
struct feed_redis;
struct feed_auth_files;

struct ing_service {
    const struct ing_options *options;
    struct feed_log *log;
    struct feed_loop *loop;
    struct feed_metrics *metrics;
    struct feed_health health;
    unsigned health_kafka, health_serving;
    struct feed_admin admin;
    struct ing_gate_rules rules;
    struct feed_proxies proxies;
    struct feed_auth_files *auth_files;
    struct feed_kafka_producer *producer;
    struct feed_redis *redis; /* NULL: not open */
    bool claims_required;     /* a request with an Idempotency-Key is refused while Redis is away */
    struct feed_tiers_file *tiers;
    struct ing_buckets *buckets;
    struct feed_tally requests, activities; /* under way, by tenant */
    struct feed_server *server;
    struct feed_timer *health_timer, *drain_timer, *files_timer;
    struct feed_random_pool random;

    size_t waiting;               /* requests whose activities Kafka has not acknowledged yet */
    bool kafka_up;                /* when it was last looked at */
    bool stopping;                /* orderly stop under way: nothing new is taken */
    bool ended;                   /* the loop has stopped: nothing is produced any more */
    unsigned quiet;               /* turns of the drain timer in which nothing was waiting */
    int64_t stop_at;              /* of the loop's clock: the stop's deadline */
    uint64_t connections_refused; /* already counted by the metric */
};

/* requests.c: the callbacks of the listener; arg is the service. */
void ing_on_request(void *arg, struct feed_request *request, const struct feed_http_request *http);
unsigned ing_on_head(void *arg, const struct feed_http_request *head, const char **detail);

#endif
