/* Canonical form is a rewriting item by item, without recursion. Checking the keys of maps and writing JSON follow the
 * nesting, whose depth the scan has limited before. */
#include "shared/codec/data.h"

#include "shared/base/json_out.h"
#include "shared/codec/msgpack_read.h"
#include "shared/codec/msgpack_scan.h"
#include "shared/codec/msgpack_write.h"

#include <math.h>
#include <stdlib.h>

enum { KEYS_MAX = FEED_DATA_MAX / 2 }; /* of one map: a key and its value have at least one byte each */

static const struct feed_msgpack_limits canonical_limits = {FEED_DATA_DEPTH_MAX, FEED_DATA_MAX};

static enum feed_error rewrite_item(const struct feed_msgpack_item *item, struct feed_buf *out)
{
    switch (item->type) {
    case FEED_MSGPACK_NIL:
        feed_msgpack_nil(out);
        break;
    case FEED_MSGPACK_BOOL:
        feed_msgpack_bool(out, item->boolean);
        break;
    case FEED_MSGPACK_UINT:
        feed_msgpack_u64(out, item->uint);
        break;
    case FEED_MSGPACK_NEGATIVE:
        feed_msgpack_i64(out, item->negative);
        break;
    case FEED_MSGPACK_FLOAT:
        feed_msgpack_double(out, item->number);
        break;
    case FEED_MSGPACK_STR:
        feed_msgpack_str(out, item->bytes);
        break;
    case FEED_MSGPACK_ARRAY:
        feed_msgpack_array(out, item->count);
        break;
    case FEED_MSGPACK_MAP:
        feed_msgpack_map(out, item->count);
        break;
    default:
        return FEED_E_INVALID;
    }
    return out->error;
}

enum feed_error feed_data_canonical(struct feed_str value, struct feed_buf *out)
{
    size_t used = 0;
    size_t start = out->len;
    /* A value that is not canonical yet may be longer than its canonical form. It has no more elements, though. */
    enum feed_error error = feed_msgpack_scan(value, &canonical_limits, &used);
    if (error != FEED_OK)
        return error;
    if (used != value.len)
        return FEED_E_INVALID;
    while (value.len > 0) {
        struct feed_msgpack_item item;
        error = feed_msgpack_next(&value, &item);
        if (error == FEED_OK)
            error = rewrite_item(&item, out);
        if (error != FEED_OK)
            return error;
        if (out->len - start > FEED_DATA_MAX)
            return FEED_E_TOO_LARGE;
    }
    return feed_data_check((struct feed_str){out->data + start, out->len - start});
}

static enum feed_error check_value(struct feed_str *rest);

static int compare_keys(const void *a, const void *b)
{
    return feed_str_cmp(*(const struct feed_str *)a, *(const struct feed_str *)b);
}

static enum feed_error check_map(struct feed_str *rest, uint32_t count)
{
    struct feed_str keys[KEYS_MAX];
    if (count > KEYS_MAX)
        return FEED_E_TOO_LARGE;
    for (uint32_t i = 0; i < count; i++) {
        struct feed_msgpack_item key;
        enum feed_error error = feed_msgpack_next(rest, &key);
        if (error == FEED_OK && (key.type != FEED_MSGPACK_STR || !feed_str_utf8(key.bytes)))
            error = FEED_E_INVALID;
        if (error == FEED_OK)
            error = check_value(rest);
        if (error != FEED_OK)
            return error;
        keys[i] = key.bytes;
    }
    /* Sorted, so that a map of many keys cannot make this quadratic. */
    qsort(keys, count, sizeof(keys[0]), compare_keys);
    for (uint32_t i = 1; i < count; i++) {
        if (feed_str_eq(keys[i - 1], keys[i]))
            return FEED_E_INVALID;
    }
    return FEED_OK;
}

static enum feed_error check_value(struct feed_str *rest)
{
    struct feed_msgpack_item item;
    enum feed_error error = feed_msgpack_next(rest, &item);
    if (error != FEED_OK)
        return error;
    switch (item.type) {
    case FEED_MSGPACK_BIN:
    case FEED_MSGPACK_EXT:
        return FEED_E_INVALID;
    case FEED_MSGPACK_STR:
        return feed_str_utf8(item.bytes) ? FEED_OK : FEED_E_INVALID;
    case FEED_MSGPACK_FLOAT:
        return isfinite(item.number) ? FEED_OK : FEED_E_INVALID;
    case FEED_MSGPACK_ARRAY:
        for (uint32_t i = 0; error == FEED_OK && i < item.count; i++)
            error = check_value(rest);
        return error;
    case FEED_MSGPACK_MAP:
        return check_map(rest, item.count);
    default:
        return FEED_OK;
    }
}

enum feed_error feed_data_check(struct feed_str canonical)
{
    if (canonical.len > FEED_DATA_MAX)
        return FEED_E_TOO_LARGE;
    size_t used = 0;
    enum feed_error error = feed_msgpack_scan(canonical, &canonical_limits, &used);
    if (error != FEED_OK)
        return error;
    return used == canonical.len ? check_value(&canonical) : FEED_E_INVALID;
}

static void write_value(struct feed_str *rest, struct feed_json_out *out);

static void write_map(struct feed_str *rest, uint32_t count, struct feed_json_out *out)
{
    feed_json_open(out);
    for (uint32_t i = 0; i < count; i++) {
        struct feed_str key = feed_msgpack_take(rest);
        struct feed_msgpack_item item;
        if (feed_msgpack_next(&key, &item) == FEED_OK && item.type == FEED_MSGPACK_STR) {
            feed_json_key_str(out, item.bytes);
            write_value(rest, out);
        } else {
            feed_msgpack_take(rest);
        }
    }
    feed_json_close(out);
}

static void write_value(struct feed_str *rest, struct feed_json_out *out)
{
    struct feed_msgpack_item item;
    if (feed_msgpack_next(rest, &item) != FEED_OK)
        item.type = FEED_MSGPACK_NIL;
    switch (item.type) {
    case FEED_MSGPACK_BOOL:
        feed_json_bool(out, item.boolean);
        break;
    case FEED_MSGPACK_UINT:
        feed_json_u64(out, item.uint);
        break;
    case FEED_MSGPACK_NEGATIVE:
        feed_json_i64(out, item.negative);
        break;
    case FEED_MSGPACK_FLOAT:
        feed_json_double(out, item.number);
        break;
    case FEED_MSGPACK_STR:
        feed_json_str(out, item.bytes);
        break;
    case FEED_MSGPACK_ARRAY:
        feed_json_open_list(out);
        for (uint32_t i = 0; i < item.count; i++)
            write_value(rest, out);
        feed_json_close_list(out);
        break;
    case FEED_MSGPACK_MAP:
        write_map(rest, item.count, out);
        break;
    default:
        feed_json_null(out);
    }
}

void feed_data_to_json(struct feed_str data, struct feed_json_out *out)
{
    write_value(&data, out);
}
