/* The verbs that have a meaning of their own, and the rules that activities with them must keep besides those of all.
 */
#include "shared/model/activity_parse.h"
#include "shared/model/names.h"

#include <stdio.h>

struct act_row {
    const char *verb;
    enum feed_act act;
    const char *object_type; /* what object.type must be */
    const char *type_rule;
};

static const char user_rule[] = "must be \"user\" with this verb";

static const struct act_row rows[] = {
    {"follow", FEED_ACT_FOLLOW, "user", user_rule},
    {"unfollow", FEED_ACT_UNFOLLOW, "user", user_rule},
    {"mute", FEED_ACT_MUTE, "user", user_rule},
    {"unmute", FEED_ACT_UNMUTE, "user", user_rule},
    {"block", FEED_ACT_BLOCK, "user", user_rule},
    {"unblock", FEED_ACT_UNBLOCK, "user", user_rule},
    {"filter", FEED_ACT_FILTER, "feed", "must be \"feed\" with this verb"},
    {"undo", FEED_ACT_UNDO, "activity", "must be \"activity\" with this verb"},
};

static const struct act_row *row_of(const struct feed_activity *activity)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (feed_str_eq(activity->verb, feed_str_of(rows[i].verb)))
            return &rows[i];
    }
    return NULL;
}

enum feed_act feed_activity_act(const struct feed_activity *activity)
{
    const struct act_row *row = row_of(activity);
    if (activity->imported)
        return FEED_ACT_IMPORT;
    return row ? row->act : FEED_ACT_ENTRY;
}

bool feed_act_on_user(enum feed_act act)
{
    return act != FEED_ACT_ENTRY && act != FEED_ACT_UNDO && act != FEED_ACT_FILTER;
}

struct feed_id feed_activity_undone_id(const struct feed_activity *activity)
{
    return feed_id_from_text(activity->source.data ? activity->source : FEED_STR(FEED_SOURCE_DEFAULT),
                             activity->object_id);
}

static enum feed_error check_user(const struct feed_activity *draft, struct feed_activity_problem *problem)
{
    if (!feed_user_valid(draft->object_id))
        return feed_activity_refuse(problem, FEED_E_INVALID, "object.id", FEED_USER_RULE);
    if (feed_str_eq(draft->object_id, draft->actor))
        return feed_activity_refuse(problem, FEED_E_INVALID, "object.id", "must be another user than the actor");
    return FEED_OK;
}

/* The value of a member of data; of FEED_INPUT_ABSENT when data is no map or has none. */
static struct feed_input data_member(const struct feed_input *data, const char *name)
{
    struct feed_input value;
    struct feed_str key;
    if (data->kind != FEED_INPUT_MAP)
        return (struct feed_input){.kind = FEED_INPUT_ABSENT};
    struct feed_input_walk walk = feed_input_walk(data);
    while (feed_input_next(&walk, &key, &value)) {
        if (feed_str_eq(key, feed_str_of(name)))
            return value;
    }
    return (struct feed_input){.kind = FEED_INPUT_ABSENT};
}

static bool is_text(const struct feed_input *value, const char *text)
{
    return value->kind == FEED_INPUT_TEXT && feed_str_eq(value->text, feed_str_of(text));
}

static enum feed_error check_unfollow(const struct feed_act_input *input, struct feed_activity_problem *problem)
{
    struct feed_input entries = data_member(input->data, "entries");
    if (entries.kind == FEED_INPUT_ABSENT || is_text(&entries, "keep") || is_text(&entries, "purge"))
        return FEED_OK;
    return feed_activity_refuse(problem, FEED_E_INVALID, "data.entries", "must be \"keep\" or \"purge\"");
}

static bool data_says(const struct feed_activity *activity, const char *name, const char *text)
{
    if (!activity->data.data)
        return false;
    struct feed_input data = feed_input_of_msgpack(activity->data);
    struct feed_input value = data_member(&data, name);
    return is_text(&value, text);
}

bool feed_activity_keeps_entries(const struct feed_activity *activity)
{
    return data_says(activity, "entries", "keep");
}

