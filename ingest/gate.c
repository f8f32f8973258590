/* The order of the questions decides what a stranger can learn: a foreign web page learns nothing at all, and only who
 * has a good token hears about media types. */
#include "ingest/gate.h"

#include "ingest/edges.h"
#include "ingest/event.h"
#include "ingest/relate.h"

#include <string.h>

static struct ing_gate refuse(struct ing_gate gate, unsigned status, const char *detail)
{
    gate.verdict = ING_GATE_REFUSE;
    gate.status = status;
    gate.detail = detail;
    return gate;
}

/* NULL when the credential is good. */
static const char *check_credential(const struct ing_gate_rules *rules, struct feed_str header, int64_t now_s,
                                    struct ing_gate *gate)
{
    struct feed_str credential;
    switch (feed_token_from_authorization(header, &credential)) {
    case FEED_OK:
        break;
    case FEED_E_MISSING:
        return "A token is required: Authorization: Bearer TOKEN (or an API key).";
    default:
        return "Authorization must be: Bearer TOKEN.";
    }
    if (feed_auth_check(rules->auth, credential, now_s, &gate->claims, &gate->reason) == FEED_OK) {
        gate->reason = NULL;
        return NULL;
    }
    return feed_token_reason_sentence(gate->reason);
}

static bool is_one(struct feed_str path)
{
    size_t len = sizeof(ING_PATH_ONE) - 1;
    return path.len > len && memcmp(path.data, ING_PATH_ONE, len) == 0;
}

/* What may be done at a path. */
struct place {
    const char *methods; /* NULL: there is nothing */
    bool get, post, put, delete;
    enum ing_gate_verdict verdict;
    const char *detail; /* of 405 */
};

static struct place place_of(struct feed_str path)
{
    if (feed_str_eq(path, FEED_STR(ING_PATH)))
        return (struct place){
            .methods = "POST", .post = true, .verdict = ING_GATE_PUBLISH, .detail = "Activities are sent with POST."};
    if (feed_str_eq(path, FEED_STR(ING_PATH_DOCUMENT)))
        return (struct place){.methods = "GET, HEAD",
                              .get = true,
                              .verdict = ING_GATE_DOCUMENT,
                              .detail = "The document can be read, with GET."};
    if (is_one(path))
        return (struct place){.methods = "DELETE",
                              .delete = true,
                              .verdict = ING_GATE_UNDO,
                              .detail = "An activity can be removed, with DELETE."};
    if (feed_str_eq(path, FEED_STR(ING_PATH_FOLLOWS)))
        return (struct place){.methods = "POST",
                              .post = true,
                              .verdict = ING_GATE_IMPORT,
                              .detail = "A follow graph is imported with POST."};
    if (ing_relate_path(path))
        return (struct place){.methods = "PUT, DELETE",
                              .put = true,
                              .delete = true,
                              .verdict = ING_GATE_RELATE,
                              .detail = "This can begin, with PUT, and end, with DELETE."};
    return (struct place){.methods = NULL};
}

static struct ing_gate decide_media(struct ing_gate gate, const struct feed_http_request *head)
{
    gate.media = ing_media_of(head->headers[FEED_HTTP_CONTENT_TYPE]);
    bool event = gate.media == ING_MEDIA_EVENT || gate.media == ING_MEDIA_EVENTS || ing_event_binary(head);
    if (gate.verdict == ING_GATE_IMPORT && (gate.media == ING_MEDIA_OTHER || event)) {
        return refuse(gate, 415,
                      "Content-Type must be application/json or application/x-ndjson, in UTF-8; follows are no "
                      "CloudEvents.");
    }
    if (gate.media == ING_MEDIA_OTHER) {
        return refuse(gate, 415,
                      "Content-Type must be application/json, application/x-ndjson, application/cloudevents+json or "
                      "application/cloudevents-batch+json, in UTF-8.");
    }
    if (!ing_encoding_is_identity(head->headers[FEED_HTTP_CONTENT_ENCODING])) {
        return refuse(gate, 415, "The body must be sent as it is, without Content-Encoding.");
    }
    if (gate.media == ING_MEDIA_NDJSON && ing_event_binary(head)) {
        return refuse(gate, 415, "A CloudEvent in binary mode has one activity as application/json.");
    }
    return gate;
}

struct ing_gate ing_gate_decide(const struct ing_gate_rules *rules, const struct feed_http_request *head, int64_t now_s)
{
    struct ing_gate gate = {.verdict = ING_GATE_PREFLIGHT};
    struct feed_str origin = head->headers[FEED_HTTP_ORIGIN];
    if (origin.data) {
        gate.origin = ing_origins_find(&rules->origins, origin);
        if (!gate.origin.data) {
            return refuse(gate, 403, "This origin is not allowed; see http.allowed_origins.");
        }
    }
    struct place place = place_of(head->path);
    if (!place.methods) {
        return refuse(gate, 404, "There is nothing at this path; activities go to " ING_PATH ".");
    }
    gate.methods = place.methods;
    if (head->method == FEED_HTTP_OPTIONS) {
        return gate;
    }
    bool read = head->method == FEED_HTTP_GET || head->method == FEED_HTTP_HEAD;
    bool allowed = (read && place.get) || (head->method == FEED_HTTP_POST && place.post) ||
                   (head->method == FEED_HTTP_PUT && place.put) || (head->method == FEED_HTTP_DELETE && place.delete);
    if (!allowed) {
        return refuse(gate, 405, place.detail);
    }
    if (place.verdict == ING_GATE_DOCUMENT) {
        gate.verdict = ING_GATE_DOCUMENT; /* anybody may know what anybody can read in the sources */
        return gate;
    }
    const char *fault = check_credential(rules, head->headers[FEED_HTTP_AUTHORIZATION], now_s, &gate);
    if (fault) {
        return refuse(gate, 401, fault);
    }
    bool imports = place.verdict == ING_GATE_IMPORT;
    if (imports ? !gate.claims.may_import : !gate.claims.may_post) {
        return refuse(gate, 403,
                      imports ? "The scope of this credential does not allow to import: it lacks admin."
                              : "The scope of this credential does not allow to publish.");
    }
    gate.verdict = place.verdict;
    gate.put = head->method == FEED_HTTP_PUT;
    return imports || gate.verdict == ING_GATE_PUBLISH ? decide_media(gate, head) : gate;
}
