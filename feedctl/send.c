#include "feedctl/send.h"

#include "feedctl/await.h"
#include "feedctl/commands.h"
#include "shared/base/assert.h"
#include "shared/kafka/producer.h"
#include "shared/loop/loop.h"
#include "shared/observe/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    QUEUE_MAX = 100000,
    QUEUE_KBYTES_MAX = 64 * 1024,
    LINGER_MS = 5,
    WAITING_MAX = 1000, /* commands in front of one that a gateway sends: a second or two of work */
    LOOKS_A_SECOND = 4,
    GROUP_MAX = 249 + sizeof "-commands"
};

struct ctl_sender {
    const struct ctl_options *options;
    unsigned rate;
    struct feed_loop *loop;
    struct feed_log *log;
    struct feed_kafka_producer *producer;
    uint64_t sent, acknowledged, failed, looked_at;
    int64_t begun_ms;
    char problem[160];
    char group[GROUP_MAX];
};

static int64_t mono_ms(void)
{
    return (int64_t)(feed_clock_mono_us() / 1000);
}

static void on_delivery(void *arg, const struct feed_kafka_delivery *delivery)
{
    struct ctl_sender *sender = arg;
    if (delivery->error == FEED_OK) {
        sender->acknowledged++;
        return;
    }
    sender->failed++;
    snprintf(sender->problem, sizeof sender->problem, "%s", delivery->reason);
}

struct ctl_sender *ctl_sender_open(const struct ctl_options *options, unsigned rate)
{
    struct ctl_sender *sender = calloc(1, sizeof *sender);
    feed_assert(sender);
    sender->options = options;
    sender->rate = rate;
    sender->begun_ms = mono_ms();
    snprintf(sender->group, sizeof sender->group, "%s-commands", options->kafka_group);
    sender->loop = feed_loop_new();
    sender->log = feed_log_new("feedctl", FEED_LOG_ERROR, NULL, NULL, NULL);
    feed_assert(sender->loop && sender->log);
    const struct feed_kafka_producer_settings settings = {
        .kafka = {.brokers = options->kafka_brokers, .client_id = "feedctl", .properties = options->kafka_properties},
        .queue_messages_max = QUEUE_MAX,
        .queue_kbytes_max = QUEUE_KBYTES_MAX,
        .delivery_timeout_ms = (unsigned)options->timeout_ms,
        .linger_ms = LINGER_MS,
    };
    char problem[256];
    if (feed_kafka_producer_new(sender->loop, sender->log, &settings, &sender->producer, problem, sizeof problem) ==
        FEED_OK) {
        return sender;
    }
    fprintf(stderr, "feedctl: %s\n", problem);
    ctl_sender_close(sender);
    return NULL;
}

void ctl_sender_close(struct ctl_sender *sender)
{
    if (!sender) {
        return;
    }
    if (sender->producer) {
        feed_kafka_producer_free(sender->producer, 0);
    }
    feed_log_free(sender->log);
    feed_loop_free(sender->loop);
    free(sender);
}

static int await(struct ctl_sender *sender, uint64_t at_most)
{
    const struct ctl_await what = {
        .topic = sender->options->kafka_commands_topic, .group = sender->group, .what = "commands", .at_most = at_most};
    return ctl_await(sender->options, &what);
}

/* Keeps to the rate, and waits while too many are not worked off. */
static bool pace(struct ctl_sender *sender)
{
    if (sender->rate == 0) {
        return true;
    }
    int64_t due_ms = sender->begun_ms + (int64_t)(sender->sent * 1000 / sender->rate), now_ms = mono_ms();
    if (due_ms > now_ms) {
        int64_t rest_ms = due_ms - now_ms;
        nanosleep(&(struct timespec){.tv_sec = rest_ms / 1000, .tv_nsec = rest_ms % 1000 * 1000000L}, NULL);
    }
    if (sender->sent < sender->looked_at + sender->rate / LOOKS_A_SECOND) {
        return true;
    }
    sender->looked_at = sender->sent;
    return ctl_sender_acknowledged(sender) == CTL_EXIT_OK && await(sender, WAITING_MAX) == CTL_EXIT_OK;
}

static bool send(struct ctl_sender *sender, struct feed_str key, struct feed_str value,
                 const struct feed_kafka_header *headers, size_t header_count)
{
    enum feed_error error = FEED_E_FULL;
    for (int attempt = 0; attempt < 2 && error == FEED_E_FULL; attempt++) {
        error = feed_kafka_produce(sender->producer, sender->options->kafka_commands_topic, key, value, headers,
                                   header_count, on_delivery, sender);
        if (error == FEED_E_FULL) {
            feed_kafka_producer_flush(sender->producer, (unsigned)sender->options->timeout_ms);
        }
    }
    if (error != FEED_OK) {
        snprintf(sender->problem, sizeof sender->problem, "%s", feed_error_name(error));
        sender->failed++;
        return false;
    }
    sender->sent++;
    return pace(sender);
}

bool ctl_sender_command(struct ctl_sender *sender, const struct feed_command *command)
{
    struct feed_buf key, value;
    feed_buf_init(&key, FEED_COMMAND_KEY_MAX);
    feed_buf_init(&value, FEED_COMMAND_VALUE_MAX);
    feed_command_key(command, &key);
    feed_command_value(command, &value);
    bool sent = send(sender, feed_buf_view(&key), feed_buf_view(&value), NULL, 0);
    feed_buf_fini(&key);
    feed_buf_fini(&value);
    return sent;
}

bool ctl_sender_apply(struct ctl_sender *sender, const struct feed_kafka_message *record)
{
    struct feed_kafka_header headers[FEED_KAFKA_HEADERS_MAX + 1];
    size_t count = 0;
    headers[count++] = (struct feed_kafka_header){FEED_COMMAND_HEADER, FEED_STR(FEED_COMMAND_APPLY)};
    for (size_t i = 0; i < record->header_count; i++) {
        headers[count++] = record->headers[i];
    }
    return send(sender, record->key, record->value, headers, count);
}

uint64_t ctl_sender_sent(const struct ctl_sender *sender)
{
    return sender->sent;
}

int ctl_sender_acknowledged(struct ctl_sender *sender)
{
    feed_kafka_producer_flush(sender->producer, (unsigned)sender->options->timeout_ms);
    if (sender->failed == 0 && sender->acknowledged == sender->sent) {
        return CTL_EXIT_OK;
    }
    fprintf(stderr, "feedctl: Kafka took %llu of the commands: %s\n", (unsigned long long)sender->acknowledged,
            sender->problem[0] ? sender->problem : "it did not answer in time");
    return CTL_EXIT_FAILED;
}

int ctl_sender_done(struct ctl_sender *sender)
{
    int code = ctl_sender_acknowledged(sender);
    if (code == CTL_EXIT_OK) {
        code = await(sender, 0);
    }
    if (code == CTL_EXIT_OK) {
        printf(sender->options->json ? "{\"done\":%llu}\n" : "%llu done\n", (unsigned long long)sender->sent);
    }
    return code;
}
