/* Activities from JSON, and what follows from one. */
#include "shared/model/activity.h"

#include "shared/base/assert.h"
#include "shared/base/json_depth.h"
#include "shared/model/activity_parse.h"
#include "shared/model/names.h"

#include <stdio.h>
#include <string.h>
#include <yyjson.h>

static const struct feed_activity_outside nothing_outside = {.id = {NULL, 0}};

void feed_activity_init(struct feed_activity *activity)
{
    memset(activity, 0, offsetof(struct feed_activity, to));
    feed_buf_init(&activity->memory, FEED_RECORD_MAX);
}

void feed_activity_fini(struct feed_activity *activity)
{
    feed_buf_fini(&activity->memory);
    feed_activity_clear(activity);
}

enum feed_error feed_activity_parse_json(struct feed_str json, const char *whole,
                                         const struct feed_activity_outside *outside, struct feed_activity *out,
                                         struct feed_activity_problem *problem)
{
    if (feed_json_check_depth(json, FEED_JSON_DEPTH_MAX) != FEED_OK)
        return feed_activity_refuse(problem, FEED_E_TOO_LARGE, whole, "must be nested at most 32 deep");
    yyjson_read_err failure;
    /* The text is not changed: that would take the flag for reading in place. */
    yyjson_doc *doc = yyjson_read_opts((char *)json.data, json.len, YYJSON_READ_NOFLAG, NULL, &failure);
    if (!doc && failure.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION)
        return feed_activity_refuse(problem, FEED_E_MEMORY, whole, "there is not enough memory");
    if (!doc) {
        feed_activity_refuse(problem, FEED_E_INVALID, whole, "");
        snprintf(problem->text, sizeof(problem->text), "is not JSON: %s (at byte %zu)", failure.msg, failure.pos);
        return FEED_E_INVALID;
    }
    struct feed_input root = feed_input_of_json(yyjson_doc_get_root(doc));
    enum feed_error error;
    if (root.kind == FEED_INPUT_MAP)
        error = feed_activity_parse(&root, outside, out, problem);
    else
        error = feed_activity_refuse(problem, FEED_E_INVALID, whole, "must be a JSON object");
    yyjson_doc_free(doc);
    return error;
}

enum feed_error feed_activity_from_yyjson(struct yyjson_val *value, struct feed_activity *out,
                                          struct feed_activity_problem *problem)
{
    struct feed_input root = feed_input_of_json(value);
    if (root.kind != FEED_INPUT_MAP) {
        feed_activity_clear(out);
        return feed_activity_refuse(problem, FEED_E_INVALID, "", "must be a JSON object");
    }
    return feed_activity_parse(&root, &nothing_outside, out, problem);
}

static enum feed_error check_event(const struct feed_activity_event *event, struct feed_activity_problem *problem)
{
    int64_t time_ms;
    if (!feed_activity_id_valid(event->id))
        return feed_activity_refuse(problem, FEED_E_INVALID, "id", FEED_ACTIVITY_ID_RULE);
    if (!feed_source_valid(event->source))
        return feed_activity_refuse(problem, FEED_E_INVALID, "source", FEED_OBJECT_ID_RULE);
    if (event->time.data && feed_time_parse(event->time, &time_ms) != FEED_OK)
        return feed_activity_refuse(problem, FEED_E_INVALID, "time", FEED_TIME_RULE);
    return FEED_OK;
}

enum feed_error feed_activity_from_event(struct yyjson_val *data, const struct feed_activity_event *event,
                                         struct feed_activity *out, struct feed_activity_problem *problem,
                                         bool *attribute)
{
    struct feed_input root = feed_input_of_json(data);
    enum feed_error error = check_event(event, problem);
    *attribute = error != FEED_OK;
    if (error == FEED_OK && root.kind != FEED_INPUT_MAP)
        error = feed_activity_refuse(problem, FEED_E_INVALID, "", "must be a JSON object");
    if (error != FEED_OK) {
        feed_activity_clear(out);
        return error;
    }
    const struct feed_activity_outside outside = {.id = event->id, .published = event->time, .source = event->source};
    return feed_activity_parse(&root, &outside, out, problem);
}

enum feed_error feed_activity_from_json(struct feed_str json, struct feed_activity *out,
                                        struct feed_activity_problem *problem)
{
    feed_activity_clear(out);
    if (json.len > FEED_BODY_MAX)
        return feed_activity_refuse(problem, FEED_E_TOO_LARGE, "", "must be at most 1 MiB");
    return feed_activity_parse_json(json, "", &nothing_outside, out, problem);
}

struct feed_entry feed_activity_entry(const struct feed_activity *activity)
{
    feed_assert(activity->id.data && activity->source.data);
    return (struct feed_entry){
        .id = feed_id_from_text(activity->source, activity->id),
        .verb = activity->verb,
        .actor = activity->actor,
        .object_type = activity->object_type,
        .object_id = activity->object_id,
        .target_type = activity->target_type,
        .target_id = activity->target_id,
        .owner = activity->object_owner,
        .data = activity->data,
    };
}
