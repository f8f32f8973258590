/* The engine's way to Redis: a link for each shard, a single server being the only one. Loads the function library into
 * a shard whenever its link says so, which is also how a new master gets it. */
#include "fanout/service_state.h"

#include "embed/feedwire_v1_lua.h"
#include "fanout/library.h"
#include "fanout/purge_port.h"
#include "fanout/purges_port.h"
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

struct fan_answer fan_redis_port_answer(struct fan_service *service, enum feed_error error,
                                        const struct feed_reply *reply)
{
    struct fan_answer answer = {.kind = FAN_ANSWER_OTHER};
    if (error != FEED_OK) {
        answer.kind = FAN_ANSWER_LOST;
    } else if (feed_reply_type(reply) == FEED_REPLY_INTEGER) {
        answer = (struct fan_answer){.kind = FAN_ANSWER_INTEGER, .integer = feed_reply_int(reply)};
    } else if (feed_reply_type(reply) == FEED_REPLY_ERROR) {
        answer = (struct fan_answer){.kind = FAN_ANSWER_ERROR, .text = feed_reply_str(reply)};
    } else if (feed_reply_type(reply) == FEED_REPLY_ARRAY) {
        convert_list(service, reply, &answer);
    }
    return answer;
}

static void on_answer(void *arg, enum feed_error error, const struct feed_reply *reply)
{
    struct fan_seat *seat = arg;
    struct fan_answer answer = fan_redis_port_answer(fan_engine_port_arg(fan_job_of(seat)), error, reply);
    fan_engine_answer(seat, &answer);
}

bool fan_redis_port_ready(const struct fan_service *service, const struct feed_str *argv, size_t argc)
{
    int shard = feed_redis_shard_of(service->redis, argv, argc);
    return shard != FEED_SHARD_NONE && service->links[shard].state == FAN_LINK_READY;
}

enum fan_sent fan_redis_port_send(void *arg, const struct feed_str *argv, size_t argc, struct fan_seat *seat,
                                  bool again)
{
    struct fan_service *service = arg;
    int shard = feed_redis_shard_of(service->redis, argv, argc);
    if (shard == FEED_SHARD_NONE || service->links[shard].state != FAN_LINK_READY)
        return FAN_SENT_AWAY;
    struct fan_budget *budget = &service->budgets[shard];
    if (again && !fan_budget_allows(budget, feed_loop_now_ms(service->loop)))
        return FAN_SENT_HELD;
    switch (feed_redis_command(service->redis, argv, argc, on_answer, seat)) {
    case FEED_OK:
        fan_budget_sent(budget, again);
        return FAN_SENT;
    case FEED_E_FULL:
        return FAN_SENT_FULL;
    default:
        return FAN_SENT_AWAY;
    }
}

/* ---- the links ---- */

static uint32_t random_number(void)
{
    uint32_t number;
    feed_random_bytes(&number, sizeof number);
    return number;
}

void fan_redis_port_name(const struct fan_service *service, int shard, char *out, size_t size)
{
    struct feed_redis_address address;
    out[0] = '\0';
    if (shard != FEED_SHARD_NONE && feed_redis_shard(service->redis, shard, &address))
        snprintf(out, size, "%s:%d", address.host, address.port);
}

/* Counts the links that are ready after one may have changed. The work goes on with those that are, so the service is
 * ready while there is one. */
static void count_ready(struct fan_service *service, const char *reason)
{
    unsigned ready = 0;
    for (int i = 0; i < FEED_SHARDS_MAX; i++)
        ready += service->links[i].state == FAN_LINK_READY;
    service->shards_ready = ready;
    if (ready && service->ready_ms == 0)
        service->ready_ms = feed_loop_now_ms(service->loop);
    feed_health_set(&service->health, service->redis_condition, ready > 0, ready ? NULL : reason);
}

static void follow_link(struct fan_service *service, int shard, enum fan_link_do what);

struct loading {
    struct fan_service *service;
    int shard;
};

static void log_refusal(const struct fan_service *service, int shard, const char *reason)
{
    char name[FEED_REDIS_HOST_MAX + 8];
    fan_redis_port_name(service, shard, name, sizeof name);
    FEED_LOG(service->log, FEED_LOG_WARN, "redis_functions_refused", "Redis did not take the function library",
             FEED_LOG_TEXT("server", feed_str_of(name)), FEED_LOG_TEXT("reason", feed_str_of(reason)));
}

static void on_loaded(void *arg, enum feed_error error, const struct feed_reply *reply)
{
    struct loading *loading = arg;
    struct fan_service *service = loading->service;
    int shard = loading->shard;
    free(loading);
    bool good = error == FEED_OK && feed_reply_type(reply) != FEED_REPLY_ERROR;
    if (!good) {
        struct feed_str why = error == FEED_OK ? feed_reply_str(reply) : feed_str_of(feed_error_name(error));
        char reason[100];
        snprintf(reason, sizeof reason, "%.*s", (int)(why.len < 99 ? why.len : 99), why.len ? why.data : "");
        log_refusal(service, shard, reason);
        count_ready(service, reason);
    }
    follow_link(service, shard,
                fan_link_loaded(&service->links[shard], good, feed_loop_now_ms(service->loop), random_number()));
}

/* Not connected, as the next state callback will say, or full for a moment: rest. */
static void rest(struct fan_service *service, int shard)
{
    fan_link_loaded(&service->links[shard], false, feed_loop_now_ms(service->loop), random_number());
}

