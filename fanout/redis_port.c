/* The engine's way to Redis: one connection, on which commands are answered in the order of sending, as the engine
 * needs it. Loads the function library whenever the link says so. */
#include "fanout/service_state.h"

#include "embed/feedwire_v1_lua.h"
#include "shared/base/assert.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    CONNECT_TIMEOUT_MS = 3000,
    COMMAND_TIMEOUT_MS = 10000, /* far above what a full pipeline takes; a server that is silent for so long is gone */
    SPARE_COMMANDS = 16,        /* besides those that write: loading functions, looking after the life */
    VALUES_FIRST = 1024
};

/* ---- answers ---- */

static bool make_room(struct fan_service *service, size_t count)
{
    if (count <= service->values_capacity)
        return true;
    size_t capacity = service->values_capacity ? service->values_capacity : VALUES_FIRST;
    while (capacity < count)
        capacity *= 2;
    struct fan_value *values = realloc(service->values, capacity * sizeof *values);
    if (!values)
        return false;
    service->values = values;
    service->values_capacity = capacity;
    return true;
}

static void convert_list(struct fan_service *service, const struct feed_reply *reply, struct fan_answer *answer)
{
    size_t count = feed_reply_count(reply);
    if (!make_room(service, count))
        return;
    for (size_t i = 0; i < count; i++) {
        const struct feed_reply *item = feed_reply_at(reply, i);
        service->values[i] = (struct fan_value){.text = feed_reply_str(item), .number = feed_reply_int(item)};
    }
    *answer = (struct fan_answer){.kind = FAN_ANSWER_LIST, .items = service->values, .count = count};
}

static void on_answer(void *arg, enum feed_error error, const struct feed_reply *reply)
{
    struct fan_job *job = arg;
    struct fan_answer answer = {.kind = FAN_ANSWER_OTHER};
    if (error != FEED_OK) {
        answer.kind = FAN_ANSWER_LOST;
    } else if (feed_reply_type(reply) == FEED_REPLY_INTEGER) {
        answer = (struct fan_answer){.kind = FAN_ANSWER_INTEGER, .integer = feed_reply_int(reply)};
    } else if (feed_reply_type(reply) == FEED_REPLY_ERROR) {
        answer = (struct fan_answer){.kind = FAN_ANSWER_ERROR, .text = feed_reply_str(reply)};
    } else if (feed_reply_type(reply) == FEED_REPLY_ARRAY) {
        convert_list(fan_engine_port_arg(job), reply, &answer);
    }
    fan_engine_answer(job, &answer);
}

bool fan_redis_port_send(void *arg, const struct feed_str *argv, size_t argc, struct fan_job *job)
{
    struct fan_service *service = arg;
    return feed_redis_command(service->redis, argv, argc, on_answer, job) == FEED_OK;
}

/* ---- the link ---- */

static uint32_t random_number(void)
{
    uint32_t number;
    feed_random_bytes(&number, sizeof number);
    return number;
}

static void follow_link(struct fan_service *service, enum fan_link_do what);

static void on_loaded(void *arg, enum feed_error error, const struct feed_reply *reply)
{
    struct fan_service *service = arg;
    bool good = error == FEED_OK && feed_reply_type(reply) != FEED_REPLY_ERROR;
    if (!good) {
        struct feed_str why = error == FEED_OK ? feed_reply_str(reply) : feed_str_of(feed_error_name(error));
        char reason[100];
        snprintf(reason, sizeof reason, "%.*s", (int)(why.len < 99 ? why.len : 99), why.len ? why.data : "");
        feed_health_set(&service->health, service->redis_condition, false, reason);
        FEED_LOG(service->log, FEED_LOG_WARN, "redis_functions_refused", "Redis did not take the function library",
                 FEED_LOG_TEXT("reason", why));
    }
    follow_link(service, fan_link_loaded(&service->link, good, feed_loop_now_ms(service->loop), random_number()));
}

static void follow_link(struct fan_service *service, enum fan_link_do what)
{
    if (what == FAN_LINK_LOAD) {
        const struct feed_str argv[] = {
            FEED_STR("FUNCTION"), FEED_STR("LOAD"), FEED_STR("REPLACE"), {feedwire_v1_lua, feedwire_v1_lua_len}};
        if (feed_redis_command(service->redis, argv, 4, on_loaded, service) != FEED_OK)
            /* Not connected, as the next state callback will say, or full for a moment: rest. */
            fan_link_loaded(&service->link, false, feed_loop_now_ms(service->loop), random_number());
    } else if (what == FAN_LINK_GO) {
        feed_health_set(&service->health, service->redis_condition, true, NULL);
        FEED_LOG(service->log, FEED_LOG_INFO, "redis_ready", "connected to Redis, functions loaded",
                 FEED_LOG_TEXT("library", FEED_STR("feedwire_v1")));
        fan_life_port_up(service);
    }
}

void fan_redis_port_halted(void *arg, enum fan_trouble trouble, struct feed_str text)
{
    struct fan_service *service = arg;
    char reason[100];
    snprintf(reason, sizeof reason, "%.*s", (int)(text.len < 99 ? text.len : 99), text.data);
    feed_health_set(&service->health, service->redis_condition, false, reason);
    FEED_LOG(service->log, FEED_LOG_WARN, "redis_halted", "Redis cannot be worked with; records wait until it can",
             FEED_LOG_TEXT("reason", text));
    fan_life_port_gone(service);
    follow_link(service, fan_link_halted(&service->link, trouble, feed_loop_now_ms(service->loop), random_number()));
}

static void on_state(void *arg, bool up, const char *reason)
{
    struct fan_service *service = arg;
    if (up) {
        follow_link(service, fan_link_connected(&service->link));
        return;
    }
    fan_link_lost(&service->link);
    fan_life_port_gone(service);
    feed_health_set(&service->health, service->redis_condition, false, reason ? reason : "not connected");
    FEED_LOG(service->log, FEED_LOG_WARN, "redis_lost", "no connection to Redis; records wait until there is one",
             FEED_LOG_TEXT("reason", feed_str_of(reason)));
    fan_engine_redis_gone(service->engine);
}

static void on_latency(void *arg, double seconds)
{
    struct fan_service *service = arg;
    feed_metrics_observe(service->metrics, FAN_METRIC_REDIS_SECONDS, 0, seconds);
}

void fan_redis_port_tick(struct fan_service *service)
{
    follow_link(service, fan_link_tick(&service->link, feed_loop_now_ms(service->loop)));
}

enum feed_error fan_redis_port_open(struct fan_service *service, const char **problem)
{
    const struct fan_options *options = service->options;
    const struct feed_redis_settings settings = {
        .url = options->redis_url,
        .password = options->redis_password,
        .in_flight_max = (unsigned)options->commands_max + SPARE_COMMANDS,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .command_timeout_ms = COMMAND_TIMEOUT_MS,
    };
    enum feed_error error = feed_redis_new(service->loop, &settings, on_state, service, &service->redis, problem);
    if (error == FEED_OK)
        feed_redis_on_latency(service->redis, on_latency, service);
    return error;
}
