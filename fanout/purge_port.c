/* Purges on their way, one batch after the other:
 *
 *   IDLE -> REMEMBER -> TELL ---> WAIT -----> SWEEP --(nothing found)--> GRAPH -----> IDLE
 *            Kafka      Redis   all members   Redis, again and again     Kafka
 *
 * REMEMBER writes who was erased into the topic graph, where it outlives Redis; TELL into Redis, where every member
 * looks each second. WAIT until all that any member has in hand was looked at with that. From here on nothing of the
 * users is written any more, so SWEEP can take out what is there, and GRAPH puts a record without value in the place of
 * each relation that names them. Each step may be done again, so whatever goes wrong, it is; and whoever gets the
 * command after us begins at the beginning.
 */
#include "fanout/purge_port.h"

#include "fanout/purge.h"
#include "fanout/purges_port.h"
#include "fanout/service_state.h"
#include "shared/base/assert.h"
#include "shared/kafka/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    AGAIN_MS = 1000,
    REPORT_MS = 500,
    REPORT_DAYS = 7,
    SCAN_COUNT = 500, /* keys that Redis looks at in one call: some 100 us */
    WINDOW = 32,      /* commands under way: a part of what a feed write may take, so that feeds hardly feel it */
    TOMBSTONES_MAX = 1000,
    ASK_TIMEOUT_MS = 5000,
    QUEUED_KBYTES_MAX = 16 * 1024
};

enum state { IDLE, REMEMBER, TELL, WAIT, SWEEP, GRAPH };
static const char *const state_names[] = {"waiting", "remembering", "remembering", "waiting", "erasing", "graph"};

struct fan_purge_port {
    struct fan_service *service;

    struct fan_job *waiting, *batch; /* by purge_next */
    unsigned jobs;
    struct fan_purge core;
    enum state state;
    int64_t rest_until_ms;
    bool begun;            /* the state has sent what it sends first */
    bool scanned;          /* the shard was asked for keys */
    bool failed, restart;  /* this state, and everything, once nothing is under way */
    size_t under_way;      /* commands and records without an answer */
    uint64_t told_version; /* that has the batch */

    int shard;
    char cursor[24];
    struct fan_page *keys;
    size_t next_key;
    uint64_t found, seen, removed; /* in this pass; keys and what was taken out in all */
    unsigned passes;
    int64_t report_at_ms;

    struct feed_kafka_reader *reader;
    bool read;
};

static int64_t now_of(const struct fan_purge_port *port)
{
    return feed_loop_now_ms(port->service->loop);
}

static void pump(struct fan_purge_port *port);

/* ---- reports ---- */

static void report(struct fan_purge_port *port, const char *state)
{
    char key[FEED_PURGE_REPORT_KEY_MAX + 1], seen[24], removed[24], passes[12], ttl[16];
    snprintf(seen, sizeof seen, "%llu", (unsigned long long)port->seen);
    snprintf(removed, sizeof removed, "%llu", (unsigned long long)port->removed);
    snprintf(passes, sizeof passes, "%u", port->passes);
    snprintf(ttl, sizeof ttl, "%d", REPORT_DAYS * 24 * 3600);
    port->report_at_ms = now_of(port) + REPORT_MS;
    for (size_t i = 0; i < port->core.count; i++) {
        const struct fan_purge_user *user = &port->core.users[i];
        feed_purge_report_key(&user->id, key);
        const struct feed_str set[] = {FEED_STR("HSET"),     feed_str_of(key),   FEED_STR("state"),
                                       feed_str_of(state),   FEED_STR("until"),  feed_str_of(user->until_text),
                                       FEED_STR("keys"),     feed_str_of(seen),  FEED_STR("removed"),
                                       feed_str_of(removed), FEED_STR("passes"), feed_str_of(passes)};
        const struct feed_str expire[] = {FEED_STR("EXPIRE"), feed_str_of(key), feed_str_of(ttl)};
        /* What does not arrive is said again, and only shown. */
        if (feed_redis_command(port->service->redis, set, sizeof set / sizeof set[0], NULL, NULL) != FEED_OK ||
            feed_redis_command(port->service->redis, expire, 3, NULL, NULL) != FEED_OK)
            return;
    }
}

