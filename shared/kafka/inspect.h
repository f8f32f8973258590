/* Reading Kafka from an operator's command, blocking: offsets of a group, ends of partitions, records of a topic. Not
 * for daemons. */
#ifndef FEED_KAFKA_INSPECT_H
#define FEED_KAFKA_INSPECT_H

#include "shared/kafka/consumer.h"

struct feed_kafka_partition_lag {
    int32_t partition;
    int64_t begin, end;
    int64_t committed; /* -1: none */
};
/* *out is a malloc'd array of *count rows. */
enum feed_error feed_kafka_lag(const struct feed_kafka_settings *settings, const char *topic, const char *group,
                               unsigned timeout_ms, struct feed_kafka_partition_lag **out, size_t *count, char *problem,
                               size_t problem_size) FEED_MUST_USE;
/* Calls fn for the newest `limit` records of all partitions, oldest first in each partition. A topic that does not
 * exist has none. */
enum feed_error feed_kafka_tail(const struct feed_kafka_settings *settings, const char *topic, unsigned limit,
                                unsigned timeout_ms, void (*fn)(void *arg, const struct feed_kafka_message *message),
                                void *arg, char *problem, size_t problem_size) FEED_MUST_USE;

/* Calls fn for every record that Kafka got from from_ms on and before to_ms (ms since the Unix epoch), in order within
 * a partition, until fn says false (FEED_OK then too). FEED_E_MISSING: there is no such topic. */
enum feed_error feed_kafka_span(const struct feed_kafka_settings *settings, const char *topic, int64_t from_ms,
                                int64_t to_ms, unsigned timeout_ms,
                                bool (*fn)(void *arg, const struct feed_kafka_message *message), void *arg,
                                char *problem, size_t problem_size) FEED_MUST_USE;

#endif
