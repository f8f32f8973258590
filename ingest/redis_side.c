#include "ingest/redis_side.h"

#include "embed/feedwire_ingest_v1_lua.h"
#include "ingest/metrics.h"
#include "ingest/service_state.h"
#include "shared/observe/log.h"

#include <string.h>

enum {
    CONNECT_TIMEOUT_MS = 2000,
    COMMAND_TIMEOUT_MS = 2000, /* a caller waits meanwhile */
    COMMANDS_A_REQUEST = 4,    /* at the same time: one that is waited for, and renewals */
    SPARE_COMMANDS = 128       /* loading functions into each shard */
};

static const char missing[] = "ERR Function not found";

static void on_loaded(void *arg, enum feed_error error, const struct feed_reply *reply)
{
    struct ing_service *service = arg;
    if (error == FEED_OK && feed_reply_type(reply) == FEED_REPLY_ERROR)
        FEED_LOG(service->log, FEED_LOG_WARN, "redis_functions_refused", "Redis did not take the function library",
                 FEED_LOG_TEXT("reason", feed_reply_str(reply)));
}

static void load(struct ing_service *service, int shard)
{
    const struct feed_str argv[] = {FEED_STR("FUNCTION"),
                                    FEED_STR("LOAD"),
                                    FEED_STR("REPLACE"),
                                    {feedwire_ingest_v1_lua, feedwire_ingest_v1_lua_len}};
    /* If it cannot be sent, the shard is away, and its return is told by on_state. */
    enum feed_error error = feed_redis_command_to(service->redis, shard, argv, 4, on_loaded, service);
    if (error == FEED_E_FULL)
        FEED_LOG(service->log, FEED_LOG_WARN, "redis_functions_refused", "too many commands wait for Redis");
}

static void on_state(void *arg, int shard, bool up, const char *reason)
{
    struct ing_service *service = arg;
    FEED_LOG(service->log, up ? FEED_LOG_INFO : FEED_LOG_WARN, up ? "redis_connected" : "redis_disconnected", NULL,
             FEED_LOG_NUMBER("shard", shard), FEED_LOG_TEXT("reason", feed_str_of(reason)));
    if (up)
        load(service, shard);
}

static void on_latency(void *arg, double seconds)
{
    struct ing_service *service = arg;
    feed_metrics_observe(service->metrics, ING_METRIC_REDIS_SECONDS, 0, seconds);
}

enum feed_error ing_redis_open(struct ing_service *service, const char **problem)
{
    const struct ing_options *options = service->options;
    const struct feed_redis_settings settings = {
        .url = options->redis_url,
        .password = options->redis_password,
        .in_flight_max = (unsigned)options->http_connections_max * COMMANDS_A_REQUEST + SPARE_COMMANDS,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .command_timeout_ms = COMMAND_TIMEOUT_MS,
    };
    enum feed_error error = feed_redis_new(service->loop, &settings, on_state, service, &service->redis, problem);
    if (error == FEED_OK)
        feed_redis_on_latency(service->redis, on_latency, service);
    return error;
}

void ing_redis_close(struct ing_service *service)
{
    struct feed_redis *redis = service->redis;
    service->redis = NULL; /* what its last callbacks ask for is not sent any more */
    if (redis)
        feed_redis_free(redis);
}

enum feed_error ing_redis_call(struct ing_service *service, const struct feed_str *argv, size_t argc, feed_redis_fn *fn,
                               void *arg)
{
    return service->redis ? feed_redis_command(service->redis, argv, argc, fn, arg) : FEED_E_UNAVAILABLE;
}

bool ing_redis_lacks_function(struct ing_service *service, enum feed_error error, const struct feed_reply *reply)
{
    if (error != FEED_OK || feed_reply_type(reply) != FEED_REPLY_ERROR || !service->redis)
        return false;
    struct feed_str text = feed_reply_str(reply);
    if (text.len < sizeof missing - 1 || memcmp(text.data, missing, sizeof missing - 1) != 0)
        return false;
    load(service, feed_redis_answering(service->redis));
    return true;
}
