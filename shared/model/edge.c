/* One set of rules for JSON and CSV: both are first taken apart into texts, then checked in the same order. */
#include "shared/model/edge.h"

#include "shared/base/assert.h"
#include "shared/base/time_text.h"
#include "shared/model/activity_parse.h"
#include "shared/model/names.h"

#include <stdio.h>
#include <string.h>
#include <yyjson.h>

#define SINCE_RULE "must be an RFC 3339 time like 2026-01-02T03:04:05Z, or milliseconds since 1970"

/* Before this a number of milliseconds is one of seconds: it would be a follow of the year 1973 or earlier. */
#define SECONDS_MAX INT64_C(100000000000)

enum { ACTOR, OBJECT, SINCE };
static const char *const names[FEED_EDGE_COLUMNS] = {"actor", "object", "since"};

/* ---- rules ---- */

static enum feed_error check_name(struct feed_str name, unsigned column, struct feed_activity_problem *problem)
{
    if (!name.data)
        return feed_activity_refuse(problem, FEED_E_MISSING, names[column], "is missing");
    if (!feed_user_valid(name))
        return feed_activity_refuse(problem, FEED_E_INVALID, names[column], FEED_USER_RULE);
    return FEED_OK;
}

static enum feed_error take_ms(uint64_t number, int64_t *since_ms, struct feed_activity_problem *problem)
{
    if (number > (uint64_t)FEED_TIME_MAX_MS)
        return feed_activity_refuse(problem, FEED_E_INVALID, names[SINCE], SINCE_RULE);
    if (number < (uint64_t)SECONDS_MAX)
        return feed_activity_refuse(problem, FEED_E_INVALID, names[SINCE], "seems to be in seconds: " SINCE_RULE);
    *since_ms = (int64_t)number;
    return FEED_OK;
}

static enum feed_error take_time(struct feed_str text, int64_t *since_ms, struct feed_activity_problem *problem)
{
    if (feed_time_parse(text, since_ms) != FEED_OK)
        return feed_activity_refuse(problem, FEED_E_INVALID, names[SINCE], SINCE_RULE);
    return FEED_OK;
}

/* What both have in common; *out has the time already. */
static enum feed_error check(struct feed_edge *out, int64_t now_ms, struct feed_activity_problem *problem)
{
    enum feed_error error = check_name(out->actor, ACTOR, problem);
    if (error == FEED_OK)
        error = check_name(out->object, OBJECT, problem);
    if (error != FEED_OK)
        return error;
    if (feed_str_eq(out->actor, out->object))
        return feed_activity_refuse(problem, FEED_E_INVALID, names[OBJECT], "must be another user than the actor");
    if (out->since_ms > now_ms + FEED_EDGE_FUTURE_MS)
        return feed_activity_refuse(problem, FEED_E_INVALID, names[SINCE], "must not be in the future");
    return FEED_OK;
}

/* ---- JSON ---- */

static enum feed_error take_name(struct yyjson_val *value, unsigned column, struct feed_str *out,
                                 struct feed_activity_problem *problem)
{
    *out = (struct feed_str){NULL, 0};
    if (!value)
        return FEED_OK;
    if (!yyjson_is_str(value))
        return feed_activity_refuse(problem, FEED_E_INVALID, names[column], "must be text");
    *out = (struct feed_str){yyjson_get_str(value), yyjson_get_len(value)};
    return FEED_OK;
}

static enum feed_error take_since(struct yyjson_val *value, int64_t *since_ms, struct feed_activity_problem *problem)
{
    if (!value || yyjson_is_null(value))
        return FEED_OK;
    if (yyjson_is_uint(value))
        return take_ms(yyjson_get_uint(value), since_ms, problem);
    if (!yyjson_is_str(value))
        return feed_activity_refuse(problem, FEED_E_INVALID, names[SINCE], SINCE_RULE);
    return take_time((struct feed_str){yyjson_get_str(value), yyjson_get_len(value)}, since_ms, problem);
}

static enum feed_error find_members(struct yyjson_val *object, struct yyjson_val *found[FEED_EDGE_COLUMNS],
                                    struct feed_activity_problem *problem)
{
    size_t index, max;
    yyjson_val *key, *value;
    yyjson_obj_foreach(object, index, max, key, value)
    {
        for (unsigned i = 0; i < FEED_EDGE_COLUMNS; i++) {
            if (!yyjson_equals_str(key, names[i]))
                continue;
            if (found[i])
                return feed_activity_refuse(problem, FEED_E_INVALID, names[i], "is there more than once");
            found[i] = value;
        }
    }
    return FEED_OK;
}

