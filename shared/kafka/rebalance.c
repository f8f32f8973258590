/* Partitions come and go. With the cooperative protocol only the difference is given; with the eager one everything.
 * Whoever holds work of a partition hears of its loss before it is given away, and may commit then. */
#include "shared/kafka/consumer_state.h"

#include "shared/base/assert.h"
#include "shared/observe/log.h"

#include <stdlib.h>
#include <string.h>

static void log_change(struct feed_kafka_consumer *consumer, const char *event, int count)
{
    if (consumer->log && count > 0) {
        FEED_LOG(consumer->log, FEED_LOG_INFO, event, NULL, FEED_LOG_NUMBER("partitions", count));
    }
}

/* Those of the partitions that the events have told of; *count says how many. The caller frees the list. */
static int32_t *numbers(const struct feed_kafka_consumer *consumer, const rd_kafka_topic_partition_list_t *partitions,
                        size_t *count)
{
    int32_t *list = calloc((size_t)partitions->cnt + 1, sizeof *list);
    feed_assert(list);
    *count = 0;
    for (int i = 0; i < partitions->cnt; i++) {
        const rd_kafka_topic_partition_t *row = &partitions->elems[i];
        if (rd_kafka_topic_partition_list_find(consumer->assigned, row->topic, row->partition))
            list[(*count)++] = row->partition;
    }
    return list;
}

static void assigned(struct feed_kafka_consumer *consumer, rd_kafka_topic_partition_list_t *partitions,
                     bool cooperative)
{
    if (cooperative) {
        rd_kafka_error_t *error = rd_kafka_incremental_assign(consumer->kafka, partitions);
        if (error) {
            rd_kafka_error_destroy(error);
        }
    } else {
        rd_kafka_assign(consumer->kafka, partitions);
    }
    /* One that was under way when closing began: nobody is to begin work any more. */
    if (consumer->closing)
        return;
    for (int i = 0; i < partitions->cnt; i++) {
        rd_kafka_topic_partition_list_add(consumer->assigned, partitions->elems[i].topic,
                                          partitions->elems[i].partition);
    }
    if (consumer->held) {
        rd_kafka_pause_partitions(consumer->kafka, partitions);
    }
    log_change(consumer, "partitions_assigned", partitions->cnt);
    size_t count;
    int32_t *list = numbers(consumer, partitions, &count);
    consumer->events.assigned_fn(consumer->arg, list, count);
    free(list);
}

static void revoked(struct feed_kafka_consumer *consumer, rd_kafka_topic_partition_list_t *partitions, bool cooperative)
{
    bool lost = rd_kafka_assignment_lost(consumer->kafka) != 0;
    size_t count;
    int32_t *list = numbers(consumer, partitions, &count);
    if (count)
        consumer->events.revoked_fn(consumer->arg, list, count, lost);
    free(list);
    log_change(consumer, lost ? "partitions_lost" : "partitions_revoked", partitions->cnt);
    for (int i = 0; i < partitions->cnt; i++) {
        rd_kafka_topic_partition_list_del(consumer->assigned, partitions->elems[i].topic,
                                          partitions->elems[i].partition);
    }
    if (cooperative) {
        rd_kafka_error_t *error = rd_kafka_incremental_unassign(consumer->kafka, partitions);
        if (error) {
            rd_kafka_error_destroy(error);
        }
    } else {
        rd_kafka_assign(consumer->kafka, NULL);
    }
}

void feed_kafka_on_rebalance(rd_kafka_t *kafka, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t *partitions,
                             void *opaque)
{
    struct feed_kafka_consumer *consumer = opaque;
    /* NULL from a group that is being left already: a rebalance that began before may still be handed out while the
     * consumer closes. The protocol is what it was then. */
    const char *protocol = rd_kafka_rebalance_protocol(kafka);
    if (protocol)
        consumer->cooperative = strcmp(protocol, "COOPERATIVE") == 0;
    bool cooperative = consumer->cooperative;
    if (error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        assigned(consumer, partitions, cooperative);
    } else if (error == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
        revoked(consumer, partitions, cooperative);
    } else {
        rd_kafka_assign(kafka, NULL);
    }
}
