/* The options of feedwire-ingest. */
#ifndef INGEST_OPTIONS_H
#define INGEST_OPTIONS_H

#include "shared/auth/options.h"
#include "shared/http/proxies_options.h"

struct ing_options {
    char *http_address;
    int64_t http_port;
    char *http_allowed_origins;
    int64_t http_connections_max;
    struct feed_proxies_options proxies;
    char *admin_address;
    int64_t admin_port;
    char *admin_token;
    char *log_level;
    char *kafka_brokers, *kafka_topic, *kafka_properties;
    int64_t kafka_delivery_timeout_ms;
    int64_t kafka_queue_records_max, kafka_queue_kbytes_max;
    char *redis_url, *redis_password;
    char *idempotency_redis_away;
    int64_t idempotency_ttl_s, idempotency_lease_ms;
    int64_t limit_tenant_per_s, limit_tenant_burst, limit_subject_per_s, limit_subject_burst;
    int64_t limit_actor_per_s, limit_actor_burst, limit_instances;
    int64_t limit_in_flight_percent;
    char *tiers_file;
    struct feed_auth_options auth;
};

extern const struct feed_option ing_option_table[];
extern const char ing_summary[];

#endif
