/* Declares feedctl's options; --help and docs/reference/feedctl.md come from these rows. */
#include "feedctl/options.h"

#define FIELD(name) offsetof(struct ctl_options, name)

const char ctl_summary[] =
    "shows what Feedwire holds and how far it is.\n\n"
    "  feedctl feed show USER    the newest entries of a user's feed (--feed, --limit)\n"
    "  feedctl followers USER    who follows the user, and since when\n"
    "  feedctl wake USER..       makes home feeds that sleep; - reads users from stdin, one a line\n"
    "  feedctl rebuild USER..    brings back what is missing in home feeds, from the outboxes; - as for wake;\n"
    "                            without USER all feeds of --tenant that are awake; with --from, --to what\n"
    "                            Kafka got between the two, once more (--rate)\n"
    "  feedctl import FILE       takes over a follow graph: lines of {\"actor\", \"object\", \"since\"} or\n"
    "                            actor,object,since; - for stdin; without FILE from --topic\n"
    "  feedctl purge USER        erases a user everywhere (--yes); --status: how far it is\n"
    "  feedctl lag               how far the fan-out is behind, by partition\n"
    "  feedctl dlq list          the newest dead letters, with the reason of each (--limit)\n"
    "  feedctl key new NAME      makes an API key for a service, e.g. service:shop (--tenant, --scope, --days)";

const struct feed_option ctl_option_table[] = {
    {"tenant", FEED_OPTION_TEXT, FIELD(tenant), "", "demo", 1, 32, "The tenant whose users are meant."},
    {"feed", FEED_OPTION_TEXT, FIELD(feed), "", "home", 1, 32, "For `feed show`: home, notifications or outbox."},
    {"limit", FEED_OPTION_INTEGER, FIELD(limit), "entries", "50", 1, 10000,
     "How many entries, followers or dead letters to show; a feed has at most 100."},
    {"json", FEED_OPTION_BOOLEAN, FIELD(json), "", "false", 0, 0, "Print JSON instead of text."},
    {"topic", FEED_OPTION_TEXT, FIELD(topic), "", "", 0, 249,
     "For `import` without a FILE: the topic whose records are like the lines of a file."},
    {"format", FEED_OPTION_TEXT, FIELD(format), "", "auto", 1, 16,
     "For `import`: ndjson, csv, or auto: as the first line looks."},
    {"since", FEED_OPTION_TEXT, FIELD(since), "", "", 0, 64,
     "For `import`: since when those follow who have no time of their own; RFC 3339. Empty: now."},
    {"max_errors", FEED_OPTION_INTEGER, FIELD(max_errors), "lines", "0", 0, INT64_MAX,
     "For `import`: how many bad lines are told and left out; with one more it stops."},
    {"rate", FEED_OPTION_INTEGER, FIELD(rate), "commands/s", "500", 1, 1000000,
     "For `rebuild` of a tenant or from the log: how many feeds or activities in a second."},
    {"from", FEED_OPTION_TEXT, FIELD(from), "", "", 0, 64,
     "For `rebuild` from the log: since when Kafka got what is worked off once more; RFC 3339."},
    {"to", FEED_OPTION_TEXT, FIELD(to), "", "", 0, 64, "For `rebuild` from the log: until when; empty: now."},
    {"yes", FEED_OPTION_BOOLEAN, FIELD(yes), "", "false", 0, 0, "For `purge`: do not ask."},
    {"status", FEED_OPTION_BOOLEAN, FIELD(status), "", "false", 0, 0,
     "For `purge`: do nothing, and say how far the last purge of this user is."},
    {"scope", FEED_OPTION_TEXT, FIELD(scope), "", "publish", 1, 64,
     "For `key new`: what the key allows, of publish and read, with commas between."},
    {"days", FEED_OPTION_INTEGER, FIELD(days), "days", "0", 0, 36500,
     "For `key new`: how long the key is good; 0: until its line is taken out of the file."},
    {"redis.url", FEED_OPTION_URL, FIELD(redis_url), "", "redis://127.0.0.1:6379", 1, 1024,
     "Where Redis is: redis://[user:password@]host[:port][/db]; of a cluster one server, or several: "
     "host[:port],host[:port].."},
    {"redis.password_file", FEED_OPTION_SECRET_FILE, FIELD(redis_password), "", NULL, 0, 0,
     "A file with the password of Redis."},
    {"kafka.brokers", FEED_OPTION_TEXT, FIELD(kafka_brokers), "", "127.0.0.1:9092", 1, 4096,
     "Where Kafka is: host:port, several with commas."},
    {"kafka.properties", FEED_OPTION_TEXT, FIELD(kafka_properties), "", "", 0, 0,
     "Further librdkafka properties, name=value with semicolons between."},
    {"kafka.topic", FEED_OPTION_TEXT, FIELD(kafka_topic), "", "activities", 1, 249, "The topic with the activities."},
    {"kafka.dlq_topic", FEED_OPTION_TEXT, FIELD(kafka_dlq_topic), "", "activities.dlq", 1, 249,
     "The topic with the dead letters."},
    {"kafka.commands_topic", FEED_OPTION_TEXT, FIELD(kafka_commands_topic), "", "feed.commands", 1, 249,
     "The topic with the commands about feeds."},
    {"kafka.group", FEED_OPTION_TEXT, FIELD(kafka_group), "", "feedwire-fanout", 1, 249,
     "The consumer group of the fan-out."},
    {"timeout_ms", FEED_OPTION_INTEGER, FIELD(timeout_ms), "ms", "10000", 100, 600000,
     "How long to wait for Redis or Kafka before giving up."},
    {.name = NULL},
};
