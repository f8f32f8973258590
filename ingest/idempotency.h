/* Idempotency keys (draft-ietf-httpapi-idempotency-key-header): what a request is known by, and what is remembered of
 * its answer. Ids and times of its activities derive from the key and the first time, so whoever ends the request makes
 * the same activities. Pure; redis_side.c keeps what must be remembered. */
#ifndef INGEST_IDEMPOTENCY_H
#define INGEST_IDEMPOTENCY_H

#include "ingest/batch.h"
#include "ingest/submission.h"
#include "shared/http/server.h"

enum {
    ING_FINGERPRINT_BYTES = 16,
    /* i:{tenant/subject/key} */
    ING_CLAIM_KEY_MAX = 3 + FEED_TENANT_MAX + 1 + FEED_USER_MAX + 1 + FEED_IDEMPOTENCY_KEY_MAX + 1,
    /* partition:offset for each activity, with blanks between */
    ING_PLACES_MAX = FEED_BATCH_MAX * (10 + 1 + 19 + 1)
};

#define ING_IDEMPOTENCY_KEY_RULE                                                                                       \
    "Idempotency-Key must be 1 to 128 characters of A-Z a-z 0-9 _ . : @ | + = ~ / -, with or without quotes."

/* The key in the header's value: "text" in quotes (RFC 8941) or as it is. A view into it; FEED_E_INVALID. */
enum feed_error ing_idempotency_parse(struct feed_str header, struct feed_str *key) FEED_MUST_USE;

struct ing_claim_key {
    char text[ING_CLAIM_KEY_MAX + 1]; /* terminated */
    size_t len;
};
/* A key is its subject's own: nobody can find out or spoil the keys of others. */
struct ing_claim_key ing_claim_key(const struct feed_token_claims *claims, struct feed_str key);

/* What the same request has in common: method, path, query, the headers that say what the body is, and the body. */
void ing_fingerprint(const struct feed_http_request *http, uint8_t out[ING_FINGERPRINT_BYTES]);
/* The stamp of the request that has this key and this first time. */
struct ing_stamp ing_stamp_of(const struct ing_claim_key *key, int64_t first_ms);

/* Where Kafka has the activities of a batch that is acknowledged as a whole; and back, into a batch of which nothing
 * was handed over. FEED_E_INVALID: it is not what was written for such a batch, which is unchanged. */
void ing_places_write(const struct ing_batch *batch, struct feed_buf *out);
enum feed_error ing_places_read(struct feed_str places, struct ing_batch *batch) FEED_MUST_USE;

#endif