/* ---- states ---- */

static void enter(struct fan_purge_port *port, enum state state)
{
    port->state = state;
    port->begun = port->failed = false;
    if (state != IDLE)
        report(port, state_names[state]);
}

static void begin_batch(struct fan_purge_port *port)
{
    struct fan_job *job = port->waiting, **at = &port->waiting;
    fan_purge_init(&port->core, job->activity.tenant, (unsigned)port->service->options->feed_cap);
    while ((job = *at)) {
        if (!fan_purge_add(&port->core, job->activity.tenant, job->activity.actor, job->purge_until_ms)) {
            at = &job->purge_next;
            continue;
        }
        *at = job->purge_next;
        job->purge_next = port->batch;
        port->batch = job;
    }
    port->seen = port->removed = 0;
    port->passes = 0;
    FEED_LOG(port->service->log, FEED_LOG_INFO, "purge_begun", NULL,
             FEED_LOG_TEXT("tenant", feed_str_of(port->core.tenant)),
             FEED_LOG_NUMBER("users", (int64_t)port->core.count));
    enter(port, REMEMBER);
}

static void end_batch(struct fan_purge_port *port)
{
    report(port, "done");
    FEED_LOG(port->service->log, FEED_LOG_INFO, "purge_done", NULL,
             FEED_LOG_TEXT("tenant", feed_str_of(port->core.tenant)),
             FEED_LOG_NUMBER("users", (int64_t)port->core.count), FEED_LOG_NUMBER("keys", (int64_t)port->seen),
             FEED_LOG_NUMBER("removed", (int64_t)port->removed), FEED_LOG_NUMBER("passes", port->passes));
    enter(port, IDLE);
    struct fan_job *job;
    while ((job = port->batch)) {
        port->batch = job->purge_next;
        port->jobs--;
        fan_engine_purge_done(job);
    }
}

/* What was sent is waited for; then the state, or everything, begins again after a rest. */
static void fail(struct fan_purge_port *port, const char *what, struct feed_str reason)
{
    if (!port->failed)
        FEED_LOG(port->service->log, FEED_LOG_WARN, "purge_held_up", "it will be tried again",
                 FEED_LOG_TEXT("step", feed_str_of(what)), FEED_LOG_TEXT("reason", reason));
    port->failed = true;
}

static void answered(struct fan_purge_port *port)
{
    feed_assert(port->under_way > 0);
    port->under_way--;
}

/* False, and failed, when there is no answer or Redis has refused. */
static bool good_reply(struct fan_purge_port *port, enum feed_error error, const struct feed_reply *reply)
{
    answered(port);
    if (error != FEED_OK)
        fail(port, state_names[port->state], feed_str_of(feed_error_name(error)));
    else if (feed_reply_type(reply) == FEED_REPLY_ERROR)
        fail(port, state_names[port->state], feed_reply_str(reply));
    else
        return !port->restart && !port->failed;
    return false;
}

/* ---- REMEMBER ---- */

static void on_kept(void *arg, const struct feed_kafka_delivery *delivery)
{
    struct fan_purge_port *port = arg;
    answered(port);
    if (delivery->error != FEED_OK)
        fail(port, state_names[port->state], feed_str_of(delivery->reason));
    if (port->reader && port->under_way < TOMBSTONES_MAX / 2)
        feed_kafka_reader_resume(port->reader);
    pump(port);
}

static void send_record(struct fan_purge_port *port, struct feed_str key, struct feed_str value)
{
    struct fan_service *service = port->service;
    enum feed_error error =
        feed_kafka_produce(service->producer, service->options->kafka_graph_topic, key, value, NULL, 0, on_kept, port);
    if (error == FEED_OK)
        port->under_way++;
    else
        fail(port, state_names[port->state], feed_str_of(feed_error_name(error)));
}

