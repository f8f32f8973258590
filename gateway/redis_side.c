/* Turns the hub's wishes into Redis commands and the answers into events. The answers come from outside, so their form
 * is checked before anything is taken from them. */
#include "gateway/redis_side.h"

#include "gateway/metrics.h"
#include "shared/base/assert.h"
#include "shared/model/names.h"
#include "shared/observe/health.h"
#include "shared/observe/log.h"
#include "shared/redis/subscriber.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    COMMANDS_MAX = 4096, /* checks and windows without an answer */
    CONNECT_TIMEOUT_MS = 2000,
    COMMAND_TIMEOUT_MS = 4000 /* below GW_READ_TIMEOUT_MS, so that a hello sees a second try */
};

/* ---- state ---- */

static void show_health(struct gw_redis_side *side)
{
    bool commands = side->client && feed_redis_up(side->client);
    bool notices = side->subscriber && feed_subscriber_up(side->subscriber);
    const char *reason = !commands ? "no connection for commands" : !notices ? "no connection for notices" : NULL;
    feed_health_set(side->health, side->condition, commands && notices, reason);
}

static void log_state(struct gw_redis_side *side, const char *connection, int shard, bool up, const char *reason)
{
    struct feed_redis_address address = {.host = ""};
    bool known = shard != FEED_SHARD_NONE && feed_redis_shard(side->client, shard, &address);
    FEED_LOG(side->log, up ? FEED_LOG_INFO : FEED_LOG_WARN, up ? "redis_connected" : "redis_disconnected", NULL,
             FEED_LOG_TEXT("connection", feed_str_of(connection)), FEED_LOG_TEXT("host", feed_str_of(address.host)),
             FEED_LOG_NUMBER("port", known ? address.port : 0), FEED_LOG_TEXT("reason", feed_str_of(reason)));
    show_health(side);
}

static void on_client_state(void *arg, int shard, bool up, const char *reason)
{
    log_state(arg, "commands", shard, up, reason);
}

static void on_subscriber_state(void *arg, int shard, bool up, const char *reason)
{
    log_state(arg, "notices", shard, up, reason);
}

static void on_lost(void *arg, struct feed_str channel)
{
    struct gw_redis_side *side = arg;
    gw_hub_unsubscribed(side->hub, channel);
}

static void on_confirmed(void *arg, struct feed_str channel)
{
    struct gw_redis_side *side = arg;
    gw_hub_confirmed(side->hub, channel);
}

static void on_notice(void *arg, struct feed_str channel, struct feed_str payload)
{
    struct gw_redis_side *side = arg;
    if (feed_str_eq(channel, feed_str_of(side->progress_key)))
        gw_hub_progress(side->hub, payload);
    else
        gw_hub_notice(side->hub, channel, payload);
}

static void on_latency(void *arg, double seconds)
{
    struct gw_redis_side *side = arg;
    feed_metrics_observe(side->metrics, GW_M_REDIS_SECONDS, 0, seconds);
}

/* ---- windows and checks ---- */

/* f:{tenant/user} with another letter: all keys of a user have the same form. */
static struct feed_str sibling(const struct gw_feed *feed, char letter, char out[FEED_KEY_MAX + 1])
{
    feed_assert(feed->key_len <= FEED_KEY_MAX);
    memcpy(out, feed->key, feed->key_len);
    out[0] = letter;
    return (struct feed_str){out, feed->key_len};
}

