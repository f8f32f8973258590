/* The difficulty is the headers: only those that schemas/kafka.md names are read, each at most once. A record may carry
 * others (of tracing, of a mirror), and they must neither be misread nor push the known ones out. */
#include "fanout/record.h"

#include <stdio.h>
#include <string.h>

static const char *const known_headers[] = {
    "ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_tenant", "traceparent", "content-type",
};

enum { KNOWN_HEADERS = sizeof known_headers / sizeof known_headers[0] };

_Static_assert((int)KNOWN_HEADERS <=
                   (int)(sizeof((struct feed_record *)0)->headers / sizeof(struct feed_record_header)),
               "all known headers fit a struct feed_record");

size_t fan_record_bytes(const struct fan_record *record)
{
    size_t bytes = record->key.len + record->value.len;
    for (size_t i = 0; i < record->header_count; i++)
        bytes += strlen(record->headers[i].name) + 1 + record->headers[i].value.len;
    return bytes;
}

/* The view of bytes that were appended at *at; an absent one stays absent. */
static struct feed_str moved(struct feed_str from, const struct feed_buf *memory, size_t *at)
{
    struct feed_str view = {from.data ? memory->data + *at : NULL, from.len};
    *at += from.len;
    return view;
}

enum feed_error fan_record_copy(const struct fan_record *record, struct fan_record *copy, struct feed_buf *memory)
{
    feed_buf_reset(memory);
    feed_buf_str(memory, record->key);
    feed_buf_str(memory, record->value);
    for (size_t i = 0; i < record->header_count; i++) {
        feed_buf_append(memory, record->headers[i].name, strlen(record->headers[i].name) + 1);
        feed_buf_str(memory, record->headers[i].value);
    }
    feed_buf_char(memory, '\0'); /* so that there is memory to point to, even for an empty record */
    if (memory->error != FEED_OK)
        return memory->error;

    /* Only now: the buffer moves while it grows. */
    *copy = *record;
    size_t at = 0;
    copy->key = moved(record->key, memory, &at);
    copy->value = moved(record->value, memory, &at);
    for (size_t i = 0; i < record->header_count; i++) {
        copy->headers[i].name = memory->data + at;
        at += strlen(record->headers[i].name) + 1;
        copy->headers[i].value = moved(record->headers[i].value, memory, &at);
    }
    return FEED_OK;
}

struct feed_str fan_record_header(const struct fan_record *record, const char *name)
{
    for (size_t i = 0; i < record->header_count; i++) {
        if (strcmp(record->headers[i].name, name) == 0)
            return record->headers[i].value;
    }
    return (struct feed_str){NULL, 0};
}

static bool known(const char *name)
{
    for (size_t i = 0; i < KNOWN_HEADERS; i++) {
        if (strcmp(name, known_headers[i]) == 0)
            return true;
    }
    return false;
}

static enum feed_error refuse(struct feed_activity_problem *problem, const char *field, const char *text)
{
    snprintf(problem->field, sizeof problem->field, "%s", field);
    snprintf(problem->text, sizeof problem->text, "%s", text);
    return FEED_E_INVALID;
}

static enum feed_error pick_headers(const struct fan_record *record, struct feed_record *picked,
                                    struct feed_activity_problem *problem)
{
    if (record->headers_cut)
        return refuse(problem, "headers", "there are more than 16");
    for (size_t i = 0; i < record->header_count; i++) {
        const struct feed_record_header *header = &record->headers[i];
        if (!known(header->name))
            continue;
        for (size_t j = 0; j < picked->header_count; j++) {
            if (strcmp(picked->headers[j].name, header->name) == 0)
                return refuse(problem, header->name, "is there more than once");
        }
        picked->headers[picked->header_count++] = *header;
    }
    return FEED_OK;
}

enum feed_error fan_record_read(const struct fan_record *record, struct feed_activity *activity, const char **reason,
                                struct feed_activity_problem *problem)
{
    *problem = (struct feed_activity_problem){.field = ""};
    *reason = "malformed";
    if (record->value.len > FEED_RECORD_MAX) {
        refuse(problem, "value", "is larger than 32 KiB");
        return FEED_E_TOO_LARGE;
    }
    struct feed_record picked = {.key = record->key, .value = record->value};
    enum feed_error error = pick_headers(record, &picked, problem);
    if (error != FEED_OK)
        return error;
    error = feed_activity_from_record(&picked, activity, problem);
    /* A problem of the value as a whole, or one that names no field, means that it could not be read at all. */
    if (error == FEED_E_UNSUPPORTED)
        *reason = "unsupported";
    else if (error != FEED_OK && problem->field[0] && strcmp(problem->field, "value") != 0)
        *reason = "invalid";
    return error;
}
