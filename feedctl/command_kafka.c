/* lag, dlq list: what Kafka holds for the fan-out. */
#include "feedctl/commands.h"
#include "feedctl/report.h"
#include "shared/base/assert.h"
#include "shared/kafka/inspect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPORT_MAX = 64 * 1024 * 1024 };

static struct feed_kafka_settings kafka_of(const struct ctl_options *options)
{
    return (struct feed_kafka_settings){
        .brokers = options->kafka_brokers, .client_id = "feedctl", .properties = options->kafka_properties};
}

static int print(struct feed_buf *out)
{
    bool good = out->error == FEED_OK && fwrite(out->data, 1, out->len, stdout) == out->len && fflush(stdout) == 0;
    if (!good) {
        fprintf(stderr, "feedctl: the report could not be written; use a smaller --limit\n");
    }
    feed_buf_fini(out);
    return good ? CTL_EXIT_OK : CTL_EXIT_FAILED;
}

int ctl_command_lag(const struct ctl_options *options)
{
    struct feed_kafka_settings kafka = kafka_of(options);
    struct feed_kafka_partition_lag *rows = NULL;
    size_t count = 0;
    char problem[256];
    if (feed_kafka_lag(&kafka, options->kafka_topic, options->kafka_group, (unsigned)options->timeout_ms, &rows, &count,
                       problem, sizeof problem) != FEED_OK) {
        fprintf(stderr, "feedctl: %s\n", problem);
        return CTL_EXIT_FAILED;
    }
    struct ctl_partition *partitions = calloc(count ? count : 1, sizeof *partitions);
    feed_assert(partitions);
    for (size_t i = 0; i < count; i++) {
        partitions[i] = (struct ctl_partition){
            .partition = rows[i].partition, .begin = rows[i].begin, .end = rows[i].end, .committed = rows[i].committed};
    }
    struct feed_buf out;
    feed_buf_init(&out, REPORT_MAX);
    ctl_lag(options->json, feed_str_of(options->kafka_topic), feed_str_of(options->kafka_group), partitions, count,
            &out);
    free(partitions);
    free(rows);
    return print(&out);
}

struct dead_letters {
    bool json;
    size_t count;
    struct feed_buf *out;
};

/* The newest header of a name wins, should another producer have written one twice. */
static struct feed_str header(const struct feed_kafka_message *message, const char *name)
{
    for (size_t i = message->header_count; i-- > 0;) {
        if (strcmp(message->headers[i].name, name) == 0) {
            return message->headers[i].value;
        }
    }
    return (struct feed_str){NULL, 0};
}

static void on_dead_letter(void *arg, const struct feed_kafka_message *message)
{
    struct dead_letters *letters = arg;
    struct ctl_dead_letter letter = {
        .reason = header(message, "dlq_reason"),
        .detail = header(message, "dlq_detail"),
        .source = header(message, "dlq_source"),
        .attempts = header(message, "dlq_attempts"),
        .time = header(message, "dlq_time"),
        .key = message->key,
        .partition = message->partition,
        .offset = message->offset,
        .value_bytes = message->value.len,
    };
    if (letters->json && letters->count > 0) {
        feed_buf_char(letters->out, ',');
    }
    letters->count++;
    ctl_dead_letter(letters->json, &letter, letters->out);
}

int ctl_command_dlq_list(const struct ctl_options *options)
{
    struct feed_kafka_settings kafka = kafka_of(options);
    struct feed_buf out;
    feed_buf_init(&out, REPORT_MAX);
    struct dead_letters letters = {.json = options->json, .out = &out};
    char problem[256];
    if (options->json) {
        feed_buf_char(&out, '[');
    }
    if (feed_kafka_tail(&kafka, options->kafka_dlq_topic, (unsigned)options->limit, (unsigned)options->timeout_ms,
                        on_dead_letter, &letters, problem, sizeof problem) != FEED_OK) {
        fprintf(stderr, "feedctl: %s\n", problem);
        feed_buf_fini(&out);
        return CTL_EXIT_FAILED;
    }
    if (options->json) {
        feed_buf_text(&out, "]\n");
    } else {
        feed_buf_printf(&out, "%zu dead letters shown\n", letters.count);
    }
    return print(&out);
}
