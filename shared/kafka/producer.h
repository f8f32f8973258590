/* Producing to Kafka (librdkafka): acks=all, idempotent. Delivery reports arrive on the loop (queue with an eventfd).
 * The record's timestamp is the time of producing. Every callback fires exactly once, later, on the loop's thread. */
#ifndef FEED_KAFKA_PRODUCER_H
#define FEED_KAFKA_PRODUCER_H

#include "shared/base/str.h"

struct feed_loop;
struct feed_log;
struct feed_kafka_producer;

enum { FEED_KAFKA_HEADERS_MAX = 16 };

struct feed_kafka_header {
    const char *name; /* terminated */
    struct feed_str value;
};

struct feed_kafka_settings {
    const char *brokers;    /* host:port[,host:port..] */
    const char *client_id;  /* "feedwire-ingest" */
    const char *properties; /* further librdkafka properties, "name=value;name=value", may be "": security.protocol,
                               sasl.*; checked by librdkafka */
};

struct feed_kafka_producer_settings {
    struct feed_kafka_settings kafka;
    unsigned queue_messages_max; /* records not yet acknowledged; beyond it FEED_E_FULL */
    unsigned queue_kbytes_max;
    unsigned delivery_timeout_ms; /* a record that is not acknowledged by then fails with FEED_E_TIMEOUT */
    unsigned linger_ms;
};

struct feed_kafka_delivery {
    enum feed_error error; /* FEED_OK: acknowledged by all in-sync replicas */
    const char *reason;    /* librdkafka's text when error is set */
    int32_t partition;
    int64_t offset;
};
typedef void feed_kafka_delivery_fn(void *arg, const struct feed_kafka_delivery *delivery);

/* FEED_E_INVALID with a sentence in problem (size problem_size) when a setting is refused. Starts connecting in the
 * background. */
enum feed_error feed_kafka_producer_new(struct feed_loop *loop, struct feed_log *log,
                                        const struct feed_kafka_producer_settings *settings,
                                        struct feed_kafka_producer **out, char *problem,
                                        size_t problem_size) FEED_MUST_USE;
/* Waits up to timeout_ms for what is queued (blocking: at shutdown only), then frees; callbacks of what is left fire
 * with FEED_E_UNAVAILABLE. */
void feed_kafka_producer_free(struct feed_kafka_producer *producer, unsigned timeout_ms);
/* Everything is copied. FEED_E_FULL, FEED_E_TOO_LARGE or FEED_E_UNAVAILABLE: not queued, fn will not fire. */
enum feed_error feed_kafka_produce(struct feed_kafka_producer *producer, const char *topic, struct feed_str key,
                                   struct feed_str value, const struct feed_kafka_header *headers, size_t header_count,
                                   feed_kafka_delivery_fn *fn, void *arg) FEED_MUST_USE;
/* Waits up to timeout_ms for what is queued (blocking: before partitions are given away). Callbacks fire inside. */
void feed_kafka_producer_flush(struct feed_kafka_producer *producer, unsigned timeout_ms);
unsigned feed_kafka_producer_queued(const struct feed_kafka_producer *producer);
/* Whether a broker could be reached lately (a delivery, or a broker in state up); reason for the health page when not.
 */
bool feed_kafka_producer_up(const struct feed_kafka_producer *producer, const char **reason);

#endif
