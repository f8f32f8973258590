/* Requests: asks the gate, reads the submission, produces, and answers when the last acknowledgement has come. All
 * decisions are made in the pure files; here they are carried out. What waits is bounded twice: by the connections
 * (one request each) and by the producer's queue. A client that goes away changes nothing for its activities. */
#include "ingest/answer.h"
#include "ingest/batch.h"
#include "ingest/metrics.h"
#include "ingest/service_state.h"
#include "ingest/submission.h"
#include "ingest/trace.h"
#include "ingest/undo.h"
#include "shared/base/assert.h"
#include "shared/kafka/producer.h"
#include "shared/loop/loop.h"
#include "shared/observe/log.h"

#include <stdlib.h>

/* A request that waits for Kafka. */
struct waiting {
    struct ing_service *service;
    struct feed_request *request;
    struct feed_str origin; /* borrowed from the rules */
};

static void respond(struct ing_service *service, struct feed_request *request, struct ing_answer *answer)
{
    feed_metrics_add(service->metrics, ING_METRIC_HTTP_REQUESTS, ing_metric_code(answer->response.status), 1);
    answer->response.close = service->stopping;
    feed_request_respond(request, &answer->response);
    ing_answer_fini(answer);
}

static void respond_unavailable(struct ing_service *service, struct feed_request *request, struct feed_str origin,
                                const char *detail, unsigned retry_after_s, size_t count)
{
    struct ing_answer answer;
    feed_metrics_add(service->metrics, ING_METRIC_UNACKNOWLEDGED, 0, count);
    ing_answer_unavailable(&answer, detail, retry_after_s, origin);
    respond(service, request, &answer);
}

/* ---- acknowledgements ---- */

static void finish(struct ing_batch *batch)
{
    struct waiting *waiting = batch->arg;
    struct ing_service *service = waiting->service;
    struct ing_answer answer;
    feed_assert(service->waiting > 0);
    service->waiting--;
    if (batch->failed > 0) {
        feed_metrics_add(service->metrics, ING_METRIC_UNACKNOWLEDGED, 0, batch->failed);
        FEED_LOG(service->log, FEED_LOG_WARN, "not_acknowledged", "Kafka did not acknowledge all of a request",
                 FEED_LOG_NUMBER("failed", (int64_t)batch->failed),
                 FEED_LOG_NUMBER("acknowledged", (int64_t)batch->acknowledged));
    }
    ing_answer_batch(&answer, batch, waiting->origin);
    respond(service, waiting->request, &answer);
    free(waiting);
    ing_batch_free(batch);
}

static void on_delivery(void *arg, const struct feed_kafka_delivery *delivery)
{
    struct ing_item *item = arg;
    struct ing_batch *batch = item->batch;
    struct waiting *waiting = batch->arg;
    struct feed_metrics *metrics = waiting->service->metrics;
    ing_batch_delivered(item, delivery);
    if (delivery->error == FEED_OK) {
        feed_metrics_add(metrics, ING_METRIC_PUBLISHED, 0, 1);
        feed_metrics_observe(metrics, ING_METRIC_PRODUCE_SECONDS, 0,
                             (double)(feed_clock_mono_us() - item->produced_us) / 1e6);
    }
    if (ing_batch_complete(batch)) {
        finish(batch);
    }
}

/* ---- producing ---- */

static enum feed_error produce_one(struct ing_service *service, const struct feed_activity *activity,
                                   struct feed_str traceparent, struct feed_buf *value, struct ing_item *item)
{
    struct feed_record_parts parts;
    struct feed_kafka_header headers[sizeof(parts.record.headers) / sizeof(parts.record.headers[0])];
    feed_buf_reset(value);
    feed_activity_encode_value(activity, value);
    if (value->error != FEED_OK) {
        return value->error;
    }
    feed_activity_make_record(activity, traceparent, feed_buf_view(value), &parts);
    const struct feed_record *record = &parts.record;
    for (size_t i = 0; i < record->header_count; i++) {
        headers[i] = (struct feed_kafka_header){record->headers[i].name, record->headers[i].value};
    }
    return feed_kafka_produce(service->producer, service->options->kafka_topic, record->key, record->value, headers,
                              record->header_count, on_delivery, item);
}

static enum feed_error produce_all(struct ing_service *service, const struct ing_submission *submission,
                                   struct feed_str received_traceparent, struct ing_batch *batch)
{
    uint8_t random[ING_TRACE_RANDOM];
    char traceparent[ING_TRACEPARENT_TEXT + 1];
    feed_random_bytes(random, sizeof(random));
    ing_traceparent(received_traceparent, random, traceparent);
    struct feed_buf value;
    feed_buf_init(&value, FEED_RECORD_MAX);
    enum feed_error error = FEED_OK;
    for (size_t i = 0; i < submission->count && error == FEED_OK; i++) {
        const struct feed_activity *activity = &submission->elements[i].activity;
        error = produce_one(service, activity, feed_str_of(traceparent), &value, &batch->items[i]);
        if (error == FEED_OK) {
            ing_batch_produced(batch, i, feed_clock_mono_us());
        } else {
            ing_batch_stop(batch, i, error);
        }
    }
    feed_buf_fini(&value);
    return error;
}

static struct ing_batch *batch_for(struct ing_service *service, struct feed_request *request,
                                   const struct ing_submission *submission, struct feed_str origin)
{
    struct waiting *waiting = malloc(sizeof(*waiting));
    struct ing_batch *batch = ing_batch_new(submission->count, waiting);
    if (!waiting || !batch) {
        free(waiting);
        ing_batch_free(batch);
        return NULL;
    }
    *waiting = (struct waiting){.service = service, .request = request, .origin = origin};
    for (size_t i = 0; i < submission->count; i++) {
        const struct feed_activity *activity = &submission->elements[i].activity;
        ing_batch_set(batch, i, activity->id, activity->published_ms);
    }
    return batch;
}

