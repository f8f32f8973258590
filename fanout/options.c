/* Declares the options of feedwire-fanout; --help and docs/reference/feedwire-fanout.md come from these rows. */
#include "fanout/options.h"

#include "shared/tenant/tiers_file.h"

#include "shared/http/admin_access.h"

#define FIELD(name) offsetof(struct fan_options, name)

const char fan_summary[] = "takes activities from Kafka and writes the feeds of those whom they concern into Redis.";

const struct feed_option fan_option_table[] = {
    {"admin.address", FEED_OPTION_TEXT, FIELD(admin_address), "", "127.0.0.1", 1, 64,
     "Where /livez, /readyz and /metrics are served."},
    {"admin.port", FEED_OPTION_INTEGER, FIELD(admin_port), "", "8083", 0, 65535,
     "Port of the admin address; 0 takes any free one and logs it."},
    FEED_ADMIN_TOKEN_ROW(FIELD(admin_token)),
    {"log.level", FEED_OPTION_TEXT, FIELD(log_level), "", "info", 1, 8,
     "The least important lines that are written: debug, info, warn or error."},
    {"kafka.brokers", FEED_OPTION_TEXT, FIELD(kafka_brokers), "", "127.0.0.1:9092", 1, 4096,
     "Where Kafka is: host:port, several with commas."},
    {"kafka.topic", FEED_OPTION_TEXT, FIELD(kafka_topic), "", "activities", 1, 249, "The topic with the activities."},
    {"kafka.dlq_topic", FEED_OPTION_TEXT, FIELD(kafka_dlq_topic), "", "activities.dlq", 1, 249,
     "The topic that gets records which can never be worked off."},
    {"kafka.graph_topic", FEED_OPTION_TEXT, FIELD(kafka_graph_topic), "", "graph", 1, 249,
     "The compacted topic with the follow graph; from it the graph is loaded when Redis has lost everything."},
    {"kafka.commands_topic", FEED_OPTION_TEXT, FIELD(kafka_commands_topic), "", "feed.commands", 1, 249,
     "The topic with the commands about users: wake, rebuild, purge; worked off by the group with `-commands` behind "
     "its "
     "name."},
    {"kafka.group", FEED_OPTION_TEXT, FIELD(kafka_group), "", "feedwire-fanout", 1, 249,
     "The consumer group; its members share the partitions."},
    {"kafka.instance", FEED_OPTION_TEXT, FIELD(kafka_instance), "", "", 0, 249,
     "A name for this member that outlives restarts, so that a short one moves no partitions; empty: none."},
    {"kafka.properties", FEED_OPTION_TEXT, FIELD(kafka_properties), "", "", 0, 0,
     "Further librdkafka properties, name=value with semicolons between."},
    {"redis.url", FEED_OPTION_URL, FIELD(redis_url), "", "redis://127.0.0.1:6379", 1, 1024,
     "Where Redis is: redis://[user:password@]host[:port][/db]; of a cluster one server, or several: "
     "host[:port],host[:port].."},
    {"redis.password_file", FEED_OPTION_SECRET_FILE, FIELD(redis_password), "", NULL, 0, 0,
     "A file with the password of Redis."},
    {"commit.interval_ms", FEED_OPTION_INTEGER, FIELD(commit_interval_ms), "ms", "1000", 10, 3600000,
     "How often finished positions are committed; after a crash, what was finished since is done again."},
    {"redis.replica_wait_ms", FEED_OPTION_INTEGER, FIELD(replica_wait_ms), "ms", "10000", 0, 3600000,
     "Where a shard of Redis has replicas, a position is committed only when one of them has everything before it. "
     "When "
     "none gets there within this time, commits go on without, and what was not seen stays within what a failover "
     "makes done again; 0: no waiting at all."},
    {"fanout.replay_window_ms", FEED_OPTION_INTEGER, FIELD(replay_window_ms), "ms", "60000", 1000, 86400000,
     "When a replica has taken the place of a master, or a server has started again, this much work is done again."},
    {"feed.cap", FEED_OPTION_INTEGER, FIELD(feed_cap), "entries", "100", 1, 1000,
     "How many of its newest entries a timeline keeps; clients get at most 100. The same on all members."},
    {"feed.ttl_s", FEED_OPTION_INTEGER, FIELD(feed_ttl_s), "s", "2592000", 0, 315360000,
     "A home feed that nobody has read for so long sleeps: it is not in Redis, and costs nothing until its user comes "
     "back. 0: feeds do not sleep, and the first write makes them. The same on all members and gateways."},
    {"home.own", FEED_OPTION_BOOLEAN, FIELD(home_own), "", "false", 0, 0,
     "Whether what somebody does stands in their own home feed as well."},
    {"fanout.page_followers", FEED_OPTION_INTEGER, FIELD(page_followers), "followers", "10000", 1, 1000000,
     "A page of an author's followers with more of them is split in two, each in a slot of its own."},
    {"fanout.broadcast_threshold", FEED_OPTION_INTEGER, FIELD(broadcast_threshold), "followers", "50000", 0, 1000000000,
     "What an author with so many followers does is not copied into feeds any more, but merged by the gateways from "
     "the outbox; 0: it is always copied. The same on all members."},
    {"fanout.broadcast_return_percent", FEED_OPTION_INTEGER, FIELD(broadcast_return_percent), "%", "80", 0, 100,
     "With fewer followers than this share of the threshold, it is copied again. The same on all members."},
    {"fanout.records_max", FEED_OPTION_INTEGER, FIELD(records_max), "records", "1024", 1, 1000000,
     "Records in hand at the same time; beyond it, consumption pauses until half of them are finished."},
    {"fanout.records_kbytes_max", FEED_OPTION_INTEGER, FIELD(records_kbytes_max), "KiB", "65536", 1, 16777216,
     "The same for the size of the records in hand."},
    {"limit.in_flight_percent", FEED_OPTION_INTEGER, FIELD(in_flight_percent), "%", "100", 1, 100,
     "How much of fanout.commands_max one tenant may have under way, where its tier does not say it."},
    FEED_TIERS_OPTION_ROW(FIELD(tiers_file)),
    {"fanout.commands_max", FEED_OPTION_INTEGER, FIELD(commands_max), "commands", "4096", 1, 1000000,
     "Redis commands under way at the same time."},
    {"redis.retry_percent", FEED_OPTION_INTEGER, FIELD(retry_percent), "%", "10", 0, 100,
     "How many commands may be sent again, as a share of those that are sent for the first time, of each shard; "
     "besides, "
     "100 a second, and fanout.commands_max at once where none was for long. What is beyond waits."},
    {"stop.timeout_ms", FEED_OPTION_INTEGER, FIELD(stop_timeout_ms), "ms", "10000", 0, 600000,
     "How long an orderly stop waits for the records in hand; what is left is done again by whoever gets the "
     "partition."},
    {.name = NULL},
};