/* feedwire_v1_window N KEY [BROADCASTS SETTINGS] LIMIT [EPOCH SEQ [merged]] */
static enum feed_error call_window(struct gw_redis_side *side, struct gw_feed *feed, unsigned limit,
                                   const struct feed_position *known, feed_redis_fn *fn)
{
    char limit_text[12], seq_text[24], broadcasts[FEED_KEY_MAX + 1], settings[FEED_KEY_MAX + 1];
    snprintf(limit_text, sizeof limit_text, "%u", limit);
    bool merged = feed->timeline == FEED_TIMELINE_HOME && limit > 0;
    struct feed_str argv[10] = {FEED_STR("FCALL_RO"), FEED_STR("feedwire_v1_window"),
                                merged ? FEED_STR("3") : FEED_STR("1"), gw_feed_key(feed)};
    size_t argc = 4;
    if (merged) {
        argv[argc++] = sibling(feed, 'b', broadcasts);
        argv[argc++] = sibling(feed, 'm', settings);
    }
    argv[argc++] = feed_str_of(limit_text);
    if (known) {
        snprintf(seq_text, sizeof seq_text, "%llu", (unsigned long long)known->seq);
        size_t epoch_len = gw_position_none(known) ? 0 : FEED_EPOCH_BYTES; /* no timeline: the function says '' */
        argv[argc++] = (struct feed_str){(const char *)known->epoch, epoch_len};
        argv[argc++] = feed_str_of(seq_text);
        if (!feed_seen_none(&known->seen))
            argv[argc++] = FEED_STR("merged");
    }
    return feed_redis_command(side->client, argv, argc, fn, feed);
}

static bool read_position(const struct feed_reply *reply, struct feed_position *out)
{
    if (feed_reply_type(reply) != FEED_REPLY_ARRAY || feed_reply_count(reply) < 2)
        return false;
    struct feed_str epoch = feed_reply_str(feed_reply_at(reply, 0));
    int64_t seq = feed_reply_int(feed_reply_at(reply, 1));
    if ((epoch.len != 0 && epoch.len != FEED_EPOCH_BYTES) || seq < 0)
        return false;
    memset(out, 0, sizeof *out);
    if (epoch.len)
        memcpy(out->epoch, epoch.data, FEED_EPOCH_BYTES);
    out->seq = (uint64_t)seq;
    return true;
}

/* The list [entry, published ms, ..]; more than the cap is not asked for. */
static bool read_items(const struct feed_reply *list, struct gw_item items[FEED_CAP], size_t *count)
{
    size_t n = feed_reply_count(list);
    if (feed_reply_type(list) != FEED_REPLY_ARRAY || n % 2 != 0 || n / 2 > FEED_CAP)
        return false;
    for (size_t i = 0; i < n / 2; i++) {
        const struct feed_reply *entry = feed_reply_at(list, 2 * i);
        if (feed_reply_type(entry) != FEED_REPLY_STRING)
            return false;
        items[i] = (struct gw_item){feed_reply_int(feed_reply_at(list, 2 * i + 1)), feed_reply_str(entry)};
    }
    *count = n / 2;
    return true;
}

/* feedwire_v1_outbox KEY LIMIT */
static enum feed_error call_outbox(struct gw_redis_side *side, struct gw_feed *feed, unsigned limit, feed_redis_fn *fn)
{
    char limit_text[12];
    snprintf(limit_text, sizeof limit_text, "%u", limit);
    struct feed_str argv[5] = {FEED_STR("FCALL_RO"), FEED_STR("feedwire_v1_outbox"), FEED_STR("1"), gw_feed_key(feed),
                               feed_str_of(limit_text)};
    return feed_redis_command(side->client, argv, 5, fn, feed);
}

static bool read_ms(const struct feed_reply *reply, int64_t *out)
{
    uint64_t ms;
    if (feed_str_to_u64(feed_reply_str(reply), INT64_MAX, &ms) != FEED_OK)
        return false;
    *out = (int64_t)ms;
    return true;
}

/* A list of (text, ms, ms), of which there are at most `max`. */
static bool triples(const struct feed_reply *list, size_t max, size_t *count)
{
    size_t n = feed_reply_count(list);
    *count = n / 3;
    return feed_reply_type(list) == FEED_REPLY_ARRAY && n % 3 == 0 && n / 3 <= max;
}

static bool read_followees(const struct feed_reply *list, struct gw_followee out[FEED_SOURCES_MAX], size_t *count)
{
    if (!triples(list, FEED_SOURCES_MAX, count))
        return false;
    for (size_t i = 0; i < *count; i++) {
        out[i].author = feed_reply_str(feed_reply_at(list, 3 * i));
        if (!feed_user_valid(out[i].author) || !read_ms(feed_reply_at(list, 3 * i + 1), &out[i].since_ms) ||
            !read_ms(feed_reply_at(list, 3 * i + 2), &out[i].visible_from_ms))
            return false;
    }
    return true;
}

