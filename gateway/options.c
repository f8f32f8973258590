/* The gateway's options, a row each. */
#include "gateway/options.h"

#include "shared/base/limits.h"
#include "shared/http/admin_access.h"
#include "shared/tenant/tiers_file.h"

#define FIELD(name) offsetof(struct gw_options, name)

const struct feed_option gw_options_table[] = {
    {"http.address", FEED_OPTION_TEXT, FIELD(http_address), "", "127.0.0.1", 1, 64,
     "Address on which clients are served; 0.0.0.0 or :: for all."},
    {"http.port", FEED_OPTION_INTEGER, FIELD(http_port), "", "8084", 0, 65535, "Port for clients; 0 picks a free one."},
    {"http.allowed_origins", FEED_OPTION_TEXT, FIELD(http_allowed_origins), "", "", 0, 0,
     "Origins whose pages may connect, separated by commas, compared exactly; clients that send no Origin always may."},
    {"http.connections_max", FEED_OPTION_INTEGER, FIELD(http_connections_max), "", "15000", 1, 1000000,
     "Connections at the same time; more are closed at once and counted. The admin port has some of its own."},
    FEED_PROXIES_OPTION_ROWS(FIELD(proxies)),
    {"limit.address_connections", FEED_OPTION_INTEGER, FIELD(limit_address_connections), "", "0", 0, 1000000,
     "WebSockets of one address (of one /64 of IPv6); the handshake of a further one is answered with 429. 0: no "
     "limit."},
    {"limit.unauthenticated_percent", FEED_OPTION_INTEGER, FIELD(limit_unauthenticated_percent), "%", "80", 1, 100,
     "How much of http.connections_max connections may have that have not said hello with a good token; further ones "
     "are closed at once."},
    {"limit.address_unauthenticated", FEED_OPTION_INTEGER, FIELD(limit_address_unauthenticated), "", "0", 0, 1000000,
     "How many such connections one address may have. 0: no limit."},
    {"limit.tenant_connections", FEED_OPTION_INTEGER, FIELD(limit_tenant_connections), "", "0", 0, 1000000,
     "WebSockets of one tenant, where its tier does not say it; a further one is closed with 4029. 0: no limit."},
    {"limit.user_connections", FEED_OPTION_INTEGER, FIELD(limit_user_connections), "", "0", 0, 1000000,
     "WebSockets of one user, where the tier does not say it; a further one is closed with 4030. 0: no limit."},
    FEED_TIERS_OPTION_ROW(FIELD(tiers_file)),
    {"admin.address", FEED_OPTION_TEXT, FIELD(admin_address), "", "127.0.0.1", 1, 64,
     "Address of the admin port (/livez, /readyz, /metrics)."},
    {"admin.port", FEED_OPTION_INTEGER, FIELD(admin_port), "", "8085", 0, 65535, "Admin port; 0 picks a free one."},
    FEED_ADMIN_TOKEN_ROW(FIELD(admin_token)),
    {"redis.url", FEED_OPTION_URL, FIELD(redis_url), "", "redis://127.0.0.1:6379", 1, 1024,
     "The Redis that holds the feeds: redis://[user:password@]host[:port][/db]; of a cluster one server, or several: "
     "host[:port],host[:port].."},
    {"redis.password_file", FEED_OPTION_SECRET_FILE, FIELD(redis_password), "", NULL, 0, 0,
     "File with the password for Redis; overrides one in the URL."},
    {"kafka.brokers", FEED_OPTION_TEXT, FIELD(kafka_brokers), "", "127.0.0.1:9092", 1, 4096,
     "Where Kafka is: host:port, several with commas. Only commands go there, that wake feeds."},
    {"kafka.topic", FEED_OPTION_TEXT, FIELD(kafka_topic), "", "activities", 1, 249,
     "The topic with the activities, the same as that of the fan-out. It is not read here: the fan-out says how far it "
     "is "
     "under this name."},
    {"kafka.commands_topic", FEED_OPTION_TEXT, FIELD(kafka_commands_topic), "", "feed.commands", 1, 249,
     "The topic with the commands about feeds."},
    {"kafka.properties", FEED_OPTION_TEXT, FIELD(kafka_properties), "", "", 0, 0,
     "Further librdkafka properties, name=value with semicolons between."},
    {"feed.ttl_s", FEED_OPTION_INTEGER, FIELD(feed_ttl_s), "s", "2592000", 0, 315360000,
     "A home feed that nobody has read for so long sleeps, and is woken when its user connects. 0: feeds do not sleep, "
     "and Kafka is not used. The same as that of the fan-out."},
    FEED_AUTH_OPTION_ROWS(FIELD(auth)),
    {"heartbeat_ms", FEED_OPTION_INTEGER, FIELD(heartbeat_ms), "ms", "25000", 1000, 3600000,
     "How often a client is told the positions of its feeds."},
    {"check_interval_ms", FEED_OPTION_INTEGER, FIELD(check_interval_ms), "ms", "5000", 100, 3600000,
     "How often a feed's position is compared with Redis, which finds a lost notice that no other followed."},
    {"stale_after_ms", FEED_OPTION_INTEGER, FIELD(stale_after_ms), "ms", "5000", 0, 3600000,
     "Clients are told that their feeds are behind when the fan-out is by more than this in any partition, or nothing "
     "was "
     "heard of it, or Redis was away for so long; at least 3000, because the fan-out speaks once a second. 0: they are "
     "not told."},
    {"queue.bytes_max", FEED_OPTION_INTEGER, FIELD(queue_bytes_max), "bytes", "65536", 1024, 16777216,
     "Messages that may wait for one connection; when there are more, changes of feeds are dropped for a window "
     "later."},
    {"log.level", FEED_OPTION_TEXT, FIELD(log_level), "", "info", 1, 8, "debug, info, warn or error."},
    {0},
};
