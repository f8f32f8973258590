/* Reading a whole topic once, from its beginning to where it ended when it was read (librdkafka): all partitions, no
 * group, nothing is committed. Records arrive on the loop, at most FEED_KAFKA_TURN_MAX a turn. */
#ifndef FEED_KAFKA_READER_H
#define FEED_KAFKA_READER_H

#include "shared/kafka/consumer.h"

struct feed_kafka_reader;

struct feed_kafka_reader_events {
    void (*message_fn)(void *arg, const struct feed_kafka_message *message);
    /* Once, unless the reader is freed before: the end of every partition was reached; or why it never will be
     * (FEED_E_MISSING: there is no such topic; FEED_E_UNAVAILABLE: no broker has told in time what partitions there
     * are). While brokers are away in the middle it goes on when they are back. The reader may be freed in it. */
    void (*done_fn)(void *arg, enum feed_error error, const char *reason);
};

struct feed_kafka_reader_settings {
    struct feed_kafka_settings kafka;
    const char *topic;
    const char *group;          /* never joined; librdkafka wants one, and brokers may check it */
    unsigned ask_timeout_ms;    /* for what partitions there are */
    unsigned queued_kbytes_max; /* read ahead in all */
};

enum feed_error feed_kafka_reader_new(struct feed_loop *loop, struct feed_log *log,
                                      const struct feed_kafka_reader_settings *settings,
                                      const struct feed_kafka_reader_events *events, void *arg,
                                      struct feed_kafka_reader **out, char *problem, size_t problem_size) FEED_MUST_USE;
/* NULL is ignored. Nothing fires afterwards. */
void feed_kafka_reader_free(struct feed_kafka_reader *reader);
/* From the call on, also within message_fn. */
void feed_kafka_reader_pause(struct feed_kafka_reader *reader);
void feed_kafka_reader_resume(struct feed_kafka_reader *reader);

#endif
