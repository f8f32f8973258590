/* Record: a Kafka record as it came, kept until it is finished, because a dead letter carries it on unchanged; and the
 * reading of it as an activity. */
#ifndef FANOUT_RECORD_H
#define FANOUT_RECORD_H

#include "shared/model/activity.h"

enum {
    FAN_HEADERS_MAX = 16, /* of one record; with more it is refused, since one that matters may be among the rest */
    FAN_SOURCE_TEXT_MAX = 249 + 1 + 11 + 1 + 20
};

struct fan_record {
    int32_t partition;
    int64_t offset;
    int64_t time_ms;            /* when Kafka got it */
    struct feed_str key, value; /* data NULL: the record has none */
    struct feed_record_header headers[FAN_HEADERS_MAX];
    size_t header_count;
    bool headers_cut; /* it had more than FAN_HEADERS_MAX */
};

/* Copies the record into memory (reset first); copy's views point into it. FEED_E_MEMORY. */
enum feed_error fan_record_copy(const struct fan_record *record, struct fan_record *copy,
                                struct feed_buf *memory) FEED_MUST_USE;
/* The value of its first header of that name; data NULL: it has none. */
struct feed_str fan_record_header(const struct fan_record *record, const char *name);
/* Bytes that a copy takes. */
size_t fan_record_bytes(const struct fan_record *record);
/* Reads and checks it. On an error *reason is the word for dlq_reason ("malformed": not in the form of
 * schemas/kafka.md; "invalid": well-formed, against a rule; "unsupported": of a version or format that is not known
 * here) and problem tells the field. */
enum feed_error fan_record_read(const struct fan_record *record, struct feed_activity *activity, const char **reason,
                                struct feed_activity_problem *problem) FEED_MUST_USE;

#endif
