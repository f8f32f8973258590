/* From a good submission to the answer:
 *
 *   begin --(limits)--> take --(key)--> claim --held--> produce --all acknowledged--> finish the claim --> 202
 *     '-----------------------------------^ '--not all--> release the claim --> 503
 *
 * What waits is bounded twice: by the connections (one request each) and by the producer's queue. A client that goes
 * away changes nothing for its activities. */
#include "ingest/exchange.h"

#include "ingest/batch.h"
#include "ingest/claim.h"
#include "ingest/limiter.h"
#include "ingest/metrics.h"
#include "ingest/trace.h"
#include "shared/base/assert.h"
#include "shared/kafka/producer.h"
#include "shared/loop/loop.h"
#include "shared/observe/log.h"

#include <stdlib.h>
#include <string.h>

enum { VALUE_USUAL = 1024 }; /* bytes of a record's value; one buffer for all of a request */

struct exchange {
    struct ing_service *service;
    struct feed_request *request;
    const struct feed_http_request *http; /* borrowed until the request is answered */
    struct feed_str origin;               /* borrowed from the rules */
    struct feed_token_claims claims;
    struct feed_tier tier; /* a copy: the file may change meanwhile */
    enum feed_rate_kind endpoint;
    unsigned tenant_label; /* of the metrics by tenant */
    int64_t holding;       /* of the tenant's share: activities; 0: none, and no request either */
    struct ing_batch *batch;
    struct feed_str key; /* borrowed from http; data NULL: none */
    struct ing_limiter limiter;
    struct ing_claim claim;
    bool replayed;
    struct ing_submission submission; /* last, as the large rest of it is not cleared */
};

/* ---- answers ---- */

void ing_respond(struct ing_service *service, struct feed_request *request, struct ing_answer *answer)
{
    feed_metrics_add(service->metrics, ING_METRIC_HTTP_REQUESTS, ing_metric_code(answer->response.status), 1);
    answer->response.close = service->stopping;
    feed_request_respond(request, &answer->response);
    ing_answer_fini(answer);
}

static void give_back(struct exchange *exchange)
{
    struct ing_service *service = exchange->service;
    struct feed_str tenant = feed_str_of(exchange->claims.tenant);
    if (exchange->holding == 0)
        return;
    feed_tally_give(&service->requests, tenant, 1);
    feed_tally_give(&service->activities, tenant, exchange->holding);
}

/* Answers, and ends the exchange. */
static void end(struct exchange *exchange, struct ing_answer *answer)
{
    struct ing_service *service = exchange->service;
    feed_assert(service->waiting > 0 && !exchange->claim.held);
    service->waiting--;
    give_back(exchange);
    ing_respond(service, exchange->request, answer);
    ing_submission_fini(&exchange->submission);
    ing_batch_free(exchange->batch);
    free(exchange);
}

static void end_refused(struct exchange *exchange, unsigned status, const char *detail, unsigned retry_after_s)
{
    struct ing_answer answer;
    ing_answer_error(&answer, status, detail, retry_after_s, exchange->origin);
    end(exchange, &answer);
}

static void end_unavailable(struct exchange *exchange, const char *detail, unsigned retry_after_s)
{
    struct ing_answer answer;
    feed_metrics_add(exchange->service->metrics, ING_METRIC_UNACKNOWLEDGED, exchange->tenant_label,
                     exchange->submission.count);
    if (exchange->claim.held)
        ing_claim_release(&exchange->claim);
    ing_answer_unavailable(&answer, detail, retry_after_s, exchange->origin);
    end(exchange, &answer);
}

static void end_with_batch(void *arg)
{
    struct exchange *exchange = arg;
    struct ing_answer answer;
    ing_answer_batch(&answer, exchange->batch, exchange->replayed, exchange->origin);
    end(exchange, &answer);
}

/* ---- acknowledgements ---- */

static void finish_claim(struct exchange *exchange)
{
    struct feed_buf places;
    feed_buf_init(&places, ING_PLACES_MAX);
    ing_places_write(exchange->batch, &places);
    if (places.error == FEED_OK) {
        ing_claim_finish(&exchange->claim, feed_buf_view(&places), end_with_batch);
    } else {
        ing_claim_release(&exchange->claim);
        end_with_batch(exchange);
    }
    feed_buf_fini(&places);
}

