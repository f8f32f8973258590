/* Activities as Kafka records: CloudEvents in binary mode, with the value in msgpack or JSON. Others than ingest may
 * write such records, so everything is checked again here. */
#include "shared/base/assert.h"
#include "shared/codec/msgpack_scan.h"
#include "shared/codec/msgpack_write.h"
#include "shared/model/activity_parse.h"
#include "shared/model/names.h"

#include <string.h>
#include <strings.h>

enum { MINOR_MAX = 9999 }; /* of ce_type */

/* ---- writing ---- */

static void write_member(struct feed_buf *out, const char *key, struct feed_str value)
{
    feed_msgpack_str(out, feed_str_of(key));
    feed_msgpack_str(out, value);
}

static void write_object(struct feed_buf *out, const struct feed_activity *activity)
{
    bool has_owner = activity->object_owner.data, has_published = activity->object_published_ms > 0;
    feed_msgpack_str(out, FEED_STR("object"));
    feed_msgpack_map(out, 2u + has_owner + has_published);
    write_member(out, "type", activity->object_type);
    write_member(out, "id", activity->object_id);
    if (has_owner)
        write_member(out, "owner", activity->object_owner);
    if (has_published) {
        char time[FEED_TIME_TEXT + 1];
        feed_time_format(activity->object_published_ms, time);
        write_member(out, "published", feed_str_of(time));
    }
}

static void write_target(struct feed_buf *out, const struct feed_activity *activity)
{
    feed_msgpack_str(out, FEED_STR("target"));
    feed_msgpack_map(out, 2);
    write_member(out, "type", activity->target_type);
    write_member(out, "id", activity->target_id);
}

void feed_activity_encode_value(const struct feed_activity *activity, struct feed_buf *value)
{
    feed_assert(activity->id.data && activity->source.data && activity->tenant.data && activity->published_ms > 0);
    bool has_target = activity->target_type.data;
    bool has_to = activity->to_count > 0;
    bool has_data = activity->data.data;
    feed_msgpack_map(value, 3u + has_target + has_to + has_data);
    write_member(value, "actor", activity->actor);
    write_member(value, "verb", activity->verb);
    write_object(value, activity);
    if (has_target)
        write_target(value, activity);
    if (has_to) {
        feed_msgpack_str(value, FEED_STR("to"));
        feed_msgpack_array(value, activity->to_count);
        for (size_t i = 0; i < activity->to_count; i++)
            feed_msgpack_str(value, activity->to[i]);
    }
    if (has_data) {
        feed_msgpack_str(value, FEED_STR("data"));
        feed_buf_str(value, activity->data);
    }
}

enum { KEY_ROOM = FEED_TENANT_MAX + 1 + FEED_USER_MAX + 1 };

/* tenant/actor, both of which have been checked. Not printf: it is made for each record, on both sides. */
static struct feed_str write_key(const struct feed_activity *activity, char out[KEY_ROOM])
{
    size_t tenant_len = activity->tenant.len;
    memcpy(out, activity->tenant.data, tenant_len);
    out[tenant_len] = '/';
    memcpy(out + tenant_len + 1, activity->actor.data, activity->actor.len);
    return (struct feed_str){out, tenant_len + 1 + activity->actor.len};
}

static void add_header(struct feed_record *record, const char *name, struct feed_str value)
{
    feed_assert(record->header_count < sizeof(record->headers) / sizeof(record->headers[0]));
    record->headers[record->header_count++] = (struct feed_record_header){name, value};
}

