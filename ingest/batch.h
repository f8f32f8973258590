/* A batch: the activities of one request while Kafka has them. It counts the acknowledgements that are still to come,
 * and knows what to answer when the last has come. Pure: who produces tells it what happened. */
#ifndef INGEST_BATCH_H
#define INGEST_BATCH_H

#include "shared/base/limits.h"
#include "shared/base/str.h"
#include "shared/kafka/producer.h"

enum ing_item_state {
    ING_ITEM_NEW,     /* not handed to the producer */
    ING_ITEM_PENDING, /* handed over; its delivery report will come, exactly once */
    ING_ITEM_ACKNOWLEDGED,
    ING_ITEM_FAILED
};

struct ing_batch;

struct ing_item {
    struct ing_batch *batch;
    enum ing_item_state state;
    enum feed_error error; /* why it failed */
    char id[FEED_ACTIVITY_ID_MAX + 1];
    size_t id_len;
    int64_t published_ms;
    uint64_t produced_us; /* monotonic; for the latency */
    int32_t partition;
    int64_t offset;
};

struct ing_batch {
    size_t count, pending, acknowledged, failed;
    void *arg; /* the holder's */
    struct ing_item items[];
};

/* NULL when out of memory. */
struct ing_batch *ing_batch_new(size_t count, void *arg);
void ing_batch_free(struct ing_batch *batch);
/* Fills in what the answer must say about item i. The id is copied. */
void ing_batch_set(struct ing_batch *batch, size_t i, struct feed_str id, int64_t published_ms);
/* Item i was handed over at now_us. */
void ing_batch_produced(struct ing_batch *batch, size_t i, uint64_t now_us);
/* Item i could not be handed over, and nor will those after it. */
void ing_batch_stop(struct ing_batch *batch, size_t i, enum feed_error error);
/* Item i was acknowledged before, there. */
void ing_batch_known(struct ing_batch *batch, size_t i, int32_t partition, int64_t offset);
/* The delivery report of an item. */
void ing_batch_delivered(struct ing_item *item, const struct feed_kafka_delivery *delivery);
/* All items are either acknowledged or failed: time to answer. */
bool ing_batch_complete(const struct ing_batch *batch);

#endif
