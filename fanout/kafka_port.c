/* The engine's way to Kafka: records and partitions in, positions and dead letters out. */
#include "fanout/service_state.h"

#include "shared/base/assert.h"

#include <stdlib.h>

enum {
    SESSION_TIMEOUT_MS = 10000, /* after a crash the partitions wait so long for the next one */
    MAX_POLL_INTERVAL_MS = 300000,
    QUEUED_KBYTES_MAX = 16 * 1024,
    LETTERS_QUEUED_MAX = 10000,
    LETTERS_KBYTES_MAX = 32 * 1024,
    LETTER_TIMEOUT_MS = 30000,
    LETTER_LINGER_MS = 5,
    REVOKED_FLUSH_MS = 3000
};

/* ---- in ---- */

void fan_kafka_port_message(struct fan_service *service, int32_t partition, const struct feed_kafka_message *message)
{
    struct fan_record record = {.partition = partition,
                                .offset = message->offset,
                                .time_ms = message->timestamp_ms,
                                .key = message->key,
                                .value = message->value,
                                .headers_cut = message->header_overflow};
    for (size_t i = 0; i < message->header_count && i < FAN_HEADERS_MAX; i++)
        record.headers[record.header_count++] =
            (struct feed_record_header){message->headers[i].name, message->headers[i].value};
    fan_engine_record(service->engine, &record);
}

static void on_message(void *arg, const struct feed_kafka_message *message)
{
    fan_kafka_port_message(arg, message->partition, message);
}

_Static_assert((int)FEED_KAFKA_HEADERS_MAX <= (int)FAN_HEADERS_MAX, "a record holds all headers of a message");

static void on_assigned(void *arg, const int32_t *partitions, size_t count)
{
    struct fan_service *service = arg;
    service->partitions += count;
    FEED_LOG(service->log, FEED_LOG_INFO, "partitions_assigned", NULL, FEED_LOG_NUMBER("count", (int64_t)count),
             FEED_LOG_NUMBER("total", (int64_t)service->partitions));
    fan_starts_assigned(&service->starts, partitions, count);
    fan_engine_assigned(service->engine, partitions, count);
    fan_life_port_settle(service);
}

static void on_revoked(void *arg, const int32_t *partitions, size_t count, bool lost)
{
    struct fan_service *service = arg;
    service->partitions -= count < service->partitions ? count : service->partitions;
    FEED_LOG(service->log, FEED_LOG_INFO, "partitions_revoked", NULL, FEED_LOG_NUMBER("count", (int64_t)count),
             FEED_LOG_NUMBER("total", (int64_t)service->partitions), FEED_LOG_NUMBER("lost", lost));
    if (!lost) {
        /* The next owner's records of an edge must come after ours: the topic keeps what came last. */
        feed_kafka_producer_flush(service->producer, REVOKED_FLUSH_MS);
        fan_kafka_port_commit(service, true);
    }
    fan_starts_revoked(&service->starts, partitions, count);
    fan_engine_revoked(service->engine, partitions, count);
    fan_kafka_port_gate(service);
}

static void on_end(void *arg, int32_t partition, int64_t end)
{
    struct fan_service *service = arg;
    fan_engine_reached_end(service->engine, partition, end);
}

static void on_committed(void *arg, enum feed_error error, const char *reason)
{
    struct fan_service *service = arg;
    if (error == FEED_OK)
        return;
    FEED_LOG(service->log, FEED_LOG_WARN, "commit_failed", "positions will be committed again",
             FEED_LOG_TEXT("reason", feed_str_of(reason)));
    fan_engine_commit_failed(service->engine);
}

static void on_state(void *arg, bool up, const char *reason)
{
    struct fan_service *service = arg;
    feed_health_set(&service->health, service->kafka_condition, up, reason);
    FEED_LOG(service->log, up ? FEED_LOG_INFO : FEED_LOG_WARN, up ? "kafka_up" : "kafka_down", NULL,
             FEED_LOG_TEXT("reason", feed_str_of(reason ? reason : "")));
}

void fan_kafka_port_gate(struct fan_service *service)
{
    if (!service->consumer)
        return;
    bool wanted = service->engine_consumes && service->life.state == FAN_LIFE_KNOWN && service->purges_known &&
                  service->graph_topic != FAN_GRAPH_TOPIC_BAD;
    if (wanted && fan_starts_settled(&service->starts))
        feed_kafka_consumer_resume(service->consumer);
    else
        feed_kafka_consumer_pause(service->consumer);
    if (!service->commands)
        return;
    if (wanted)
        feed_kafka_consumer_resume(service->commands);
    else
        feed_kafka_consumer_pause(service->commands);
}

void fan_kafka_port_consume(void *arg, bool on)
{
    struct fan_service *service = arg;
    service->engine_consumes = on;
    fan_kafka_port_gate(service);
}

/* ---- out ---- */

