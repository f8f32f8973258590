/* The gateway's options; filled once, then read only. */
#ifndef GW_OPTIONS_H
#define GW_OPTIONS_H

#include "shared/auth/options.h"
#include "shared/http/proxies_options.h"

struct gw_options {
    char *http_address;
    int64_t http_port;
    char *http_allowed_origins;
    int64_t http_connections_max;
    struct feed_proxies_options proxies;
    int64_t limit_address_connections, limit_unauthenticated_percent, limit_address_unauthenticated;
    int64_t limit_tenant_connections, limit_user_connections;
    char *tiers_file;
    char *admin_address;
    int64_t admin_port;
    char *admin_token;
    char *redis_url, *redis_password;
    char *kafka_brokers, *kafka_properties, *kafka_topic, *kafka_commands_topic;
    int64_t feed_ttl_s;
    struct feed_auth_options auth;
    int64_t heartbeat_ms;
    int64_t check_interval_ms;
    int64_t stale_after_ms;
    int64_t queue_bytes_max;
    char *log_level;
};

extern const struct feed_option gw_options_table[];

#endif
