/* Members are first found and remembered, then checked in the order of the schema, so that the same mistake is told
 * with the same words whatever the order and the format in which the members came. The views point to the input until
 * the very end, when all of them are copied at once: memory moves while it grows. */
#include "shared/model/activity_parse.h"

#include "shared/base/assert.h"
#include "shared/base/time_text.h"
#include "shared/model/names.h"

#include <stdio.h>
#include <string.h>

enum member {
    M_ID,
    M_ACTOR,
    M_VERB,
    M_TYPE,
    M_OBJECT,
    M_TARGET,
    M_PUBLISHED,
    M_TO,
    M_DATA,
    M_OBJECT_TYPE,
    M_OBJECT_ID,
    M_OBJECT_OWNER,
    M_OBJECT_PUBLISHED,
    M_TARGET_TYPE,
    M_TARGET_ID,
    MEMBERS,
    M_ROOT = MEMBERS
};

/* With its length, since each member of each activity is compared with all of them. */
#define NAME(text)                                                                                                     \
    {                                                                                                                  \
        text, sizeof(text) - 1                                                                                         \
    }

static const struct {
    enum member parent;
    struct feed_str name;
    const char *path;
} member_rows[MEMBERS] = {
    [M_ID] = {M_ROOT, NAME("id"), "id"},
    [M_ACTOR] = {M_ROOT, NAME("actor"), "actor"},
    [M_VERB] = {M_ROOT, NAME("verb"), "verb"},
    [M_TYPE] = {M_ROOT, NAME("type"), "type"},
    [M_OBJECT] = {M_ROOT, NAME("object"), "object"},
    [M_TARGET] = {M_ROOT, NAME("target"), "target"},
    [M_PUBLISHED] = {M_ROOT, NAME("published"), "published"},
    [M_TO] = {M_ROOT, NAME("to"), "to"},
    [M_DATA] = {M_ROOT, NAME("data"), "data"},
    [M_OBJECT_TYPE] = {M_OBJECT, NAME("type"), "object.type"},
    [M_OBJECT_ID] = {M_OBJECT, NAME("id"), "object.id"},
    [M_OBJECT_OWNER] = {M_OBJECT, NAME("owner"), "object.owner"},
    [M_OBJECT_PUBLISHED] = {M_OBJECT, NAME("published"), "object.published"},
    [M_TARGET_TYPE] = {M_TARGET, NAME("type"), "target.type"},
    [M_TARGET_ID] = {M_TARGET, NAME("id"), "target.id"},
};

struct parser {
    struct feed_input found[MEMBERS];
    const struct feed_activity_outside *outside;
    struct feed_activity_problem *problem;
    struct feed_activity draft;
    char verb[FEED_VERB_MAX]; /* that of an ActivityStreams type */
};

enum feed_error feed_activity_refuse(struct feed_activity_problem *problem, enum feed_error error, const char *field,
                                     const char *text)
{
    snprintf(problem->field, sizeof(problem->field), "%s", field);
    snprintf(problem->text, sizeof(problem->text), "%s", text);
    return error;
}

static enum feed_error refuse(struct parser *parser, enum feed_error error, enum member member, const char *text)
{
    return feed_activity_refuse(parser->problem, error, member_rows[member].path, text);
}

/* Unknown members are read over, also when they come twice. */
static enum feed_error find_members(struct parser *parser, const struct feed_input *map, enum member parent)
{
    struct feed_input_walk walk = feed_input_walk(map);
    struct feed_str key;
    struct feed_input value;
    while (feed_input_next(&walk, &key, &value)) {
        for (enum member m = 0; m < MEMBERS; m++) {
            if (member_rows[m].parent != parent || !feed_str_eq(key, member_rows[m].name))
                continue;
            if (parser->found[m].kind != FEED_INPUT_ABSENT)
                return refuse(parser, FEED_E_INVALID, m, "is there more than once");
            parser->found[m] = value;
        }
    }
    return FEED_OK;
}

static enum feed_error take_text(struct parser *parser, enum member member, bool valid(struct feed_str),
                                 const char *rule, struct feed_str *out)
{
    const struct feed_input *value = &parser->found[member];
    if (value->kind == FEED_INPUT_ABSENT)
        return FEED_OK;
    if (value->kind != FEED_INPUT_TEXT)
        return refuse(parser, FEED_E_INVALID, member, "must be text");
    if (!valid(value->text))
        return refuse(parser, FEED_E_INVALID, member, rule);
    *out = value->text;
    return FEED_OK;
}

static enum feed_error take_required(struct parser *parser, enum member member, bool valid(struct feed_str),
                                     const char *rule, struct feed_str *out)
{
    if (parser->found[member].kind == FEED_INPUT_ABSENT)
        return refuse(parser, FEED_E_MISSING, member, "is missing");
    return take_text(parser, member, valid, rule, out);
}

static enum feed_error take_id(struct parser *parser)
{
    struct feed_str id = parser->outside->id;
    if (!id.data)
        return take_text(parser, M_ID, feed_activity_id_valid, FEED_ACTIVITY_ID_RULE, &parser->draft.id);
    if (!feed_activity_id_valid(id))
        return feed_activity_refuse(parser->problem, FEED_E_INVALID, "ce_id", FEED_ACTIVITY_ID_RULE);
    parser->draft.id = id;
    return FEED_OK;
}

