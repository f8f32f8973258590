/* The activity is written as JSON and read like any other, so that there is one set of rules, and one way on. */
#include "ingest/undo.h"

#include "ingest/gate.h"
#include "ingest/query.h"
#include "shared/base/json_out.h"
#include "shared/model/names.h"

#include <string.h>

struct parameters {
    struct feed_str actor, published; /* data NULL: not there */
};

static void write(struct feed_str id, const struct parameters *parameters, struct feed_buf *out)
{
    struct feed_json_out json;
    feed_json_out_init(&json, out);
    feed_json_open(&json);
    feed_json_member(&json, "actor", parameters->actor);
    feed_json_member(&json, "verb", FEED_STR("undo"));
    feed_json_key(&json, "object");
    feed_json_open(&json);
    feed_json_member(&json, "type", FEED_STR("activity"));
    feed_json_member(&json, "id", id);
    if (parameters->published.data) {
        feed_json_member(&json, "published", parameters->published);
    }
    feed_json_close(&json);
    feed_json_close(&json);
}

const char *ing_undo_activity(struct feed_str path, struct feed_str query, struct feed_buf *out)
{
    size_t prefix = sizeof(ING_PATH_ONE) - 1;
    struct feed_str id = {path.data + prefix, path.len - prefix};
    struct parameters parameters = {.actor = {NULL, 0}};
    if (!feed_activity_id_valid(id)) {
        return "The id in the path must be 1 to 128 bytes of UTF-8 without control characters.";
    }
    if (ing_query_find(query, FEED_STR("actor"), &parameters.actor) != FEED_OK ||
        ing_query_find(query, FEED_STR("published"), &parameters.published) != FEED_OK) {
        return "A parameter is there more than once, or is not UTF-8.";
    }
    if (!parameters.actor.data) {
        return "The parameter actor is missing: who did what is to be removed, DELETE " ING_PATH_ONE "ID?actor=USER.";
    }
    write(id, &parameters, out);
    return NULL;
}