void feed_activity_make_record(const struct feed_activity *activity, struct feed_str traceparent, struct feed_str value,
                               struct feed_record_parts *parts)
{
    feed_assert(feed_tenant_valid(activity->tenant) && feed_user_valid(activity->actor));
    feed_assert(activity->id.data && activity->source.data);
    feed_time_format(activity->published_ms, parts->time);
    struct feed_record *record = &parts->record;
    *record = (struct feed_record){.key = write_key(activity, parts->key), .value = value};
    add_header(record, "ce_specversion", FEED_STR("1.0"));
    add_header(record, "ce_id", activity->id);
    add_header(record, "ce_source", activity->source);
    add_header(record, "ce_type", activity->imported ? FEED_STR(FEED_IMPORT_TYPE) : FEED_STR(FEED_RECORD_TYPE));
    add_header(record, "ce_time", (struct feed_str){parts->time, FEED_TIME_TEXT});
    add_header(record, "ce_tenant", activity->tenant);
    add_header(record, "content-type", FEED_STR("application/msgpack"));
    if (traceparent.len > 0)
        add_header(record, "traceparent", traceparent);
}

/* ---- reading ---- */

/* That type, or one with a minor version. */
static bool is_of_type(struct feed_str type, struct feed_str known)
{
    uint64_t minor;
    if (type.len < known.len || memcmp(type.data, known.data, known.len) != 0)
        return false;
    if (type.len == known.len)
        return true;
    struct feed_str digits = {type.data + known.len + 1, type.len - known.len - 1};
    return type.data[known.len] == '.' && digits.len > 0 && digits.data[0] != '0' &&
           feed_str_to_u64(digits, MINOR_MAX, &minor) == FEED_OK;
}

bool feed_record_type_known(struct feed_str type)
{
    return is_of_type(type, FEED_STR(FEED_RECORD_TYPE));
}

/* An empty header is there: data is not NULL. */
static struct feed_str header_of(const struct feed_record *record, const char *name)
{
    for (size_t i = 0; i < record->header_count; i++) {
        if (strcmp(record->headers[i].name, name) == 0) {
            struct feed_str value = record->headers[i].value;
            return value.data ? value : FEED_STR("");
        }
    }
    return (struct feed_str){NULL, 0};
}

static bool is_import(const struct feed_record *record)
{
    struct feed_str type = header_of(record, "ce_type");
    return type.data && is_of_type(type, FEED_STR(FEED_IMPORT_TYPE));
}

static enum feed_error read_headers(const struct feed_record *record, struct feed_activity_outside *out,
                                    struct feed_activity_problem *problem)
{
    struct feed_str version = header_of(record, "ce_specversion");
    struct feed_str type = header_of(record, "ce_type");
    *out = (struct feed_activity_outside){.id = header_of(record, "ce_id"),
                                          .published = header_of(record, "ce_time"),
                                          .source = header_of(record, "ce_source"),
                                          .tenant = header_of(record, "ce_tenant")};
    if (!out->source.data)
        out->source = FEED_STR(FEED_SOURCE_DEFAULT);
    if (version.data && !feed_str_eq(version, FEED_STR("1.0")))
        return feed_activity_refuse(problem, FEED_E_UNSUPPORTED, "ce_specversion", "must be 1.0");
    if (type.data && !feed_record_type_known(type) && !is_import(record))
        return feed_activity_refuse(problem, FEED_E_UNSUPPORTED, "ce_type",
                                    "must be " FEED_RECORD_TYPE " or " FEED_IMPORT_TYPE
                                    ", or one of them with a minor version");
    if (!out->tenant.data)
        return feed_activity_refuse(problem, FEED_E_MISSING, "ce_tenant", "is missing");
    if (!feed_tenant_valid(out->tenant))
        return feed_activity_refuse(problem, FEED_E_INVALID, "ce_tenant", "must be 1 to 32 characters of a-z 0-9 -");
    if (!feed_source_valid(out->source))
        return feed_activity_refuse(problem, FEED_E_INVALID, "ce_source",
                                    "must be 1 to 256 bytes of UTF-8 without control characters");
    return FEED_OK;
}