/* ActivityStreams 2.0 calls the verb `type`, and writes "Like" for "like". Taken only where there is no verb: until now
 * a `type` beside it was an unknown member. */
static enum feed_error take_verb(struct parser *parser)
{
    struct feed_activity *draft = &parser->draft;
    const struct feed_input *type = &parser->found[M_TYPE];
    if (parser->found[M_VERB].kind != FEED_INPUT_ABSENT || type->kind == FEED_INPUT_ABSENT)
        return take_required(parser, M_VERB, feed_verb_valid, FEED_WORD_RULE, &draft->verb);
    if (type->kind != FEED_INPUT_TEXT)
        return refuse(parser, FEED_E_INVALID, M_TYPE, "must be text");
    size_t len = type->text.len <= FEED_VERB_MAX ? type->text.len : 0;
    for (size_t i = 0; i < len; i++) {
        char c = type->text.data[i];
        parser->verb[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    draft->verb = (struct feed_str){parser->verb, len};
    if (!feed_verb_valid(draft->verb))
        return refuse(parser, FEED_E_INVALID, M_TYPE, FEED_WORD_RULE ", or a type of ActivityStreams");
    return FEED_OK;
}

static enum feed_error take_object(struct parser *parser)
{
    struct feed_activity *draft = &parser->draft;
    const struct feed_input *object = &parser->found[M_OBJECT];
    if (object->kind == FEED_INPUT_ABSENT)
        return refuse(parser, FEED_E_MISSING, M_OBJECT, "is missing");
    if (object->kind != FEED_INPUT_MAP)
        return refuse(parser, FEED_E_INVALID, M_OBJECT, "must be an object");
    enum feed_error error = find_members(parser, object, M_OBJECT);
    if (error == FEED_OK)
        error = take_required(parser, M_OBJECT_TYPE, feed_verb_valid, FEED_WORD_RULE, &draft->object_type);
    if (error == FEED_OK)
        error = take_required(parser, M_OBJECT_ID, feed_object_id_valid, FEED_OBJECT_ID_RULE, &draft->object_id);
    if (error == FEED_OK)
        error = take_text(parser, M_OBJECT_OWNER, feed_user_valid, FEED_USER_RULE, &draft->object_owner);
    return error;
}

static enum feed_error take_target(struct parser *parser)
{
    struct feed_activity *draft = &parser->draft;
    const struct feed_input *target = &parser->found[M_TARGET];
    if (target->kind == FEED_INPUT_ABSENT)
        return FEED_OK;
    if (target->kind != FEED_INPUT_MAP)
        return refuse(parser, FEED_E_INVALID, M_TARGET, "must be an object");
    enum feed_error error = find_members(parser, target, M_TARGET);
    if (error == FEED_OK)
        error = take_required(parser, M_TARGET_TYPE, feed_verb_valid, FEED_WORD_RULE, &draft->target_type);
    if (error == FEED_OK)
        error = take_required(parser, M_TARGET_ID, feed_object_id_valid, FEED_OBJECT_ID_RULE, &draft->target_id);
    return error;
}

static enum feed_error take_published(struct parser *parser)
{
    struct feed_str text = parser->outside->published;
    if (text.data) {
        if (feed_time_parse(text, &parser->draft.published_ms) != FEED_OK)
            return feed_activity_refuse(parser->problem, FEED_E_INVALID, "ce_time", FEED_TIME_RULE);
        return FEED_OK;
    }
    const struct feed_input *value = &parser->found[M_PUBLISHED];
    if (value->kind == FEED_INPUT_ABSENT)
        return FEED_OK;
    if (value->kind != FEED_INPUT_TEXT)
        return refuse(parser, FEED_E_INVALID, M_PUBLISHED, "must be text");
    if (feed_time_parse(value->text, &parser->draft.published_ms) != FEED_OK)
        return refuse(parser, FEED_E_INVALID, M_PUBLISHED, FEED_TIME_RULE);
    return FEED_OK;
}

static void add_recipient(struct feed_activity *draft, struct feed_str user)
{
    for (size_t i = 0; i < draft->to_count; i++) {
        if (feed_str_eq(draft->to[i], user))
            return;
    }
    draft->to[draft->to_count++] = user;
}

static enum feed_error take_to(struct parser *parser)
{
    const struct feed_input *to = &parser->found[M_TO];
    if (to->kind == FEED_INPUT_ABSENT)
        return FEED_OK;
    if (to->kind != FEED_INPUT_LIST)
        return refuse(parser, FEED_E_INVALID, M_TO, "must be a list");
    if (to->count > FEED_TO_MAX)
        return refuse(parser, FEED_E_TOO_LARGE, M_TO, "must have at most 100 users");
    struct feed_input_walk walk = feed_input_walk(to);
    struct feed_str no_key;
    struct feed_input value;
    for (unsigned i = 0; feed_input_next(&walk, &no_key, &value); i++) {
        if (value.kind != FEED_INPUT_TEXT || !feed_user_valid(value.text)) {
            char field[16];
            snprintf(field, sizeof(field), "to[%u]", i);
            bool text = value.kind == FEED_INPUT_TEXT;
            return feed_activity_refuse(parser->problem, FEED_E_INVALID, field, text ? FEED_USER_RULE : "must be text");
        }
        add_recipient(&parser->draft, value.text);
    }
    return FEED_OK;
}

/* The encoded value is the first thing in memory; its length is what this tells. */
static enum feed_error take_data(struct parser *parser, struct feed_buf *memory)
{
    const struct feed_input *data = &parser->found[M_DATA];
    if (data->kind == FEED_INPUT_ABSENT || data->kind == FEED_INPUT_NIL)
        return FEED_OK;
    enum feed_error error = feed_input_data(data, memory);
    if (error == FEED_E_TOO_LARGE)
        return refuse(parser, error, M_DATA, "must be at most 1024 bytes as msgpack, and nested at most 8 deep");
    if (error == FEED_E_INVALID)
        return refuse(
            parser, error, M_DATA,
            "must be what JSON can say: text in UTF-8, finite numbers, members with text as names, each once");
    return error;
}

static enum feed_error check_act(struct parser *parser)
{
    const struct feed_act_input input = {.object_published = &parser->found[M_OBJECT_PUBLISHED],
                                         .data = &parser->found[M_DATA]};
    return feed_act_check(&input, &parser->draft, parser->problem);
}

static enum feed_error take_all(struct parser *parser, const struct feed_input *root, struct feed_buf *memory)
{
    struct feed_activity *draft = &parser->draft;
    enum feed_error error = find_members(parser, root, M_ROOT);
    if (error == FEED_OK)
        error = take_id(parser);
    if (error == FEED_OK)
        error = take_required(parser, M_ACTOR, feed_user_valid, FEED_USER_RULE, &draft->actor);
    if (error == FEED_OK)
        error = take_verb(parser);
    if (error == FEED_OK)
        error = take_object(parser);
    if (error == FEED_OK)
        error = take_target(parser);
    if (error == FEED_OK)
        error = take_published(parser);
    if (error == FEED_OK)
        error = take_to(parser);
    if (error == FEED_OK)
        error = check_act(parser);
    if (error == FEED_OK)
        error = take_data(parser, memory);
    return error;
}

/* Moves the draft's texts behind what is in memory (the data), and the draft to *out. */
static enum feed_error keep(struct feed_activity *draft, struct feed_activity *out)
{
    struct feed_buf *memory = &out->memory;
    size_t data_len = memory->len;
    struct feed_str *texts[] = {&draft->id,          &draft->source,      &draft->tenant,    &draft->actor,
                                &draft->verb,        &draft->object_type, &draft->object_id, &draft->object_owner,
                                &draft->target_type, &draft->target_id};
    const size_t text_count = sizeof(texts) / sizeof(texts[0]);
    size_t room = 0;
    for (size_t i = 0; i < text_count; i++)
        room += texts[i]->len;
    feed_buf_reserve(memory, room);
    for (size_t i = 0; i < text_count; i++)
        feed_buf_str(memory, *texts[i]);
    for (size_t i = 0; i < draft->to_count; i++)
        feed_buf_str(memory, draft->to[i]);
    if (memory->error != FEED_OK)
        return memory->error;

    const char *at = memory->data;
    draft->data = (struct feed_str){data_len > 0 ? at : NULL, data_len};
    at += data_len;
    for (size_t i = 0; i < text_count; i++) {
        if (texts[i]->data)
            texts[i]->data = at;
        at += texts[i]->len;
    }
    for (size_t i = 0; i < draft->to_count; i++) {
        draft->to[i].data = at;
        at += draft->to[i].len;
    }
    draft->memory = *memory;
    memcpy(out, draft, offsetof(struct feed_activity, to) + draft->to_count * sizeof draft->to[0]);
    return FEED_OK;
}

enum feed_error feed_activity_parse(const struct feed_input *root, const struct feed_activity_outside *outside,
                                    struct feed_activity *out, struct feed_activity_problem *problem)
{
    feed_assert(root->kind == FEED_INPUT_MAP);
    *problem = (struct feed_activity_problem){.field = ""};
    feed_activity_clear(out);
    struct parser parser;
    memset(&parser, 0, offsetof(struct parser, draft));
    parser.outside = outside;
    parser.problem = problem;
    feed_activity_init(&parser.draft);
    parser.draft.source = outside->source;
    parser.draft.tenant = outside->tenant;
    enum feed_error error = take_all(&parser, root, &out->memory);
    if (error == FEED_OK)
        error = keep(&parser.draft, out);
    if (error == FEED_OK)
        return FEED_OK;
    if (problem->text[0] == '\0')
        feed_activity_refuse(problem, error, "", "there is not enough memory");
    feed_activity_clear(out);
    return error;
}

void feed_activity_clear(struct feed_activity *activity)
{
    struct feed_buf memory = activity->memory;
    feed_buf_reset(&memory);
    memset(activity, 0, offsetof(struct feed_activity, to));
    activity->memory = memory;
}
