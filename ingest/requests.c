/* Requests: asks the gate, reads the submission, and begins an exchange with what is good. All decisions are made in
 * the pure files; here they are carried out. */
#include "embed/ingest_openapi_json.h"
#include "ingest/event.h"
#include "ingest/exchange.h"
#include "ingest/idempotency.h"
#include "ingest/metrics.h"
#include "ingest/relate.h"
#include "ingest/undo.h"
#include "shared/loop/loop.h"
#include "shared/observe/log.h"

static void submit(struct ing_service *service, struct feed_request *request, const struct feed_http_request *http,
                   const struct ing_gate *gate, enum ing_media media, struct feed_str body)
{
    struct ing_submission submission;
    struct ing_answer answer;
    struct feed_str tenant = feed_str_of(gate->claims.tenant), key = http->headers[FEED_HTTP_IDEMPOTENCY_KEY];
    if (key.data && ing_idempotency_parse(key, &key) != FEED_OK) {
        ing_answer_error(&answer, 400, ING_IDEMPOTENCY_KEY_RULE, 0, gate->origin);
        ing_respond(service, request, &answer);
        return;
    }
    bool binary = gate->verdict == ING_GATE_PUBLISH && media == ING_MEDIA_JSON && ing_event_binary(http);
    const struct ing_submission_input input = {.media = media,
                                               .body = body,
                                               .event = binary ? http : NULL,
                                               .imports = gate->verdict == ING_GATE_IMPORT,
                                               .claims = &gate->claims,
                                               .data_max =
                                                   (size_t)feed_tiers_file_of(service->tiers, tenant)->data_bytes,
                                               .now_ms = feed_clock_wall_ms()};
    ing_submission_read(&submission, &input);
    if (submission.status == 0) {
        ing_exchange_begin(service, request, http, gate, key, &submission);
        return;
    }
    ing_answer_problems(&answer, &submission, gate->origin);
    ing_respond(service, request, &answer);
    ing_submission_fini(&submission);
}

static void note_refusal(struct ing_service *service, const struct ing_gate *gate, const struct feed_http_request *http)
{
    char address[FEED_ADDRESS_TEXT + 1];
    feed_address_text(&http->client, address);
    if (gate->reason)
        feed_metrics_add(service->metrics, ING_METRIC_AUTH_REFUSED, feed_token_reason_index(gate->reason), 1);
    FEED_LOG(service->log, FEED_LOG_DEBUG, "request_refused", gate->detail, FEED_LOG_NUMBER("status", gate->status),
             FEED_LOG_TEXT("address", feed_str_of(address)), FEED_LOG_TEXT("tenant", feed_str_of(gate->claims.tenant)),
             FEED_LOG_TEXT("api_key", feed_str_of(gate->claims.credential)));
}

static void refuse(struct ing_service *service, struct feed_request *request, const struct feed_http_request *http,
                   const struct ing_gate *gate)
{
    struct ing_answer answer;
    note_refusal(service, gate, http);
    ing_answer_refusal(&answer, gate);
    ing_respond(service, request, &answer);
}

/* The activity that a method and a path stand for. */
static void submit_meant(struct ing_service *service, struct feed_request *request,
                         const struct feed_http_request *http, const struct ing_gate *gate)
{
    struct feed_buf body;
    feed_buf_init(&body, FEED_BODY_MAX);
    const char *fault = http->body.len > 0 ? "This request takes no body."
                        : gate->verdict == ING_GATE_UNDO
                            ? ing_undo_activity(http->path, http->query, &body)
                            : ing_relate_activity(gate->put, http->path, http->query, &body);
    if (!fault && body.error == FEED_OK) {
        submit(service, request, http, gate, ING_MEDIA_JSON, feed_buf_view(&body));
    } else {
        struct ing_answer answer;
        ing_answer_error(&answer, fault ? 400 : 500, fault ? fault : "There is not enough memory.", 0, gate->origin);
        ing_respond(service, request, &answer);
    }
    feed_buf_fini(&body);
}

void ing_on_request(void *arg, struct feed_request *request, const struct feed_http_request *http)
{
    struct ing_service *service = arg;
    struct ing_answer answer;
    struct ing_gate gate = ing_gate_decide(&service->rules, http, feed_clock_wall_ms() / 1000);
    if (gate.verdict == ING_GATE_REFUSE) {
        refuse(service, request, http, &gate);
    } else if (gate.verdict == ING_GATE_PREFLIGHT) {
        ing_answer_preflight(&answer, &gate);
        ing_respond(service, request, &answer);
    } else if (gate.verdict == ING_GATE_DOCUMENT) {
        ing_answer_document(&answer, (struct feed_str){ingest_openapi_json, ingest_openapi_json_len}, gate.origin);
        ing_respond(service, request, &answer);
    } else if (service->stopping) {
        ing_answer_unavailable(&answer, "This server is being stopped; try again.", ING_RETRY_FULL_S, gate.origin);
        ing_respond(service, request, &answer);
    } else if (gate.verdict == ING_GATE_PUBLISH || gate.verdict == ING_GATE_IMPORT) {
        submit(service, request, http, &gate, gate.media, http->body);
    } else {
        submit_meant(service, request, http, &gate);
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
    note_refusal(service, &gate, head);
    feed_metrics_add(service->metrics, ING_METRIC_HTTP_REQUESTS, ing_metric_code(gate.status), 1);
    *detail = gate.detail;
    return gate.status;
}
