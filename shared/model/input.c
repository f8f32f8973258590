/* JSON values of yyjson and msgpack bytes behind one face. In both, the elements of a collection stand one after the
 * other, so going through them is the same loop. */
#include "shared/model/input.h"

#include "shared/base/assert.h"
#include "shared/base/limits.h"
#include "shared/codec/data.h"
#include "shared/codec/msgpack_read.h"
#include "shared/codec/msgpack_write.h"

#include <yyjson.h>

struct feed_input feed_input_of_json(struct yyjson_val *value)
{
    struct feed_input input = {.kind = FEED_INPUT_OTHER, .json = value};
    switch (yyjson_get_type(value)) {
    case YYJSON_TYPE_NULL:
        input.kind = FEED_INPUT_NIL;
        break;
    case YYJSON_TYPE_STR:
        input.kind = FEED_INPUT_TEXT;
        input.text = (struct feed_str){yyjson_get_str(value), yyjson_get_len(value)};
        break;
    case YYJSON_TYPE_OBJ:
        input.kind = FEED_INPUT_MAP;
        input.count = yyjson_obj_size(value);
        break;
    case YYJSON_TYPE_ARR:
        input.kind = FEED_INPUT_LIST;
        input.count = yyjson_arr_size(value);
        break;
    default:
        break;
    }
    return input;
}

struct feed_input feed_input_of_msgpack(struct feed_str packed)
{
    struct feed_str rest = packed;
    struct feed_msgpack_item item;
    enum feed_error error = feed_msgpack_next(&rest, &item);
    feed_assert(error == FEED_OK);
    struct feed_input input = {.kind = FEED_INPUT_OTHER, .packed = packed};
    if (item.type == FEED_MSGPACK_NIL) {
        input.kind = FEED_INPUT_NIL;
    } else if (item.type == FEED_MSGPACK_STR) {
        input.kind = FEED_INPUT_TEXT;
        input.text = item.bytes;
    } else if (item.type == FEED_MSGPACK_MAP || item.type == FEED_MSGPACK_ARRAY) {
        input.kind = item.type == FEED_MSGPACK_MAP ? FEED_INPUT_MAP : FEED_INPUT_LIST;
        input.count = item.count;
    }
    return input;
}

struct feed_input_walk feed_input_walk(const struct feed_input *collection)
{
    feed_assert(collection->kind == FEED_INPUT_MAP || collection->kind == FEED_INPUT_LIST);
    struct feed_input_walk walk = {.left = collection->count, .keys = collection->kind == FEED_INPUT_MAP};
    if (collection->json) {
        if (walk.left > 0)
            walk.json = unsafe_yyjson_get_first(collection->json);
    } else {
        struct feed_msgpack_item head;
        walk.packed = collection->packed;
        enum feed_error error = feed_msgpack_next(&walk.packed, &head);
        feed_assert(error == FEED_OK);
    }
    return walk;
}

static struct feed_input take(struct feed_input_walk *walk)
{
    if (!walk->json)
        return feed_input_of_msgpack(feed_msgpack_take(&walk->packed));
    struct feed_input input = feed_input_of_json(walk->json);
    walk->json = unsafe_yyjson_get_next(walk->json); /* one behind the last: never looked at */
    return input;
}

bool feed_input_next(struct feed_input_walk *walk, struct feed_str *key, struct feed_input *value)
{
    *key = (struct feed_str){NULL, 0};
    if (walk->left == 0)
        return false;
    walk->left--;
    if (walk->keys)
        *key = take(walk).text;
    *value = take(walk);
    return true;
}

/* depth: how many collections this value stands in. */
static enum feed_error pack_json(const struct feed_input *input, unsigned depth, struct feed_buf *out)
{
    struct feed_input_walk walk;
    struct feed_input value;
    struct feed_str key;
    switch (input->kind) {
    case FEED_INPUT_NIL:
        feed_msgpack_nil(out);
        return out->error;
    case FEED_INPUT_TEXT:
        feed_msgpack_str(out, input->text);
        return out->error;
    case FEED_INPUT_MAP:
    case FEED_INPUT_LIST:
        if (depth >= FEED_DATA_DEPTH_MAX || input->count > FEED_DATA_MAX)
            return FEED_E_TOO_LARGE;
        if (input->kind == FEED_INPUT_MAP)
            feed_msgpack_map(out, input->count);
        else
            feed_msgpack_array(out, input->count);
        walk = feed_input_walk(input);
        while (out->error == FEED_OK && feed_input_next(&walk, &key, &value)) {
            if (walk.keys)
                feed_msgpack_str(out, key);
            enum feed_error error = pack_json(&value, depth + 1, out);
            if (error != FEED_OK)
                return error;
        }
        return out->error;
    default:
        if (yyjson_is_bool(input->json))
            feed_msgpack_bool(out, yyjson_get_bool(input->json));
        else if (yyjson_is_uint(input->json))
            feed_msgpack_u64(out, yyjson_get_uint(input->json));
        else if (yyjson_is_sint(input->json))
            feed_msgpack_i64(out, yyjson_get_sint(input->json));
        else if (yyjson_is_real(input->json))
            feed_msgpack_double(out, yyjson_get_real(input->json));
        else
            return FEED_E_INVALID; /* a raw number: only if whoever parsed it asked yyjson for that */
        return out->error;
    }
}

enum feed_error feed_input_data(const struct feed_input *value, struct feed_buf *out)
{
    if (!value->json)
        return feed_data_canonical(value->packed, out);
    size_t start = out->len;
    enum feed_error error = pack_json(value, 0, out);
    if (error != FEED_OK)
        return error;
    return feed_data_check((struct feed_str){out->data + start, out->len - start});
}
