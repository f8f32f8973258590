/* Consuming a topic in a group (librdkafka): cooperative-sticky, commits by hand. Records arrive on the loop through an
 * eventfd and on a timer, so that the group never loses us while the topic is idle or partitions are paused. Cap of
 * records a turn: FEED_KAFKA_TURN_MAX. */
#ifndef FEED_KAFKA_CONSUMER_H
#define FEED_KAFKA_CONSUMER_H

#include "shared/kafka/producer.h"

struct feed_kafka_consumer;

enum { FEED_KAFKA_TURN_MAX = 256 };

struct feed_kafka_message { /* all borrowed inside the callback */
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms;
    struct feed_str key, value;
    struct feed_kafka_header headers[FEED_KAFKA_HEADERS_MAX]; /* those beyond are dropped, see header_overflow */
    size_t header_count;
    bool header_overflow;
};

/* What the group has committed for a partition. */
struct feed_kafka_committed {
    int32_t partition;
    int64_t next_offset;  /* -1: nothing */
    struct feed_str note; /* borrowed inside the callback; empty: none */
};

struct feed_kafka_consumer_events {
    void (*message_fn)(void *arg, const struct feed_kafka_message *message);
    void (*assigned_fn)(void *arg, const int32_t *partitions, size_t count);
    /* Before the partitions go to somebody else (lost: they have gone already): commit what is finished, drop the rest.
     * Records of these partitions do not arrive afterwards. */
    void (*revoked_fn)(void *arg, const int32_t *partitions, size_t count, bool lost);
    /* Everything up to the end of the partition was handed over; the next record will have this offset. Each time that
     * the end is reached, also when a partition is assigned that has nothing new. */
    void (*end_fn)(void *arg, int32_t partition, int64_t end);
    void (*committed_fn)(void *arg, enum feed_error error, const char *reason); /* result of a feed_kafka_commit */
    /* The answer to a feed_kafka_ask_committed; on an error there are no rows, and reason says why. */
    void (*asked_fn)(void *arg, enum feed_error error, const char *reason, const struct feed_kafka_committed *rows,
                     size_t count);
    /* Broker errors and their end, for log and health. */
    void (*state_fn)(void *arg, bool up, const char *reason);
};

struct feed_kafka_consumer_settings {
    struct feed_kafka_settings kafka;
    const char *topic;
    const char *group;
    const char *instance_id; /* static membership; "" none */
    unsigned session_timeout_ms;
    unsigned max_poll_interval_ms;
    unsigned queued_kbytes_max; /* librdkafka's own read-ahead in all (queued.max.messages.kbytes) */
};

enum feed_error feed_kafka_consumer_new(struct feed_loop *loop, struct feed_log *log,
                                        const struct feed_kafka_consumer_settings *settings,
                                        const struct feed_kafka_consumer_events *events, void *arg,
                                        struct feed_kafka_consumer **out, char *problem,
                                        size_t problem_size) FEED_MUST_USE;
/* Leaves the group (revoked_fn fires inside), then frees. Blocking, bounded by the session timeout. */
void feed_kafka_consumer_free(struct feed_kafka_consumer *consumer);
/* Stops and resumes the handing out of records; from the call on, also within message_fn. A short pause leaves what is
 * read ahead where it is; in one that lasts, fetching stops, what is read ahead is put back, and polling goes on. */
void feed_kafka_consumer_pause(struct feed_kafka_consumer *consumer);
void feed_kafka_consumer_resume(struct feed_kafka_consumer *consumer);
/* next_offset: the first one that is not finished. note: a text that is committed with it, "" none; borrowed for the
 * call. Asynchronous, or, with wait, before this returns (for revocation and shutdown). */
struct feed_kafka_offset {
    int32_t partition;
    int64_t next_offset;
    const char *note;
};
void feed_kafka_commit(struct feed_kafka_consumer *consumer, const struct feed_kafka_offset *offsets, size_t count,
                       bool wait);
/* Asks what the group has committed for these partitions; asked_fn fires later, exactly once, unless the consumer is
 * freed before. */
void feed_kafka_ask_committed(struct feed_kafka_consumer *consumer, const int32_t *partitions, size_t count);
enum { FEED_KAFKA_BEGINNING = -1 };
/* The next record of this assigned partition is the one with the offset, or, at the BEGINNING or where the log has no
 * such offset any more, its first one. What was read ahead is not handed out any more. Waits for librdkafka's own
 * thread, not for a broker. FEED_E_UNAVAILABLE: not now; try again later. */
enum feed_error feed_kafka_rewind(struct feed_kafka_consumer *consumer, int32_t partition,
                                  int64_t offset) FEED_MUST_USE;
/* End of the partition as the last fetch saw it (high watermark); -1 unknown. No network. */
int64_t feed_kafka_high_watermark(struct feed_kafka_consumer *consumer, int32_t partition);
/* Its beginning, likewise. */
int64_t feed_kafka_low_watermark(struct feed_kafka_consumer *consumer, int32_t partition);

#endif
