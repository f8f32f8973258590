/* The engine's way to the topic of commands: a consumer and a group of their own, because a group shares out the topics
 * that all its members read, and because commands that wait must not count as lag of the activities. Their partitions
 * are the engine's like the others, with numbers of their own: so lanes, bounds, letters and commits are the same. What
 * was committed holds in any life of Redis: a command is about what Redis holds when it is worked off. */
#include "fanout/service_state.h"

#include "shared/base/assert.h"

#include <stdio.h>
#include <stdlib.h>

enum { GROUP_MAX = 249 + sizeof "-commands" };

static void on_message(void *arg, const struct feed_kafka_message *message)
{
    fan_kafka_port_message(arg, message->partition + FAN_COMMANDS_BASE, message);
}

/* Calls fn with the numbers that the engine has for these partitions. */
static void with_numbers(struct fan_service *service, const int32_t *partitions, size_t count,
                         void (*fn)(struct fan_engine *engine, const int32_t *partitions, size_t count))
{
    int32_t *numbers = calloc(count ? count : 1, sizeof *numbers);
    feed_assert(numbers);
    for (size_t i = 0; i < count; i++)
        numbers[i] = partitions[i] + FAN_COMMANDS_BASE;
    fn(service->engine, numbers, count);
    free(numbers);
}

static void on_assigned(void *arg, const int32_t *partitions, size_t count)
{
    struct fan_service *service = arg;
    service->command_partitions += count;
    with_numbers(service, partitions, count, fan_engine_assigned);
    fan_kafka_port_gate(service);
}

static void on_revoked(void *arg, const int32_t *partitions, size_t count, bool lost)
{
    struct fan_service *service = arg;
    if (!lost)
        fan_kafka_port_commit(service, true);
    service->command_partitions -= count < service->command_partitions ? count : service->command_partitions;
    with_numbers(service, partitions, count, fan_engine_revoked);
}

static void on_committed(void *arg, enum feed_error error, const char *reason)
{
    struct fan_service *service = arg;
    if (error == FEED_OK)
        return;
    FEED_LOG(service->log, FEED_LOG_WARN, "commit_failed", "positions of commands will be committed again",
             FEED_LOG_TEXT("reason", feed_str_of(reason)));
    fan_engine_commit_failed(service->engine);
}

static void on_end(void *arg, int32_t partition, int64_t end)
{
    struct fan_service *service = arg;
    fan_engine_reached_end(service->engine, partition + FAN_COMMANDS_BASE, end);
}

/* Not a condition of health: feeds that are awake need no commands. */
static void on_state(void *arg, bool up, const char *reason)
{
    struct fan_service *service = arg;
    if (!up)
        FEED_LOG(service->log, FEED_LOG_WARN, "commands_unreadable", "no feed is woken until the topic can be read",
                 FEED_LOG_TEXT("topic", feed_str_of(service->options->kafka_commands_topic)),
                 FEED_LOG_TEXT("reason", feed_str_of(reason ? reason : "")));
}

static void on_asked(void *arg, enum feed_error error, const char *reason, const struct feed_kafka_committed *rows,
                     size_t count)
{
    (void)arg, (void)error, (void)reason, (void)rows, (void)count; /* nothing is asked */
}

static const struct feed_kafka_consumer_events events = {
    .message_fn = on_message,
    .assigned_fn = on_assigned,
    .revoked_fn = on_revoked,
    .end_fn = on_end,
    .committed_fn = on_committed,
    .asked_fn = on_asked,
    .state_fn = on_state,
};

enum feed_error fan_commands_port_open(struct fan_service *service, const struct feed_kafka_consumer_settings *like,
                                       char *problem, size_t problem_size)
{
    char group[GROUP_MAX];
    snprintf(group, sizeof group, "%s-commands", like->group);
    struct feed_kafka_consumer_settings settings = *like;
    settings.topic = service->options->kafka_commands_topic;
    settings.group = group;
    return feed_kafka_consumer_new(service->loop, service->log, &settings, &events, service, &service->commands,
                                   problem, problem_size);
}