static void remember(struct fan_purge_port *port)
{
    struct feed_buf key, value;
    feed_buf_init(&key, FEED_RELATION_KEY_MAX);
    feed_buf_init(&value, FEED_RELATION_VALUE_MAX);
    for (size_t i = 0; i < port->core.count; i++) {
        char name[FEED_PURGED_NAME + 1];
        feed_purged_name(&port->core.users[i].id, name);
        const struct feed_relation relation = {.kind = FEED_RELATION_PURGE,
                                               .tenant = feed_str_of(port->core.tenant),
                                               .user = feed_str_of(name),
                                               .subject = FEED_STR("-"),
                                               .since_ms = port->core.users[i].until_ms};
        feed_buf_reset(&key);
        feed_buf_reset(&value);
        feed_relation_key(&relation, &key);
        feed_relation_value(&relation, &value);
        send_record(port, feed_buf_view(&key), feed_buf_view(&value));
    }
    feed_buf_fini(&key);
    feed_buf_fini(&value);
}

/* ---- TELL ---- */

static void on_purge_told(void *arg, enum feed_error error, const struct feed_reply *reply)
{
    struct fan_purge_port *port = arg;
    if (good_reply(port, error, reply))
        port->told_version = (uint64_t)feed_reply_int(reply);
    pump(port);
}

static void tell(struct fan_purge_port *port)
{
    struct feed_str argv[4 + 2 * FAN_PURGE_USERS_MAX] = {FEED_STR("FCALL"), FEED_STR("feedwire_v1_purge"),
                                                         FEED_STR("1"), FEED_STR(FEED_PURGES_KEY)};
    size_t argc = 4;
    for (size_t i = 0; i < port->core.count; i++) {
        const struct fan_purge_user *user = &port->core.users[i];
        argv[argc++] = (struct feed_str){(const char *)user->id.bytes, sizeof user->id.bytes};
        argv[argc++] = feed_str_of(user->until_text);
    }
    if (feed_redis_command(port->service->redis, argv, argc, on_purge_told, port) == FEED_OK)
        port->under_way++;
    else
        fail(port, state_names[port->state], FEED_STR("Redis is away"));
    fan_purges_port_ask(port->service);
}

/* ---- SWEEP ---- */

static void on_erased(void *arg, enum feed_error error, const struct feed_reply *reply)
{
    struct fan_purge_port *port = arg;
    if (good_reply(port, error, reply)) {
        port->found += (uint64_t)feed_reply_int(reply);
        port->removed += (uint64_t)feed_reply_int(reply);
    }
    pump(port);
}

/* The buckets of ingest are in the slot of the tenant, under names that are known. */
static void erase_buckets(struct fan_purge_port *port)
{
    static const char *const kinds[] = {"a", "s"};
    char key[2 * FEED_KEY_MAX];
    for (size_t i = 0; i < 2 * port->core.count; i++) {
        snprintf(key, sizeof key, "r:{%s}/%s/%s", port->core.tenant, kinds[i % 2], port->core.users[i / 2].name);
        const struct feed_str argv[] = {FEED_STR("DEL"), feed_str_of(key)};
        if (feed_redis_command(port->service->redis, argv, 2, on_erased, port) == FEED_OK)
            port->under_way++;
        else
            fail(port, "buckets", FEED_STR("Redis is away"));
    }
}

/* The next one that has keys, into port->shard; false: there is none. */
static bool next_shard(struct fan_purge_port *port)
{
    while (++port->shard < FEED_SHARDS_MAX) {
        if (feed_redis_shard_slots(port->service->redis, port->shard) > 0)
            return true;
    }
    return false;
}

static void begin_pass(struct fan_purge_port *port)
{
    port->shard = -1;
    port->found = 0;
    port->passes++;
    port->begun = true;
    port->scanned = false;
    port->next_key = 0;
    fan_page_reset(port->keys);
    erase_buckets(port);
    if (!next_shard(port))
        fail(port, "erasing", FEED_STR("Redis is away"));
    snprintf(port->cursor, sizeof port->cursor, "0");
}

static void on_scanned(void *arg, enum feed_error error, const struct feed_reply *reply)
{
    struct fan_purge_port *port = arg;
    if (!good_reply(port, error, reply)) {
        pump(port);
        return;
    }
    const struct feed_reply *keys = feed_reply_at(reply, 1);
    bool good = feed_reply_count(reply) == 2 &&
                feed_str_copy(feed_reply_str(feed_reply_at(reply, 0)), port->cursor, sizeof port->cursor) == FEED_OK;
    for (size_t i = 0; good && i < feed_reply_count(keys); i++)
        good = fan_page_add(port->keys, feed_reply_str(feed_reply_at(keys, i)));
    if (!good)
        fail(port, "erasing", FEED_STR("an answer of an unexpected form"));
    port->seen += port->keys->count;
    pump(port);
}

