/* Exchange: one request whose activities are good, from there to its answer. */
#ifndef INGEST_EXCHANGE_H
#define INGEST_EXCHANGE_H

#include "ingest/answer.h"
#include "ingest/service_state.h"

/* Takes the submission (which is good), and answers the request, now or later: 202, 409, 422 or 503. key: of its
 * Idempotency-Key; data NULL: none. http is borrowed until then, and so is the gate's origin. */
void ing_exchange_begin(struct ing_service *service, struct feed_request *request, const struct feed_http_request *http,
                        const struct ing_gate *gate, struct feed_str key, struct ing_submission *submission);

/* Sends an answer, and counts it. Frees what the answer has. */
void ing_respond(struct ing_service *service, struct feed_request *request, struct ing_answer *answer);

#endif