static void load_functions(struct fan_service *service, int shard)
{
    struct feed_buf library;
    fan_library_write((struct feed_str){feedwire_v1_lua, feedwire_v1_lua_len}, service->witness.shards[shard].id,
                      &library);
    const struct feed_str argv[] = {FEED_STR("FUNCTION"), FEED_STR("LOAD"), FEED_STR("REPLACE"),
                                    feed_buf_view(&library)};
    struct loading *loading = malloc(sizeof *loading);
    feed_assert(loading);
    *loading = (struct loading){service, shard};
    if (feed_redis_command_to(service->redis, shard, argv, 4, on_loaded, loading) != FEED_OK) {
        free(loading);
        rest(service, shard);
    }
    feed_buf_fini(&library);
}

void fan_redis_port_introduced(struct fan_service *service, int shard, bool good, const char *reason)
{
    if (service->links[shard].state != FAN_LINK_LOADING)
        return;
    if (good) {
        load_functions(service, shard);
        return;
    }
    char name[FEED_REDIS_HOST_MAX + 8];
    fan_redis_port_name(service, shard, name, sizeof name);
    FEED_LOG(service->log, FEED_LOG_WARN, "redis_not_a_master", "this Redis does not say that it is a master",
             FEED_LOG_TEXT("server", feed_str_of(name)), FEED_LOG_TEXT("reason", feed_str_of(reason)));
    count_ready(service, reason);
    rest(service, shard);
}

static void load(struct fan_service *service, int shard)
{
    if (!fan_witness_port_introduce(service, shard))
        rest(service, shard);
}

static void follow_link(struct fan_service *service, int shard, enum fan_link_do what)
{
    if (what == FAN_LINK_LOAD) {
        load(service, shard);
    } else if (what == FAN_LINK_GO) {
        char name[FEED_REDIS_HOST_MAX + 8];
        fan_redis_port_name(service, shard, name, sizeof name);
        count_ready(service, NULL);
        FEED_LOG(service->log, FEED_LOG_INFO, "redis_ready", "connected to Redis, functions loaded",
                 FEED_LOG_TEXT("server", feed_str_of(name)), FEED_LOG_TEXT("library", FEED_STR("feedwire_v1")),
                 FEED_LOG_NUMBER("shards_ready", service->shards_ready));
        fan_life_port_up(service, shard);
    }
}

bool fan_redis_port_halted(void *arg, enum fan_trouble trouble, struct feed_str text)
{
    struct fan_service *service = arg;
    int shard = feed_redis_answering(service->redis);
    if (shard != FEED_SHARD_NONE)
        fan_redis_port_halt(service, shard, trouble, text);
    return service->shards_ready > 0;
}

void fan_redis_port_halt(struct fan_service *service, int shard, enum fan_trouble trouble, struct feed_str text)
{
    if (service->links[shard].state != FAN_LINK_READY)
        return;
    char reason[100], name[FEED_REDIS_HOST_MAX + 8];
    snprintf(reason, sizeof reason, "%.*s", (int)(text.len < 99 ? text.len : 99), text.data);
    fan_redis_port_name(service, shard, name, sizeof name);
    FEED_LOG(service->log, FEED_LOG_WARN, "redis_halted", "this Redis cannot be worked with; what is for it waits",
             FEED_LOG_TEXT("server", feed_str_of(name)), FEED_LOG_TEXT("reason", text));
    follow_link(service, shard,
                fan_link_halted(&service->links[shard], trouble, feed_loop_now_ms(service->loop), random_number()));
    count_ready(service, reason);
    if (service->shards_ready == 0)
        fan_life_port_gone(service);
}

static void on_state(void *arg, int shard, bool up, const char *reason)
{
    struct fan_service *service = arg;
    if (up) {
        follow_link(service, shard, fan_link_connected(&service->links[shard]));
        return;
    }
    char name[FEED_REDIS_HOST_MAX + 8];
    fan_redis_port_name(service, shard, name, sizeof name);
    if (shard != FEED_SHARD_NONE)
        fan_link_lost(&service->links[shard]);
    count_ready(service, reason ? reason : "not connected");
    FEED_LOG(service->log, FEED_LOG_WARN, "redis_lost", "no connection to Redis; records wait until there is one",
             FEED_LOG_TEXT("server", feed_str_of(name)), FEED_LOG_TEXT("reason", feed_str_of(reason)),
             FEED_LOG_NUMBER("shards_ready", service->shards_ready));
    if (service->load) /* what was loaded into this one may be gone */
        fan_life_port_loaded(service, false);
    if (service->shards_ready > 0)
        return;
    fan_life_port_gone(service);
    fan_engine_redis_gone(service->engine);
}

/* Keys belong to other shards now, perhaps to some that can be worked with. */
static void on_topology(void *arg)
{
    struct fan_service *service = arg;
    service->marks_unchosen = true;
    if (service->shards_ready > 0 && service->life.state == FAN_LIFE_KNOWN)
        fan_purges_port_ready(service);
    fan_purge_port_moved(service);
}

static void on_latency(void *arg, double seconds)
{
    struct fan_service *service = arg;
    feed_metrics_observe(service->metrics, FAN_METRIC_REDIS_SECONDS, 0, seconds);
}

void fan_redis_port_tick(struct fan_service *service)
{
    for (int i = 0; i < FEED_SHARDS_MAX; i++)
        follow_link(service, i, fan_link_tick(&service->links[i], feed_loop_now_ms(service->loop)));
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
        .attempts = &service->connects,
    };
    for (int i = 0; i < FEED_SHARDS_MAX; i++)
        fan_budget_init(&service->budgets[i], (unsigned)options->retry_percent, (unsigned)options->commands_max,
                        feed_loop_now_ms(service->loop));
    enum feed_error error = feed_redis_new(service->loop, &settings, on_state, service, &service->redis, problem);
    if (error == FEED_OK) {
        feed_redis_on_latency(service->redis, on_latency, service);
        feed_redis_on_topology(service->redis, on_topology, service);
    }
    return error;
}
