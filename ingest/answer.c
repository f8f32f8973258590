/* Writes the answers. Errors are problem+json (RFC 9457). What a client needs to try again without doubling anything,
 * the ids and times that its activities were given, is in every answer that was preceded by producing. */
#include "ingest/answer.h"

#include "shared/base/assert.h"
#include "shared/base/json_out.h"
#include "shared/base/time_text.h"
#include "shared/http/response_text.h"

#include <stdio.h>

/* 1,000 activities with the longest ids, escaped, are below 1.5 MiB. */
enum { ANSWER_MAX = 4 * 1024 * 1024, ENVELOPE_USUAL = 64, ITEM_USUAL = 160 };

static void add_header(struct ing_answer *answer, const char *name, struct feed_str value)
{
    struct feed_http_response *response = &answer->response;
    feed_assert(response->header_count < FEED_HTTP_RESPONSE_HEADERS_MAX);
    response->headers[response->header_count++] = (struct feed_http_response_header){name, value};
}

static void begin(struct ing_answer *answer, unsigned status, const char *content_type, struct feed_str origin)
{
    answer->response = (struct feed_http_response){.status = status, .content_type = content_type};
    feed_buf_init(&answer->body, ANSWER_MAX);
    add_header(answer, "vary", FEED_STR("Origin"));
    if (origin.data) {
        add_header(answer, "access-control-allow-origin", origin);
        add_header(answer, "access-control-expose-headers",
                   FEED_STR("Retry-After, Idempotent-Replayed, RateLimit, RateLimit-Policy, X-RateLimit-Limit, "
                            "X-RateLimit-Remaining, X-RateLimit-Reset"));
    }
}

static void add_retry_after(struct ing_answer *answer, unsigned seconds)
{
    snprintf(answer->retry_after, sizeof(answer->retry_after), "%u", seconds);
    add_header(answer, "retry-after", feed_str_of(answer->retry_after));
}

static void add_allow(struct ing_answer *answer, const struct ing_gate *gate)
{
    snprintf(answer->allow, sizeof(answer->allow), "%s, OPTIONS", gate->methods);
    add_header(answer, "allow", feed_str_of(answer->allow));
}

static void open_problem(struct feed_json_out *json, struct ing_answer *answer, const char *detail)
{
    feed_json_out_init(json, &answer->body);
    feed_json_open(json);
    feed_json_member(json, "type", FEED_STR("about:blank"));
    feed_json_member(json, "title", feed_str_of(feed_http_reason(answer->response.status)));
    feed_json_key(json, "status");
    feed_json_u64(json, answer->response.status);
    feed_json_member(json, "detail", feed_str_of(detail));
}

/* An answer without its body would mislead: better none than half. */
static void end(struct ing_answer *answer, struct feed_json_out *json)
{
    if (json) {
        feed_json_close(json);
        feed_buf_char(&answer->body, '\n');
    }
    if (answer->body.error != FEED_OK) {
        feed_buf_reset(&answer->body);
        answer->response.status = 500;
        answer->response.content_type = NULL;
    }
    answer->response.body = feed_buf_view(&answer->body);
}

void ing_answer_refusal(struct ing_answer *answer, const struct ing_gate *gate)
{
    struct feed_json_out json;
    feed_assert(gate->verdict == ING_GATE_REFUSE);
    begin(answer, gate->status, "application/problem+json", gate->origin);
    if (gate->status == 401) {
        add_header(answer, "www-authenticate", FEED_STR("Bearer"));
    }
    if (gate->status == 405) {
        add_allow(answer, gate);
    }
    open_problem(&json, answer, gate->detail);
    end(answer, &json);
}

void ing_answer_preflight(struct ing_answer *answer, const struct ing_gate *gate)
{
    feed_assert(gate->verdict == ING_GATE_PREFLIGHT);
    begin(answer, 204, NULL, gate->origin);
    if (gate->origin.data) {
        add_header(answer, "access-control-allow-methods", feed_str_of(gate->methods));
        add_header(
            answer, "access-control-allow-headers",
            FEED_STR(
                "authorization, ce-id, ce-source, ce-specversion, ce-time, ce-type, content-type, idempotency-key, "
                "traceparent"));
        add_header(answer, "access-control-max-age", FEED_STR("600"));
    }
    add_allow(answer, gate);
    end(answer, NULL);
}

void ing_answer_problems(struct ing_answer *answer, const struct ing_submission *submission, struct feed_str origin)
{
    struct feed_json_out json;
    begin(answer, submission->status, "application/problem+json", origin);
    open_problem(&json, answer, submission->detail);
    if (submission->problem_count > 0) {
        feed_json_key(&json, "errors");
        feed_json_open_list(&json);
        for (size_t i = 0; i < submission->problem_count; i++) {
            const struct ing_problem *problem = &submission->problems[i];
            feed_json_open(&json);
            feed_json_key(&json, "index");
            feed_json_u64(&json, problem->index);
            if (problem->line > 0) {
                feed_json_key(&json, "line");
                feed_json_u64(&json, problem->line);
            }
            feed_json_member(&json, "field", feed_str_of(problem->what.field));
            feed_json_member(&json, "detail", feed_str_of(problem->what.text));
            feed_json_close(&json);
        }
        feed_json_close_list(&json);
    }
    end(answer, &json);
}

