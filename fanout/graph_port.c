/* The topic graph: edges and settings out to it, and the whole of it back into an empty Redis. */
#include "fanout/service_state.h"

#include "fanout/graph_load.h"
#include "shared/base/assert.h"
#include "shared/kafka/reader.h"

#include <stdlib.h>

enum { ASK_TIMEOUT_MS = 5000, QUEUED_KBYTES_MAX = 16 * 1024 };

/* ---- out ---- */

static void log_failure(struct fan_service *service, const char *reason)
{
    FEED_LOG(service->log, FEED_LOG_WARN, "graph_record_failed",
             "Kafka did not take a record of the graph; it will be sent again, and nothing behind it is committed",
             FEED_LOG_TEXT("topic", feed_str_of(service->options->kafka_graph_topic)),
             FEED_LOG_TEXT("reason", feed_str_of(reason)));
}

static void on_delivery(void *arg, const struct feed_kafka_delivery *delivery)
{
    struct fan_job *job = arg;
    struct fan_service *service = fan_engine_port_arg(job);
    if (delivery->error != FEED_OK)
        log_failure(service, delivery->reason);
    fan_engine_relation_done(job, delivery->error);
}

enum feed_error fan_graph_port_relate(void *arg, struct fan_job *job)
{
    struct fan_service *service = arg;
    if (service->life.state != FAN_LIFE_KNOWN)
        return FEED_E_UNAVAILABLE; /* what was read may be what is left of a loss */
    struct feed_relation relation = fan_job_relation(job);
    struct feed_buf key, value;
    feed_buf_init(&key, FEED_RELATION_KEY_MAX);
    feed_buf_init(&value, FEED_RELATION_VALUE_MAX);
    feed_relation_key(&relation, &key);
    feed_relation_value(&relation, &value);
    feed_assert(key.error == FEED_OK && value.error == FEED_OK);
    enum feed_error error = feed_kafka_produce(service->producer, service->options->kafka_graph_topic,
                                               feed_buf_view(&key), feed_buf_view(&value), NULL, 0, on_delivery, job);
    feed_buf_fini(&key);
    feed_buf_fini(&value);
    if (error != FEED_OK)
        log_failure(service, feed_error_name(error));
    return error;
}

/* ---- back ----
 *
 * The topic is read twice: first for those who were erased, because their records may stand anywhere in it, and nothing
 * of them is to be put back. That takes a part of the time that Redis needs for the second. */

/* Outlives its load while answers are under way: each command's arg is its slot. */
struct fan_graph_load {
    struct fan_service *service;
    struct feed_kafka_reader *reader;
    struct fan_load core;
    struct load_command {
        struct fan_graph_load *load;
        unsigned slot;
    } commands[FAN_LOAD_WINDOW];
    size_t under_way;
    uint64_t edges_reported;
    int64_t begun_ms;
    bool loading;  /* who was erased is known; the second reading */
    bool read;     /* the end of the topic was reached */
    bool too_many; /* were erased */
    bool given_up; /* freed with the last answer */
};

uint64_t fan_graph_port_loaded_records(const struct fan_service *service)
{
    return service->load ? service->load->core.counts.records : 0;
}

static void report(struct fan_graph_load *load, const char *event, const char *message)
{
    struct fan_service *service = load->service;
    const struct fan_load_counts *counts = &load->core.counts;
    FEED_LOG(service->log, counts->bad || counts->unknown ? FEED_LOG_WARN : FEED_LOG_INFO, event, message,
             FEED_LOG_NUMBER("records", (int64_t)counts->records), FEED_LOG_NUMBER("edges", (int64_t)counts->edges),
             FEED_LOG_NUMBER("settings", (int64_t)counts->settings),
             FEED_LOG_NUMBER("purged_users", (int64_t)counts->purges),
             FEED_LOG_NUMBER("of_purged_users", (int64_t)counts->erased),
             FEED_LOG_NUMBER("of_unknown_kinds", (int64_t)counts->unknown),
             FEED_LOG_NUMBER("unreadable", (int64_t)counts->bad),
             FEED_LOG_NUMBER("duration_ms", feed_loop_now_ms(service->loop) - load->begun_ms));
}

static void finish_if_through(struct fan_graph_load *load)
{
    if (!load->read || !fan_load_idle(&load->core))
        return;
    report(load, "graph_loaded", NULL);
    struct fan_service *service = load->service;
    fan_graph_port_give_up(service);
    fan_life_port_loaded(service, true);
}

static void on_answer(void *arg, enum feed_error error, const struct feed_reply *reply);

/* As many commands as the engine may have under way, and not more, so that the spare ones stay for others. */
static void pump(struct fan_graph_load *load)
{
    struct fan_service *service = load->service;
    struct fan_call call;
    unsigned slot;
    while (load->under_way < (size_t)service->options->commands_max && fan_load_next(&load->core, &call, &slot)) {
        load->commands[slot] = (struct load_command){load, slot};
        if (feed_redis_command(service->redis, call.argv, call.argc, on_answer, &load->commands[slot]) != FEED_OK)
            return;
        fan_load_sent(&load->core);
        load->under_way++;
    }
    if (fan_load_has_room(&load->core))
        feed_kafka_reader_resume(load->reader);
}

