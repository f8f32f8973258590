/* The reader. What partitions there are, librdkafka tells only to who waits for it, so a thread of libuv's pool asks,
 * and the loop goes on meanwhile. Each partition then tells by itself when its end is reached. */
#include "shared/kafka/reader.h"

#include "shared/base/assert.h"
#include "shared/kafka/events.h"
#include "shared/kafka/settings.h"
#include "shared/loop/loop.h"
#include "shared/observe/log.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

struct feed_kafka_reader {
    struct feed_kafka_reader_events events;
    void *arg;
    struct feed_log *log;
    struct feed_loop *loop;
    rd_kafka_t *kafka;
    rd_kafka_queue_t *consumer_queue;
    struct feed_kafka_queue *queue;           /* NULL until the partitions are known */
    rd_kafka_topic_partition_list_t *reading; /* partitions whose end has not been reached */
    char *topic;
    int ask_timeout_ms;
    bool paused;
    bool ended;   /* done_fn has been called */
    bool dropped; /* freed while the thread is asking */

    uv_work_t work; /* the thread's, until it is through */
    bool asking;
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t error;
};

static void discard(struct feed_kafka_reader *reader)
{
    if (reader->metadata)
        rd_kafka_metadata_destroy(reader->metadata);
    if (reader->queue)
        feed_kafka_queue_free(reader->queue);
    if (reader->consumer_queue)
        rd_kafka_queue_destroy(reader->consumer_queue);
    if (reader->kafka)
        rd_kafka_destroy_flags(reader->kafka, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    if (reader->reading)
        rd_kafka_topic_partition_list_destroy(reader->reading);
    free(reader->topic);
    free(reader);
}

/* ---- records ---- */

/* False at the end of the last partition. */
static bool take(struct feed_kafka_reader *reader, const rd_kafka_message_t *raw)
{
    if (raw->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        rd_kafka_topic_partition_list_del(reader->reading, reader->topic, raw->partition);
    } else if (raw->err) {
        FEED_LOG(reader->log, FEED_LOG_WARN, "kafka_read", rd_kafka_message_errstr(raw));
    } else if (rd_kafka_topic_partition_list_find(reader->reading, reader->topic, raw->partition)) {
        struct feed_kafka_message message;
        feed_kafka_message_view(raw, &message);
        reader->events.message_fn(reader->arg, &message);
    }
    return reader->reading->cnt > 0;
}

static int serve(void *arg)
{
    struct feed_kafka_reader *reader = arg;
    for (int i = 0; i < FEED_KAFKA_TURN_MAX; i++) {
        if (reader->paused || reader->ended)
            return 0;
        rd_kafka_message_t *raw = rd_kafka_consumer_poll(reader->kafka, 0);
        if (!raw)
            return 0;
        bool more = take(reader, raw);
        rd_kafka_message_destroy(raw); /* before the reader, which may go in the next line */
        if (!more) {
            reader->ended = true;
            reader->events.done_fn(reader->arg, FEED_OK, NULL);
            return 0;
        }
    }
    return 1;
}

/* ---- partitions ---- */

static void begin(struct feed_kafka_reader *reader, const struct rd_kafka_metadata_topic *found)
{
    for (int i = 0; i < found->partition_cnt; i++)
        rd_kafka_topic_partition_list_add(reader->reading, reader->topic, found->partitions[i].id)->offset =
            RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(reader->kafka, reader->reading);
    reader->queue = feed_kafka_queue_new(reader->loop, reader->consumer_queue, serve, reader);
    feed_kafka_queue_ring(reader->queue);
}

static void on_asked(uv_work_t *work, int status)
{
    struct feed_kafka_reader *reader = work->data;
    (void)status; /* it is never cancelled */
    reader->asking = false;
    if (reader->dropped) {
        discard(reader);
        return;
    }
    const struct rd_kafka_metadata_topic *found =
        !reader->error && reader->metadata->topic_cnt == 1 ? &reader->metadata->topics[0] : NULL;
    if (!found)
        reader->events.done_fn(reader->arg, FEED_E_UNAVAILABLE, rd_kafka_err2str(reader->error));
    else if (found->err || found->partition_cnt == 0)
        reader->events.done_fn(reader->arg, FEED_E_MISSING, "there is no such topic");
    else
        begin(reader, found);
}

/* In a thread of its own: touches nothing but its own fields. */
static void ask(uv_work_t *work)
{
    struct feed_kafka_reader *reader = work->data;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(reader->kafka, reader->topic, NULL);
    reader->error = rd_kafka_metadata(reader->kafka, 0, topic, &reader->metadata, reader->ask_timeout_ms);
    rd_kafka_topic_destroy(topic);
}

/* ---- life ---- */

static rd_kafka_t *make(const struct feed_kafka_reader_settings *settings, struct feed_kafka_builder *builder)
{
    feed_kafka_builder_set(builder, "group.id", settings->group);
    feed_kafka_builder_set(builder, "enable.auto.commit", "false");
    feed_kafka_builder_set(builder, "enable.auto.offset.store", "false");
    feed_kafka_builder_set(builder, "auto.offset.reset", "earliest");
    feed_kafka_builder_set(builder, "allow.auto.create.topics", "false");
    feed_kafka_builder_number(builder, "queued.max.messages.kbytes", settings->queued_kbytes_max);
    feed_kafka_builder_properties(builder, settings->kafka.properties);
    feed_kafka_builder_set(builder, "enable.partition.eof", "true");
    return feed_kafka_builder_finish(builder, RD_KAFKA_CONSUMER);
}

enum feed_error feed_kafka_reader_new(struct feed_loop *loop, struct feed_log *log,
                                      const struct feed_kafka_reader_settings *settings,
                                      const struct feed_kafka_reader_events *events, void *arg,
                                      struct feed_kafka_reader **out, char *problem, size_t problem_size)
{
    struct feed_kafka_builder builder;
    feed_kafka_builder_init(&builder, &settings->kafka, problem, problem_size);
    feed_kafka_builder_set(&builder, "log.queue", "false");
    feed_kafka_builder_set(&builder, "log_level", "3"); /* the group's consumer says what is wrong with the brokers */
    feed_kafka_builder_set(&builder, "statistics.interval.ms", "0");
    rd_kafka_t *kafka = make(settings, &builder);
    if (!kafka)
        return builder.error;
    struct feed_kafka_reader *reader = calloc(1, sizeof *reader);
    feed_assert(reader);
    *reader = (struct feed_kafka_reader){.events = *events,
                                         .arg = arg,
                                         .log = log,
                                         .loop = loop,
                                         .kafka = kafka,
                                         .topic = strdup(settings->topic),
                                         .ask_timeout_ms = (int)settings->ask_timeout_ms,
                                         .asking = true};
    feed_assert(reader->topic);
    rd_kafka_poll_set_consumer(kafka);
    reader->consumer_queue = rd_kafka_queue_get_consumer(kafka);
    reader->reading = rd_kafka_topic_partition_list_new(16);
    reader->work.data = reader;
    int queued = uv_queue_work(feed_loop_uv(loop), &reader->work, ask, on_asked);
    feed_assert(queued == 0);
    *out = reader;
    return FEED_OK;
}

void feed_kafka_reader_free(struct feed_kafka_reader *reader)
{
    if (!reader)
        return;
    if (reader->asking)
        reader->dropped = true; /* freed when the thread is through: the loop waits for it */
    else
        discard(reader);
}

void feed_kafka_reader_pause(struct feed_kafka_reader *reader)
{
    reader->paused = true;
}

void feed_kafka_reader_resume(struct feed_kafka_reader *reader)
{
    if (!reader->paused)
        return;
    reader->paused = false;
    if (reader->queue)
        feed_kafka_queue_ring(reader->queue);
}
