/* The gateway's side towards Kafka: the commands that wake feeds. */
#ifndef GW_KAFKA_SIDE_H
#define GW_KAFKA_SIDE_H

#include "gateway/options.h"
#include "shared/base/str.h"

struct feed_kafka_producer;
struct feed_log;
struct feed_loop;
struct feed_metrics;

struct gw_kafka_side {
    struct feed_log *log;         /* borrowed, set by the caller like metrics */
    struct feed_metrics *metrics; /* borrowed */
    const char *topic;            /* borrowed from the options */
    struct feed_kafka_producer *producer;
};

/* Connects in the background; does nothing when feeds do not sleep. The options stay. FEED_E_INVALID with a sentence
 * in problem. */
enum feed_error gw_kafka_side_start(struct gw_kafka_side *side, struct feed_loop *loop,
                                    const struct gw_options *options, char *problem, size_t problem_size) FEED_MUST_USE;
void gw_kafka_side_stop(struct gw_kafka_side *side);
/* Sends a wake for the home feed of this key. FEED_E_FULL: too many are on their way. */
enum feed_error gw_kafka_side_wake(struct gw_kafka_side *side, struct feed_str key) FEED_MUST_USE;

#endif
