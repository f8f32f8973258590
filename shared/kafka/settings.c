/* Builds configurations. The operator's own properties are checked by librdkafka itself, whose text is passed on: it
 * names the property and what it may be. */
#include "shared/kafka/settings.h"

#include "shared/kafka/consumer.h"
#include "shared/observe/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void feed_kafka_builder_init(struct feed_kafka_builder *builder, const struct feed_kafka_settings *kafka, char *problem,
                             size_t problem_size)
{
    *builder =
        (struct feed_kafka_builder){.conf = rd_kafka_conf_new(), .problem = problem, .problem_size = problem_size};
    feed_kafka_builder_set(builder, "bootstrap.servers", kafka->brokers);
    feed_kafka_builder_set(builder, "client.id", kafka->client_id);
    feed_kafka_builder_set(builder, "log.queue", "true");
    feed_kafka_builder_number(builder, "statistics.interval.ms", FEED_KAFKA_STATISTICS_MS);
    feed_kafka_builder_set(builder, "log.connection.close", "false");
    /* Small records and quick answers: do not wait for full segments; come back soon after a broker's restart. */
    feed_kafka_builder_set(builder, "socket.nagle.disable", "true");
    feed_kafka_builder_set(builder, "reconnect.backoff.max.ms", "2000");
}

void feed_kafka_builder_set(struct feed_kafka_builder *builder, const char *name, const char *value)
{
    if (builder->error != FEED_OK) {
        return;
    }
    char text[200];
    if (rd_kafka_conf_set(builder->conf, name, value, text, sizeof text) != RD_KAFKA_CONF_OK) {
        builder->error = FEED_E_INVALID;
        snprintf(builder->problem, builder->problem_size, "Kafka: %s", text);
    }
}

void feed_kafka_builder_number(struct feed_kafka_builder *builder, const char *name, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    feed_kafka_builder_set(builder, name, text);
}

void feed_kafka_builder_properties(struct feed_kafka_builder *builder, const char *properties)
{
    char *copy = strdup(properties ? properties : "");
    char *rest = copy, *pair;
    while (builder->error == FEED_OK && (pair = strsep(&rest, ";")) != NULL) {
        if (*pair == '\0') {
            continue;
        }
        char *value = strchr(pair, '=');
        if (!value) {
            builder->error = FEED_E_INVALID;
            /* Not repeated: it may be a part of a secret that holds a semicolon. */
            snprintf(builder->problem, builder->problem_size, "kafka.properties: each part must be name=value");
            break;
        }
        *value++ = '\0';
        feed_kafka_builder_set(builder, pair, value);
    }
    free(copy);
}

rd_kafka_t *feed_kafka_builder_finish(struct feed_kafka_builder *builder, rd_kafka_type_t type)
{
    rd_kafka_t *kafka = NULL;
    char text[200] = "";
    if (builder->error == FEED_OK) {
        kafka = rd_kafka_new(type, builder->conf, text, sizeof text);
        if (!kafka) {
            builder->error = FEED_E_INVALID;
            snprintf(builder->problem, builder->problem_size, "Kafka: %s", text);
        }
    }
    if (!kafka) {
        rd_kafka_conf_destroy(builder->conf);
    }
    builder->conf = NULL;
    return kafka;
}

enum feed_error feed_kafka_error(rd_kafka_resp_err_t error)
{
    switch (error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return FEED_OK;
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
        return FEED_E_FULL;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        return FEED_E_TOO_LARGE;
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
        return FEED_E_TIMEOUT;
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
    case RD_KAFKA_RESP_ERR__DESTROY:
        return FEED_E_UNAVAILABLE;
    default:
        return FEED_E_REMOTE;
    }
}

void feed_kafka_log_event(struct feed_log *log, rd_kafka_event_t *event)
{
    const char *facility, *text;
    int syslog_level;
    if (!log || rd_kafka_event_log(event, &facility, &text, &syslog_level) != 0) {
        return;
    }
    enum feed_log_level level = syslog_level <= 3 ? FEED_LOG_WARN : syslog_level <= 5 ? FEED_LOG_INFO : FEED_LOG_DEBUG;
    FEED_LOG(log, level, "kafka_library", NULL, FEED_LOG_TEXT("facility", feed_str_of(facility)),
             FEED_LOG_TEXT("text", feed_str_of(text)));
}

bool feed_kafka_statistics_up(const char *json)
{
    /* One member of one kind of object is wanted, of a text of many kilobytes: searching beats parsing. */
    return strstr(json, "\"state\":\"UP\"") != NULL;
}

void feed_kafka_message_view(const rd_kafka_message_t *raw, struct feed_kafka_message *out)
{
    out->partition = raw->partition;
    out->offset = raw->offset;
    out->timestamp_ms = rd_kafka_message_timestamp(raw, NULL);
    out->key = (struct feed_str){raw->key, raw->key_len};
    out->value = (struct feed_str){raw->payload, raw->len};
    out->header_count = 0;
    out->header_overflow = false;
    rd_kafka_headers_t *headers;
    if (rd_kafka_message_headers(raw, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return;
    }
    const char *name;
    const void *value;
    size_t len;
    for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &len) == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        if (out->header_count == FEED_KAFKA_HEADERS_MAX) {
            out->header_overflow = true;
            return;
        }
        out->headers[out->header_count++] = (struct feed_kafka_header){.name = name, .value = {value, len}};
    }
}