static void scan(struct fan_purge_port *port)
{
    char pattern[FAN_PURGE_PATTERN_MAX + 1], count[12];
    fan_purge_pattern(&port->core, pattern);
    snprintf(count, sizeof count, "%d", SCAN_COUNT);
    const struct feed_str argv[] = {FEED_STR("SCAN"),     feed_str_of(port->cursor), FEED_STR("MATCH"),
                                    feed_str_of(pattern), FEED_STR("COUNT"),         feed_str_of(count)};
    fan_page_reset(port->keys);
    port->next_key = 0;
    if (feed_redis_command_to(port->service->redis, port->shard, argv, 6, on_scanned, port) == FEED_OK)
        port->under_way++;
    else
        fail(port, "erasing", FEED_STR("a shard of Redis is away"));
}

static void erase_some(struct fan_purge_port *port)
{
    struct fan_call call;
    while (port->next_key < port->keys->count && port->under_way < WINDOW) {
        if (fan_purge_build(&port->core, fan_page_at(port->keys, port->next_key), &call)) {
            enum feed_error error = feed_redis_command(port->service->redis, call.argv, call.argc, on_erased, port);
            if (error == FEED_E_FULL)
                return; /* on the next tick */
            if (error != FEED_OK) {
                fail(port, "erasing", FEED_STR("a shard of Redis is away"));
                return;
            }
            port->under_way++;
        }
        port->next_key++;
    }
}

/* Goes on with the pass; false: it is through. */
static bool sweep(struct fan_purge_port *port)
{
    if (now_of(port) >= port->report_at_ms)
        report(port, state_names[SWEEP]);
    erase_some(port);
    if (port->under_way || port->failed || port->next_key < port->keys->count)
        return true;
    if (port->scanned && strcmp(port->cursor, "0") == 0 && !next_shard(port))
        return false;
    port->scanned = true;
    scan(port);
    return true;
}

/* ---- GRAPH ---- */

static void on_relation(void *arg, const struct feed_kafka_message *message)
{
    struct fan_purge_port *port = arg;
    if (port->restart || port->failed || !fan_purge_ends_relation(&port->core, message->key, message->value))
        return;
    send_record(port, message->key, (struct feed_str){NULL, 0});
    port->removed++;
    if (port->under_way >= TOMBSTONES_MAX)
        feed_kafka_reader_pause(port->reader);
}

static void on_read(void *arg, enum feed_error error, const char *reason)
{
    struct fan_purge_port *port = arg;
    port->read = true;
    if (error != FEED_OK)
        fail(port, "graph", feed_str_of(reason));
    pump(port);
}

static void read_graph(struct fan_purge_port *port)
{
    static const struct feed_kafka_reader_events events = {.message_fn = on_relation, .done_fn = on_read};
    const struct fan_options *options = port->service->options;
    const struct feed_kafka_reader_settings settings = {
        .kafka = {options->kafka_brokers, "feedwire-fanout", options->kafka_properties},
        .topic = options->kafka_graph_topic,
        .group = options->kafka_group,
        .ask_timeout_ms = ASK_TIMEOUT_MS,
        .queued_kbytes_max = QUEUED_KBYTES_MAX,
    };
    char problem[256];
    port->read = false;
    enum feed_error error = feed_kafka_reader_new(port->service->loop, port->service->log, &settings, &events, port,
                                                  &port->reader, problem, sizeof problem);
    feed_assert(error == FEED_OK); /* the group's consumer was made of the same settings */
}

static void close_reader(struct fan_purge_port *port)
{
    feed_kafka_reader_free(port->reader);
    port->reader = NULL;
}

/* ---- the work ---- */