static void put_item(struct feed_json_out *json, const struct ing_item *item, size_t index)
{
    char published[FEED_TIME_TEXT + 1];
    feed_time_format(item->published_ms, published);
    feed_json_open(json);
    feed_json_key(json, "index");
    feed_json_u64(json, index);
    feed_json_member(json, "id", (struct feed_str){item->id, item->id_len});
    feed_json_member(json, "published", feed_str_of(published));
    if (item->state == ING_ITEM_ACKNOWLEDGED) {
        feed_json_key(json, "partition");
        feed_json_i64(json, item->partition);
        feed_json_key(json, "offset");
        feed_json_i64(json, item->offset);
    } else {
        feed_json_member(json, "reason", feed_str_of(feed_error_name(item->error)));
    }
    feed_json_close(json);
}

static void put_items(struct feed_json_out *json, const char *key, const struct ing_batch *batch,
                      enum ing_item_state state)
{
    feed_json_key(json, key);
    feed_json_open_list(json);
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->items[i].state == state) {
            put_item(json, &batch->items[i], i);
        }
    }
    feed_json_close_list(json);
}

void ing_answer_batch(struct ing_answer *answer, const struct ing_batch *batch, bool replayed, struct feed_str origin)
{
    struct feed_json_out json;
    feed_assert(ing_batch_complete(batch));
    if (batch->failed == 0) {
        begin(answer, 202, "application/json", origin);
        if (replayed)
            add_header(answer, "idempotent-replayed", FEED_STR("true"));
        feed_json_out_init(&json, &answer->body);
        feed_json_open(&json);
    } else {
        begin(answer, 503, "application/problem+json", origin);
        add_retry_after(answer, ING_RETRY_AWAY_S);
        open_problem(&json, answer,
                     "Kafka did not acknowledge all activities. Send those in `unacknowledged` again, with the id and "
                     "published that are given there: then none is doubled.");
    }
    feed_buf_reserve(&answer->body, ENVELOPE_USUAL + batch->count * ITEM_USUAL);
    feed_json_key(&json, "accepted");
    feed_json_u64(&json, batch->acknowledged);
    put_items(&json, "activities", batch, ING_ITEM_ACKNOWLEDGED);
    if (batch->failed > 0) {
        put_items(&json, "unacknowledged", batch, ING_ITEM_FAILED);
    }
    end(answer, &json);
}

/* RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers); a share of what is under way has no window. */
static void write_rate(struct ing_answer *answer, const struct ing_limit_verdict *verdict)
{
    const struct feed_rate *limit = &verdict->limit;
    const char *name = ing_limit_names[verdict->kind];
    snprintf(answer->rate, sizeof(answer->rate), "\"%s\";r=%s;t=%s", name, answer->remaining, answer->reset);
    if (limit->per_s > 0)
        snprintf(answer->policy, sizeof(answer->policy), "\"%s\";q=%s;w=%lld", name, answer->limit,
                 (long long)((limit->burst + limit->per_s - 1) / limit->per_s));
    else
        snprintf(answer->policy, sizeof(answer->policy), "\"%s\";q=%s", name, answer->limit);
}

void ing_answer_limited(struct ing_answer *answer, const struct ing_limit_verdict *verdict, struct feed_str origin)
{
    struct feed_json_out json;
    char detail[128];
    int64_t wait_s = (verdict->wait_us + 999999) / 1000000;
    bool in_flight = verdict->kind == ING_LIMIT_IN_FLIGHT, endpoint = verdict->kind >= FEED_RATE_PUBLISH;
    feed_assert(verdict->limited && (in_flight || verdict->limit.per_s > 0));
    wait_s = wait_s > 0 ? wait_s : 1;
    begin(answer, 429, "application/problem+json", origin);
    add_retry_after(answer, (unsigned)wait_s);
    snprintf(answer->limit, sizeof(answer->limit), "%lld", (long long)verdict->limit.burst);
    snprintf(answer->remaining, sizeof(answer->remaining), "%lld", (long long)verdict->remaining);
    snprintf(answer->reset, sizeof(answer->reset), "%lld", (long long)wait_s);
    write_rate(answer, verdict);
    add_header(answer, "x-ratelimit-limit", feed_str_of(answer->limit));
    add_header(answer, "x-ratelimit-remaining", feed_str_of(answer->remaining));
    add_header(answer, "x-ratelimit-reset", feed_str_of(answer->reset));
    add_header(answer, "ratelimit", feed_str_of(answer->rate));
    add_header(answer, "ratelimit-policy", feed_str_of(answer->policy));
    snprintf(detail, sizeof(detail), "Too %s of this %s. Nothing was accepted; try again later.",
             in_flight ? "much is under way" : "many activities",
             in_flight || endpoint ? "tenant" : ing_limit_names[verdict->kind]);
    open_problem(&json, answer, detail);
    end(answer, &json);
}

void ing_answer_document(struct ing_answer *answer, struct feed_str json, struct feed_str origin)
{
    begin(answer, 200, "application/json", origin);
    feed_buf_str(&answer->body, json);
    end(answer, NULL);
}

void ing_answer_error(struct ing_answer *answer, unsigned status, const char *detail, unsigned retry_after_s,
                      struct feed_str origin)
{
    struct feed_json_out json;
    begin(answer, status, "application/problem+json", origin);
    if (retry_after_s > 0)
        add_retry_after(answer, retry_after_s);
    open_problem(&json, answer, detail);
    end(answer, &json);
}

void ing_answer_unavailable(struct ing_answer *answer, const char *detail, unsigned retry_after_s,
                            struct feed_str origin)
{
    struct feed_json_out json;
    begin(answer, 503, "application/problem+json", origin);
    add_retry_after(answer, retry_after_s);
    open_problem(&json, answer, detail);
    feed_json_key(&json, "accepted");
    feed_json_u64(&json, 0);
    end(answer, &json);
}

void ing_answer_fini(struct ing_answer *answer)
{
    feed_buf_fini(&answer->body);
}
