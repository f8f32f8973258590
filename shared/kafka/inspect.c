/* Blocking reads for the operator's command. Nothing is committed, and no group is joined. */
#include "shared/kafka/inspect.h"

#include "shared/base/assert.h"
#include "shared/kafka/settings.h"

#include <stdio.h>
#include <stdlib.h>

/* ends: whether the end of a partition is told. */
static rd_kafka_t *open_client(const struct feed_kafka_settings *settings, const char *group, bool ends, char *problem,
                               size_t problem_size)
{
    struct feed_kafka_builder builder;
    feed_kafka_builder_init(&builder, settings, problem, problem_size);
    feed_kafka_builder_set(&builder, "log.queue", "false");
    feed_kafka_builder_set(&builder, "log_level", "2");
    feed_kafka_builder_set(&builder, "statistics.interval.ms", "0");
    feed_kafka_builder_set(&builder, "group.id", group);
    feed_kafka_builder_set(&builder, "enable.auto.commit", "false");
    feed_kafka_builder_set(&builder, "enable.partition.eof", ends ? "true" : "false");
    feed_kafka_builder_set(&builder, "allow.auto.create.topics", "false");
    feed_kafka_builder_properties(&builder, settings->properties);
    return feed_kafka_builder_finish(&builder, RD_KAFKA_CONSUMER);
}

static enum feed_error failed(rd_kafka_resp_err_t error, const char *what, char *problem, size_t problem_size)
{
    snprintf(problem, problem_size, "Kafka: %s: %s", what, rd_kafka_err2str(error));
    return error == RD_KAFKA_RESP_ERR__TRANSPORT ? FEED_E_UNAVAILABLE : feed_kafka_error(error);
}

/* The partitions of the topic, or none with FEED_E_MISSING when there is no such topic. */
static enum feed_error list_partitions(rd_kafka_t *kafka, const char *topic, unsigned timeout_ms,
                                       rd_kafka_topic_partition_list_t **out, char *problem, size_t problem_size)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(kafka, topic, NULL);
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t error = rd_kafka_metadata(kafka, 0, handle, &metadata, (int)timeout_ms);
    rd_kafka_topic_destroy(handle);
    if (error) {
        return failed(error, "asking for the topic's partitions", problem, problem_size);
    }
    const struct rd_kafka_metadata_topic *found = metadata->topic_cnt == 1 ? &metadata->topics[0] : NULL;
    enum feed_error result = FEED_OK;
    if (!found || found->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || found->partition_cnt == 0) {
        snprintf(problem, problem_size, "Kafka has no topic %s", topic);
        result = FEED_E_MISSING;
    } else {
        *out = rd_kafka_topic_partition_list_new(found->partition_cnt);
        for (int i = 0; i < found->partition_cnt; i++) {
            rd_kafka_topic_partition_list_add(*out, topic, found->partitions[i].id);
        }
        rd_kafka_topic_partition_list_sort(*out, NULL, NULL);
    }
    rd_kafka_metadata_destroy(metadata);
    return result;
}

static enum feed_error fill_lag(rd_kafka_t *kafka, rd_kafka_topic_partition_list_t *list, unsigned timeout_ms,
                                struct feed_kafka_partition_lag *rows, char *problem, size_t problem_size)
{
    rd_kafka_resp_err_t error = rd_kafka_committed(kafka, list, (int)timeout_ms);
    if (error) {
        return failed(error, "asking for committed offsets", problem, problem_size);
    }
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *p = &list->elems[i];
        rows[i] =
            (struct feed_kafka_partition_lag){.partition = p->partition, .committed = p->offset >= 0 ? p->offset : -1};
        error = rd_kafka_query_watermark_offsets(kafka, p->topic, p->partition, &rows[i].begin, &rows[i].end,
                                                 (int)timeout_ms);
        if (error) {
            return failed(error, "asking for the ends of partitions", problem, problem_size);
        }
    }
    return FEED_OK;
}

enum feed_error feed_kafka_lag(const struct feed_kafka_settings *settings, const char *topic, const char *group,
                               unsigned timeout_ms, struct feed_kafka_partition_lag **out, size_t *count, char *problem,
                               size_t problem_size)
{
    rd_kafka_t *kafka = open_client(settings, group, false, problem, problem_size);
    if (!kafka) {
        return FEED_E_INVALID;
    }
    rd_kafka_topic_partition_list_t *list = NULL;
    enum feed_error error = list_partitions(kafka, topic, timeout_ms, &list, problem, problem_size);
    if (error == FEED_OK) {
        struct feed_kafka_partition_lag *rows = calloc((size_t)list->cnt, sizeof *rows);
        feed_assert(rows);
        error = fill_lag(kafka, list, timeout_ms, rows, problem, problem_size);
        if (error == FEED_OK) {
            *out = rows;
            *count = (size_t)list->cnt;
        } else {
            free(rows);
        }
        rd_kafka_topic_partition_list_destroy(list);
    }
    rd_kafka_destroy(kafka);
    return error;
}