static bool read_verbs(const struct feed_reply *list, struct feed_verb_rule out[FEED_VERB_RULES_MAX], size_t *count)
{
    if (!triples(list, FEED_VERB_RULES_MAX, count))
        return false;
    for (size_t i = 0; i < *count; i++) {
        out[i].verb = feed_reply_str(feed_reply_at(list, 3 * i));
        if (!read_ms(feed_reply_at(list, 3 * i + 1), &out[i].from_ms) ||
            !read_ms(feed_reply_at(list, 3 * i + 2), &out[i].until_ms))
            return false;
    }
    return true;
}

static void count_left_out(struct gw_feed *feed, const struct feed_reply *total)
{
    int64_t left_out = feed_reply_int(total) - FEED_SOURCES_MAX;
    if (left_out > 0)
        feed_metrics_add(feed->hub->metrics, GW_M_SOURCES_LEFT_OUT, 0, (double)left_out);
}

/* What a window that is merged says beyond its entries. */
struct broadcasts {
    struct gw_followee followees[FEED_SOURCES_MAX];
    struct feed_verb_rule verbs[FEED_VERB_RULES_MAX];
};

static bool read_broadcasts(struct gw_feed *feed, const struct feed_reply *reply, struct broadcasts *into,
                            struct gw_window *window)
{
    if (feed_reply_count(reply) < 6)
        return true;
    count_left_out(feed, feed_reply_at(reply, 5));
    window->followees = into->followees;
    window->verbs = into->verbs;
    return read_followees(feed_reply_at(reply, 3), into->followees, &window->followee_count) &&
           read_verbs(feed_reply_at(reply, 4), into->verbs, &window->verb_count);
}

static void log_bad_answer(const struct gw_feed *feed, enum feed_error error, const struct feed_reply *reply)
{
    struct feed_str text = feed_str_of(feed_error_name(error));
    if (reply)
        text = feed_reply_type(reply) == FEED_REPLY_ERROR ? feed_reply_str(reply) : FEED_STR("not a window");
    FEED_LOG(feed->hub->log, FEED_LOG_WARN, "window_unreadable", NULL,
             FEED_LOG_TEXT("tenant", feed_key_tenant(gw_feed_key(feed))), FEED_LOG_TEXT("key", gw_feed_key(feed)),
             FEED_LOG_TEXT("error", text));
}

static void on_window(void *arg, enum feed_error error, const struct feed_reply *reply)
{
    struct gw_feed *feed = arg;
    struct gw_item items[FEED_CAP];
    struct broadcasts broadcasts; /* filled as far as it is used */
    struct gw_window window = {.items = items};
    bool good = error == FEED_OK && read_position(reply, &window.position);
    if (good && feed_reply_count(reply) == 2)
        window.unchanged = true;
    else
        good = good && read_items(feed_reply_at(reply, 2), items, &window.count) &&
               read_broadcasts(feed, reply, &broadcasts, &window);
    if (good) {
        gw_hub_window(feed->hub, feed, &window);
        return;
    }
    log_bad_answer(feed, error, reply);
    gw_hub_window_failed(feed->hub, feed);
}

static void on_check(void *arg, enum feed_error error, const struct feed_reply *reply)
{
    struct gw_feed *feed = arg;
    struct feed_position position;
    if (error == FEED_OK && read_position(reply, &position)) {
        gw_hub_checked(feed->hub, feed, &position);
        return;
    }
    log_bad_answer(feed, error, reply);
    gw_hub_check_failed(feed->hub, feed);
}

static enum feed_error read_window(void *arg, struct gw_feed *feed, unsigned limit, const struct feed_position *known)
{
    if (feed->source)
        return call_outbox(arg, feed, limit, on_window);
    return call_window(arg, feed, limit, known, on_window);
}

static enum feed_error check_position(void *arg, struct gw_feed *feed, const struct feed_position *known)
{
    return call_window(arg, feed, 0, known, on_check);
}

/* ---- the time to live ---- */

/* A feed of which the time to live is being looked at. */
struct touch {
    struct gw_redis_side *side;
    size_t key_len;
    char key[]; /* terminated */
};

