/* A client of its own, because the answer must come from the controller, and a producer that has produced nothing yet
 * does not know which broker that is: asking for the topic's partitions tells it. */
#include "shared/kafka/topic_setting.h"

#include "shared/base/assert.h"
#include "shared/kafka/settings.h"
#include "shared/loop/loop.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { DROP_MS = 100 }; /* until a question that was dropped ends */

struct feed_kafka_topic_question {
    feed_kafka_topic_setting_fn *fn;
    void *arg;
    atomic_bool dropped;

    uv_work_t work; /* the thread's, until it is through */
    char *brokers, *client_id, *properties, *topic, *setting;
    int timeout_ms;
    enum feed_error error;
    char reason[128], value[256];
};

static void fail(struct feed_kafka_topic_question *question, enum feed_error error, const char *reason)
{
    question->error = error;
    snprintf(question->reason, sizeof question->reason, "%s", reason);
}

static void fail_with(struct feed_kafka_topic_question *question, rd_kafka_resp_err_t error)
{
    switch (error) {
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
        fail(question, FEED_E_UNSUPPORTED, rd_kafka_err2str(error));
        break;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        fail(question, FEED_E_MISSING, rd_kafka_err2str(error));
        break;
    default:
        fail(question, feed_kafka_error(error), rd_kafka_err2str(error));
    }
}

/* ---- in the thread ---- */

static rd_kafka_t *open_client(struct feed_kafka_topic_question *question)
{
    const struct feed_kafka_settings settings = {question->brokers, question->client_id, question->properties};
    struct feed_kafka_builder builder;
    feed_kafka_builder_init(&builder, &settings, question->reason, sizeof question->reason);
    feed_kafka_builder_set(&builder, "log.queue", "false");
    feed_kafka_builder_set(&builder, "log_level", "2"); /* others say what is wrong with the brokers */
    feed_kafka_builder_set(&builder, "statistics.interval.ms", "0");
    feed_kafka_builder_properties(&builder, question->properties);
    rd_kafka_t *kafka = feed_kafka_builder_finish(&builder, RD_KAFKA_PRODUCER);
    question->error = kafka ? FEED_OK : builder.error;
    return kafka;
}

/* False when the topic is not there, or nobody answers. */
static bool find_topic(struct feed_kafka_topic_question *question, rd_kafka_t *kafka)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(kafka, question->topic, NULL);
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t error = rd_kafka_metadata(kafka, 0, topic, &metadata, question->timeout_ms);
    rd_kafka_topic_destroy(topic);
    if (!error && (metadata->topic_cnt != 1 || metadata->topics[0].partition_cnt == 0))
        error = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (metadata)
        rd_kafka_metadata_destroy(metadata);
    if (error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        fail_with(question, error);
    else if (error)
        fail(question, FEED_E_UNAVAILABLE, rd_kafka_err2str(error));
    return !error;
}

static void take_value(struct feed_kafka_topic_question *question, const rd_kafka_ConfigResource_t *resource)
{
    size_t count;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);
    for (size_t i = 0; i < count; i++) {
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);
        if (value && strcmp(rd_kafka_ConfigEntry_name(entries[i]), question->setting) == 0) {
            snprintf(question->value, sizeof question->value, "%s", value);
            return;
        }
    }
    fail(question, FEED_E_UNSUPPORTED, "the brokers do not know such a setting");
}

static void take_result(struct feed_kafka_topic_question *question, rd_kafka_event_t *event)
{
    rd_kafka_resp_err_t error = rd_kafka_event_error(event);
    if (error) {
        fail_with(question, error);
        return;
    }
    size_t count;
    const rd_kafka_ConfigResource_t **resources =
        rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &count);
    error = count == 1 ? rd_kafka_ConfigResource_error(resources[0]) : RD_KAFKA_RESP_ERR__BAD_MSG;
    if (error)
        fail_with(question, error);
    else
        take_value(question, resources[0]);
}

static void describe(struct feed_kafka_topic_question *question, rd_kafka_t *kafka)
{
    char problem[128];
    rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka);
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(kafka, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_AdminOptions_set_request_timeout(options, question->timeout_ms, problem, sizeof problem);
    rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, question->topic);
    rd_kafka_DescribeConfigs(kafka, &resource, 1, options, queue);
    rd_kafka_event_t *event = NULL;
    while (!event && !atomic_load(&question->dropped))
        event = rd_kafka_queue_poll(queue, DROP_MS); /* its own timeout answers it */
    if (event) {
        take_result(question, event);
        rd_kafka_event_destroy(event);
    }
    rd_kafka_ConfigResource_destroy(resource);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
}

static void ask(uv_work_t *work)
{
    struct feed_kafka_topic_question *question = work->data;
    rd_kafka_t *kafka = open_client(question);
    if (!kafka)
        return;
    if (find_topic(question, kafka))
        describe(question, kafka);
    rd_kafka_destroy(kafka);
}

/* ---- on the loop ---- */

static void on_asked(uv_work_t *work, int status)
{
    struct feed_kafka_topic_question *question = work->data;
    (void)status; /* it is never cancelled */
    if (!atomic_load(&question->dropped))
        question->fn(question->arg, question->error, question->error == FEED_OK ? question->value : NULL,
                     question->error == FEED_OK ? NULL : question->reason);
    free(question->brokers);
    free(question->client_id);
    free(question->properties);
    free(question->topic);
    free(question->setting);
    free(question);
}

static char *copy(const char *text)
{
    char *copied = strdup(text);
    feed_assert(copied);
    return copied;
}

struct feed_kafka_topic_question *
feed_kafka_ask_topic_setting(struct feed_loop *loop, const struct feed_kafka_settings *settings, const char *topic,
                             const char *setting, unsigned timeout_ms, feed_kafka_topic_setting_fn *fn, void *arg)
{
    struct feed_kafka_topic_question *question = calloc(1, sizeof *question);
    feed_assert(question);
    *question = (struct feed_kafka_topic_question){.fn = fn,
                                                   .arg = arg,
                                                   .brokers = copy(settings->brokers),
                                                   .client_id = copy(settings->client_id),
                                                   .properties = copy(settings->properties),
                                                   .topic = copy(topic),
                                                   .setting = copy(setting),
                                                   .timeout_ms = (int)timeout_ms};
    question->work.data = question;
    int queued = uv_queue_work(feed_loop_uv(loop), &question->work, ask, on_asked);
    feed_assert(queued == 0);
    return question;
}

void feed_kafka_topic_question_drop(struct feed_kafka_topic_question *question)
{
    if (question)
        atomic_store(&question->dropped, true);
}