void fan_kafka_port_commit(struct fan_service *service, bool wait)
{
    size_t most = service->partitions + service->command_partitions;
    if (!service->consumer || most == 0)
        return;
    struct fan_position *positions = calloc(most, sizeof *positions);
    struct feed_kafka_offset *offsets = calloc(most, sizeof *offsets);
    feed_assert(positions && offsets);
    size_t taken = fan_engine_take_commits(service->engine, positions, most), count = 0, commands = 0;
    char(*notes)[FAN_NOTE_MAX + 1] = taken ? calloc(taken, sizeof *notes) : NULL;
    feed_assert(notes || taken == 0);
    char seen[FAN_NOTE_MAX + 1];
    fan_witness_port_seen(service, seen);
    for (size_t i = 0; i < taken; i++) {
        if (fan_is_of_commands(positions[i].partition)) { /* from the end on */
            offsets[most - ++commands] =
                (struct feed_kafka_offset){positions[i].partition - FAN_COMMANDS_BASE, positions[i].next_offset, ""};
            continue;
        }
        fan_note_write(service->life_begun, positions[i].replay_from, seen, notes[count]);
        offsets[count] = (struct feed_kafka_offset){positions[i].partition, positions[i].next_offset, notes[count]};
        count++;
    }
    if (commands && service->commands)
        feed_kafka_commit(service->commands, offsets + most - commands, commands, wait);
    if (count)
        feed_kafka_commit(service->consumer, offsets, count, wait);
    free(notes);
    free(offsets);
    free(positions);
}

static void on_delivery(void *arg, const struct feed_kafka_delivery *delivery)
{
    struct fan_letter *letter = arg;
    struct fan_service *service = fan_engine_port_arg(letter->job);
    if (delivery->error != FEED_OK)
        FEED_LOG(service->log, FEED_LOG_WARN, "dead_letter_failed", "it will be sent again",
                 FEED_LOG_TEXT("reason", feed_str_of(delivery->reason)));
    fan_engine_letter_done(service->engine, letter, delivery->error);
}

enum feed_error fan_kafka_port_post(void *arg, const struct fan_letter *letter, const struct fan_record *record)
{
    struct fan_service *service = arg;
    struct fan_letter_headers headers;
    struct fan_record source = *record;
    const char *topic = service->options->kafka_topic;
    if (fan_is_of_commands(source.partition)) {
        source.partition -= FAN_COMMANDS_BASE;
        topic = service->options->kafka_commands_topic;
    }
    fan_letter_headers(letter, &source, topic, feed_clock_wall_ms(), &headers);
    struct feed_kafka_header list[FAN_LETTER_HEADERS_MAX];
    for (size_t i = 0; i < headers.count; i++)
        list[i] = (struct feed_kafka_header){headers.list[i].name, headers.list[i].value};
    struct feed_str value = letter->cut == FAN_LETTER_WHOLE ? record->value : (struct feed_str){NULL, 0};
    FEED_LOG(service->log, FEED_LOG_WARN, "dead_letter", letter->detail,
             FEED_LOG_TEXT("error_code", feed_str_of(letter->reason)),
             FEED_LOG_TEXT("source", feed_str_of(headers.source)));
    return feed_kafka_produce(service->producer, service->options->kafka_dlq_topic, record->key, value, list,
                              headers.count, on_delivery, (void *)letter);
}

/* A partition that is read again lags from there on, also before its first record has come. */
static int64_t finished_until(const struct fan_service *service, const struct fan_position *position)
{
    int64_t from = fan_starts_from(&service->starts, position->partition);
    if (position->next_offset >= 0 || from == FAN_START_COMMITTED)
        return position->next_offset;
    int64_t begin = feed_kafka_low_watermark(service->consumer, position->partition);
    if (from < begin)
        from = begin;
    return from < 0 ? 0 : from;
}

uint64_t fan_kafka_port_lag(const struct fan_service *service)
{
    uint64_t lag = 0;
    struct fan_position position;
    for (size_t i = 0; service->consumer && fan_engine_position(service->engine, i, &position); i++) {
        if (fan_is_of_commands(position.partition))
            continue;
        int64_t end = feed_kafka_high_watermark(service->consumer, position.partition);
        int64_t until = finished_until(service, &position);
        if (until >= 0 && end > until)
            lag += (uint64_t)(end - until);
    }
    return lag;
}

/* ---- opening ---- */

static const struct feed_kafka_consumer_events consumer_events = {
    .message_fn = on_message,
    .assigned_fn = on_assigned,
    .revoked_fn = on_revoked,
    .end_fn = on_end,
    .committed_fn = on_committed,
    .asked_fn = fan_life_port_asked,
    .state_fn = on_state,
};

enum feed_error fan_kafka_port_open(struct fan_service *service, char *problem, size_t problem_size)
{
    const struct fan_options *options = service->options;
    const struct feed_kafka_settings kafka = {options->kafka_brokers, "feedwire-fanout", options->kafka_properties};
    const struct feed_kafka_producer_settings producer = {
        .kafka = kafka,
        .queue_messages_max = LETTERS_QUEUED_MAX,
        .queue_kbytes_max = LETTERS_KBYTES_MAX,
        .delivery_timeout_ms = LETTER_TIMEOUT_MS,
        .linger_ms = LETTER_LINGER_MS,
    };
    const struct feed_kafka_consumer_settings consumer = {
        .kafka = kafka,
        .topic = options->kafka_topic,
        .group = options->kafka_group,
        .instance_id = options->kafka_instance,
        .session_timeout_ms = SESSION_TIMEOUT_MS,
        .max_poll_interval_ms = MAX_POLL_INTERVAL_MS,
        .queued_kbytes_max = QUEUED_KBYTES_MAX,
    };
    enum feed_error error =
        feed_kafka_producer_new(service->loop, service->log, &producer, &service->producer, problem, problem_size);
    if (error != FEED_OK)
        return error;
    error = feed_kafka_consumer_new(service->loop, service->log, &consumer, &consumer_events, service,
                                    &service->consumer, problem, problem_size);
    return error == FEED_OK ? fan_commands_port_open(service, &consumer, problem, problem_size) : error;
}