static void renew(struct touch *touch)
{
    char ttl_text[24];
    snprintf(ttl_text, sizeof ttl_text, "%lld", (long long)touch->side->ttl_ms);
    const struct feed_str argv[] = {FEED_STR("PEXPIRE"), {touch->key, touch->key_len}, feed_str_of(ttl_text)};
    if (feed_redis_command(touch->side->client, argv, 3, NULL, NULL) != FEED_OK)
        return; /* the next look finds it */
}

/* -1: it has none; -2: there is no such key. */
static void on_left(void *arg, enum feed_error error, const struct feed_reply *reply)
{
    enum { FOR_EVER = -1, RENEW_BELOW_PERCENT = 90 };
    struct touch *touch = arg;
    if (error == FEED_OK && feed_reply_type(reply) == FEED_REPLY_INTEGER) {
        int64_t left_ms = feed_reply_int(reply);
        if (left_ms >= FOR_EVER && left_ms < touch->side->ttl_ms / 100 * RENEW_BELOW_PERCENT)
            renew(touch);
    }
    free(touch);
}

/* Looked at first, so that whoever comes and goes all day costs a read each time, and a write every few days. */
static void touch_key(void *arg, struct feed_str key)
{
    struct touch *touch = malloc(sizeof *touch + key.len + 1);
    if (!touch)
        return;
    *touch = (struct touch){.side = arg, .key_len = key.len};
    memcpy(touch->key, key.data, key.len);
    touch->key[key.len] = '\0';
    const struct feed_str argv[] = {FEED_STR("PTTL"), key};
    if (feed_redis_command(touch->side->client, argv, 2, on_left, touch) != FEED_OK)
        free(touch);
}

static enum feed_error subscribe(void *arg, struct feed_str key)
{
    struct gw_redis_side *side = arg;
    return feed_subscriber_add(side->subscriber, key);
}

static void unsubscribe(void *arg, struct feed_str key)
{
    struct gw_redis_side *side = arg;
    feed_subscriber_remove(side->subscriber, key);
}

void gw_redis_side_port(struct gw_port *port)
{
    port->subscribe_fn = subscribe;
    port->unsubscribe_fn = unsubscribe;
    port->read_fn = read_window;
    port->check_fn = check_position;
    port->touch_fn = touch_key;
}

/* ---- life ---- */

enum feed_error gw_redis_side_start(struct gw_redis_side *side, struct feed_loop *loop,
                                    const struct gw_options *options, const char **problem)
{
    const struct feed_redis_settings settings = {.url = options->redis_url,
                                                 .password = options->redis_password,
                                                 .in_flight_max = COMMANDS_MAX,
                                                 .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                                                 .command_timeout_ms = COMMAND_TIMEOUT_MS};
    static const struct feed_subscriber_events events = {
        .confirmed_fn = on_confirmed, .lost_fn = on_lost, .message_fn = on_notice, .state_fn = on_subscriber_state};
    enum feed_error error = feed_redis_new(loop, &settings, on_client_state, side, &side->client, problem);
    if (error != FEED_OK)
        return error;
    feed_redis_on_latency(side->client, on_latency, side);
    side->subscriber = feed_subscriber_new(loop, side->client, &settings, &events, side);
    size_t key_len = feed_key_progress(feed_str_of(options->kafka_topic), side->progress_key);
    *problem = "out of memory";
    return feed_subscriber_add(side->subscriber, (struct feed_str){side->progress_key, key_len});
}

void gw_redis_side_measure(struct gw_redis_side *side)
{
    struct feed_redis_shards shards = feed_redis_count_shards(side->client);
    feed_metrics_set(side->metrics, GW_M_REDIS_SHARDS, 0, shards.known);
    feed_metrics_set(side->metrics, GW_M_REDIS_SHARDS_READY, 0, shards.up);
}

void gw_redis_side_stop(struct gw_redis_side *side)
{
    if (side->subscriber)
        feed_subscriber_free(side->subscriber);
    side->subscriber = NULL;
    if (side->client)
        feed_redis_free(side->client);
    side->client = NULL;
}
