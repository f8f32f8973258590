/* Claim: what one request has of its idempotency key in Redis. While it is held nobody else works on the same request;
 * it is a lease, renewed until the request is done, so that the key of an instance that was killed is free soon.
 *
 *   ask --> run: held --------> finish (the answer is kept) or release (a retry may go on at once)
 *      '--> done | running | other | away: not held
 */
#ifndef INGEST_CLAIM_H
#define INGEST_CLAIM_H

#include "ingest/idempotency.h"
#include "shared/redis/client.h"

struct ing_service;
struct feed_timer;

enum ing_claim_verdict {
    ING_CLAIM_RUN,     /* held: go on with first_ms */
    ING_CLAIM_DONE,    /* was done with first_ms; places say where its activities are */
    ING_CLAIM_RUNNING, /* another request has it */
    ING_CLAIM_OTHER,   /* the key was used for another request */
    ING_CLAIM_AWAY     /* Redis does not answer, or not with sense */
};

struct ing_claim_answer {
    enum ing_claim_verdict verdict;
    bool again; /* of RUN: somebody began before and did not finish */
    int64_t first_ms;
    struct feed_str places; /* borrowed inside the callback */
};
typedef void ing_claim_fn(void *arg, const struct ing_claim_answer *answer);
typedef void ing_claim_end_fn(void *arg);

struct ing_claim {
    struct ing_service *service;
    struct ing_claim_key key;
    uint8_t fingerprint[ING_FINGERPRINT_BYTES];
    char owner[17]; /* whose lease it is, in hexadecimal */
    int64_t first_ms;
    bool held, repeated;
    struct feed_timer *renewal;
    ing_claim_fn *fn;
    ing_claim_end_fn *end_fn;
    void *arg;
};

/* Asks for the claim with now_ms as the first time, if it is the first. fn fires exactly once: later, or inline with
 * ING_CLAIM_AWAY. */
void ing_claim_ask(struct ing_claim *claim, struct ing_service *service, const struct ing_claim_key *key,
                   const struct feed_http_request *http, int64_t now_ms, ing_claim_fn *fn, void *arg);
/* Of a held claim: keeps the places for whoever asks again. end_fn fires exactly once, later or inline, also when they
 * could not be kept: then a retry makes the same activities again. */
void ing_claim_finish(struct ing_claim *claim, struct feed_str places, ing_claim_end_fn *end_fn);
/* Of a held claim: the next request may have it at once. */
void ing_claim_release(struct ing_claim *claim);

#endif