/* The state before the present one was carried out; nothing is under way. */
static void go_on(struct fan_purge_port *port)
{
    switch (port->state) {
    case REMEMBER:
        enter(port, TELL);
        break;
    case TELL:
        enter(port, WAIT);
        break;
    case WAIT:
        enter(port, SWEEP);
        break;
    case SWEEP:
        enter(port, port->found ? SWEEP : GRAPH);
        break;
    default:
        end_batch(port);
        break;
    }
}

static void begin_state(struct fan_purge_port *port)
{
    port->begun = true;
    if (port->state == REMEMBER)
        remember(port);
    else if (port->state == TELL)
        tell(port);
    else if (port->state == GRAPH)
        read_graph(port);
}

/* Whether the state has come to its end. */
static bool through(struct fan_purge_port *port)
{
    if (port->state == WAIT)
        return fan_purges_port_least(port->service) >= port->told_version;
    if (port->state == GRAPH)
        return port->read && port->under_way == 0;
    return port->under_way == 0;
}

/* Something went wrong, and nothing is under way any more. */
static void begin_again(struct fan_purge_port *port)
{
    close_reader(port);
    enum state state = port->restart ? REMEMBER : port->state;
    port->restart = false;
    port->rest_until_ms = now_of(port) + AGAIN_MS;
    if (port->batch)
        enter(port, state);
    else
        enter(port, IDLE);
}

static void pump(struct fan_purge_port *port)
{
    struct fan_service *service = port->service;
    if (port->failed || port->restart) {
        if (port->under_way == 0)
            begin_again(port);
        return;
    }
    if (now_of(port) < port->rest_until_ms || service->life.state != FAN_LIFE_KNOWN || !service->purges_known)
        return;
    if (port->state == IDLE) {
        if (!port->waiting || service->stopping)
            return;
        begin_batch(port);
    }
    if (port->state == SWEEP) {
        if (!port->begun)
            begin_pass(port);
        if (sweep(port))
            return;
    } else if (!port->begun) {
        begin_state(port);
        return;
    }
    if (port->failed || !through(port))
        return;
    if (port->state == GRAPH)
        close_reader(port);
    go_on(port);
}

void fan_purge_port_tick(struct fan_service *service)
{
    pump(service->purge);
}

void fan_purge_port_another_life(struct fan_service *service)
{
    struct fan_purge_port *port = service->purge;
    port->restart = port->state != IDLE;
    pump(port);
}

void fan_purge_port_moved(struct fan_service *service)
{
    struct fan_purge_port *port = service->purge;
    if (port->state == SWEEP)
        fail(port, "erasing", FEED_STR("a shard has changed"));
    pump(port);
}

/* ---- jobs ---- */

void fan_purge_port_purge(void *arg, struct fan_job *job)
{
    struct fan_service *service = arg;
    struct fan_purge_port *port = service->purge;
    struct fan_job **at = &port->waiting;
    while (*at)
        at = &(*at)->purge_next;
    job->purge_next = NULL;
    *at = job;
    port->jobs++; /* the next tick begins it: the engine is not to be called back from here */
}

static bool unlink_job(struct fan_job **at, const struct fan_job *job)
{
    while (*at && *at != job)
        at = &(*at)->purge_next;
    if (!*at)
        return false;
    *at = job->purge_next;
    return true;
}

void fan_purge_port_drop(void *arg, struct fan_job *job)
{
    struct fan_service *service = arg;
    struct fan_purge_port *port = service->purge;
    bool found = unlink_job(&port->waiting, job) || unlink_job(&port->batch, job);
    feed_assert(found);
    port->jobs--;
    port->restart = port->restart || (port->state != IDLE && !port->batch);
}

unsigned fan_purge_port_jobs(const struct fan_service *service)
{
    return service->purge->jobs;
}

void fan_purge_port_open(struct fan_service *service)
{
    struct fan_purge_port *port = calloc(1, sizeof *port);
    feed_assert(port);
    port->service = service;
    port->keys = fan_page_new();
    service->purge = port;
}

void fan_purge_port_stop(struct fan_service *service)
{
    service->purge->restart = true;
    close_reader(service->purge);
}

void fan_purge_port_close(struct fan_service *service)
{
    struct fan_purge_port *port = service->purge;
    if (!port)
        return;
    fan_page_free(port->keys);
    free(port);
    service->purge = NULL;
}
