/* What the files of the consumer share. Private to this room. */
#ifndef FEED_KAFKA_CONSUMER_STATE_H
#define FEED_KAFKA_CONSUMER_STATE_H

#include "shared/kafka/consumer.h"
#include "shared/kafka/events.h"

#include <librdkafka/rdkafka.h>

struct feed_kafka_consumer {
    struct feed_kafka_consumer_events events;
    void *arg;
    struct feed_log *log;
    rd_kafka_t *kafka;
    rd_kafka_queue_t *consumer_queue;
    struct feed_kafka_queue *queue;
    rd_kafka_topic_partition_list_t *assigned; /* what is ours now */
    char *topic, *group;
    rd_kafka_queue_t *asked_queue; /* answers to feed_kafka_ask_committed */
    struct feed_kafka_queue *asked;
    bool paused;
    bool held; /* paused for so long that the partitions are paused in librdkafka too */
    uint64_t paused_us;
    bool cooperative; /* the protocol of the last rebalance */
    bool closing;     /* records are not handed out any more */
    bool up;
};

/* committed.c */
void feed_kafka_asking_init(struct feed_kafka_consumer *consumer, struct feed_loop *loop);
void feed_kafka_asking_fini(struct feed_kafka_consumer *consumer);

/* librdkafka's rebalance callback; opaque is the consumer. */
void feed_kafka_on_rebalance(rd_kafka_t *kafka, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t *partitions,
                             void *opaque);

#endif
