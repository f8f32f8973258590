/* The activity is written as JSON and read like any other, so that there is one set of rules, and one way on. */
#include "ingest/undo.h"

#include "ingest/gate.h"
#include "shared/base/json_out.h"
#include "shared/model/names.h"

#include <string.h>

struct parameters {
    struct feed_str actor, published; /* data NULL: not there */
};

/* False when it is there for the second time. */
static bool set(struct feed_str *parameter, struct feed_str value)
{
    bool first = !parameter->data;
    *parameter = value;
    return first;
}

static bool read_pair(struct feed_str pair, struct parameters *out)
{
    const char *equals = pair.len ? memchr(pair.data, '=', pair.len) : NULL;
    if (!equals) {
        return true;
    }
    struct feed_str name = {pair.data, (size_t)(equals - pair.data)};
    struct feed_str value = {equals + 1, pair.len - name.len - 1};
    if (feed_str_eq(name, FEED_STR("actor"))) {
        return set(&out->actor, value);
    }
    return !feed_str_eq(name, FEED_STR("published")) || set(&out->published, value);
}

static bool read_query(struct feed_str rest, struct parameters *out)
{
    while (rest.len > 0) {
        const char *end = memchr(rest.data, '&', rest.len);
        struct feed_str pair = {rest.data, end ? (size_t)(end - rest.data) : rest.len};
        if (!read_pair(pair, out)) {
            return false;
        }
        size_t used = pair.len + (end ? 1 : 0);
        rest = (struct feed_str){rest.data + used, rest.len - used};
    }
    return true;
}

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
    if (!read_query(query, &parameters)) {
        return "A parameter is there more than once.";
    }
    if (!parameters.actor.data) {
        return "The parameter actor is missing: who did what is to be removed, DELETE " ING_PATH_ONE "ID?actor=USER.";
    }
    if (!feed_str_utf8(parameters.actor) || !feed_str_utf8(parameters.published)) {
        return "The parameters must be UTF-8.";
    }
    write(id, &parameters, out);
    return NULL;
}