struct tail {
    rd_kafka_message_t **messages;
    size_t count, room;
};

static int by_time(const void *a, const void *b)
{
    const rd_kafka_message_t *x = *(rd_kafka_message_t *const *)a, *y = *(rd_kafka_message_t *const *)b;
    int64_t tx = rd_kafka_message_timestamp(x, NULL), ty = rd_kafka_message_timestamp(y, NULL);
    if (tx != ty) {
        return tx < ty ? -1 : 1;
    }
    if (x->partition != y->partition) {
        return x->partition < y->partition ? -1 : 1;
    }
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Assigns each partition from `limit` before its end; *wanted is how many records there are until the ends. */
static enum feed_error seek_tail(rd_kafka_t *kafka, rd_kafka_topic_partition_list_t *list, unsigned limit,
                                 unsigned timeout_ms, int64_t *ends, char *problem, size_t problem_size)
{
    for (int i = 0; i < list->cnt; i++) {
        int64_t begin;
        rd_kafka_topic_partition_t *p = &list->elems[i];
        rd_kafka_resp_err_t error =
            rd_kafka_query_watermark_offsets(kafka, p->topic, p->partition, &begin, &ends[i], (int)timeout_ms);
        if (error) {
            return failed(error, "asking for the ends of partitions", problem, problem_size);
        }
        p->offset = ends[i] - begin > (int64_t)limit ? ends[i] - (int64_t)limit : begin;
    }
    rd_kafka_resp_err_t error = rd_kafka_assign(kafka, list);
    return error ? failed(error, "reading the topic", problem, problem_size) : FEED_OK;
}

static enum feed_error collect(rd_kafka_t *kafka, const rd_kafka_topic_partition_list_t *list, const int64_t *ends,
                               unsigned timeout_ms, struct tail *tail, char *problem, size_t problem_size)
{
    int left = 0;
    for (int i = 0; i < list->cnt; i++) {
        left += list->elems[i].offset < ends[i];
    }
    while (left > 0) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(kafka, (int)timeout_ms);
        if (!message) {
            snprintf(problem, problem_size, "Kafka gave no record within %u ms", timeout_ms);
            return FEED_E_TIMEOUT;
        }
        if (message->err) {
            enum feed_error error = failed(message->err, "reading the topic", problem, problem_size);
            rd_kafka_message_destroy(message);
            return error;
        }
        for (int i = 0; i < list->cnt; i++) {
            left -= list->elems[i].partition == message->partition && message->offset == ends[i] - 1;
        }
        if (tail->count < tail->room) {
            tail->messages[tail->count++] = message;
        } else {
            rd_kafka_message_destroy(message);
        }
    }
    return FEED_OK;
}

enum feed_error feed_kafka_tail(const struct feed_kafka_settings *settings, const char *topic, unsigned limit,
                                unsigned timeout_ms, void (*fn)(void *arg, const struct feed_kafka_message *message),
                                void *arg, char *problem, size_t problem_size)
{
    rd_kafka_t *kafka = open_client(settings, "feedctl", false, problem, problem_size);
    if (!kafka) {
        return FEED_E_INVALID;
    }
    rd_kafka_topic_partition_list_t *list = NULL;
    enum feed_error error = list_partitions(kafka, topic, timeout_ms, &list, problem, problem_size);
    if (error != FEED_OK) {
        rd_kafka_destroy(kafka);
        return error == FEED_E_MISSING ? FEED_OK : error;
    }
    feed_assert(list);
    struct tail tail = {.room = (size_t)limit * (size_t)list->cnt};
    tail.messages = calloc(tail.room + 1, sizeof(rd_kafka_message_t *));
    int64_t *ends = calloc((size_t)list->cnt, sizeof *ends);
    feed_assert(tail.messages && ends);
    error = seek_tail(kafka, list, limit, timeout_ms, ends, problem, problem_size);
    if (error == FEED_OK) {
        error = collect(kafka, list, ends, timeout_ms, &tail, problem, problem_size);
    }
    /* An array of pointers. NOLINTNEXTLINE */
    qsort(tail.messages, tail.count, sizeof *tail.messages, by_time);
    for (size_t i = 0; i < tail.count; i++) {
        if (error == FEED_OK && i + limit >= tail.count) {
            struct feed_kafka_message message;
            feed_kafka_message_view(tail.messages[i], &message);
            fn(arg, &message);
        }
        rd_kafka_message_destroy(tail.messages[i]);
    }
    free(tail.messages);
    free(ends);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(kafka);
    return error;
}

/* ---- between two times ---- */

