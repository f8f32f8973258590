/* Brings a queue of librdkafka to the loop: an eventfd rings when something comes, and a timer looks anyway. Private to
 * this room. */
#ifndef FEED_KAFKA_EVENTS_H
#define FEED_KAFKA_EVENTS_H

#include <librdkafka/rdkafka.h>
#include <stdint.h>

struct feed_loop;
struct feed_kafka_queue;

/* Looks at the queue at least this often: a consumer that polls only when its descriptor rings would be thrown out of
 * its group on an idle topic. */
enum { FEED_KAFKA_POLL_MS = 200 };

/* serve_fn takes what is there, up to a cap, and says whether more is left; then it is called again in the next turn.
 */
typedef int feed_kafka_serve_fn(void *arg);
/* The queue is borrowed until feed_kafka_queue_free. */
struct feed_kafka_queue *feed_kafka_queue_new(struct feed_loop *loop, rd_kafka_queue_t *queue,
                                              feed_kafka_serve_fn *serve_fn, void *arg);
/* Calls serve_fn in the next turn. */
void feed_kafka_queue_ring(struct feed_kafka_queue *queue);
void feed_kafka_queue_free(struct feed_kafka_queue *queue);

#endif
