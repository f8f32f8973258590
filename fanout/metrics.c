/* Declares the metrics of feedwire-fanout; the order is that of enum fan_metric. */
#include "fanout/metrics.h"

#include "shared/tenant/tiers_file.h"

#include "shared/http/admin_access.h"

static const char *const record_results[] = {"done", "repeat", "dead_letter", "imported", "forgotten", NULL};
static const char *const write_results[] = {"added", "present", "beyond_cap", "removed", "left_out", "asleep", NULL};
static const char *const retries[] = {"sent", "held", NULL};
static const char *const crossings[] = {"up", "down", NULL};

const struct feed_metric fan_metric_table[] = {
    [FAN_METRIC_SUCCESS] = {.name = "activities_fanout_success_total",
                            .type = FEED_METRIC_COUNTER,
                            .help = "Activities that stand in every feed that they belong to.",
                            .label = "tenant",
                            .label_values = feed_metric_by_tenant},
    [FAN_METRIC_RECORDS] =
        {.name = "fanout_records_total",
         .type = FEED_METRIC_COUNTER,
         .help = "Records finished: done, done again (repeat), with at least one dead letter, follows of an import, or "
                 "forgotten because they name a user who was erased.",
         .label = "result",
         .label_values = record_results},
    [FAN_METRIC_COMMANDS] = {.name = "fanout_commands_total",
                             .type = FEED_METRIC_COUNTER,
                             .help = "Commands about feeds that were worked off, or became dead letters."},
    [FAN_METRIC_PURGES] = {.name = "fanout_users_purged_total",
                           .type = FEED_METRIC_COUNTER,
                           .help = "Purges that were carried out: users of whom nothing is left."},
    [FAN_METRIC_WRITES] = {.name = "fanout_feed_writes_total",
                           .type = FEED_METRIC_COUNTER,
                           .help = "Writes to timelines (outboxes, home feeds, notifications), by what came of them.",
                           .label = "result",
                           .label_values = write_results},
    [FAN_METRIC_REPEATS] = {.name = "fanout_repeats_total",
                            .type = FEED_METRIC_COUNTER,
                            .help = "Activities that stood in their outbox already when they came."},
    [FAN_METRIC_CROSSINGS] = {.name = "fanout_broadcast_crossings_total",
                              .type = FEED_METRIC_COUNTER,
                              .help = "Authors that have become broadcast authors (up), or are such no more (down).",
                              .label = "direction",
                              .label_values = crossings},
    [FAN_METRIC_LETTERS] = {.name = "fanout_dead_letters_total",
                            .type = FEED_METRIC_COUNTER,
                            .help = "Dead letters that Kafka has acknowledged."},
    [FAN_METRIC_RELATIONS] = {.name = "fanout_graph_records_total",
                              .type = FEED_METRIC_COUNTER,
                              .help = "Edges written to the topic graph and acknowledged by Kafka."},
    [FAN_METRIC_RECOVERING] = {.name = "fanout_recovering",
                               .type = FEED_METRIC_GAUGE,
                               .help =
                                   "1 while Redis is empty and the graph is being loaded, by this member or another; "
                                   "else 0."},
    [FAN_METRIC_RECOVERIES] = {.name = "fanout_recoveries_total",
                               .type = FEED_METRIC_COUNTER,
                               .help =
                                   "Times that this member has loaded the graph into an empty Redis, the very first "
                                   "time included."},
    [FAN_METRIC_EDGES_LOADED] = {.name = "fanout_graph_edges_loaded_total",
                                 .type = FEED_METRIC_COUNTER,
                                 .help = "Edges put back into Redis from the topic graph."},
    [FAN_METRIC_REWINDS] = {.name = "fanout_partitions_rewound_total",
                            .type = FEED_METRIC_COUNTER,
                            .help = "Partitions read again from their beginning, because Redis had lost what came of "
                                    "them."},
    [FAN_METRIC_REPLAYS] = {.name = "fanout_partitions_replayed_total",
                            .type = FEED_METRIC_COUNTER,
                            .help = "Partitions of which the newest work was done again, because a server of Redis "
                                    "has begun a new history: a failover, or a restart."},
    [FAN_METRIC_TIERS_RELOADS] = FEED_TIERS_METRIC_RELOADS,
    [FAN_METRIC_LAG] = {.name = "kafka_consumer_lag_records",
                        .type = FEED_METRIC_GAUGE,
                        .help = "Records of this member's partitions that are not finished."},
    [FAN_METRIC_LAG_SECONDS] = {.name = "kafka_consumer_lag_seconds",
                                .type = FEED_METRIC_GAUGE,
                                .help = "How far this member's feeds are behind Kafka, in time: of the partition that "
                                        "is furthest behind; 0 where nothing waits."},
    [FAN_METRIC_IN_FLIGHT_RECORDS] = {.name = "fanout_in_flight_records",
                                      .type = FEED_METRIC_GAUGE,
                                      .help = "Records in hand."},
    [FAN_METRIC_IN_FLIGHT_COMMANDS] = {.name = "fanout_in_flight_commands",
                                       .type = FEED_METRIC_GAUGE,
                                       .help = "Redis commands without an answer."},
    [FAN_METRIC_PARTITIONS] = {.name = "fanout_partitions",
                               .type = FEED_METRIC_GAUGE,
                               .help = "Partitions that this member has."},
    [FAN_METRIC_REDIS_SECONDS] = {.name = "redis_command_seconds",
                                  .type = FEED_METRIC_HISTOGRAM,
                                  .help = "Time from sending a Redis command to its answer.",
                                  .buckets = feed_metric_latency_buckets},
    [FAN_METRIC_REDIS_SHARDS] = {.name = "redis_shards",
                                 .type = FEED_METRIC_GAUGE,
                                 .help = "Masters of the Redis Cluster; 1 for a single server, 0 while unknown."},
    [FAN_METRIC_REDIS_SHARDS_READY] = {.name = "redis_shards_ready",
                                       .type = FEED_METRIC_GAUGE,
                                       .help = "Of these, those that can be written to: connected, functions loaded."},
    [FAN_METRIC_REDIS_SHARDS_ALONE] = {.name = "redis_shards_unreplicated",
                                       .type = FEED_METRIC_GAUGE,
                                       .help = "Shards whose replicas do not take what is written any more, so that "
                                               "commits go on without them."},
    [FAN_METRIC_ADMIN_REFUSED] = FEED_ADMIN_METRIC_REFUSED,
    [FAN_METRIC_RETRIES] = {.name = "redis_retries_total",
                            .type = FEED_METRIC_COUNTER,
                            .help = "Commands that were sent again after a failure, and times that one was held back, "
                                    "because enough were (redis.retry_percent).",
                            .label = "result",
                            .label_values = retries},
    [FAN_METRIC_CONNECTS] = {.name = "redis_connects_total",
                             .type = FEED_METRIC_COUNTER,
                             .help = "Attempts to connect to a server of Redis."},
    [FAN_METRIC_LOOP_LAG] = {.name = "loop_lag_seconds",
                             .type = FEED_METRIC_GAUGE,
                             .help = "How late the event loop's timers were at most since the last scrape."},
    [FAN_METRIC_START_TIME] = {.name = "process_start_time_seconds",
                               .type = FEED_METRIC_GAUGE,
                               .help = "When the process started, in seconds since the Unix epoch."},
    [FAN_METRIC_COUNT] = {.name = NULL},
};
