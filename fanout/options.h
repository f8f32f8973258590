/* The options of feedwire-fanout. */
#ifndef FANOUT_OPTIONS_H
#define FANOUT_OPTIONS_H

#include "shared/config/options.h"

struct fan_options {
    char *admin_address;
    int64_t admin_port;
    char *admin_token;
    char *log_level;
    char *kafka_brokers, *kafka_topic, *kafka_dlq_topic, *kafka_graph_topic, *kafka_commands_topic, *kafka_group,
        *kafka_instance;
    char *kafka_properties;
    char *redis_url, *redis_password;
    int64_t commit_interval_ms, replica_wait_ms, replay_window_ms;
    int64_t feed_cap, feed_ttl_s, page_followers;
    int64_t broadcast_threshold, broadcast_return_percent;
    bool home_own;
    int64_t records_max, records_kbytes_max, commands_max, retry_percent, in_flight_percent;
    char *tiers_file;
    int64_t stop_timeout_ms;
};

extern const struct feed_option fan_option_table[];
extern const char fan_summary[];

#endif