/* Into list: of each partition the first offset that is not older; its end where there is none. */
static enum feed_error offsets_at(rd_kafka_t *kafka, rd_kafka_topic_partition_list_t *list, int64_t time_ms,
                                  unsigned timeout_ms, char *problem, size_t problem_size)
{
    for (int i = 0; i < list->cnt; i++) {
        list->elems[i].offset = time_ms;
    }
    rd_kafka_resp_err_t error = rd_kafka_offsets_for_times(kafka, list, (int)timeout_ms);
    for (int i = 0; i < list->cnt && !error; i++) {
        int64_t begin;
        rd_kafka_topic_partition_t *p = &list->elems[i];
        error = p->err;
        if (!error && p->offset < 0) {
            error =
                rd_kafka_query_watermark_offsets(kafka, p->topic, p->partition, &begin, &p->offset, (int)timeout_ms);
        }
    }
    return error ? failed(error, "asking for offsets by their time", problem, problem_size) : FEED_OK;
}

struct span {
    rd_kafka_topic_partition_list_t *from, *to;
    bool (*fn)(void *arg, const struct feed_kafka_message *message);
    void *arg;
};

/* Each partition is taken off the assignment at its end, so that what comes later is not fetched for nothing. */
static bool at_end(struct span *span, int32_t partition, int64_t next)
{
    rd_kafka_topic_partition_t *p = rd_kafka_topic_partition_list_find(span->to, span->to->elems[0].topic, partition);
    if (!p || next < p->offset) {
        return false;
    }
    rd_kafka_topic_partition_list_del(span->from, p->topic, partition);
    return true;
}

static enum feed_error read_one(rd_kafka_t *kafka, struct span *span, unsigned timeout_ms, bool *goes_on, char *problem,
                                size_t problem_size)
{
    rd_kafka_message_t *message = rd_kafka_consumer_poll(kafka, (int)timeout_ms);
    if (!message) {
        snprintf(problem, problem_size, "Kafka gave no record within %u ms", timeout_ms);
        return FEED_E_TIMEOUT;
    }
    enum feed_error result = FEED_OK;
    rd_kafka_topic_partition_t *end =
        rd_kafka_topic_partition_list_find(span->to, span->to->elems[0].topic, message->partition);
    bool left = end && rd_kafka_topic_partition_list_find(span->from, end->topic, message->partition);
    int64_t next = message->offset + 1;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        next = INT64_MAX;
    } else if (message->err) {
        result = failed(message->err, "reading the topic", problem, problem_size);
    } else if (left && message->offset < end->offset) {
        struct feed_kafka_message view;
        feed_kafka_message_view(message, &view);
        *goes_on = span->fn(span->arg, &view);
    }
    if (result == FEED_OK && left && at_end(span, message->partition, next)) {
        rd_kafka_assign(kafka, span->from);
    }
    rd_kafka_message_destroy(message);
    return result;
}

/* Those with nothing between the two times are not read at all. */
static enum feed_error read_span(rd_kafka_t *kafka, struct span *span, unsigned timeout_ms, char *problem,
                                 size_t problem_size)
{
    for (int i = span->from->cnt - 1; i >= 0; i--) {
        at_end(span, span->from->elems[i].partition, span->from->elems[i].offset);
    }
    rd_kafka_assign(kafka, span->from);
    enum feed_error error = FEED_OK;
    bool goes_on = true;
    while (error == FEED_OK && goes_on && span->from->cnt > 0) {
        error = read_one(kafka, span, timeout_ms, &goes_on, problem, problem_size);
    }
    return error;
}

enum feed_error feed_kafka_span(const struct feed_kafka_settings *settings, const char *topic, int64_t from_ms,
                                int64_t to_ms, unsigned timeout_ms,
                                bool (*fn)(void *arg, const struct feed_kafka_message *message), void *arg,
                                char *problem, size_t problem_size)
{
    struct span span = {.fn = fn, .arg = arg};
    rd_kafka_t *kafka = open_client(settings, "feedctl", true, problem, problem_size);
    if (!kafka) {
        return FEED_E_INVALID;
    }
    enum feed_error error = list_partitions(kafka, topic, timeout_ms, &span.from, problem, problem_size);
    if (error == FEED_OK) {
        feed_assert(span.from);
        span.to = rd_kafka_topic_partition_list_copy(span.from);
        error = offsets_at(kafka, span.from, from_ms, timeout_ms, problem, problem_size);
    }
    if (error == FEED_OK) {
        error = offsets_at(kafka, span.to, to_ms, timeout_ms, problem, problem_size);
    }
    if (error == FEED_OK) {
        error = read_span(kafka, &span, timeout_ms, problem, problem_size);
    }
    if (span.to) {
        rd_kafka_topic_partition_list_destroy(span.to);
    }
    if (span.from) {
        rd_kafka_topic_partition_list_destroy(span.from);
    }
    rd_kafka_destroy(kafka);
    return error;
}
