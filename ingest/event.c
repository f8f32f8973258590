/* The attributes are the same in both modes, but for their names and for the percent-encoding of headers. */
#include "ingest/event.h"

#include "shared/base/assert.h"

#include <stdio.h>
#include <yyjson.h>

enum attribute { A_SPECVERSION, A_ID, A_SOURCE, A_TYPE, A_TIME, ATTRIBUTES };

static const struct {
    const char *name;
    enum feed_http_header header;
} rows[ATTRIBUTES] = {
    [A_SPECVERSION] = {"specversion", FEED_HTTP_CE_SPECVERSION},
    [A_ID] = {"id", FEED_HTTP_CE_ID},
    [A_SOURCE] = {"source", FEED_HTTP_CE_SOURCE},
    [A_TYPE] = {"type", FEED_HTTP_CE_TYPE},
    [A_TIME] = {"time", FEED_HTTP_CE_TIME},
};

struct attributes {
    struct feed_str values[ATTRIBUTES]; /* absent: data NULL */
    const char *prefix;                 /* of their names in problems: "" or "ce-" */
};

static enum feed_error refuse(struct feed_activity_problem *problem, enum feed_error error, const char *prefix,
                              const char *name, const char *text)
{
    snprintf(problem->field, sizeof problem->field, "%s%s", prefix, name);
    snprintf(problem->text, sizeof problem->text, "%s", text);
    return error;
}

static enum feed_error check(const struct attributes *attributes, struct feed_activity_problem *problem)
{
    for (int a = A_SPECVERSION; a <= A_TYPE; a++) {
        if (!attributes->values[a].data)
            return refuse(problem, FEED_E_MISSING, attributes->prefix, rows[a].name, "is missing");
    }
    if (!feed_str_eq(attributes->values[A_SPECVERSION], FEED_STR("1.0")))
        return refuse(problem, FEED_E_UNSUPPORTED, attributes->prefix, rows[A_SPECVERSION].name, "must be \"1.0\"");
    if (!feed_record_type_known(attributes->values[A_TYPE]))
        return refuse(problem, FEED_E_UNSUPPORTED, attributes->prefix, rows[A_TYPE].name,
                      "must be \"" FEED_RECORD_TYPE "\", or that with a minor version");
    return FEED_OK;
}

/* Problems of attributes come back by the names of feed_activity_from_event, "id", "source" and "time"; those of data
 * as paths. `inner` goes before the latter. */
static enum feed_error read(const struct attributes *attributes, yyjson_val *data, const char *inner,
                            struct feed_activity *out, struct feed_activity_problem *problem)
{
    enum feed_error error = check(attributes, problem);
    if (error != FEED_OK)
        return error;
    const struct feed_activity_event event = {
        .id = attributes->values[A_ID], .source = attributes->values[A_SOURCE], .time = attributes->values[A_TIME]};
    struct feed_activity_problem found;
    bool attribute = false;
    error = feed_activity_from_event(data, &event, out, &found, &attribute);
    if (error != FEED_OK)
        return refuse(problem, error, attribute ? attributes->prefix : inner, found.field, found.text);
    return FEED_OK;
}

/* ---- structured ---- */

/* -1: none of them. */
static int attribute_named(yyjson_val *name)
{
    for (int a = 0; a < ATTRIBUTES; a++) {
        if (yyjson_equals_str(name, rows[a].name))
            return a;
    }
    return -1;
}

enum feed_error ing_event_read(yyjson_val *event, struct feed_activity *out, struct feed_activity_problem *problem)
{
    struct attributes attributes = {.prefix = ""};
    yyjson_val *data = NULL, *key, *value;
    size_t index, max;
    yyjson_obj_foreach(event, index, max, key, value)
    {
        int a = attribute_named(key);
        const char *name = a >= 0 ? rows[a].name : "";
        if (a >= 0 && attributes.values[a].data)
            return refuse(problem, FEED_E_INVALID, "", name, "is there more than once");
        if (a >= 0 && !yyjson_is_str(value))
            return refuse(problem, FEED_E_INVALID, "", name, "must be text");
        if (a >= 0)
            attributes.values[a] = (struct feed_str){yyjson_get_str(value), yyjson_get_len(value)};
        else if (yyjson_equals_str(key, "datacontenttype") && !yyjson_equals_str(value, "application/json"))
            return refuse(problem, FEED_E_UNSUPPORTED, "", "datacontenttype", "must be \"application/json\"");
        else if (yyjson_equals_str(key, "data_base64"))
            return refuse(problem, FEED_E_UNSUPPORTED, "", "data_base64", "is not supported: data must be JSON");
        else if (yyjson_equals_str(key, "data") && data)
            return refuse(problem, FEED_E_INVALID, "", "data", "is there more than once");
        else if (yyjson_equals_str(key, "data"))
            data = value;
    }
    if (!yyjson_is_obj(data))
        return refuse(problem, data ? FEED_E_INVALID : FEED_E_MISSING, "", "data",
                      data ? "must be an activity" : "is missing");
    return read(&attributes, data, "data.", out, problem);
}

/* ---- binary ---- */

bool ing_event_binary(const struct feed_http_request *http)
{
    return http->headers[FEED_HTTP_CE_SPECVERSION].data != NULL;
}

/* A header's value (CloudEvents HTTP binding, 3.1.3.2): percent-encoded, perhaps in quotes. False: it is too long for
 * what it may be, or broken. */
static bool decode(struct feed_str value, char out[FEED_SOURCE_MAX], struct feed_str *decoded)
{
    size_t len = 0;
    if (value.len >= 2 && value.data[0] == '"' && value.data[value.len - 1] == '"')
        value = (struct feed_str){value.data + 1, value.len - 2};
    for (size_t i = 0; i < value.len; i++) {
        uint8_t byte = (uint8_t)value.data[i];
        if (len == FEED_SOURCE_MAX)
            return false;
        if (byte == '%') {
            if (value.len - i < 3 || feed_unhex((struct feed_str){value.data + i + 1, 2}, &byte, 1) != FEED_OK)
                return false;
            i += 2;
        }
        out[len++] = (char)byte;
    }
    *decoded = (struct feed_str){out, len};
    return true;
}

enum feed_error ing_event_read_binary(const struct feed_http_request *http, yyjson_val *data, struct feed_activity *out,
                                      struct feed_activity_problem *problem)
{
    char texts[ATTRIBUTES][FEED_SOURCE_MAX];
    struct attributes attributes = {.prefix = "ce-"};
    for (int a = 0; a < ATTRIBUTES; a++) {
        struct feed_str header = http->headers[rows[a].header];
        if (header.data && !decode(header, texts[a], &attributes.values[a]))
            return refuse(problem, FEED_E_INVALID, "ce-", rows[a].name, "is too long, or not percent-encoded well");
    }
    return read(&attributes, data, "", out, problem);
}
