/* Publishes the progress through Redis: the only place that all gateways look at anyway. What does not arrive is said
 * again a second later, so nothing is kept and nobody waits for the answer. */
#include "fanout/service_state.h"

void fan_progress_port_publish(struct fan_service *service)
{
    if (!service->redis || !service->consumer || service->life.state != FAN_LIFE_KNOWN)
        return; /* over feeds that are perhaps empty there is nothing to say */
    struct feed_str topic = feed_str_of(service->options->kafka_topic);
    struct fan_position position;
    int64_t now_ms = feed_clock_wall_ms();
    for (size_t i = 0; fan_engine_position(service->engine, i, &position); i++) {
        if (fan_is_of_commands(position.partition))
            continue; /* no feed waits for these alone */
        int64_t end = feed_kafka_high_watermark(service->consumer, position.partition);
        if (fan_progress_idle(&position, end))
            fan_engine_idle(service->engine, position.partition, now_ms);
        struct fan_progress_call call;
        if (!fan_progress_build(&position, topic, end, now_ms, &call) ||
            !fan_redis_port_ready(service, call.argv, FAN_PROGRESS_ARGS))
            continue;
        if (feed_redis_command(service->redis, call.argv, FAN_PROGRESS_ARGS, NULL, NULL) == FEED_E_FULL)
            return;
    }
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