bool feed_activity_fills_feed(const struct feed_activity *activity)
{
    return data_says(activity, "feed", "fill");
}

static enum feed_error check_filter(const struct feed_act_input *input, const struct feed_activity *draft,
                                    struct feed_activity_problem *problem)
{
    struct feed_input exclude = data_member(input->data, "exclude"), verb;
    struct feed_str no_key;
    if (!feed_str_eq(draft->object_id, FEED_STR("home")))
        return feed_activity_refuse(problem, FEED_E_INVALID, "object.id", "must be \"home\" with this verb");
    if (exclude.kind == FEED_INPUT_ABSENT)
        return feed_activity_refuse(problem, FEED_E_MISSING, "data.exclude", "is missing");
    if (exclude.kind != FEED_INPUT_LIST)
        return feed_activity_refuse(problem, FEED_E_INVALID, "data.exclude", "must be a list");
    if (exclude.count > FEED_EXCLUDE_MAX)
        return feed_activity_refuse(problem, FEED_E_TOO_LARGE, "data.exclude", "must have at most 32 verbs");
    struct feed_input_walk walk = feed_input_walk(&exclude);
    for (unsigned i = 0; feed_input_next(&walk, &no_key, &verb); i++) {
        if (verb.kind == FEED_INPUT_TEXT && feed_verb_valid(verb.text))
            continue;
        char field[32];
        snprintf(field, sizeof field, "data.exclude[%u]", i);
        return feed_activity_refuse(problem, FEED_E_INVALID, field, FEED_WORD_RULE);
    }
    return FEED_OK;
}

size_t feed_activity_excluded(const struct feed_activity *activity, struct feed_str out[FEED_EXCLUDE_MAX])
{
    struct feed_input data = feed_input_of_msgpack(activity->data), verb;
    struct feed_input exclude = data_member(&data, "exclude");
    struct feed_input_walk walk = feed_input_walk(&exclude);
    struct feed_str no_key;
    size_t count = 0;
    while (feed_input_next(&walk, &no_key, &verb)) {
        size_t i = 0;
        while (i < count && !feed_str_eq(out[i], verb.text))
            i++;
        if (i == count)
            out[count++] = verb.text;
    }
    return count;
}

static enum feed_error check_undo(const struct feed_act_input *input, struct feed_activity *draft,
                                  struct feed_activity_problem *problem)
{
    const struct feed_input *published = input->object_published;
    if (!feed_activity_id_valid(draft->object_id))
        return feed_activity_refuse(problem, FEED_E_INVALID, "object.id", FEED_ACTIVITY_ID_RULE);
    if (published->kind == FEED_INPUT_ABSENT)
        return FEED_OK;
    if (published->kind != FEED_INPUT_TEXT)
        return feed_activity_refuse(problem, FEED_E_INVALID, "object.published", "must be text");
    if (feed_time_parse(published->text, &draft->object_published_ms) != FEED_OK)
        return feed_activity_refuse(problem, FEED_E_INVALID, "object.published", FEED_TIME_RULE);
    return FEED_OK;
}

enum feed_error feed_act_check(const struct feed_act_input *input, struct feed_activity *draft,
                               struct feed_activity_problem *problem)
{
    const struct act_row *row = row_of(draft);
    if (!row)
        return FEED_OK;
    if (!feed_str_eq(draft->object_type, feed_str_of(row->object_type)))
        return feed_activity_refuse(problem, FEED_E_INVALID, "object.type", row->type_rule);
    enum feed_error error = feed_act_on_user(row->act) ? check_user(draft, problem) : FEED_OK;
    if (error == FEED_OK && row->act == FEED_ACT_UNFOLLOW)
        error = check_unfollow(input, problem);
    if (error == FEED_OK && row->act == FEED_ACT_FILTER)
        error = check_filter(input, draft, problem);
    if (error != FEED_OK || row->act != FEED_ACT_UNDO)
        return error;
    return check_undo(input, draft, problem);
}
