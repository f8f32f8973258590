/* The limit that ingest is compared with: puts the records of activities into Kafka with the settings of ingest, and
 * does nothing else. The records are made before: all that is measured is librdkafka.
 *
 *   feedwire-bench-producer --brokers=HOST:PORT --topic=NAME --activities=FILE     (one activity a line)
 * For each line `produce COUNT AHEAD` on standard input it produces COUNT records, at most AHEAD of them not yet
 * acknowledged, and answers with a line of JSON on standard output when all are. */
#include "shared/base/assert.h"
#include "shared/base/id.h"
#include "shared/loop/loop.h"
#include "shared/model/activity.h"

#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ACTIVITIES_MAX = 1000, LINE_MAX_BYTES = 4096, RECORD_BYTES_MAX = 32 * 1024 };

#define TRACEPARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"

/* As in ingest: feed_kafka_producer_new(), feed_kafka_builder_init() and the defaults of the options. */
static const char *const settings[][2] = {
    {"acks", "all"},
    {"enable.idempotence", "true"},
    {"linger.ms", "2"},
    {"message.timeout.ms", "10000"},
    {"queue.buffering.max.messages", "100000"},
    {"queue.buffering.max.kbytes", "262144"},
    {"partitioner", "murmur2_random"},
    {"socket.nagle.disable", "true"},
};

struct prepared {
    struct feed_activity activity;
    char id[FEED_ID_TEXT + 1];
    struct feed_buf value;
    struct feed_record_parts parts;
};

static struct prepared prepared[ACTIVITIES_MAX];
static size_t prepared_count;
static size_t acknowledged; /* of the present command */

static _Noreturn void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench-producer: %s: %s\n", what, why);
    exit(1);
}

static void prepare(struct prepared *record, const char *path, const char *line, size_t number)
{
    struct feed_activity_problem problem;
    struct feed_activity *activity = &record->activity;
    feed_activity_init(activity);
    if (feed_activity_from_json(feed_str_of(line), activity, &problem) != FEED_OK)
        fail(path, problem.text);
    uint8_t random[10] = {(uint8_t)(number >> 8), (uint8_t)number};
    activity->published_ms = feed_clock_wall_ms();
    struct feed_id id = feed_id_v7(activity->published_ms, random);
    feed_id_format(&id, record->id);
    activity->id = feed_str_of(record->id);
    activity->source = FEED_STR(FEED_SOURCE_DEFAULT);
    activity->tenant = FEED_STR("demo");
    feed_buf_init(&record->value, RECORD_BYTES_MAX);
    feed_activity_encode_value(activity, &record->value);
    feed_assert(record->value.error == FEED_OK);
    feed_activity_make_record(activity, FEED_STR(TRACEPARENT), feed_buf_view(&record->value), &record->parts);
}

static void prepare_all(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file)
        fail(path, strerror(errno));
    char line[LINE_MAX_BYTES];
    while (prepared_count < ACTIVITIES_MAX && fgets(line, sizeof line, file)) {
        prepare(&prepared[prepared_count], path, line, prepared_count);
        prepared_count++;
    }
    fclose(file);
    if (!prepared_count)
        fail(path, "is empty");
}

static void on_report(rd_kafka_t *kafka, const rd_kafka_message_t *message, void *arg)
{
    (void)kafka, (void)arg;
    if (message->err)
        fail("a record was not acknowledged", rd_kafka_err2str(message->err));
    acknowledged++;
}

static rd_kafka_t *connect_kafka(const char *brokers)
{
    char problem[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bool good = rd_kafka_conf_set(conf, "bootstrap.servers", brokers, problem, sizeof problem) == RD_KAFKA_CONF_OK;
    for (size_t i = 0; good && i < sizeof settings / sizeof settings[0]; i++)
        good = rd_kafka_conf_set(conf, settings[i][0], settings[i][1], problem, sizeof problem) == RD_KAFKA_CONF_OK;
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    rd_kafka_t *kafka = good ? rd_kafka_new(RD_KAFKA_PRODUCER, conf, problem, sizeof problem) : NULL;
    if (!kafka)
        fail("librdkafka", problem);
    return kafka;
}

static void produce_one(rd_kafka_t *kafka, const char *topic, const struct feed_record *record)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(record->header_count);
    for (size_t i = 0; i < record->header_count; i++)
        rd_kafka_header_add(headers, record->headers[i].name, -1, record->headers[i].value.data,
                            (ssize_t)record->headers[i].value.len);
    rd_kafka_resp_err_t error =
        rd_kafka_producev(kafka, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_KEY(record->key.data, record->key.len),
                          RD_KAFKA_V_VALUE((void *)record->value.data, record->value.len),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (error)
        fail("a record was not taken", rd_kafka_err2str(error));
}

static void produce(rd_kafka_t *kafka, const char *topic, size_t count, size_t ahead)
{
    uint64_t began_us = feed_clock_mono_us();
    acknowledged = 0;
    for (size_t sent = 0; acknowledged < count;) {
        for (; sent < count && sent - acknowledged < ahead; sent++)
            produce_one(kafka, topic, &prepared[sent % prepared_count].parts.record);
        rd_kafka_poll(kafka, 100);
    }
    printf("{\"seconds\": %.6f, \"activities\": %zu}\n", (double)(feed_clock_mono_us() - began_us) / 1e6, acknowledged);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const char *brokers = NULL, *topic = NULL;
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--brokers=", 10) == 0)
            brokers = argv[i] + 10;
        else if (strncmp(argv[i], "--topic=", 8) == 0)
            topic = argv[i] + 8;
        else if (strncmp(argv[i], "--activities=", 13) == 0)
            prepare_all(argv[i] + 13);
        else
            fail(argv[i], "unknown option");
    }
    if (!brokers || !topic || !prepared_count)
        fail("usage", "--brokers=HOST:PORT --topic=NAME --activities=FILE");
    rd_kafka_t *kafka = connect_kafka(brokers);
    for (char line[128]; fgets(line, sizeof line, stdin);) {
        size_t count, ahead;
        if (sscanf(line, "produce %zu %zu", &count, &ahead) != 2 || count < 1 || ahead < 1 || ahead > 100000)
            fail("unknown command", line);
        produce(kafka, topic, count, ahead);
    }
    rd_kafka_destroy(kafka);
    return 0;
}
