/* Publishes the progress through Redis: the only place that all gateways look at anyway. What does not arrive is said
 * again a second later, so nothing is kept and nobody waits for the answer. */
#include "fanout/service_state.h"

/* False: Redis takes no more for now. */
static bool send_rows(struct fan_service *service, struct fan_progress_call *call)
{
    bool full = call->argc > FAN_PROGRESS_HEAD && fan_redis_port_ready(service, call->argv, call->argc) &&
                feed_redis_command(service->redis, call->argv, call->argc, NULL, NULL) == FEED_E_FULL;
    fan_progress_begin(call, feed_str_of(service->options->kafka_topic));
    return !full;
}

void fan_progress_port_publish(struct fan_service *service)
{
    if (!service->redis || !service->consumer || service->life.state != FAN_LIFE_KNOWN)
        return; /* over feeds that are perhaps empty there is nothing to say */
    struct fan_position position;
    struct fan_progress_call call;
    int64_t now_ms = feed_clock_wall_ms();
    fan_progress_begin(&call, feed_str_of(service->options->kafka_topic));
    for (size_t i = 0; fan_engine_position(service->engine, i, &position); i++) {
        if (fan_is_of_commands(position.partition))
            continue; /* no feed waits for these alone */
        int64_t end = feed_kafka_high_watermark(service->consumer, position.partition);
        if (fan_progress_idle(&position, end))
            fan_engine_idle(service->engine, position.partition, now_ms);
        (void)fan_progress_add(&call, &position, end, now_ms);
        if (fan_progress_full(&call) && !send_rows(service, &call))
            return;
    }
    (void)send_rows(service, &call);
}

double fan_progress_port_lag_s(const struct fan_service *service)
{
    int64_t now_ms = feed_clock_wall_ms(), oldest_ms = now_ms;
    struct fan_position position;
    for (size_t i = 0; service->consumer && fan_engine_position(service->engine, i, &position); i++) {
        if (fan_is_of_commands(position.partition))
            continue;
        int64_t end = feed_kafka_high_watermark(service->consumer, position.partition);
        int64_t time_ms = fan_progress_time(&position, end, now_ms);
        if (time_ms > 0 && time_ms < oldest_ms)
            oldest_ms = time_ms;
    }
    return (double)(now_ms - oldest_ms) / 1000;
}
