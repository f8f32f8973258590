/* The gate: what is decided about a request from its head alone, before anything of its body counts. A pure decision,
 * so the daemon can ask twice: when the head is there (to refuse strangers before it stores a body) and when the
 * request is complete. */
#ifndef INGEST_GATE_H
#define INGEST_GATE_H

#include "ingest/media.h"
#include "ingest/origins.h"
#include "shared/auth/auth.h"
#include "shared/http/server.h"

#define ING_PATH "/v1/activities"
#define ING_PATH_DOCUMENT "/v1/openapi.json"
#define ING_PATH_ONE ING_PATH "/" /* and the id of an activity */

struct ing_gate_rules {
    struct ing_origins origins;
    struct feed_auth *auth; /* borrowed */
};

enum ing_gate_verdict {
    ING_GATE_REFUSE,    /* status and detail say why */
    ING_GATE_DOCUMENT,  /* answer with schemas/ingest.openapi.json */
    ING_GATE_PREFLIGHT, /* answer 204 with what is allowed */
    ING_GATE_PUBLISH,   /* media and claims are set */
    ING_GATE_IMPORT,    /* the same */
    ING_GATE_UNDO,      /* claims are set */
    ING_GATE_RELATE     /* the same; put tells which */
};

struct ing_gate {
    enum ing_gate_verdict verdict;
    unsigned status;
    const char *detail;     /* static */
    const char *reason;     /* static; of FEED_TOKEN_REASONS when a credential was refused, else NULL */
    const char *methods;    /* static; what may be asked for at this path; NULL: there is nothing */
    struct feed_str origin; /* allowed one, borrowed from the rules; data NULL: none was sent or it is foreign */
    enum ing_media media;
    bool put; /* of RELATE: PUT, not DELETE */
    struct feed_token_claims claims;
};

struct ing_gate ing_gate_decide(const struct ing_gate_rules *rules, const struct feed_http_request *head,
                                int64_t now_s);

#endif
