/* The inside of the service, shared by its files: service.c (life), redis_port.c, kafka_port.c. */
#ifndef FANOUT_SERVICE_STATE_H
#define FANOUT_SERVICE_STATE_H

#include "fanout/engine.h"
#include "fanout/link.h"
#include "fanout/metrics.h"
#include "fanout/options.h"
#include "fanout/progress.h"
#include "shared/http/admin.h"
#include "shared/kafka/consumer.h"
#include "shared/loop/loop.h"
#include "shared/observe/health.h"
#include "shared/observe/log.h"
#include "shared/observe/metrics.h"
#include "shared/redis/client.h"

struct fan_service {
    const struct fan_options *options;
    struct feed_log *log;
    struct feed_loop *loop;
    struct fan_engine *engine;

    struct feed_redis *redis;
    struct fan_link links[FEED_SHARDS_MAX]; /* by shard; of those that are not there, DOWN */
    unsigned shards_ready;                  /* links that are READY */
    struct fan_value *values;               /* owned; the items of the answer that is being handed over */
    size_t values_capacity;

    struct feed_kafka_consumer *consumer;
    struct feed_kafka_producer *producer;
    size_t partitions;

    struct feed_health health;
    unsigned redis_condition, kafka_condition;
    struct feed_metrics *metrics;
    struct fan_counts reported; /* what the counters in metrics have got already */
    struct feed_admin admin;
    struct feed_server *server;

    struct feed_timer *tick_timer, *commit_timer, *log_timer, *progress_timer;
    uint64_t progress_done;
    int64_t progress_ms, started_ms;
    bool stopping;
    int64_t stop_deadline_ms;
};

/* redis_port.c. problem: static text. */
enum feed_error fan_redis_port_open(struct fan_service *service, const char **problem) FEED_MUST_USE;
void fan_redis_port_tick(struct fan_service *service);
enum fan_sent fan_redis_port_send(void *arg, const struct feed_str *argv, size_t argc, struct fan_seat *seat);
/* Whether the shard that owns the command's key can be worked with. */
bool fan_redis_port_ready(const struct fan_service *service, const struct feed_str *argv, size_t argc);
bool fan_redis_port_halted(void *arg, enum fan_trouble trouble, struct feed_str text);

/* kafka_port.c */
enum feed_error fan_kafka_port_open(struct fan_service *service, char *problem, size_t problem_size) FEED_MUST_USE;
enum feed_error fan_kafka_port_post(void *arg, const struct fan_letter *letter, const struct fan_record *record);
void fan_kafka_port_consume(void *arg, bool on);
/* Commits what is finished; wait: before it returns. */
void fan_kafka_port_commit(struct fan_service *service, bool wait);
uint64_t fan_kafka_port_lag(const struct fan_service *service);

/* progress_port.c: says to everybody how far the partitions are. */
void fan_progress_port_publish(struct fan_service *service);
/* How long ago Kafka got the newest record of which, and of everything before it, the feeds have all: of the partition
 * that is furthest behind, in seconds. 0 where nothing waits. */
double fan_progress_port_lag_s(const struct fan_service *service);

#endif