enum feed_error feed_edge_from_yyjson(struct yyjson_val *value, int64_t now_ms, struct feed_edge *out,
                                      struct feed_activity_problem *problem)
{
    struct yyjson_val *found[FEED_EDGE_COLUMNS] = {NULL};
    *out = (struct feed_edge){.since_ms = 0};
    if (!yyjson_is_obj(value))
        return feed_activity_refuse(problem, FEED_E_INVALID, "", "must be an object");
    enum feed_error error = find_members(value, found, problem);
    if (error == FEED_OK)
        error = take_name(found[ACTOR], ACTOR, &out->actor, problem);
    if (error == FEED_OK)
        error = take_name(found[OBJECT], OBJECT, &out->object, problem);
    if (error == FEED_OK)
        error = take_since(found[SINCE], &out->since_ms, problem);
    return error == FEED_OK ? check(out, now_ms, problem) : error;
}

/* ---- CSV ---- */

static struct feed_str trim(struct feed_str text)
{
    while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && strchr(" \t\r", text.data[text.len - 1]) && text.data[text.len - 1] != '\0')
        text.len--;
    return text;
}

/* Nothing that is valid has a quote or a comma in it, so quotes are only ever around a field. */
static struct feed_str unquote(struct feed_str field)
{
    field = trim(field);
    if (field.len >= 2 && field.data[0] == '"' && field.data[field.len - 1] == '"')
        return (struct feed_str){field.data + 1, field.len - 2};
    return field;
}

/* Returns how many there are, also beyond those that are kept. */
static unsigned split(struct feed_str line, struct feed_str fields[FEED_EDGE_COLUMNS])
{
    unsigned count = 0;
    const char *end = line.data + line.len;
    for (const char *at = line.data; at <= end; count++) {
        const char *comma = at < end ? memchr(at, ',', (size_t)(end - at)) : NULL;
        size_t len = (size_t)((comma ? comma : end) - at);
        if (count < FEED_EDGE_COLUMNS)
            fields[count] = unquote((struct feed_str){at, len});
        at += len + 1;
    }
    return count;
}

bool feed_edge_is_csv_head(struct feed_str line)
{
    struct feed_str fields[FEED_EDGE_COLUMNS];
    unsigned count = line.len ? split(line, fields) : 0;
    return count >= 2 && count <= FEED_EDGE_COLUMNS && feed_str_eq(fields[ACTOR], feed_str_of(names[ACTOR])) &&
           feed_str_eq(fields[OBJECT], feed_str_of(names[OBJECT]));
}

enum feed_error feed_edge_from_csv(struct feed_str line, int64_t now_ms, struct feed_edge *out,
                                   struct feed_activity_problem *problem)
{
    struct feed_str fields[FEED_EDGE_COLUMNS];
    unsigned count = line.len ? split(line, fields) : 0;
    *out = (struct feed_edge){.since_ms = 0};
    if (count < 2 || count > FEED_EDGE_COLUMNS)
        return feed_activity_refuse(problem, FEED_E_INVALID, "", "must be actor,object or actor,object,since");
    out->actor = fields[ACTOR];
    out->object = fields[OBJECT];
    uint64_t number;
    enum feed_error error = FEED_OK;
    if (count > SINCE && fields[SINCE].len > 0) {
        if (feed_str_to_u64(fields[SINCE], UINT64_MAX, &number) == FEED_OK)
            error = take_ms(number, &out->since_ms, problem);
        else
            error = take_time(fields[SINCE], &out->since_ms, problem);
    }
    return error == FEED_OK ? check(out, now_ms, problem) : error;
}

/* ---- the record ---- */

void feed_edge_activity(const struct feed_edge *edge, bool fill, struct feed_activity *out)
{
    out->imported = true;
    out->actor = edge->actor;
    out->verb = FEED_STR("follow");
    out->object_type = FEED_STR("user");
    out->object_id = edge->object;
    if (fill)
        feed_edge_fill(out);
}

void feed_edge_fill(struct feed_activity *activity)
{
    static const char data[] = "\x81\xa4" /* {"feed": "fill"} */
                               "feed\xa4"
                               "fill";
    activity->data = (struct feed_str){data, sizeof data - 1};
}

void feed_edge_id(struct feed_str tenant, const struct feed_edge *edge, char out[FEED_ID_TEXT + 1])
{
    char text[FEED_TENANT_MAX + 2 * FEED_USER_MAX + 32];
    int len = snprintf(text, sizeof text, "%.*s/%.*s/%.*s/%lld", (int)tenant.len, tenant.data, (int)edge->actor.len,
                       edge->actor.data, (int)edge->object.len, edge->object.data, (long long)edge->since_ms);
    feed_assert(len > 0 && (size_t)len < sizeof text);
    struct feed_id id = feed_id_from_text(FEED_STR("import"), (struct feed_str){text, (size_t)len});
    feed_id_format(&id, out);
}
