/* The consumer. The difficulty is to stay in the group: librdkafka must be polled also while the topic is idle and
 * while partitions are paused, which the queue's timer does. Pausing drops what librdkafka had read ahead, and resuming
 * reads it again from the first record that was not handed out, which was seen to take up to a second. So a pause is at
 * first nothing but not polling, for less time than anybody notices; only when it lasts are the partitions paused. */
#include "shared/kafka/consumer_state.h"

#include "shared/base/assert.h"
#include "shared/kafka/settings.h"
#include "shared/loop/loop.h"
#include "shared/observe/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Fetches wait this long at the broker for something to come. An idle partition costs ten requests a second, and a
 * broker that answers only at the end of the wait delays a record by no more. */
enum { FETCH_WAIT_MS = 100, COMMIT_WAIT_MS = 5000, SEEK_WAIT_MS = 1000, TOPIC_REFRESH_MS = 5000 };

/* How long a pause may go without polling: rebalances and the results of commits wait as long. */
enum { UNPOLLED_MS = 500 };

static void note_state(struct feed_kafka_consumer *consumer, bool up, const char *reason)
{
    if (consumer->up != up) {
        consumer->up = up;
        consumer->events.state_fn(consumer->arg, up, reason);
    }
}

static void on_error(rd_kafka_t *kafka, int error, const char *reason, void *opaque)
{
    (void)kafka;
    struct feed_kafka_consumer *consumer = opaque;
    if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        note_state(consumer, false, "no broker can be reached");
    } else if (consumer->log) {
        FEED_LOG(consumer->log, FEED_LOG_WARN, "kafka_error", reason, FEED_LOG_NUMBER("code", error));
    }
}

static int on_statistics(rd_kafka_t *kafka, char *json, size_t len, void *opaque)
{
    (void)kafka;
    (void)len;
    if (feed_kafka_statistics_up(json)) {
        note_state(opaque, true, "connected");
    } else {
        note_state(opaque, false, "no broker is connected");
    }
    return 0; /* librdkafka frees it */
}

static void on_log(const rd_kafka_t *kafka, int level, const char *facility, const char *text)
{
    struct feed_kafka_consumer *consumer = rd_kafka_opaque(kafka);
    if (consumer->log) {
        FEED_LOG(consumer->log,
                 level <= 3   ? FEED_LOG_WARN
                 : level <= 5 ? FEED_LOG_INFO
                              : FEED_LOG_DEBUG,
                 "kafka_library", NULL, FEED_LOG_TEXT("facility", feed_str_of(facility)),
                 FEED_LOG_TEXT("text", feed_str_of(text)));
    }
}

static void on_commit(rd_kafka_t *kafka, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t *offsets,
                      void *opaque)
{
    (void)kafka;
    (void)offsets;
    struct feed_kafka_consumer *consumer = opaque;
    if (error != RD_KAFKA_RESP_ERR__NO_OFFSET) {
        consumer->events.committed_fn(consumer->arg, feed_kafka_error(error), error ? rd_kafka_err2str(error) : NULL);
    }
}

static bool is_assigned(const struct feed_kafka_consumer *consumer, int32_t partition)
{
    return rd_kafka_topic_partition_list_find(consumer->assigned, consumer->topic, partition) != NULL;
}

static void take(struct feed_kafka_consumer *consumer, rd_kafka_message_t *raw)
{
    if (raw->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (!consumer->closing && is_assigned(consumer, raw->partition)) {
            consumer->events.end_fn(consumer->arg, raw->partition, raw->offset);
        }
        return;
    }
    if (raw->err) {
        /* A topic that does not exist yet comes with the next look at the metadata. */
        if (consumer->log) {
            FEED_LOG(consumer->log, FEED_LOG_WARN, "kafka_consume", rd_kafka_message_errstr(raw));
        }
        return;
    }
    if (consumer->closing || !is_assigned(consumer, raw->partition)) {
        return;
    }
    struct feed_kafka_message message;
    feed_kafka_message_view(raw, &message);
    consumer->events.message_fn(consumer->arg, &message);
}

/* Whether the queue is to be left alone now. Called at least every FEED_KAFKA_POLL_MS, so a pause that lasts is seen.
 */
static bool leave_alone(struct feed_kafka_consumer *consumer)
{
    if (!consumer->paused || consumer->held) {
        return false;
    }
    if (feed_clock_mono_us() - consumer->paused_us < UNPOLLED_MS * UINT64_C(1000)) {
        return true;
    }
    consumer->held = true;
    rd_kafka_pause_partitions(consumer->kafka, consumer->assigned);
    return false;
}