static void on_complete(struct exchange *exchange)
{
    const struct ing_batch *batch = exchange->batch;
    struct ing_service *service = exchange->service;
    if (batch->failed > 0) {
        feed_metrics_add(service->metrics, ING_METRIC_UNACKNOWLEDGED, exchange->tenant_label, batch->failed);
        FEED_LOG(service->log, FEED_LOG_WARN, "not_acknowledged", "Kafka did not acknowledge all of a request",
                 FEED_LOG_TEXT("tenant", feed_str_of(exchange->claims.tenant)),
                 FEED_LOG_NUMBER("failed", (int64_t)batch->failed),
                 FEED_LOG_NUMBER("acknowledged", (int64_t)batch->acknowledged));
    }
    if (exchange->claim.held && batch->failed == 0) {
        finish_claim(exchange);
        return;
    }
    if (exchange->claim.held)
        ing_claim_release(&exchange->claim);
    end_with_batch(exchange);
}

static void on_delivery(void *arg, const struct feed_kafka_delivery *delivery)
{
    struct ing_item *item = arg;
    struct ing_batch *batch = item->batch;
    struct exchange *exchange = batch->arg;
    struct feed_metrics *metrics = exchange->service->metrics;
    ing_batch_delivered(item, delivery);
    if (delivery->error == FEED_OK) {
        feed_metrics_add(metrics, ING_METRIC_PUBLISHED, exchange->tenant_label, 1);
        feed_metrics_observe(metrics, ING_METRIC_PRODUCE_SECONDS, 0,
                             (double)(feed_clock_mono_us() - item->produced_us) / 1e6);
    }
    if (ing_batch_complete(batch))
        on_complete(exchange);
}

/* ---- producing ---- */

static enum feed_error produce_one(struct ing_service *service, const struct feed_activity *activity,
                                   struct feed_str traceparent, struct feed_buf *value, struct ing_item *item)
{
    struct feed_record_parts parts;
    struct feed_kafka_header headers[sizeof(parts.record.headers) / sizeof(parts.record.headers[0])];
    feed_buf_reset(value);
    feed_activity_encode_value(activity, value);
    if (value->error != FEED_OK)
        return value->error;
    feed_activity_make_record(activity, traceparent, feed_buf_view(value), &parts);
    const struct feed_record *record = &parts.record;
    for (size_t i = 0; i < record->header_count; i++)
        headers[i] = (struct feed_kafka_header){record->headers[i].name, record->headers[i].value};
    return feed_kafka_produce(service->producer, service->options->kafka_topic, record->key, record->value, headers,
                              record->header_count, on_delivery, item);
}

/* Of the first that was not handed over; nor were those behind it. */
static enum feed_error produce_all(struct exchange *exchange)
{
    struct ing_batch *batch = exchange->batch;
    uint8_t random[ING_TRACE_RANDOM];
    char traceparent[ING_TRACEPARENT_TEXT + 1];
    feed_random_take(&exchange->service->random, random, sizeof random);
    ing_traceparent(exchange->http->headers[FEED_HTTP_TRACEPARENT], random, traceparent);
    struct feed_buf value;
    feed_buf_init(&value, FEED_RECORD_MAX);
    feed_buf_reserve(&value, VALUE_USUAL);
    uint64_t now_us = feed_clock_mono_us();
    enum feed_error error = FEED_OK;
    for (size_t i = 0; i < batch->count && error == FEED_OK; i++) {
        const struct feed_activity *activity = &exchange->submission.elements[i].activity;
        error = produce_one(exchange->service, activity, feed_str_of(traceparent), &value, &batch->items[i]);
        if (error == FEED_OK)
            ing_batch_produced(batch, i, now_us);
        else
            ing_batch_stop(batch, i, error);
    }
    feed_buf_fini(&value);
    return error;
}

/* Why nothing of this submission can be handed over now; NULL when it can. */
static const char *why_not(const struct ing_service *service, size_t count, unsigned *retry_after_s)
{
    *retry_after_s = ING_RETRY_AWAY_S;
    if (service->ended)
        return "This server is being stopped; try again.";
    if (!feed_kafka_producer_up(service->producer, NULL))
        return "Kafka cannot be reached. Nothing was accepted; try again later.";
    if (feed_kafka_producer_queued(service->producer) + count > (size_t)service->options->kafka_queue_records_max) {
        *retry_after_s = ING_RETRY_FULL_S;
        return "Too many activities are waiting for Kafka. Nothing was accepted; try again later.";
    }
    return NULL;
}

/* Gives the activities what the stamp decides, and a batch for their answer. False: there is not enough memory. */
static bool complete(struct exchange *exchange, const struct ing_stamp *stamp)
{
    struct ing_submission *submission = &exchange->submission;
    ing_submission_complete(submission, &exchange->claims, stamp);
    exchange->batch = ing_batch_new(submission->count, exchange);
    for (size_t i = 0; exchange->batch && i < submission->count; i++) {
        const struct feed_activity *activity = &submission->elements[i].activity;
        ing_batch_set(exchange->batch, i, activity->id, activity->published_ms);
    }
    return exchange->batch != NULL;
}