/* Media types are compared without their parameters ("; charset=utf-8") and without regard to case. */
static bool is_media_type(struct feed_str header, const char *name)
{
    const char *semicolon = memchr(header.data, ';', header.len);
    size_t len = semicolon ? (size_t)(semicolon - header.data) : header.len;
    while (len > 0 && (header.data[len - 1] == ' ' || header.data[len - 1] == '\t'))
        len--;
    return len == strlen(name) && strncasecmp(header.data, name, len) == 0;
}

static enum feed_error parse_msgpack(struct feed_str value, const struct feed_activity_outside *outside,
                                     struct feed_activity *out, struct feed_activity_problem *problem)
{
    static const struct feed_msgpack_limits limits = {FEED_JSON_DEPTH_MAX, FEED_RECORD_MAX};
    size_t used = 0;
    enum feed_error error = feed_msgpack_scan(value, &limits, &used);
    if (error == FEED_E_TOO_LARGE)
        return feed_activity_refuse(problem, error, "value",
                                    "is msgpack with more elements than it has bytes, or nested deeper than 32");
    if (error != FEED_OK || used != value.len)
        return feed_activity_refuse(problem, FEED_E_INVALID, "value", "is not one value of msgpack");
    struct feed_input root = feed_input_of_msgpack(value);
    if (root.kind != FEED_INPUT_MAP)
        return feed_activity_refuse(problem, FEED_E_INVALID, "value", "must be a map");
    return feed_activity_parse(&root, outside, out, problem);
}

static enum feed_error parse_value(const struct feed_record *record, const struct feed_activity_outside *outside,
                                   struct feed_activity *out, struct feed_activity_problem *problem)
{
    struct feed_str type = header_of(record, "content-type");
    if (!record->value.data || record->value.len == 0)
        return feed_activity_refuse(problem, FEED_E_MISSING, "value", "is missing");
    if (record->value.len > FEED_RECORD_MAX)
        return feed_activity_refuse(problem, FEED_E_TOO_LARGE, "value", "must be at most 32 KiB");
    if (!type.data || is_media_type(type, "application/msgpack") || is_media_type(type, "application/vnd.msgpack"))
        return parse_msgpack(record->value, outside, out, problem);
    if (is_media_type(type, "application/json"))
        return feed_activity_parse_json(record->value, "value", outside, out, problem);
    return feed_activity_refuse(problem, FEED_E_UNSUPPORTED, "content-type",
                                "must be application/msgpack, application/vnd.msgpack or application/json");
}

/* What a record must have besides what a request must have. */
static enum feed_error check_record(const struct feed_record *record, const struct feed_activity *activity,
                                    struct feed_activity_problem *problem)
{
    if (!activity->id.data)
        return feed_activity_refuse(problem, FEED_E_MISSING, "ce_id", "is missing, and the value has no id");
    if (activity->published_ms == 0)
        return feed_activity_refuse(problem, FEED_E_MISSING, "ce_time", "is missing, and the value has no published");
    char key[KEY_ROOM];
    if (!feed_str_eq(record->key, write_key(activity, key)))
        return feed_activity_refuse(problem, FEED_E_INVALID, "key", "must be tenant/actor");
    if (is_import(record) && feed_activity_act(activity) != FEED_ACT_FOLLOW)
        return feed_activity_refuse(problem, FEED_E_INVALID, "verb", "must be follow in a record of " FEED_IMPORT_TYPE);
    return FEED_OK;
}

enum feed_error feed_activity_from_record(const struct feed_record *record, struct feed_activity *out,
                                          struct feed_activity_problem *problem)
{
    struct feed_activity_outside outside;
    feed_activity_clear(out);
    *problem = (struct feed_activity_problem){.field = ""};
    enum feed_error error = read_headers(record, &outside, problem);
    if (error == FEED_OK)
        error = parse_value(record, &outside, out, problem);
    if (error == FEED_OK)
        error = check_record(record, out, problem);
    if (error == FEED_OK)
        out->imported = is_import(record);
    else
        feed_activity_clear(out);
    return error;
}