static int serve(void *arg)
{
    struct feed_kafka_consumer *consumer = arg;
    for (int i = 0; i < FEED_KAFKA_TURN_MAX; i++) {
        if (leave_alone(consumer)) {
            return 0;
        }
        rd_kafka_message_t *raw = rd_kafka_consumer_poll(consumer->kafka, 0);
        if (!raw) {
            return 0;
        }
        take(consumer, raw);
        rd_kafka_message_destroy(raw);
    }
    return 1;
}

static rd_kafka_t *make(struct feed_kafka_consumer *consumer, const struct feed_kafka_consumer_settings *settings,
                        struct feed_kafka_builder *builder)
{
    feed_kafka_builder_set(builder, "group.id", settings->group);
    feed_kafka_builder_set(builder, "enable.auto.commit", "false");
    feed_kafka_builder_set(builder, "enable.auto.offset.store", "false");
    feed_kafka_builder_set(builder, "auto.offset.reset", "earliest");
    feed_kafka_builder_set(builder, "partition.assignment.strategy", "cooperative-sticky");
    feed_kafka_builder_set(builder, "enable.partition.eof", "true");
    feed_kafka_builder_number(builder, "session.timeout.ms", settings->session_timeout_ms);
    feed_kafka_builder_number(builder, "max.poll.interval.ms", settings->max_poll_interval_ms);
    feed_kafka_builder_number(builder, "queued.max.messages.kbytes", settings->queued_kbytes_max);
    feed_kafka_builder_number(builder, "fetch.wait.max.ms", FETCH_WAIT_MS);
    feed_kafka_builder_number(builder, "topic.metadata.refresh.interval.ms", TOPIC_REFRESH_MS);
    if (settings->instance_id && settings->instance_id[0]) {
        feed_kafka_builder_set(builder, "group.instance.id", settings->instance_id);
    }
    feed_kafka_builder_properties(builder, settings->kafka.properties);
    rd_kafka_conf_set_opaque(builder->conf, consumer);
    rd_kafka_conf_set_rebalance_cb(builder->conf, feed_kafka_on_rebalance);
    rd_kafka_conf_set_offset_commit_cb(builder->conf, on_commit);
    rd_kafka_conf_set_error_cb(builder->conf, on_error);
    rd_kafka_conf_set_stats_cb(builder->conf, on_statistics);
    rd_kafka_conf_set_log_cb(builder->conf, on_log);
    return feed_kafka_builder_finish(builder, RD_KAFKA_CONSUMER);
}

static enum feed_error subscribe(struct feed_kafka_consumer *consumer, char *problem, size_t problem_size)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, consumer->topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t error = rd_kafka_subscribe(consumer->kafka, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (error) {
        snprintf(problem, problem_size, "Kafka: %s", rd_kafka_err2str(error));
        return FEED_E_INVALID;
    }
    return FEED_OK;
}

static void discard(struct feed_kafka_consumer *consumer)
{
    rd_kafka_topic_partition_list_destroy(consumer->assigned);
    free(consumer->topic);
    free(consumer->group);
    free(consumer);
}

enum feed_error feed_kafka_consumer_new(struct feed_loop *loop, struct feed_log *log,
                                        const struct feed_kafka_consumer_settings *settings,
                                        const struct feed_kafka_consumer_events *events, void *arg,
                                        struct feed_kafka_consumer **out, char *problem, size_t problem_size)
{
    struct feed_kafka_consumer *consumer = calloc(1, sizeof *consumer);
    feed_assert(consumer);
    consumer->events = *events;
    consumer->arg = arg;
    consumer->log = log;
    consumer->topic = strdup(settings->topic);
    consumer->group = strdup(settings->group);
    consumer->assigned = rd_kafka_topic_partition_list_new(16);
    feed_assert(consumer->topic && consumer->group && consumer->assigned);
    struct feed_kafka_builder builder;
    feed_kafka_builder_init(&builder, &settings->kafka, problem, problem_size);
    consumer->kafka = make(consumer, settings, &builder);
    if (!consumer->kafka) {
        discard(consumer);
        return builder.error;
    }
    rd_kafka_poll_set_consumer(consumer->kafka);
    consumer->consumer_queue = rd_kafka_queue_get_consumer(consumer->kafka);
    rd_kafka_set_log_queue(consumer->kafka, consumer->consumer_queue);
    enum feed_error error = subscribe(consumer, problem, problem_size);
    if (error != FEED_OK) {
        rd_kafka_queue_destroy(consumer->consumer_queue);
        rd_kafka_destroy(consumer->kafka);
        discard(consumer);
        return error;
    }
    consumer->queue = feed_kafka_queue_new(loop, consumer->consumer_queue, serve, consumer);
    feed_kafka_asking_init(consumer, loop);
    *out = consumer;
    return FEED_OK;
}

