/* Asking what the group has committed, with the notes that were committed too. librdkafka's consumer asks for itself
 * alone, and its own call for others blocks; its admin call does not, and answers into a queue. */
#include "shared/kafka/consumer_state.h"

#include "shared/base/assert.h"
#include "shared/kafka/settings.h"

#include <stdlib.h>

enum { ASK_TIMEOUT_MS = 10000 };

static void report_rows(struct feed_kafka_consumer *consumer, const rd_kafka_topic_partition_list_t *list)
{
    struct feed_kafka_committed *rows = calloc((size_t)list->cnt + 1, sizeof *rows);
    feed_assert(rows);
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *row = &list->elems[i];
        rows[i] = (struct feed_kafka_committed){.partition = row->partition,
                                                .next_offset = row->offset >= 0 ? row->offset : -1,
                                                .note = {row->metadata, row->metadata ? row->metadata_size : 0}};
        error = row->err ? row->err : error;
    }
    if (error)
        consumer->events.asked_fn(consumer->arg, feed_kafka_error(error), rd_kafka_err2str(error), NULL, 0);
    else
        consumer->events.asked_fn(consumer->arg, FEED_OK, NULL, rows, (size_t)list->cnt);
    free(rows);
}

static void on_answer(struct feed_kafka_consumer *consumer, rd_kafka_event_t *event)
{
    const rd_kafka_ListConsumerGroupOffsets_result_t *result = rd_kafka_event_ListConsumerGroupOffsets_result(event);
    if (!result || rd_kafka_event_error(event)) {
        consumer->events.asked_fn(consumer->arg, feed_kafka_error(rd_kafka_event_error(event)),
                                  rd_kafka_event_error_string(event), NULL, 0);
        return;
    }
    size_t count;
    const rd_kafka_group_result_t **groups = rd_kafka_ListConsumerGroupOffsets_result_groups(result, &count);
    feed_assert(count == 1);
    const rd_kafka_error_t *error = rd_kafka_group_result_error(groups[0]);
    if (error)
        consumer->events.asked_fn(consumer->arg, feed_kafka_error(rd_kafka_error_code(error)),
                                  rd_kafka_error_string(error), NULL, 0);
    else
        report_rows(consumer, rd_kafka_group_result_partitions(groups[0]));
}

static int serve(void *arg)
{
    struct feed_kafka_consumer *consumer = arg;
    rd_kafka_event_t *event;
    while ((event = rd_kafka_queue_poll(consumer->asked_queue, 0)) != NULL) {
        on_answer(consumer, event);
        rd_kafka_event_destroy(event);
    }
    return 0;
}

void feed_kafka_asking_init(struct feed_kafka_consumer *consumer, struct feed_loop *loop)
{
    consumer->asked_queue = rd_kafka_queue_new(consumer->kafka);
    consumer->asked = feed_kafka_queue_new(loop, consumer->asked_queue, serve, consumer);
}

void feed_kafka_asking_fini(struct feed_kafka_consumer *consumer)
{
    feed_kafka_queue_free(consumer->asked);
    rd_kafka_queue_destroy(consumer->asked_queue);
}

void feed_kafka_ask_committed(struct feed_kafka_consumer *consumer, const int32_t *partitions, size_t count)
{
    feed_assert(count > 0);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, consumer->topic, partitions[i]);
    rd_kafka_ListConsumerGroupOffsets_t *question = rd_kafka_ListConsumerGroupOffsets_new(consumer->group, list);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(consumer->kafka, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
    char problem[100];
    rd_kafka_resp_err_t error =
        rd_kafka_AdminOptions_set_request_timeout(options, ASK_TIMEOUT_MS, problem, sizeof problem);
    feed_assert(!error);
    rd_kafka_ListConsumerGroupOffsets(consumer->kafka, &question, 1, options, consumer->asked_queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ListConsumerGroupOffsets_destroy(question);
    rd_kafka_topic_partition_list_destroy(list);
}