/* The batch is there. */
static void produce(struct exchange *exchange)
{
    unsigned retry_after_s;
    const char *fault = why_not(exchange->service, exchange->batch->count, &retry_after_s);
    if (fault) {
        end_unavailable(exchange, fault, retry_after_s);
        return;
    }
    enum feed_error error = produce_all(exchange);
    if (exchange->batch->pending > 0)
        return; /* on_delivery goes on */
    bool full = error == FEED_E_FULL;
    end_unavailable(exchange,
                    full ? "Too many bytes are waiting for Kafka. Nothing was accepted; try again later."
                         : "Kafka took nothing. Nothing was accepted; try again later.",
                    full ? ING_RETRY_FULL_S : ING_RETRY_AWAY_S);
}

static void complete_and_produce(struct exchange *exchange, const struct ing_stamp *stamp)
{
    if (complete(exchange, stamp))
        produce(exchange);
    else
        end_unavailable(exchange, "There is not enough memory.", ING_RETRY_AWAY_S);
}

static void produce_new(struct exchange *exchange)
{
    struct ing_stamp stamp = {.first_ms = feed_clock_wall_ms()};
    feed_random_take(&exchange->service->random, stamp.seed, sizeof stamp.seed);
    complete_and_produce(exchange, &stamp);
}

/* ---- the idempotency key ---- */

static void count_claim(struct exchange *exchange, enum ing_metric_claim result)
{
    feed_metrics_add(exchange->service->metrics, ING_METRIC_IDEMPOTENCY, result, 1);
}

static void on_away(struct exchange *exchange)
{
    struct ing_service *service = exchange->service;
    if (service->claims_required || service->ended) {
        count_claim(exchange, ING_CLAIM_COUNT_REFUSED);
        end_unavailable(exchange,
                        "Redis cannot be reached, without which an Idempotency-Key cannot be kept. Nothing was "
                        "accepted; try again later.",
                        ING_RETRY_AWAY_S);
        return;
    }
    count_claim(exchange, ING_CLAIM_COUNT_UNCHECKED);
    produce_new(exchange);
}

/* It was done before: the same answer, made of the same body and what was kept. */
static void replay(struct exchange *exchange, const struct ing_claim_answer *answer)
{
    struct ing_stamp stamp = ing_stamp_of(&exchange->claim.key, answer->first_ms);
    if (!complete(exchange, &stamp)) {
        end_unavailable(exchange, "There is not enough memory.", ING_RETRY_AWAY_S);
        return;
    }
    if (ing_places_read(answer->places, exchange->batch) != FEED_OK) {
        produce(exchange); /* what was kept is damaged; the same activities once more change nothing */
        return;
    }
    exchange->replayed = true;
    end_with_batch(exchange);
}

static void on_claim(void *arg, const struct ing_claim_answer *answer)
{
    struct exchange *exchange = arg;
    struct ing_stamp stamp;
    switch (answer->verdict) {
    case ING_CLAIM_RUN:
        count_claim(exchange, answer->again ? ING_CLAIM_COUNT_CONTINUED : ING_CLAIM_COUNT_FIRST);
        stamp = ing_stamp_of(&exchange->claim.key, answer->first_ms);
        complete_and_produce(exchange, &stamp);
        break;
    case ING_CLAIM_DONE:
        count_claim(exchange, ING_CLAIM_COUNT_REPLAYED);
        replay(exchange, answer);
        break;
    case ING_CLAIM_RUNNING:
        count_claim(exchange, ING_CLAIM_COUNT_RUNNING);
        end_refused(exchange, 409, "A request with this Idempotency-Key is being worked on; send it again later.",
                    ING_RETRY_RUNNING_S);
        break;
    case ING_CLAIM_OTHER:
        count_claim(exchange, ING_CLAIM_COUNT_MISMATCHED);
        end_refused(exchange, 422, "This Idempotency-Key was used for another request.", 0);
        break;
    default:
        on_away(exchange);
        break;
    }
}

/* ---- begin ---- */

static void claim_or_produce(struct exchange *exchange)
{
    if (!exchange->key.data) {
        produce_new(exchange);
        return;
    }
    struct ing_claim_key key = ing_claim_key(&exchange->claims, exchange->key);
    ing_claim_ask(&exchange->claim, exchange->service, &key, exchange->http, feed_clock_wall_ms(), on_claim, exchange);
}