void feed_kafka_consumer_free(struct feed_kafka_consumer *consumer)
{
    if (!consumer) {
        return;
    }
    consumer->closing = true;
    feed_kafka_queue_free(consumer->queue);
    feed_kafka_asking_fini(consumer);
    /* Closing in the background with a deadline: the blocking close of older versions can hang. */
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(consumer->kafka, consumer->consumer_queue);
    if (error) {
        rd_kafka_error_destroy(error);
    }
    uint64_t deadline = feed_clock_mono_us() + UINT64_C(10000000);
    while (!rd_kafka_consumer_closed(consumer->kafka) && feed_clock_mono_us() < deadline) {
        /* Records that were read ahead lie before what closing says. They are dropped: whoever gets the partition next
         * reads them again. (rd_kafka_queue_poll_callback takes callbacks only, and aborts on a record.) */
        rd_kafka_message_t *raw = rd_kafka_consumer_poll(consumer->kafka, 50);
        if (raw) {
            rd_kafka_message_destroy(raw);
        }
    }
    rd_kafka_queue_destroy(consumer->consumer_queue);
    rd_kafka_destroy_flags(consumer->kafka, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    discard(consumer);
}

void feed_kafka_consumer_pause(struct feed_kafka_consumer *consumer)
{
    if (!consumer->paused) {
        consumer->paused = true;
        consumer->paused_us = feed_clock_mono_us();
    }
}

void feed_kafka_consumer_resume(struct feed_kafka_consumer *consumer)
{
    if (!consumer->paused) {
        return;
    }
    consumer->paused = false;
    if (consumer->held) {
        consumer->held = false;
        rd_kafka_resume_partitions(consumer->kafka, consumer->assigned);
    }
    feed_kafka_queue_ring(consumer->queue); /* nothing rings for what has been lying there */
}

static void commit_and_wait(struct feed_kafka_consumer *consumer, const rd_kafka_topic_partition_list_t *list)
{
    /* A queue of its own, so that waiting here hands out nothing else. */
    rd_kafka_queue_t *queue = rd_kafka_queue_new(consumer->kafka);
    rd_kafka_resp_err_t error = rd_kafka_commit_queue(consumer->kafka, list, queue, NULL, NULL);
    if (!error) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(queue, COMMIT_WAIT_MS);
        error = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
        if (event) {
            rd_kafka_event_destroy(event);
        }
    }
    rd_kafka_queue_destroy(queue);
    on_commit(consumer->kafka, error, NULL, consumer);
}

void feed_kafka_commit(struct feed_kafka_consumer *consumer, const struct feed_kafka_offset *offsets, size_t count,
                       bool wait)
{
    if (count == 0) {
        return;
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_topic_partition_t *row =
            rd_kafka_topic_partition_list_add(list, consumer->topic, offsets[i].partition);
        row->offset = offsets[i].next_offset;
        if (offsets[i].note[0]) {
            row->metadata = strdup(offsets[i].note); /* freed with the list */
            feed_assert(row->metadata);
            row->metadata_size = strlen(offsets[i].note);
        }
    }
    if (wait) {
        commit_and_wait(consumer, list);
    } else {
        rd_kafka_resp_err_t error = rd_kafka_commit(consumer->kafka, list, 1);
        if (error) {
            on_commit(consumer->kafka, error, NULL, consumer);
        }
    }
    rd_kafka_topic_partition_list_destroy(list);
}

enum feed_error feed_kafka_rewind(struct feed_kafka_consumer *consumer, int32_t partition, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, consumer->topic, partition)->offset =
        offset == FEED_KAFKA_BEGINNING ? RD_KAFKA_OFFSET_BEGINNING : offset;
    rd_kafka_error_t *error = rd_kafka_seek_partitions(consumer->kafka, list, SEEK_WAIT_MS);
    /* Refused as long as librdkafka has not found out itself where the partition begins for us. */
    bool good = !error && !list->elems[0].err;
    if (error) {
        rd_kafka_error_destroy(error);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return good ? FEED_OK : FEED_E_UNAVAILABLE;
}

static void watermarks(struct feed_kafka_consumer *consumer, int32_t partition, int64_t *low, int64_t *high)
{
    if (rd_kafka_get_watermark_offsets(consumer->kafka, consumer->topic, partition, low, high) !=
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        *low = *high = -1;
    }
}

int64_t feed_kafka_high_watermark(struct feed_kafka_consumer *consumer, int32_t partition)
{
    int64_t low, high;
    watermarks(consumer, partition, &low, &high);
    return high < 0 ? -1 : high;
}

int64_t feed_kafka_low_watermark(struct feed_kafka_consumer *consumer, int32_t partition)
{
    int64_t low, high;
    watermarks(consumer, partition, &low, &high);
    return low < 0 ? -1 : low;
}
