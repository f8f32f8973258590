/* The bridge from librdkafka's threads to the loop. librdkafka writes into the eventfd only when its queue turns from
 * empty to non-empty, so whoever stops before the queue is empty rings for itself. */
#include "shared/kafka/events.h"

#include "shared/base/assert.h"
#include "shared/loop/loop.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <uv.h>

struct feed_kafka_queue {
    uv_poll_t poll;
    int fd;
    rd_kafka_queue_t *queue;
    struct feed_timer *timer;
    feed_kafka_serve_fn *serve_fn;
    void *arg;
};

void feed_kafka_queue_ring(struct feed_kafka_queue *queue)
{
    uint64_t one = 1;
    ssize_t written = write(queue->fd, &one, sizeof one);
    (void)written; /* full means that it rings already */
}

static void on_ring(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    struct feed_kafka_queue *queue = poll->data;
    uint64_t count;
    ssize_t got = read(queue->fd, &count, sizeof count);
    (void)got; /* level-triggered: reading only silences it */
    if (queue->serve_fn(queue->arg)) {
        feed_kafka_queue_ring(queue);
    }
}

static void on_timer(void *arg)
{
    struct feed_kafka_queue *queue = arg;
    if (queue->serve_fn(queue->arg)) {
        feed_kafka_queue_ring(queue);
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct feed_kafka_queue *queue = handle->data;
    close(queue->fd);
    free(queue);
}

struct feed_kafka_queue *feed_kafka_queue_new(struct feed_loop *loop, rd_kafka_queue_t *kafka_queue,
                                              feed_kafka_serve_fn *serve_fn, void *arg)
{
    struct feed_kafka_queue *queue = calloc(1, sizeof *queue);
    feed_assert(queue);
    queue->queue = kafka_queue;
    queue->serve_fn = serve_fn;
    queue->arg = arg;
    queue->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    feed_assert(queue->fd >= 0);
    queue->poll.data = queue;
    feed_assert(uv_poll_init(feed_loop_uv(loop), &queue->poll, queue->fd) == 0);
    uv_poll_start(&queue->poll, UV_READABLE, on_ring);
    static const uint64_t one = 1;
    rd_kafka_queue_io_event_enable(kafka_queue, queue->fd, &one, sizeof one);
    queue->timer = feed_timer_new(loop, on_timer, queue);
    feed_timer_start(queue->timer, FEED_KAFKA_POLL_MS, FEED_KAFKA_POLL_MS);
    return queue;
}

void feed_kafka_queue_free(struct feed_kafka_queue *queue)
{
    rd_kafka_queue_io_event_enable(queue->queue, -1, NULL, 0);
    feed_timer_free(queue->timer);
    uv_poll_stop(&queue->poll);
    uv_close((uv_handle_t *)&queue->poll, on_closed);
}
