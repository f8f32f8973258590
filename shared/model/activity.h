/* Activity: what somebody did, in the terms of ActivityStreams 2.0. Parsed and checked here, from a request (JSON) or a
 * Kafka record (headers with a msgpack or JSON value), and written as such a record. See schemas/activity.schema.json
 * and schemas/kafka.md. */
#ifndef FEED_MODEL_ACTIVITY_H
#define FEED_MODEL_ACTIVITY_H

#include "shared/base/id.h"
#include "shared/base/limits.h"
#include "shared/base/str.h"
#include "shared/base/time_text.h"
#include "shared/codec/entry.h"

/* The source of activities that came in as requests, and of records that name none. */
#define FEED_SOURCE_DEFAULT "/feedwire"
#define FEED_RECORD_TYPE "feedwire.activity.v1" /* ce_type, as it is written here */
/* Whether activities of this type can be read: the one above, or one with a minor version (feedwire.activity.v1.7),
 * which has added members and changed none. */
bool feed_record_type_known(struct feed_str type);
/* ce_type of a follow that is imported: an edge of the graph, and no activity. */
#define FEED_IMPORT_TYPE "feedwire.import.v1"

/* All views are borrowed from the storage below or from the input, as the functions say. Absent fields have data NULL.
 */
struct feed_activity {
    struct feed_str id;     /* as text; absent until somebody assigned one */
    struct feed_str source; /* CloudEvents source; absent in a request */
    struct feed_str tenant; /* from the credential or ce_tenant; absent in a request */
    struct feed_str actor, verb;
    struct feed_str object_type, object_id, object_owner;
    int64_t object_published_ms; /* of an undo: when what it undoes was published; 0 = absent */
    struct feed_str target_type, target_id;
    struct feed_str data;   /* one msgpack value, encoded; at most FEED_DATA_MAX bytes */
    int64_t published_ms;   /* 0 = absent */
    bool imported;          /* a record of FEED_IMPORT_TYPE; the verb is follow */
    struct feed_buf memory; /* owned: what the views point to if not the input */
    size_t to_count;
    /* In the order given, without repetitions. Last, since it is most of the struct and nearly always empty: places
     * beyond to_count are neither cleared nor copied. */
    struct feed_str to[FEED_TO_MAX];
};

void feed_activity_init(struct feed_activity *activity);
void feed_activity_fini(struct feed_activity *activity);

/* What was wrong, for the caller's answer: a path like "object.id" or "to[3]" and a sentence like "must be 1 to 256
 * bytes of UTF-8". The field is empty when the whole is wrong, and the name of a header or "key" or "value" when that
 * part of a record is. */
struct feed_activity_problem {
    char field[64];
    char text[160];
};

/* Parses JSON elements of a request or of a JSON record. `json` is one JSON object as text. All fields of the result
 * are copied into memory (the input can go). Checks everything that does not need the credential: types, grammar,
 * lengths, `object` of a follow or unfollow being a user other than the actor, a valid `published`. Unknown members are
 * ignored; duplicate members are refused. */
enum feed_error feed_activity_from_json(struct feed_str json, struct feed_activity *out,
                                        struct feed_activity_problem *problem) FEED_MUST_USE;

/* The same from an already parsed value of yyjson (const struct yyjson_val *): for batches, so that each body is parsed
 * once. */
struct yyjson_val;
enum feed_error feed_activity_from_yyjson(struct yyjson_val *value, struct feed_activity *out,
                                          struct feed_activity_problem *problem) FEED_MUST_USE;

/* A CloudEvents event around an activity: its attributes win over members of the same meaning. */
struct feed_activity_event {
    struct feed_str id, source; /* there; checked here */
    struct feed_str time;       /* data NULL: absent */
};
/* data is an object. *attribute: whether the problem is that of an attribute ("id", "source", "time"), and not one of
 * data. */
enum feed_error feed_activity_from_event(struct yyjson_val *data, const struct feed_activity_event *event,
                                         struct feed_activity *out, struct feed_activity_problem *problem,
                                         bool *attribute) FEED_MUST_USE;

/* Kafka record. Headers are CloudEvents binary mode; id, source, tenant and published travel in headers, the rest in
 * the value. */
struct feed_record_header {
    const char *name; /* static or borrowed, terminated */
    struct feed_str value;
};
struct feed_record {
    struct feed_str key, value; /* key: tenant/actor */
    struct feed_record_header headers[8];
    size_t header_count;
};

/* Appends the record's value (msgpack map with the names of the JSON Schema, absent members left out) to value. id,
 * source, tenant and published_ms are set. Never fails but for memory (value->error). */
void feed_activity_encode_value(const struct feed_activity *activity, struct feed_buf *value);

/* Everything that makes up the activity's record: key, headers (all that schemas/kafka.md names) and the value that was
 * encoded before. traceparent may be empty: then there is no such header. The record's views point to parts (which must
 * stay where it is), the activity and value. id, source, tenant and published_ms are set. */
struct feed_record_parts {
    struct feed_record record;
    char key[FEED_TENANT_MAX + 1 + FEED_USER_MAX + 1];
    char time[FEED_TIME_TEXT + 1];
};
void feed_activity_make_record(const struct feed_activity *activity, struct feed_str traceparent, struct feed_str value,
                               struct feed_record_parts *parts);

/* Reads a record: ce_tenant required; ce_id, ce_source, ce_time, or else `id` and `published` in the value; value
 * msgpack (content-type application/msgpack, application/vnd.msgpack or absent) or JSON (application/json). The key
 * must be tenant/actor. All copied into memory. */
enum feed_error feed_activity_from_record(const struct feed_record *record, struct feed_activity *out,
                                          struct feed_activity_problem *problem) FEED_MUST_USE;

/* The entry of an activity whose id and source are set; views borrowed from it. */
struct feed_entry feed_activity_entry(const struct feed_activity *activity);

/* What an activity does besides, or instead of, being an entry. */
enum feed_act {
    FEED_ACT_ENTRY, /* any verb without a meaning of its own: an entry, and no more */
    FEED_ACT_FOLLOW,
    FEED_ACT_UNFOLLOW,
    FEED_ACT_UNDO,
    FEED_ACT_MUTE,
    FEED_ACT_UNMUTE,
    FEED_ACT_BLOCK,
    FEED_ACT_UNBLOCK,
    FEED_ACT_FILTER,
    FEED_ACT_IMPORT /* a follow that tells nobody */
};

enum feed_act feed_activity_act(const struct feed_activity *activity);
/* Whether its object is a user whose state it changes: work on it takes turns with what that user does. */
bool feed_act_on_user(enum feed_act act);
/* Whether an unfollow leaves what is in the feed already: data {"entries": "keep"}. */
bool feed_activity_keeps_entries(const struct feed_activity *activity);
/* Whether an import is the last of its follower for now, whose home feed is to be filled: data {"feed": "fill"}. */
bool feed_activity_fills_feed(const struct feed_activity *activity);
/* The verbs that a filter leaves out, in the order given, each once; views into the activity's data. Returns how many.
 */
size_t feed_activity_excluded(const struct feed_activity *activity, struct feed_str out[FEED_EXCLUDE_MAX]);
/* The bytes of the id that an undo names. */
struct feed_id feed_activity_undone_id(const struct feed_activity *activity);

#endif
