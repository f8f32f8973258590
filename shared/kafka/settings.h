/* From our settings to a configuration of librdkafka, its log lines to ours, and its errors to ours. Private to this
 * room. */
#ifndef FEED_KAFKA_SETTINGS_H
#define FEED_KAFKA_SETTINGS_H

#include "shared/kafka/producer.h"

#include <librdkafka/rdkafka.h>

struct feed_kafka_builder {
    rd_kafka_conf_t *conf; /* taken by rd_kafka_new, else destroyed by feed_kafka_builder_drop */
    enum feed_error error; /* of the first setting that was refused */
    char *problem;
    size_t problem_size;
};

/* Brokers, client id, and the log queue. The further properties are set last, by feed_kafka_builder_properties, so that
 * they win. */
void feed_kafka_builder_init(struct feed_kafka_builder *builder, const struct feed_kafka_settings *kafka, char *problem,
                             size_t problem_size);
void feed_kafka_builder_set(struct feed_kafka_builder *builder, const char *name, const char *value);
void feed_kafka_builder_number(struct feed_kafka_builder *builder, const char *name, uint64_t value);
void feed_kafka_builder_properties(struct feed_kafka_builder *builder, const char *properties);
/* Makes the client; NULL with builder->error and problem set. The configuration is gone in both cases. */
rd_kafka_t *feed_kafka_builder_finish(struct feed_kafka_builder *builder, rd_kafka_type_t type);

enum feed_error feed_kafka_error(rd_kafka_resp_err_t error);
/* One line of librdkafka, from a log event. log may be NULL. */
void feed_kafka_log_event(struct feed_log *log, rd_kafka_event_t *event);
/* Whether some broker is connected, by the statistics of librdkafka (JSON), which come each FEED_KAFKA_STATISTICS_MS.
 */
enum { FEED_KAFKA_STATISTICS_MS = 1000 };
bool feed_kafka_statistics_up(const char *json);
/* Copies a message's headers into out, at most FEED_KAFKA_HEADERS_MAX; borrowed from the message. */
struct feed_kafka_message;
void feed_kafka_message_view(const rd_kafka_message_t *raw, struct feed_kafka_message *out);

#endif