/* Why nothing of this submission can be handed over now; NULL when it can. */
static const char *why_not(const struct ing_service *service, size_t count, unsigned *retry_after_s)
{
    size_t queued = feed_kafka_producer_queued(service->producer);
    *retry_after_s = ING_RETRY_AWAY_S;
    if (!feed_kafka_producer_up(service->producer, NULL)) {
        return "Kafka cannot be reached. Nothing was accepted; try again later.";
    }
    if (queued + count > (size_t)service->options->kafka_queue_records_max) {
        *retry_after_s = ING_RETRY_FULL_S;
        return "Too many activities are waiting for Kafka. Nothing was accepted; try again later.";
    }
    return NULL;
}

static void publish(struct ing_service *service, struct feed_request *request, const struct feed_http_request *http,
                    const struct ing_submission *submission, struct feed_str origin)
{
    unsigned retry_after_s;
    const char *fault = why_not(service, submission->count, &retry_after_s);
    struct ing_batch *batch = fault ? NULL : batch_for(service, request, submission, origin);
    if (!batch) {
        respond_unavailable(service, request, origin, fault ? fault : "There is not enough memory.", retry_after_s,
                            submission->count);
        return;
    }
    enum feed_error error = produce_all(service, submission, http->headers[FEED_HTTP_TRACEPARENT], batch);
    if (batch->pending > 0) {
        service->waiting++;
        return;
    }
    free(batch->arg);
    ing_batch_free(batch);
    bool full = error == FEED_E_FULL;
    respond_unavailable(service, request, origin,
                        full ? "Too many bytes are waiting for Kafka. Nothing was accepted; try again later."
                             : "Kafka took nothing. Nothing was accepted; try again later.",
                        full ? ING_RETRY_FULL_S : ING_RETRY_AWAY_S, submission->count);
}

/* ---- requests ---- */

static void submit(struct ing_service *service, struct feed_request *request, const struct feed_http_request *http,
                   const struct ing_gate *gate, enum ing_media media, struct feed_str body)
{
    struct ing_submission submission;
    struct ing_answer answer;
    const struct ing_submission_input input = {.media = media,
                                               .body = body,
                                               .claims = &gate->claims,
                                               .now_ms = feed_clock_wall_ms(),
                                               .random_fn = feed_random_bytes};
    ing_submission_read(&submission, &input);
    if (submission.status == 0) {
        publish(service, request, http, &submission, gate->origin);
    } else {
        ing_answer_problems(&answer, &submission, gate->origin);
        respond(service, request, &answer);
    }
    ing_submission_fini(&submission);
}

static void log_refusal(struct ing_service *service, const struct ing_gate *gate)
{
    FEED_LOG(service->log, FEED_LOG_DEBUG, "request_refused", gate->detail, FEED_LOG_NUMBER("status", gate->status));
}

static void refuse(struct ing_service *service, struct feed_request *request, const struct ing_gate *gate)
{
    struct ing_answer answer;
    log_refusal(service, gate);
    ing_answer_refusal(&answer, gate);
    respond(service, request, &answer);
}

static void undo(struct ing_service *service, struct feed_request *request, const struct feed_http_request *http,
                 const struct ing_gate *gate)
{
    struct feed_buf body;
    feed_buf_init(&body, FEED_BODY_MAX);
    const char *fault = ing_undo_activity(http->path, http->query, &body);
    if (!fault && body.error == FEED_OK) {
        submit(service, request, http, gate, ING_MEDIA_JSON, feed_buf_view(&body));
    } else {
        struct ing_gate refusal = *gate;
        refusal.verdict = ING_GATE_REFUSE;
        refusal.status = fault ? 400 : 500;
        refusal.detail = fault ? fault : "There is not enough memory.";
        refuse(service, request, &refusal);
    }
    feed_buf_fini(&body);
}

void ing_on_request(void *arg, struct feed_request *request, const struct feed_http_request *http)
{
    struct ing_service *service = arg;
    struct ing_answer answer;
    struct ing_gate gate = ing_gate_decide(&service->rules, http, feed_clock_wall_ms() / 1000);
    if (gate.verdict == ING_GATE_REFUSE) {
        refuse(service, request, &gate);
    } else if (gate.verdict == ING_GATE_PREFLIGHT) {
        ing_answer_preflight(&answer, &gate);
        respond(service, request, &answer);
    } else if (service->stopping) {
        respond_unavailable(service, request, gate.origin, "This server is being stopped; try again.", ING_RETRY_FULL_S,
                            0);
    } else if (gate.verdict == ING_GATE_UNDO) {
        undo(service, request, http, &gate);
    } else {
        submit(service, request, http, &gate, gate.media, http->body);
    }
}

/* Refuses strangers before memory is taken for their body. Not if the page of an allowed origin asks: an early answer
 * cannot carry the headers without which a browser hides the status from the page. */
unsigned ing_on_head(void *arg, const struct feed_http_request *head, const char **detail)
{
    struct ing_service *service = arg;
    struct ing_gate gate = ing_gate_decide(&service->rules, head, feed_clock_wall_ms() / 1000);
    if (gate.verdict != ING_GATE_REFUSE || gate.origin.data || (gate.status != 401 && gate.status != 415)) {
        return 0;
    }
    log_refusal(service, &gate);
    feed_metrics_add(service->metrics, ING_METRIC_HTTP_REQUESTS, ing_metric_code(gate.status), 1);
    *detail = gate.detail;
    return gate.status;
}
