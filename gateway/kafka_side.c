/* Wakes are sent and forgotten: the hub asks again for a feed that does not appear. So the queue is short and nothing
 * lives long in it. */
#include "gateway/kafka_side.h"

#include "gateway/metrics.h"
#include "shared/base/assert.h"
#include "shared/kafka/producer.h"
#include "shared/model/command.h"
#include "shared/model/names.h"
#include "shared/observe/log.h"

#include <stdio.h>

enum { QUEUE_MAX = 10000, QUEUE_KBYTES_MAX = 8 * 1024, DELIVERY_TIMEOUT_MS = 10000, LINGER_MS = 2, STOP_MS = 500 };

static void on_delivery(void *arg, const struct feed_kafka_delivery *delivery)
{
    struct gw_kafka_side *side = arg;
    if (delivery->error == FEED_OK)
        return;
    feed_metrics_add(side->metrics, GW_M_WAKES, GW_WAKE_FAILED, 1);
    FEED_LOG(side->log, FEED_LOG_WARN, "wake_failed",
             "Kafka did not take the command; it is sent again while somebody waits",
             FEED_LOG_TEXT("topic", feed_str_of(side->topic)), FEED_LOG_TEXT("reason", feed_str_of(delivery->reason)));
}

enum feed_error gw_kafka_side_start(struct gw_kafka_side *side, struct feed_loop *loop,
                                    const struct gw_options *options, char *problem, size_t problem_size)
{
    if (options->feed_ttl_s == 0)
        return FEED_OK;
    side->topic = options->kafka_commands_topic;
    if (!feed_topic_valid(feed_str_of(side->topic))) {
        snprintf(problem, problem_size, "a name of a topic may have letters, digits, '.', '_' and '-' only");
        return FEED_E_INVALID;
    }
    const struct feed_kafka_producer_settings settings = {
        .kafka = {options->kafka_brokers, "feedwire-gateway", options->kafka_properties},
        .queue_messages_max = QUEUE_MAX,
        .queue_kbytes_max = QUEUE_KBYTES_MAX,
        .delivery_timeout_ms = DELIVERY_TIMEOUT_MS,
        .linger_ms = LINGER_MS,
    };
    return feed_kafka_producer_new(loop, side->log, &settings, &side->producer, problem, problem_size);
}

void gw_kafka_side_stop(struct gw_kafka_side *side)
{
    if (side->producer)
        feed_kafka_producer_free(side->producer, STOP_MS);
    side->producer = NULL;
}

/* f:{tenant/user} */
static struct feed_str user_of(struct feed_str key)
{
    enum { BEFORE = 3, BEHIND = 1 };
    feed_assert(key.len > BEFORE + BEHIND && key.data[0] == 'f');
    return (struct feed_str){key.data + BEFORE, key.len - BEFORE - BEHIND};
}

enum feed_error gw_kafka_side_wake(struct gw_kafka_side *side, struct feed_str key)
{
    if (!side->producer)
        return FEED_E_UNAVAILABLE;
    const struct feed_command command = {.kind = FEED_COMMAND_WAKE};
    struct feed_buf value;
    feed_buf_init(&value, FEED_COMMAND_VALUE_MAX);
    feed_command_value(&command, &value);
    enum feed_error error = value.error;
    if (error == FEED_OK)
        error = feed_kafka_produce(side->producer, side->topic, user_of(key), feed_buf_view(&value), NULL, 0,
                                   on_delivery, side);
    feed_buf_fini(&value);
    return error;
}
