/* The answers of ingest: status, headers and body, made without anything that sends them. */
#ifndef INGEST_ANSWER_H
#define INGEST_ANSWER_H

#include "ingest/batch.h"
#include "ingest/gate.h"
#include "ingest/limit.h"
#include "ingest/submission.h"
#include "shared/http/server.h"

enum {
    ING_RETRY_RUNNING_S = 1,
    ING_RETRY_FULL_S = 1, /* the queue empties within the second when Kafka is well */
    ING_RETRY_AWAY_S = 5  /* reconnecting and electing a leader take seconds */
};

struct ing_answer {
    struct feed_http_response response; /* what goes to feed_request_respond */
    struct feed_buf body;
    char retry_after[16];
    char allow[32];
    char limit[24], remaining[24], reset[24], rate[64], policy[64];
};

/* Each makes a complete answer; `origin` (borrowed; data NULL: none) is the allowed origin that asked. */
void ing_answer_refusal(struct ing_answer *answer, const struct ing_gate *gate);
void ing_answer_preflight(struct ing_answer *answer, const struct ing_gate *gate);
void ing_answer_problems(struct ing_answer *answer, const struct ing_submission *submission, struct feed_str origin);
/* 202 when all are acknowledged, else 503. The batch is complete. replayed: it was answered before. */
void ing_answer_batch(struct ing_answer *answer, const struct ing_batch *batch, bool replayed, struct feed_str origin);
/* 200 with a JSON text. */
void ing_answer_document(struct ing_answer *answer, struct feed_str json, struct feed_str origin);
/* 429 of a verdict that is limited. */
void ing_answer_limited(struct ing_answer *answer, const struct ing_limit_verdict *verdict, struct feed_str origin);
/* Any other error; retry_after_s 0: none. */
void ing_answer_error(struct ing_answer *answer, unsigned status, const char *detail, unsigned retry_after_s,
                      struct feed_str origin);
/* 503: nothing was handed over. */
void ing_answer_unavailable(struct ing_answer *answer, const char *detail, unsigned retry_after_s,
                            struct feed_str origin);
void ing_answer_fini(struct ing_answer *answer);

#endif
