/* The producer. One event queue carries delivery reports, errors and log lines to the loop. Each record's callback
 * travels as its opaque pointer, so it fires exactly once: when the delivery report comes, or when what is left is
 * purged at the end. */
#include "shared/kafka/producer.h"

#include "shared/base/assert.h"
#include "shared/kafka/events.h"
#include "shared/kafka/settings.h"
#include "shared/loop/loop.h"
#include "shared/observe/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_A_TURN = 64, TOPICS_KEPT = 4 };

struct delivery {
    feed_kafka_delivery_fn *fn;
    void *arg;
};

struct feed_kafka_producer {
    struct feed_log *log;
    rd_kafka_t *kafka;
    rd_kafka_queue_t *main_queue;
    struct feed_kafka_queue *queue;
    /* Finding a topic by its name takes a lock that librdkafka's threads want too, for each record. */
    rd_kafka_topic_t *topics[TOPICS_KEPT];
    unsigned queued, queued_max;
    bool up;
    bool failed; /* a fatal error of the idempotent producer */
    char reason[128];
};

static void note_state(struct feed_kafka_producer *producer, bool up, const char *reason)
{
    if (producer->up != up && producer->log) {
        FEED_LOG(producer->log, up ? FEED_LOG_INFO : FEED_LOG_WARN, up ? "kafka_up" : "kafka_down", reason);
    }
    producer->up = up;
    snprintf(producer->reason, sizeof producer->reason, "%s", reason);
}

static void report(struct feed_kafka_producer *producer, const rd_kafka_message_t *message)
{
    struct delivery *delivery = message->_private;
    struct feed_kafka_delivery outcome = {
        .error = feed_kafka_error(message->err),
        .reason = message->err ? rd_kafka_err2str(message->err) : NULL,
        .partition = message->partition,
        .offset = message->offset,
    };
    producer->queued--;
    if (outcome.error == FEED_OK) {
        if (!producer->up && !producer->failed) {
            note_state(producer, true, "connected");
        }
    } else if (outcome.error == FEED_E_TIMEOUT) {
        note_state(producer, false, "records are not acknowledged in time");
    }
    if (delivery->fn) {
        delivery->fn(delivery->arg, &outcome);
    }
    free(delivery);
}

static void on_event(struct feed_kafka_producer *producer, rd_kafka_event_t *event)
{
    const rd_kafka_message_t *message;
    switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_DR:
        while ((message = rd_kafka_event_message_next(event)) != NULL) {
            report(producer, message);
        }
        break;
    case RD_KAFKA_EVENT_ERROR:
        if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
            note_state(producer, false, "no broker can be reached");
        } else if (rd_kafka_event_error_is_fatal(event) && producer->log) {
            FEED_LOG(producer->log, FEED_LOG_ERROR, "kafka_fatal", rd_kafka_event_error_string(event));
            producer->failed = true;
            note_state(producer, false, "the producer has failed for good; it must be restarted");
        }
        break;
    case RD_KAFKA_EVENT_STATS:
        /* The only way to hear that a broker is back while nothing is produced. */
        if (feed_kafka_statistics_up(rd_kafka_event_stats(event))) {
            if (!producer->up && !producer->failed) {
                note_state(producer, true, "connected");
            }
        } else {
            note_state(producer, false, "no broker is connected");
        }
        break;
    case RD_KAFKA_EVENT_LOG:
        feed_kafka_log_event(producer->log, event);
        break;
    default:
        break;
    }
}

static int serve(void *arg)
{
    struct feed_kafka_producer *producer = arg;
    for (int i = 0; i < EVENTS_A_TURN; i++) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(producer->main_queue, 0);
        if (!event) {
            return 0;
        }
        on_event(producer, event);
        rd_kafka_event_destroy(event);
    }
    return 1;
}

enum feed_error feed_kafka_producer_new(struct feed_loop *loop, struct feed_log *log,
                                        const struct feed_kafka_producer_settings *settings,
                                        struct feed_kafka_producer **out, char *problem, size_t problem_size)
{
    struct feed_kafka_builder builder;
    feed_kafka_builder_init(&builder, &settings->kafka, problem, problem_size);
    feed_kafka_builder_set(&builder, "acks", "all");
    feed_kafka_builder_set(&builder, "enable.idempotence", "true");
    feed_kafka_builder_number(&builder, "linger.ms", settings->linger_ms);
    feed_kafka_builder_number(&builder, "message.timeout.ms", settings->delivery_timeout_ms);
    feed_kafka_builder_number(&builder, "queue.buffering.max.messages", settings->queue_messages_max);
    feed_kafka_builder_number(&builder, "queue.buffering.max.kbytes", settings->queue_kbytes_max);
    feed_kafka_builder_set(&builder, "partitioner",
                           "murmur2_random"); /* as Java's producer: one key, one partition, whoever writes */
    feed_kafka_builder_properties(&builder, settings->kafka.properties);
    rd_kafka_conf_set_events(builder.conf,
                             RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG | RD_KAFKA_EVENT_STATS);
    rd_kafka_t *kafka = feed_kafka_builder_finish(&builder, RD_KAFKA_PRODUCER);
    if (!kafka) {
        return builder.error;
    }
    struct feed_kafka_producer *producer = calloc(1, sizeof *producer);
    feed_assert(producer);
    producer->log = log;
    producer->kafka = kafka;
    producer->queued_max = settings->queue_messages_max;
    producer->main_queue = rd_kafka_queue_get_main(kafka);
    rd_kafka_set_log_queue(kafka, producer->main_queue);
    snprintf(producer->reason, sizeof producer->reason, "connecting");
    producer->queue = feed_kafka_queue_new(loop, producer->main_queue, serve, producer);
    *out = producer;
    return FEED_OK;
}