static void take_answer(struct fan_graph_load *load, unsigned slot, const struct feed_reply *reply)
{
    struct fan_answer answer = fan_redis_port_answer(load->service, FEED_OK, reply);
    if (!fan_load_answer(&load->core, slot, &answer))
        FEED_LOG(load->service->log, FEED_LOG_WARN, "graph_edge_refused",
                 "Redis did not take an edge or settings: somebody else writes to their keys",
                 FEED_LOG_TEXT("reason", answer.text));
    load->service->edges_loaded += load->core.counts.edges - load->edges_reported;
    load->edges_reported = load->core.counts.edges;
}

/* Ends the load, which begins anew later. */
static void take_refusal(struct fan_service *service, struct feed_str text)
{
    if (fan_trouble_of(text) == FAN_TROUBLE_MOVING)
        fan_life_port_loaded(service, false);
    else
        fan_life_port_refused(service, text);
}

static void load_free(struct fan_graph_load *load)
{
    fan_load_fini(&load->core);
    free(load);
}

static void on_answer(void *arg, enum feed_error error, const struct feed_reply *reply)
{
    struct load_command *command = arg;
    struct fan_graph_load *load = command->load;
    load->under_way--;
    if (load->given_up) {
        if (load->under_way == 0)
            load_free(load);
        return;
    }
    if (error != FEED_OK) {
        fan_life_port_loaded(load->service, false);
        return;
    }
    if (feed_reply_type(reply) == FEED_REPLY_ERROR && fan_trouble_of(feed_reply_str(reply)) != FAN_TROUBLE_WRONG_TYPE) {
        take_refusal(load->service, feed_reply_str(reply));
        return;
    }
    take_answer(load, command->slot, reply);
    pump(load);
    finish_if_through(load);
}

static void on_message(void *arg, const struct feed_kafka_message *message);
static void on_read(void *arg, enum feed_error error, const char *reason);

/* From the beginning, for the first or the second time. */
static void read_topic(struct fan_graph_load *load)
{
    static const struct feed_kafka_reader_events events = {.message_fn = on_message, .done_fn = on_read};
    struct fan_service *service = load->service;
    const struct fan_options *options = service->options;
    const struct feed_kafka_reader_settings settings = {
        .kafka = {options->kafka_brokers, "feedwire-fanout", options->kafka_properties},
        .topic = options->kafka_graph_topic,
        .group = options->kafka_group,
        .ask_timeout_ms = ASK_TIMEOUT_MS,
        .queued_kbytes_max = QUEUED_KBYTES_MAX,
    };
    char problem[256];
    feed_kafka_reader_free(load->reader);
    load->reader = NULL;
    enum feed_error error = feed_kafka_reader_new(service->loop, service->log, &settings, &events, load, &load->reader,
                                                  problem, sizeof problem);
    feed_assert(error == FEED_OK); /* the group's consumer was made of the same settings */
}

static void on_message(void *arg, const struct feed_kafka_message *message)
{
    struct fan_graph_load *load = arg;
    if (!load->loading) {
        load->too_many = !fan_load_purge(&load->core, message->key, message->value) || load->too_many;
        return;
    }
    fan_load_record(&load->core, message->key, message->value);
    if (!fan_load_has_room(&load->core))
        feed_kafka_reader_pause(load->reader);
    pump(load);
}

static void on_read(void *arg, enum feed_error error, const char *reason)
{
    struct fan_graph_load *load = arg;
    struct fan_service *service = load->service;
    if (load->too_many) {
        error = FEED_E_TOO_LARGE;
        reason = "more users were erased than can be known";
    }
    if (error == FEED_OK && !load->loading) {
        load->loading = true;
        fan_load_purges_known(&load->core);
        read_topic(load);
        return;
    }
    if (error == FEED_OK) {
        load->read = true;
        finish_if_through(load);
        return;
    }
    feed_health_set(&service->health, service->graph_condition, false, reason);
    FEED_LOG(service->log, FEED_LOG_ERROR, "graph_unreadable",
             error == FEED_E_MISSING ? "create the topic of the graph, compacted: see docs/operating.md"
                                     : "the graph will be read as soon as Kafka can be reached",
             FEED_LOG_TEXT("topic", feed_str_of(service->options->kafka_graph_topic)),
             FEED_LOG_TEXT("reason", feed_str_of(reason)));
    fan_life_port_loaded(service, false);
}

void fan_graph_port_give_up(struct fan_service *service)
{
    struct fan_graph_load *load = service->load;
    if (!load)
        return;
    service->load = NULL;
    feed_kafka_reader_free(load->reader);
    load->given_up = true;
    if (load->under_way == 0)
        load_free(load);
}

void fan_graph_port_load(struct fan_service *service)
{
    fan_graph_port_give_up(service);
    struct fan_graph_load *load = calloc(1, sizeof *load);
    feed_assert(load);
    load->service = service;
    load->begun_ms = feed_loop_now_ms(service->loop);
    fan_load_init(&load->core, (unsigned)service->options->page_followers);
    service->load = load;
    read_topic(load);
    FEED_LOG(service->log, FEED_LOG_INFO, "graph_load_begun", "Redis is empty; the graph is loaded from Kafka first");
}

void fan_graph_port_tick(struct fan_service *service)
{
    if (service->load)
        pump(service->load);
}
