/* Reads bodies. The difficulty: a batch must be refused with everything that is wrong in it, but broken JSON leaves
 * nothing to go on with; so faults of the text end the reading (400, 413), and faults of elements are collected
 * (422, 403). */
#include "ingest/submission.h"

#include "ingest/edges.h"
#include "ingest/event.h"
#include "shared/base/assert.h"
#include "shared/base/json_depth.h"
#include "shared/model/edge.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

static void refuse(struct ing_submission *submission, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void refuse(struct ing_submission *submission, unsigned status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    submission->status = status;
    vsnprintf(submission->detail, sizeof(submission->detail), format, arguments);
    va_end(arguments);
}

static void note(struct ing_submission *submission, unsigned status, const struct ing_element *element,
                 const struct feed_activity_problem *what)
{
    submission->status = status;
    submission->problem_total++;
    if (submission->problem_count < ING_PROBLEMS_MAX) {
        submission->problems[submission->problem_count++] = (struct ing_problem){
            .index = (size_t)(element - submission->elements), .line = element->line, .what = *what};
    }
}

static void note_text(struct ing_submission *submission, unsigned status, const struct ing_element *element,
                      const char *field, const char *text)
{
    struct feed_activity_problem what;
    snprintf(what.field, sizeof(what.field), "%s", field);
    snprintf(what.text, sizeof(what.text), "%s", text);
    note(submission, status, element, &what);
}

/* NULL, with the submission refused, when there is no room. */
static struct ing_element *add_element(struct ing_submission *submission)
{
    if (submission->count == FEED_BATCH_MAX) {
        refuse(submission, 413, "A request may have at most %d activities.", FEED_BATCH_MAX);
        return NULL;
    }
    if (submission->count == submission->capacity) {
        size_t capacity = submission->capacity ? submission->capacity * 4 : 1;
        capacity = capacity < FEED_BATCH_MAX ? capacity : FEED_BATCH_MAX;
        struct ing_element *elements = realloc(submission->elements, capacity * sizeof(*elements));
        if (!elements) {
            refuse(submission, 500, "There is not enough memory.");
            return NULL;
        }
        submission->elements = elements;
        submission->capacity = capacity;
    }
    struct ing_element *element = &submission->elements[submission->count++];
    feed_activity_init(&element->activity);
    element->line = 0;
    return element;
}

static enum feed_error read_value(const struct ing_submission_input *input, yyjson_val *value,
                                  struct feed_activity *activity, struct feed_activity_problem *what)
{
    if (input->imports)
        return ing_edge_read(value, input->now_ms, activity, what);
    if (input->event)
        return ing_event_read_binary(input->event, value, activity, what);
    if (input->media == ING_MEDIA_EVENT || input->media == ING_MEDIA_EVENTS)
        return ing_event_read(value, activity, what);
    return feed_activity_from_yyjson(value, activity, what);
}

static void take_value(struct ing_submission *submission, struct ing_element *element, yyjson_val *value,
                       const struct ing_submission_input *input)
{
    struct feed_activity_problem what = {.field = ""};
    if (!yyjson_is_obj(value)) {
        note_text(submission, 422, element, "", "must be an object");
        return;
    }
    enum feed_error error = read_value(input, value, &element->activity, &what);
    if (error == FEED_E_MEMORY) {
        refuse(submission, 500, "There is not enough memory.");
    } else if (error != FEED_OK) {
        note(submission, 422, element, &what);
    } else if (element->activity.id.data && element->activity.published_ms > input->now_ms + ING_FUTURE_MS) {
        note_text(submission, 422, element, "published", "must not be in the future");
    } else if (element->activity.data.len > input->data_max) {
        note_text(submission, 422, element, "data", "is larger than this tenant's tier allows");
    }
}

/* Line and column (in bytes, from 1) of a place in the text. */
static void locate(struct feed_str text, size_t at, size_t *line, size_t *column)
{
    *line = 1;
    *column = 1;
    for (size_t i = 0; i < at && i < text.len; i++) {
        if (text.data[i] == '\n') {
            (*line)++;
            *column = 0;
        }
        (*column)++;
    }
}

/* Parses the text that begins at `text` within the body; NULL when the submission is refused. */
static yyjson_doc *parse(struct ing_submission *submission, struct feed_str body, struct feed_str text)
{
    yyjson_read_err failure;
    if (feed_json_check_depth(text, FEED_JSON_DEPTH_MAX) != FEED_OK) {
        refuse(submission, 400, "The JSON is nested deeper than %d.", FEED_JSON_DEPTH_MAX);
        return NULL;
    }
    /* Without the flag for reading in place the text is not changed. */
    yyjson_doc *doc = yyjson_read_opts((char *)text.data, text.len, YYJSON_READ_NOFLAG, NULL, &failure);
    if (doc) {
        return doc;
    }
    if (failure.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION) {
        refuse(submission, 500, "There is not enough memory.");
        return NULL;
    }
    size_t line, column;
    size_t at = (size_t)(text.data - body.data) + failure.pos;
    locate(body, at, &line, &column);
    refuse(submission, 400, "The body is not JSON: %s at line %zu, column %zu (byte %zu).", failure.msg, line, column,
           at);
    return NULL;
}

/* False when reading must end. */
static bool take_element(struct ing_submission *submission, yyjson_val *value, unsigned line,
                         const struct ing_submission_input *input)
{
    struct ing_element *element = add_element(submission);
    if (!element) {
        return false;
    }
    element->line = line;
    take_value(submission, element, value, input);
    return submission->status != 500;
}

static void read_list(struct ing_submission *submission, yyjson_val *list, const struct ing_submission_input *input)
{
    size_t index, max;
    yyjson_val *value;
    if (yyjson_arr_size(list) > FEED_BATCH_MAX) {
        refuse(submission, 413, "A request may have at most %d activities, but this one has %zu.", FEED_BATCH_MAX,
               yyjson_arr_size(list));
        return;
    }
    yyjson_arr_foreach(list, index, max, value)
    {
        if (!take_element(submission, value, 0, input)) {
            return;
        }
    }
}

static void read_json(struct ing_submission *submission, const struct ing_submission_input *input)
{
    yyjson_doc *doc = parse(submission, input->body, input->body);
    if (!doc) {
        return;
    }
    yyjson_val *root = yyjson_doc_get_root(doc);
    bool list_allowed = !input->event && input->media != ING_MEDIA_EVENT;
    if (yyjson_is_arr(root) && list_allowed) {
        read_list(submission, root, input);
    } else if (yyjson_is_obj(root) && input->media != ING_MEDIA_EVENTS) {
        (void)take_element(submission, root, 0, input);
    } else {
        refuse(submission, 422,
               !list_allowed                      ? "The body must be one object."
               : input->media == ING_MEDIA_EVENTS ? "The body must be a list of events."
                                                  : "The body must be an activity, or a list of activities.");
    }
    yyjson_doc_free(doc);
}

static bool blank(struct feed_str line)
{
    for (size_t i = 0; i < line.len; i++) {
        if (!strchr(" \t\r", line.data[i]) || line.data[i] == '\0') {
            return false;
        }
    }
    return true;
}

/* False when reading must end. */
static bool read_line(struct ing_submission *submission, const struct ing_submission_input *input, struct feed_str line,
                      unsigned number)
{
    yyjson_doc *doc = parse(submission, input->body, line);
    bool go_on = doc && take_element(submission, yyjson_doc_get_root(doc), number, input);
    yyjson_doc_free(doc);
    return go_on;
}

static void read_ndjson(struct ing_submission *submission, const struct ing_submission_input *input)
{
    struct feed_str rest = input->body;
    for (unsigned number = 1; rest.len > 0; number++) {
        const char *newline = memchr(rest.data, '\n', rest.len);
        struct feed_str line = {rest.data, newline ? (size_t)(newline - rest.data) : rest.len};
        size_t used = line.len + (newline ? 1 : 0);
        rest = (struct feed_str){rest.data + used, rest.len - used};
        if (!blank(line) && !read_line(submission, input, line, number)) {
            return;
        }
    }
}

/* An id of our own. The 12 bits behind the time count the elements, so that activities of one request keep their order
 * although they have one time; 62 bits of the seed keep it apart from those of other requests. */
static void assign_id(struct ing_element *element, size_t index, const struct ing_stamp *stamp)
{
    uint8_t random[2 + ING_SEED_BYTES];
    feed_assert(index < 1u << 12);
    random[0] = (uint8_t)(index >> 8);
    random[1] = (uint8_t)index;
    memcpy(random + 2, stamp->seed, ING_SEED_BYTES);
    struct feed_id id = feed_id_v7(stamp->first_ms, random);
    feed_id_format(&id, element->assigned_id);
    element->activity.id = feed_str_of(element->assigned_id);
}

/* That of the edge, so that the same one is always the same record. */
static void take_edge_id(struct ing_element *element)
{
    struct feed_activity *activity = &element->activity;
    const struct feed_edge edge = {
        .actor = activity->actor, .object = activity->object_id, .since_ms = activity->published_ms};
    feed_edge_id(activity->tenant, &edge, element->assigned_id);
    activity->id = feed_str_of(element->assigned_id);
}

/* `published` counts only with a caller's id: without one the activity is new, and so is its time. */
static void complete(struct ing_submission *submission, size_t index, const struct feed_token_claims *claims,
                     const struct ing_stamp *stamp)
{
    struct ing_element *element = &submission->elements[index];
    struct feed_activity *activity = &element->activity;
    activity->tenant = feed_str_of(claims->tenant);
    if (!activity->source.data)
        activity->source = FEED_STR(FEED_SOURCE_DEFAULT);
    if (activity->imported && activity->published_ms > 0)
        take_edge_id(element);
    if (!activity->id.data) {
        assign_id(element, index, stamp);
        activity->published_ms = stamp->first_ms;
    } else if (activity->published_ms == 0) {
        activity->published_ms = stamp->first_ms;
    }
}

void ing_submission_complete(struct ing_submission *submission, const struct feed_token_claims *claims,
                             const struct ing_stamp *stamp)
{
    feed_assert(submission->status == 0);
    for (size_t i = 0; i < submission->count; i++)
        complete(submission, i, claims, stamp);
}

static void check_actors(struct ing_submission *submission, const struct feed_token_claims *claims)
{
    if (claims->may_publish || submission->imports) {
        return;
    }
    for (size_t i = 0; i < submission->count; i++) {
        const struct ing_element *element = &submission->elements[i];
        if (!feed_str_eq(element->activity.actor, feed_str_of(claims->subject))) {
            note_text(submission, 403, element, "actor", "must be the user that the token is for");
        }
    }
}

static void describe_problems(struct ing_submission *submission)
{
    static const char listed[] = " Only the first are listed.";
    const char *more = submission->problem_total > submission->problem_count ? listed : "";
    const char *what = submission->status == 403 ? "not allowed with this token" : "invalid";
    snprintf(submission->detail, sizeof(submission->detail),
             "%zu of %zu activities are %s; none of the request was accepted.%s", submission->problem_total,
             submission->count, what, more);
}

void ing_submission_init(struct ing_submission *submission)
{
    memset(submission, 0, offsetof(struct ing_submission, problems));
}

void ing_submission_take(struct ing_submission *submission, struct ing_submission *from)
{
    feed_assert(from->status == 0 && from->problem_count == 0);
    memcpy(submission, from, offsetof(struct ing_submission, problems));
    ing_submission_init(from);
}

void ing_submission_read(struct ing_submission *submission, const struct ing_submission_input *input)
{
    ing_submission_init(submission);
    submission->imports = input->imports;
    if (input->body.len == 0) {
        refuse(submission, 400, "The body is empty.");
        return;
    }
    if (input->media == ING_MEDIA_NDJSON) {
        read_ndjson(submission, input);
    } else {
        read_json(submission, input);
    }
    if (submission->status == 0 && submission->count == 0) {
        refuse(submission, 422, "The body has no activities.");
    }
    if (submission->status == 0) {
        check_actors(submission, input->claims);
    }
    if (submission->status == 0 && input->imports && ing_edges_mark_last(submission) != FEED_OK) {
        refuse(submission, 500, "There is not enough memory.");
    }
    if (submission->status != 422 && submission->status != 403) {
        submission->problem_count = submission->problem_total = 0; /* something worse came after them */
    } else if (submission->problem_total > 0) {
        describe_problems(submission);
    }
}

void ing_submission_fini(struct ing_submission *submission)
{
    for (size_t i = 0; i < submission->count; i++) {
        feed_activity_fini(&submission->elements[i].activity);
    }
    free(submission->elements);
    ing_submission_init(submission);
}
