/* wake, rebuild, purge: commands to the fan-out, sent through Kafka, and the wait until they are worked off. */
#include "feedctl/await.h"
#include "feedctl/commands.h"
#include "feedctl/send.h"
#include "shared/base/assert.h"
#include "shared/kafka/producer.h"
#include "shared/loop/loop.h"
#include "shared/model/command.h"
#include "shared/model/names.h"
#include "shared/observe/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    QUEUE_MAX = 100000,
    QUEUE_KBYTES_MAX = 64 * 1024,
    LINGER_MS = 5,
    LINE_MAX = 4096, /* of the list on stdin; longer ones are refused */
    GROUP_MAX = 249 + sizeof "-commands"
};

struct sending {
    const struct ctl_options *options;
    enum feed_command_kind kind;
    struct feed_kafka_producer *producer;
    uint64_t sent, acknowledged, failed, refused;
    char problem[160];
};

static struct feed_kafka_settings kafka_of(const struct ctl_options *options)
{
    return (struct feed_kafka_settings){
        .brokers = options->kafka_brokers, .client_id = "feedctl", .properties = options->kafka_properties};
}

static void on_delivery(void *arg, const struct feed_kafka_delivery *delivery)
{
    struct sending *sending = arg;
    if (delivery->error == FEED_OK) {
        sending->acknowledged++;
        return;
    }
    sending->failed++;
    snprintf(sending->problem, sizeof sending->problem, "%s", delivery->reason);
}

static bool send_command(struct sending *sending, const struct feed_command *command)
{
    struct feed_buf key, value;
    feed_buf_init(&key, FEED_COMMAND_KEY_MAX);
    feed_buf_init(&value, FEED_COMMAND_VALUE_MAX);
    feed_command_key(command, &key);
    feed_command_value(command, &value);
    enum feed_error error = FEED_E_FULL;
    for (int attempt = 0; attempt < 2 && error == FEED_E_FULL; attempt++) {
        error = feed_kafka_produce(sending->producer, sending->options->kafka_commands_topic, feed_buf_view(&key),
                                   feed_buf_view(&value), NULL, 0, on_delivery, sending);
        if (error == FEED_E_FULL) {
            feed_kafka_producer_flush(sending->producer, (unsigned)sending->options->timeout_ms);
        }
    }
    feed_buf_fini(&key);
    feed_buf_fini(&value);
    if (error != FEED_OK) {
        snprintf(sending->problem, sizeof sending->problem, "%s", feed_error_name(error));
        sending->failed++;
        return false;
    }
    sending->sent++;
    return true;
}

static bool send(struct sending *sending, struct feed_str user)
{
    const struct feed_command command = {
        .kind = sending->kind, .tenant = feed_str_of(sending->options->tenant), .user = user};
    return send_command(sending, &command);
}

/* One user a line; what is no name is told with its number, and the rest goes on. */
static void send_lines(struct sending *sending)
{
    char line[LINE_MAX];
    uint64_t number = 0;
    bool goes_on = true;
    while (goes_on && fgets(line, sizeof line, stdin)) {
        number++;
        size_t len = strcspn(line, "\r\n");
        bool whole = line[len] != '\0' || feof(stdin);
        struct feed_str user = {line, len};
        if (whole && len == 0) {
            continue;
        }
        if (whole && feed_user_valid(user)) {
            goes_on = send(sending, user);
            continue;
        }
        sending->refused++;
        fprintf(stderr, "feedctl: line %llu is not the name of a user\n", (unsigned long long)number);
        while (!whole && fgets(line, sizeof line, stdin)) {
            whole = strchr(line, '\n') != NULL;
        }
    }
}

static int wait_until_done(const struct ctl_options *options, uint64_t sent)
{
    char group[GROUP_MAX];
    snprintf(group, sizeof group, "%s-commands", options->kafka_group);
    const struct ctl_await await = {.topic = options->kafka_commands_topic, .group = group, .what = "commands"};
    int code = ctl_await(options, &await);
    if (code == CTL_EXIT_OK) {
        printf(options->json ? "{\"done\":%llu}\n" : "%llu done\n", (unsigned long long)sent);
    }
    return code;
}

/* ---- the commands ---- */

/* Waits for Kafka. */
static int acknowledged(struct sending *sending)
{
    feed_kafka_producer_flush(sending->producer, (unsigned)sending->options->timeout_ms);
    if (sending->failed == 0 && sending->acknowledged == sending->sent) {
        return CTL_EXIT_OK;
    }
    fprintf(stderr, "feedctl: Kafka took %llu of the commands: %s\n", (unsigned long long)sending->acknowledged,
            sending->problem[0] ? sending->problem : "it did not answer in time");
    return CTL_EXIT_FAILED;
}

static int send_users(struct sending *sending, void *arg)
{
    char **users = arg;
    if (strcmp(users[0], "-") == 0) {
        send_lines(sending);
    } else {
        for (char **user = users; *user && send(sending, feed_str_of(*user)); user++) {
        }
    }
    int code = acknowledged(sending);
    if (code == CTL_EXIT_OK) {
        code = wait_until_done(sending->options, sending->sent);
    }
    return sending->refused > 0 ? CTL_EXIT_FAILED : code;
}

static int send_one(struct sending *sending, void *arg)
{
    send_command(sending, arg);
    return acknowledged(sending);
}

static int with_producer(const struct ctl_options *options, enum feed_command_kind kind,
                         int (*fn)(struct sending *sending, void *arg), void *arg)
{
    struct feed_loop *loop = feed_loop_new();
    struct feed_log *log = feed_log_new("feedctl", FEED_LOG_ERROR, NULL, NULL, NULL);
    feed_assert(loop && log);
    const struct feed_kafka_producer_settings settings = {
        .kafka = kafka_of(options),
        .queue_messages_max = QUEUE_MAX,
        .queue_kbytes_max = QUEUE_KBYTES_MAX,
        .delivery_timeout_ms = (unsigned)options->timeout_ms,
        .linger_ms = LINGER_MS,
    };
    struct sending sending = {.options = options, .kind = kind};
    char problem[256];
    int code = CTL_EXIT_FAILED;
    if (feed_kafka_producer_new(loop, log, &settings, &sending.producer, problem, sizeof problem) == FEED_OK) {
        code = fn(&sending, arg);
        feed_kafka_producer_free(sending.producer, 0);
    } else {
        fprintf(stderr, "feedctl: %s\n", problem);
    }
    feed_log_free(log);
    feed_loop_free(loop);
    return code;
}

int ctl_command_feeds(const struct ctl_options *options, enum feed_command_kind kind, char **users)
{
    return with_producer(options, kind, send_users, users);
}

int ctl_send_command(const struct ctl_options *options, const struct feed_command *command)
{
    struct feed_command copy = *command;
    return with_producer(options, command->kind, send_one, &copy);
}
