/* Book-keeping of acknowledgements. Each move checks the state before it, so that an item which is reported twice, or
 * never, is found by an assertion and not by a client that waits. */
#include "ingest/batch.h"

#include "shared/base/assert.h"

#include <stdlib.h>

struct ing_batch *ing_batch_new(size_t count, void *arg)
{
    feed_assert(count > 0 && count <= FEED_BATCH_MAX);
    struct ing_batch *batch = calloc(1, sizeof(*batch) + count * sizeof(batch->items[0]));
    if (!batch) {
        return NULL;
    }
    batch->count = count;
    batch->arg = arg;
    for (size_t i = 0; i < count; i++) {
        batch->items[i].batch = batch;
    }
    return batch;
}

void ing_batch_free(struct ing_batch *batch)
{
    feed_assert(!batch || batch->pending == 0);
    free(batch);
}

void ing_batch_set(struct ing_batch *batch, size_t i, struct feed_str id, int64_t published_ms)
{
    feed_assert(i < batch->count);
    struct ing_item *item = &batch->items[i];
    enum feed_error error = feed_str_copy(id, item->id, sizeof(item->id));
    feed_assert(error == FEED_OK);
    item->id_len = id.len;
    item->published_ms = published_ms;
}

void ing_batch_produced(struct ing_batch *batch, size_t i, uint64_t now_us)
{
    feed_assert(i < batch->count && batch->items[i].state == ING_ITEM_NEW);
    batch->items[i].state = ING_ITEM_PENDING;
    batch->items[i].produced_us = now_us;
    batch->pending++;
}

void ing_batch_stop(struct ing_batch *batch, size_t i, enum feed_error error)
{
    for (; i < batch->count; i++) {
        feed_assert(batch->items[i].state == ING_ITEM_NEW);
        batch->items[i].state = ING_ITEM_FAILED;
        batch->items[i].error = error;
        batch->failed++;
    }
}

void ing_batch_known(struct ing_batch *batch, size_t i, int32_t partition, int64_t offset)
{
    feed_assert(i < batch->count && batch->items[i].state == ING_ITEM_NEW);
    batch->items[i].state = ING_ITEM_ACKNOWLEDGED;
    batch->items[i].partition = partition;
    batch->items[i].offset = offset;
    batch->acknowledged++;
}

void ing_batch_delivered(struct ing_item *item, const struct feed_kafka_delivery *delivery)
{
    struct ing_batch *batch = item->batch;
    feed_assert(item->state == ING_ITEM_PENDING && batch->pending > 0);
    batch->pending--;
    if (delivery->error == FEED_OK) {
        item->state = ING_ITEM_ACKNOWLEDGED;
        item->partition = delivery->partition;
        item->offset = delivery->offset;
        batch->acknowledged++;
    } else {
        item->state = ING_ITEM_FAILED;
        item->error = delivery->error;
        batch->failed++;
    }
}

bool ing_batch_complete(const struct ing_batch *batch)
{
    return batch->acknowledged + batch->failed == batch->count;
}