static void on_limit(void *arg, const struct ing_limit_verdict *verdict)
{
    struct exchange *exchange = arg;
    struct ing_answer answer;
    if (!verdict->limited) {
        claim_or_produce(exchange);
        return;
    }
    feed_metrics_add(exchange->service->metrics, ING_METRIC_RATE_LIMITED, verdict->kind, 1);
    feed_metrics_add(exchange->service->metrics, ING_METRIC_TENANT_LIMITED, exchange->tenant_label, 1);
    FEED_LOG(exchange->service->log, FEED_LOG_DEBUG, "request_limited", NULL,
             FEED_LOG_TEXT("tenant", feed_str_of(exchange->claims.tenant)),
             FEED_LOG_TEXT("user", feed_str_of(exchange->claims.subject)),
             FEED_LOG_TEXT("limit", feed_str_of(ing_limit_names[verdict->kind])));
    ing_answer_limited(&answer, verdict, exchange->origin);
    end(exchange, &answer);
}

/* The tenant's share of what can be under way: of the requests, and of the activities. False: one of them is full, and
 * verdict says so. */
static bool hold(struct exchange *exchange, struct ing_limit_verdict *verdict)
{
    struct ing_service *service = exchange->service;
    struct feed_str tenant = feed_str_of(exchange->claims.tenant);
    int64_t requests = feed_tier_share(&exchange->tier, service->options->http_connections_max);
    int64_t activities = feed_tier_share(&exchange->tier, service->options->kafka_queue_records_max);
    int64_t count = (int64_t)exchange->submission.count, left = activities;
    bool room = feed_tally_take(&service->requests, tenant, 1, requests);
    if (room && feed_tally_take(&service->activities, tenant, count, activities)) {
        exchange->holding = count;
        return true;
    }
    if (room)
        feed_tally_give(&service->requests, tenant, 1);
    left -= feed_tally_of(&service->activities, tenant);
    *verdict = (struct ing_limit_verdict){.limited = true,
                                          .kind = ING_LIMIT_IN_FLIGHT,
                                          .limit = {.burst = activities},
                                          .remaining = room && left > 0 ? left : 0,
                                          .wait_us = INT64_C(1000000) * ING_RETRY_FULL_S};
    return false;
}

static void begin(struct exchange *exchange)
{
    struct ing_service *service = exchange->service;
    struct ing_limit_verdict verdict;
    struct ing_takes takes;
    if (!hold(exchange, &verdict))
        on_limit(exchange, &verdict);
    else if (!feed_tier_has_rates(&exchange->tier))
        claim_or_produce(exchange);
    else if (ing_takes_init(&takes, &exchange->tier, exchange->endpoint, &exchange->claims, &exchange->submission) ==
             FEED_OK)
        ing_limiter_ask(&exchange->limiter, service, &exchange->tier, &takes, on_limit, exchange);
    else
        end_unavailable(exchange, "There is not enough memory.", ING_RETRY_AWAY_S);
}

static enum feed_rate_kind endpoint_of(enum ing_gate_verdict verdict)
{
    if (verdict == ING_GATE_UNDO)
        return FEED_RATE_UNDO;
    bool relates = verdict == ING_GATE_RELATE || verdict == ING_GATE_IMPORT;
    return relates ? FEED_RATE_RELATE : FEED_RATE_PUBLISH;
}

static void out_of_memory(struct ing_service *service, struct feed_request *request, struct feed_str origin)
{
    struct ing_answer answer;
    ing_answer_unavailable(&answer, "There is not enough memory.", ING_RETRY_AWAY_S, origin);
    ing_respond(service, request, &answer);
}

void ing_exchange_begin(struct ing_service *service, struct feed_request *request, const struct feed_http_request *http,
                        const struct ing_gate *gate, struct feed_str key, struct ing_submission *submission)
{
    struct exchange *exchange = malloc(sizeof *exchange);
    if (!exchange) {
        ing_submission_fini(submission);
        out_of_memory(service, request, gate->origin);
        return;
    }
    memset(exchange, 0, offsetof(struct exchange, submission));
    exchange->service = service;
    exchange->request = request;
    exchange->http = http;
    exchange->origin = gate->origin;
    exchange->claims = gate->claims;
    exchange->tier = *feed_tiers_file_of(service->tiers, feed_str_of(gate->claims.tenant));
    exchange->endpoint = endpoint_of(gate->verdict);
    exchange->tenant_label = feed_metrics_tenant(service->metrics, feed_str_of(gate->claims.tenant));
    exchange->key = key;
    ing_submission_take(&exchange->submission, submission);
    service->waiting++;
    begin(exchange);
}
