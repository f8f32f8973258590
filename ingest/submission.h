/* A submission: the body of one request as a list of checked activities, or as a list of what is wrong with it. It is
 * checked as a whole: one bad element refuses all, before anything goes to Kafka. */
#ifndef INGEST_SUBMISSION_H
#define INGEST_SUBMISSION_H

#include "ingest/media.h"
#include "shared/auth/token.h"
#include "shared/http/server.h"
#include "shared/model/activity.h"

enum {
    ING_PROBLEMS_MAX = 20, /* that are told; all are counted */
    ING_FUTURE_MS = 60000  /* how far `published` may be ahead: clocks differ */
};

struct ing_element {
    struct feed_activity activity;
    char assigned_id[FEED_ID_TEXT + 1]; /* what activity.id points to if the caller gave none */
    unsigned line;                      /* of an NDJSON body, from 1; 0: not NDJSON */
};

struct ing_problem {
    size_t index; /* of the element, from 0 */
    unsigned line;
    struct feed_activity_problem what;
};

struct ing_submission {
    struct ing_element *elements;
    size_t count, capacity;
    bool imports; /* they are edges of a follow graph */

    unsigned status; /* 0: good, else 400, 403, 413, 422 or 500 */
    char detail[192];
    size_t problem_count, problem_total;
    struct ing_problem problems[ING_PROBLEMS_MAX]; /* of 403 and 422; last, since it is large and rarely there: those
                                                      behind problem_count are never touched */
};

struct ing_submission_input {
    enum ing_media media; /* any but OTHER */
    struct feed_str body;
    const struct feed_http_request *event; /* whose headers are those of an event in binary mode; NULL: none. Only with
                                              JSON, which is one activity then */
    bool imports;                          /* edges of a follow graph; with JSON or NDJSON */
    const struct feed_token_claims *claims;
    size_t data_max; /* of one activity, as msgpack: what the tenant's tier allows */
    int64_t now_ms;
};

void ing_submission_init(struct ing_submission *submission);
/* Takes over a good one; `from` is as after init. */
void ing_submission_take(struct ing_submission *submission, struct ing_submission *from);

/* Inits it, reads and checks everything; keeps nothing of the input. */
void ing_submission_read(struct ing_submission *submission, const struct ing_submission_input *input);

/* What the activities of one request have in common that the caller did not give. */
enum { ING_SEED_BYTES = 8 };
struct ing_stamp {
    int64_t first_ms; /* the time of those without one */
    uint8_t seed[ING_SEED_BYTES];
};

/* Of a good submission: gives each activity tenant (borrowed from claims), source, id and published_ms. Activities
 * without an id get UUIDv7s that ascend in the order of the body. The same stamp makes the same of the same body. */
void ing_submission_complete(struct ing_submission *submission, const struct feed_token_claims *claims,
                             const struct ing_stamp *stamp);
void ing_submission_fini(struct ing_submission *submission);

#endif
