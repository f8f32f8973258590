/* Whether the topic graph is compacted. With a retention of its own, which is what a topic has that was made without
 * settings, old follows and blocks would be forgotten without a word, and nobody would notice before Redis is lost. So
 * nothing is worked off until it is mended, and then it goes on by itself. */
#include "fanout/service_state.h"

#include "shared/kafka/topic_setting.h"

#include <stdio.h>
#include <string.h>

enum { ASK_TIMEOUT_MS = 5000, ASK_AGAIN_MS = 5000, ASK_LATER_MS = 60000 };

static void refuse(struct fan_service *service, const char *policy)
{
    const struct fan_options *options = service->options;
    char command[640], reason[128];
    snprintf(reason, sizeof reason, "the topic is not compacted (cleanup.policy=%.40s)", policy);
    snprintf(command, sizeof command,
             "kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name %s --add-config "
             "cleanup.policy=compact",
             options->kafka_brokers, options->kafka_graph_topic);
    service->graph_topic = FAN_GRAPH_TOPIC_BAD;
    feed_health_set(&service->health, service->graph_topic_condition, false, reason);
    FEED_LOG(
        service->log, FEED_LOG_ERROR, "graph_not_compacted",
        "the topic of the graph would forget follows, mutes and blocks; nothing is worked off until it is compacted",
        FEED_LOG_TEXT("topic", feed_str_of(options->kafka_graph_topic)),
        FEED_LOG_TEXT("cleanup_policy", feed_str_of(policy)), FEED_LOG_TEXT("command", feed_str_of(command)));
}

static void accept(struct fan_service *service)
{
    if (service->graph_topic == FAN_GRAPH_TOPIC_BAD)
        FEED_LOG(service->log, FEED_LOG_INFO, "graph_compacted",
                 "the topic of the graph is compacted now; work goes on",
                 FEED_LOG_TEXT("topic", feed_str_of(service->options->kafka_graph_topic)));
    service->graph_topic = FAN_GRAPH_TOPIC_GOOD;
    feed_health_set(&service->health, service->graph_topic_condition, true, NULL);
}

static void note_unchecked(struct fan_service *service, const char *reason)
{
    if (service->graph_topic_noted)
        return;
    service->graph_topic_noted = true;
    FEED_LOG(service->log, FEED_LOG_INFO, "graph_topic_unchecked",
             "the brokers do not tell whether the topic of the graph is compacted",
             FEED_LOG_TEXT("topic", feed_str_of(service->options->kafka_graph_topic)),
             FEED_LOG_TEXT("reason", feed_str_of(reason)));
}

static void on_told(void *arg, enum feed_error error, const char *value, const char *reason)
{
    struct fan_service *service = arg;
    service->graph_topic_question = NULL;
    service->graph_topic_at_ms = feed_loop_now_ms(service->loop) + ASK_AGAIN_MS;
    if (error == FEED_OK && strcmp(value, "compact") != 0) {
        refuse(service, value);
    } else if (error == FEED_OK) {
        accept(service);
    } else if (error == FEED_E_UNSUPPORTED) {
        note_unchecked(service, reason);
        accept(service);
    } else if (error == FEED_E_TIMEOUT) {
        note_unchecked(service, reason); /* as of the embedded broker; a real one may tell later */
        service->graph_topic_at_ms = feed_loop_now_ms(service->loop) + ASK_LATER_MS;
    }
    /* Otherwise it is asked again; that Kafka cannot be reached, or has no such topic, others say. */
    fan_kafka_port_gate(service);
}

void fan_graph_topic_port_open(struct fan_service *service)
{
    service->graph_topic_condition = feed_health_add(&service->health, "graph_topic");
    feed_health_set(&service->health, service->graph_topic_condition, true, NULL);
}

void fan_graph_topic_port_tick(struct fan_service *service)
{
    if (service->graph_topic == FAN_GRAPH_TOPIC_GOOD || service->graph_topic_question ||
        feed_loop_now_ms(service->loop) < service->graph_topic_at_ms)
        return;
    const struct fan_options *options = service->options;
    const struct feed_kafka_settings kafka = {options->kafka_brokers, "feedwire-fanout", options->kafka_properties};
    service->graph_topic_question = feed_kafka_ask_topic_setting(service->loop, &kafka, options->kafka_graph_topic,
                                                                 "cleanup.policy", ASK_TIMEOUT_MS, on_told, service);
}

void fan_graph_topic_port_close(struct fan_service *service)
{
    feed_kafka_topic_question_drop(service->graph_topic_question);
    service->graph_topic_question = NULL;
}