void feed_kafka_producer_free(struct feed_kafka_producer *producer, unsigned timeout_ms)
{
    if (!producer) {
        return;
    }
    uint64_t deadline = feed_clock_mono_us() + (uint64_t)timeout_ms * 1000;
    for (bool purged = false; producer->queued > 0;) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(producer->main_queue, 20);
        if (event) {
            on_event(producer, event);
            rd_kafka_event_destroy(event);
        }
        if (!purged && feed_clock_mono_us() >= deadline) {
            rd_kafka_purge(producer->kafka, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
            purged = true;
        }
    }
    for (size_t i = 0; i < TOPICS_KEPT && producer->topics[i]; i++)
        rd_kafka_topic_destroy(producer->topics[i]);
    feed_kafka_queue_free(producer->queue);
    rd_kafka_queue_destroy(producer->main_queue);
    rd_kafka_destroy(producer->kafka);
    free(producer);
}

void feed_kafka_producer_flush(struct feed_kafka_producer *producer, unsigned timeout_ms)
{
    uint64_t deadline = feed_clock_mono_us() + (uint64_t)timeout_ms * 1000;
    while (producer->queued > 0 && feed_clock_mono_us() < deadline) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(producer->main_queue, 20);
        if (event) {
            on_event(producer, event);
            rd_kafka_event_destroy(event);
        }
    }
}

/* NULL: librdkafka does not take the name. With more topics than are kept the last one makes room. */
static rd_kafka_topic_t *topic_of(struct feed_kafka_producer *producer, const char *name)
{
    size_t i = 0;
    for (; i < TOPICS_KEPT && producer->topics[i]; i++) {
        if (strcmp(rd_kafka_topic_name(producer->topics[i]), name) == 0)
            return producer->topics[i];
    }
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer->kafka, name, NULL);
    if (!topic)
        return NULL;
    if (i == TOPICS_KEPT)
        rd_kafka_topic_destroy(producer->topics[--i]);
    producer->topics[i] = topic;
    return topic;
}

static rd_kafka_headers_t *copy_headers(const struct feed_kafka_header *headers, size_t count)
{
    rd_kafka_headers_t *copy = rd_kafka_headers_new(count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_header_add(copy, headers[i].name, -1, headers[i].value.data, (ssize_t)headers[i].value.len);
    }
    return copy;
}

enum feed_error feed_kafka_produce(struct feed_kafka_producer *producer, const char *topic, struct feed_str key,
                                   struct feed_str value, const struct feed_kafka_header *headers, size_t header_count,
                                   feed_kafka_delivery_fn *fn, void *arg)
{
    if (producer->queued >= producer->queued_max) {
        return FEED_E_FULL;
    }
    rd_kafka_topic_t *handle = topic_of(producer, topic);
    if (!handle)
        return FEED_E_UNAVAILABLE;
    struct delivery *delivery = malloc(sizeof *delivery);
    feed_assert(delivery);
    *delivery = (struct delivery){.fn = fn, .arg = arg};
    rd_kafka_headers_t *copied = copy_headers(headers, header_count);
    rd_kafka_resp_err_t error =
        rd_kafka_producev(producer->kafka, RD_KAFKA_V_RKT(handle), RD_KAFKA_V_KEY(key.data, key.len),
                          RD_KAFKA_V_VALUE((void *)value.data, value.len), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_HEADERS(copied), RD_KAFKA_V_OPAQUE(delivery), RD_KAFKA_V_END);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_headers_destroy(copied);
        free(delivery);
        enum feed_error ours = feed_kafka_error(error);
        return ours == FEED_E_REMOTE ? FEED_E_UNAVAILABLE : ours;
    }
    /* librdkafka has `delivery` until the report. NOLINTNEXTLINE */
    producer->queued++;
    return FEED_OK;
}

unsigned feed_kafka_producer_queued(const struct feed_kafka_producer *producer)
{
    return producer->queued;
}

bool feed_kafka_producer_up(const struct feed_kafka_producer *producer, const char **reason)
{
    if (reason) {
        *reason = producer->up ? NULL : producer->reason;
    }
    return producer->up;
}
