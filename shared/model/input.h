/* Input: a value in JSON or in msgpack, seen alike, so that activities have one parser and one set of rules. Borrows
 * what it was made from; takes no memory. For shared/model alone. */
#ifndef FEED_MODEL_INPUT_H
#define FEED_MODEL_INPUT_H

#include "shared/base/str.h"

struct yyjson_val;

enum feed_input_kind {
    FEED_INPUT_ABSENT,
    FEED_INPUT_NIL,
    FEED_INPUT_TEXT,
    FEED_INPUT_MAP,
    FEED_INPUT_LIST,
    FEED_INPUT_OTHER
};

struct feed_input {
    enum feed_input_kind kind;
    struct feed_str text;    /* of FEED_INPUT_TEXT; data is never NULL then */
    size_t count;            /* elements of a list, members of a map */
    struct yyjson_val *json; /* NULL: the value is msgpack, these bytes: */
    struct feed_str packed;
};

struct feed_input feed_input_of_json(struct yyjson_val *value);
/* packed has passed a scan, and is exactly one value. */
struct feed_input feed_input_of_msgpack(struct feed_str packed);

/* Goes through a map or a list. */
struct feed_input_walk {
    size_t left;
    bool keys; /* of a map */
    struct yyjson_val *json;
    struct feed_str packed;
};
struct feed_input_walk feed_input_walk(const struct feed_input *collection);
/* False at the end. *key is that of a map's member, with data NULL if it is no text (msgpack only) or in a list. */
bool feed_input_next(struct feed_input_walk *walk, struct feed_str *key, struct feed_input *value);

/* Appends the value as the canonical msgpack of codec/data.h, with its errors. */
enum feed_error feed_input_data(const struct feed_input *value, struct feed_buf *out) FEED_MUST_USE;

#endif
