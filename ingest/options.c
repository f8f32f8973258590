/* Declares the options of feedwire-ingest; --help and docs/reference/feedwire-ingest.md come from these rows. */
#include "ingest/options.h"

#include "shared/base/limits.h"
#include "shared/http/admin_access.h"
#include "shared/tenant/tiers_file.h"

#define FIELD(name) offsetof(struct ing_options, name)

const char ing_summary[] = "takes activities over HTTP and answers once Kafka has them.";

const struct feed_option ing_option_table[] = {
    {"http.address", FEED_OPTION_TEXT, FIELD(http_address), "", "127.0.0.1", 1, 64,
     "Address on which activities are taken; 0.0.0.0 or :: for all."},
    {"http.port", FEED_OPTION_INTEGER, FIELD(http_port), "", "8080", 0, 65535,
     "Port of that address; 0 takes any free one and logs it."},
    {"http.allowed_origins", FEED_OPTION_TEXT, FIELD(http_allowed_origins), "", "", 0, 4096,
     "Web pages of these origins may post (http://localhost:8000, several with commas); any other Origin gets 403."},
    {"http.connections_max", FEED_OPTION_INTEGER, FIELD(http_connections_max), "connections", "512", 1, 100000,
     "Connections at the same time, each of which may hold a body of 1 MiB; further ones are closed at once."},
    FEED_PROXIES_OPTION_ROWS(FIELD(proxies)),
    {"admin.address", FEED_OPTION_TEXT, FIELD(admin_address), "", "127.0.0.1", 1, 64,
     "Where /livez, /readyz and /metrics are served."},
    {"admin.port", FEED_OPTION_INTEGER, FIELD(admin_port), "", "8081", 0, 65535,
     "Port of the admin address; 0 takes any free one and logs it."},
    FEED_ADMIN_TOKEN_ROW(FIELD(admin_token)),
    {"log.level", FEED_OPTION_TEXT, FIELD(log_level), "", "info", 1, 8,
     "The least important lines that are written: debug, info, warn or error."},
    {"kafka.brokers", FEED_OPTION_TEXT, FIELD(kafka_brokers), "", "127.0.0.1:9092", 1, 4096,
     "Where Kafka is: host:port, several with commas."},
    {"kafka.topic", FEED_OPTION_TEXT, FIELD(kafka_topic), "", "activities", 1, 249, "The topic for the activities."},
    {"kafka.properties", FEED_OPTION_TEXT, FIELD(kafka_properties), "", "", 0, 0,
     "Further librdkafka properties, name=value with semicolons between."},
    {"kafka.delivery_timeout_ms", FEED_OPTION_INTEGER, FIELD(kafka_delivery_timeout_ms), "ms", "10000", 1000, 300000,
     "How long Kafka may take to acknowledge an activity; then the request is answered with 503."},
    {"kafka.queue_records_max", FEED_OPTION_INTEGER, FIELD(kafka_queue_records_max), "records", "100000",
     FEED_BATCH_MAX, 10000000,
     "Activities that wait for Kafka's acknowledgement; a request that does not fit any more is answered with 503."},
    {"kafka.queue_kbytes_max", FEED_OPTION_INTEGER, FIELD(kafka_queue_kbytes_max), "KiB", "262144", 1024, 2097151,
     "The same for their size."},
    {"redis.url", FEED_OPTION_URL, FIELD(redis_url), "", "redis://127.0.0.1:6379", 1, 1024,
     "The Redis that keeps idempotency keys and counts for rate limits: redis://[user:password@]host[:port][/db]; of a "
     "cluster one server, or "
     "several: host[:port],host[:port].. Requests without a key do not need it."},
    {"redis.password_file", FEED_OPTION_SECRET_FILE, FIELD(redis_password), "", NULL, 0, 0,
     "A file with the password of Redis."},
    {"idempotency.redis_away", FEED_OPTION_TEXT, FIELD(idempotency_redis_away), "", "refuse", 1, 8,
     "What becomes of a request with an Idempotency-Key while Redis is away: refuse (503) or accept, as if it had "
     "none; "
     "then one that is sent again may be doubled."},
    {"idempotency.ttl_s", FEED_OPTION_INTEGER, FIELD(idempotency_ttl_s), "s", "86400", 60, 604800,
     "How long a key is remembered, from its first request."},
    {"idempotency.lease_ms", FEED_OPTION_INTEGER, FIELD(idempotency_lease_ms), "ms", "3000", 300, 60000,
     "How long a key stays taken (409) after an instance died that worked on it; renewed while it works."},
    {"limit.tenant_per_s", FEED_OPTION_INTEGER, FIELD(limit_tenant_per_s), "1/s", "0", 0, 1000000,
     "How many of one tenant's activities are taken in a second over time, by all instances together; 429 beyond. 0: "
     "no limit."},
    {"limit.tenant_burst", FEED_OPTION_INTEGER, FIELD(limit_tenant_burst), "activities", "1000", 1, 10000000,
     "How many of them may come at once after a pause."},
    {"limit.subject_per_s", FEED_OPTION_INTEGER, FIELD(limit_subject_per_s), "1/s", "0", 0, 1000000,
     "How many of activities sent with tokens of one sub are taken in a second over time, by all instances together; "
     "429 beyond. 0: no limit."},
    {"limit.subject_burst", FEED_OPTION_INTEGER, FIELD(limit_subject_burst), "activities", "1000", 1, 10000000,
     "How many of them may come at once after a pause."},
    {"limit.actor_per_s", FEED_OPTION_INTEGER, FIELD(limit_actor_per_s), "1/s", "0", 0, 1000000,
     "How many of one actor's activities are taken in a second over time, by all instances together; 429 beyond. 0: no "
     "limit."},
    {"limit.actor_burst", FEED_OPTION_INTEGER, FIELD(limit_actor_burst), "activities", "1000", 1, 10000000,
     "How many of them may come at once after a pause."},
    {"limit.instances", FEED_OPTION_INTEGER, FIELD(limit_instances), "instances", "1", 1, 1000,
     "Among how many instances the limits are divided while Redis is away, since each then counts for itself."},
    {"limit.in_flight_percent", FEED_OPTION_INTEGER, FIELD(limit_in_flight_percent), "%", "100", 1, 100,
     "How much of http.connections_max and of kafka.queue_records_max one tenant may have under way; 429 beyond."},
    FEED_TIERS_OPTION_ROW(FIELD(tiers_file)),
    FEED_AUTH_OPTION_ROWS(FIELD(auth)),
    {.name = NULL},
};
