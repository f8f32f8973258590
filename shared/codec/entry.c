/* Entry v1. Decoding works in place on scanned bytes: the gateway decodes each entry that it sends, so it takes no
 * memory. What it lets through, encoding takes: the limits are checked here as there. */
#include "shared/codec/entry.h"

#include "shared/base/assert.h"
#include "shared/base/json_out.h"
#include "shared/base/time_text.h"
#include "shared/codec/data.h"
#include "shared/codec/msgpack_read.h"
#include "shared/codec/msgpack_scan.h"
#include "shared/codec/msgpack_write.h"

#include <string.h>

enum { FIELDS = 8, FIELDS_REQUIRED = 4, TEXT_FIELDS = 7, OUTBOX_FIELDS = 9 };

/* Nesting that a later version may use in elements that this one ignores. */
static const struct feed_msgpack_limits whole_limits = {32, FEED_OUTBOX_ENTRY_MAX};
static const struct feed_msgpack_limits data_limits = {FEED_DATA_DEPTH_MAX, FEED_DATA_MAX};

static const size_t text_max[TEXT_FIELDS] = {FEED_VERB_MAX, FEED_USER_MAX,      FEED_TYPE_MAX, FEED_OBJECT_ID_MAX,
                                             FEED_TYPE_MAX, FEED_OBJECT_ID_MAX, FEED_USER_MAX};

static bool is_data(struct feed_str value)
{
    size_t used = 0;
    return value.len <= FEED_DATA_MAX && feed_msgpack_scan(value, &data_limits, &used) == FEED_OK && used == value.len;
}

/* An array of `all` elements, of which these are the first `count`. */
static void encode_fields(const struct feed_entry *entry, size_t count, size_t all, struct feed_buf *out)
{
    const struct feed_str fields[FIELDS] = {entry->verb,        entry->actor,     entry->object_type, entry->object_id,
                                            entry->target_type, entry->target_id, entry->owner,       entry->data};
    while (all == count && count > FIELDS_REQUIRED && !fields[count - 1].data)
        all = --count;
    feed_assert(!entry->target_type.data == !entry->target_id.data);
    feed_buf_append(out, entry->id.bytes, FEED_ID_BYTES);
    feed_msgpack_array(out, all);
    for (size_t i = 0; i < count; i++) {
        if (!fields[i].data) {
            feed_assert(i >= FIELDS_REQUIRED);
            feed_msgpack_nil(out);
        } else if (i < TEXT_FIELDS) {
            feed_assert(fields[i].len > 0 && fields[i].len <= text_max[i]);
            feed_msgpack_str(out, fields[i]);
        } else {
            feed_assert(is_data(fields[i]));
            feed_buf_str(out, fields[i]);
        }
    }
}

void feed_entry_encode(const struct feed_entry *entry, struct feed_buf *out)
{
    encode_fields(entry, FIELDS, FIELDS, out);
}

void feed_entry_encode_outbox(const struct feed_entry *entry, const struct feed_str *to, size_t to_count,
                              struct feed_buf *out)
{
    feed_assert(to_count <= FEED_TO_MAX);
    encode_fields(entry, FIELDS, to_count ? OUTBOX_FIELDS : FIELDS, out);
    if (to_count == 0)
        return;
    feed_msgpack_array(out, to_count);
    for (size_t i = 0; i < to_count; i++) {
        feed_assert(to[i].len > 0 && to[i].len <= FEED_USER_MAX);
        feed_msgpack_str(out, to[i]);
    }
}

void feed_mark_encode(const struct feed_id *id, struct feed_buf *out)
{
    feed_buf_append(out, id->bytes, FEED_ID_BYTES);
    feed_buf_char(out, '\0');
}

bool feed_mark_is(struct feed_str member)
{
    return member.len == FEED_MARK_BYTES && member.data[FEED_ID_BYTES] == '\0';
}

/* One element; *out stays absent for nil. */
static enum feed_error read_field(struct feed_str element, size_t field, struct feed_str *out)
{
    struct feed_str rest = element;
    struct feed_msgpack_item item;
    enum feed_error error = feed_msgpack_next(&rest, &item);
    if (error != FEED_OK)
        return error;
    if (item.type == FEED_MSGPACK_NIL)
        return field < FIELDS_REQUIRED ? FEED_E_INVALID : FEED_OK;
    if (field < TEXT_FIELDS) {
        if (item.type != FEED_MSGPACK_STR || item.bytes.len == 0 || item.bytes.len > text_max[field])
            return FEED_E_INVALID;
        *out = item.bytes;
    } else {
        if (!is_data(element))
            return FEED_E_INVALID;
        *out = element;
    }
    return FEED_OK;
}

/* The list of users; they become parts of keys, so whoever uses them checks that they are names. */
static enum feed_error read_to(struct feed_str element, struct feed_str to[FEED_TO_MAX], size_t *to_count)
{
    struct feed_msgpack_item item;
    enum feed_error error = feed_msgpack_next(&element, &item);
    if (error != FEED_OK || item.type != FEED_MSGPACK_ARRAY)
        return error; /* of a later version: as if it was not there */
    if (item.count > FEED_TO_MAX)
        return FEED_E_INVALID;
    for (size_t i = 0, count = item.count; i < count; i++) {
        error = feed_msgpack_next(&element, &item);
        if (error != FEED_OK || item.type != FEED_MSGPACK_STR)
            return FEED_E_INVALID;
        to[(*to_count)++] = item.bytes;
    }
    return FEED_OK;
}

/* The array after the id; it has passed the scan. to NULL: not wanted. */
static enum feed_error read_fields(struct feed_str rest, struct feed_str fields[FIELDS], struct feed_str *to,
                                   size_t *to_count)
{
    struct feed_msgpack_item array;
    enum feed_error error = feed_msgpack_next(&rest, &array);
    if (error != FEED_OK)
        return error;
    if (array.type != FEED_MSGPACK_ARRAY || array.count < FIELDS_REQUIRED)
        return FEED_E_INVALID;
    for (size_t i = 0; i < FIELDS && i < array.count; i++) {
        error = read_field(feed_msgpack_take(&rest), i, &fields[i]);
        if (error != FEED_OK)
            return error;
    }
    if (!fields[4].data != !fields[5].data)
        return FEED_E_INVALID;
    return to && array.count >= OUTBOX_FIELDS ? read_to(feed_msgpack_take(&rest), to, to_count) : FEED_OK;
}

static enum feed_error decode(struct feed_str bytes, struct feed_entry *out, struct feed_str *to, size_t *to_count)
{
    if (bytes.len <= FEED_ID_BYTES)
        return FEED_E_INVALID;
    struct feed_str array = {bytes.data + FEED_ID_BYTES, bytes.len - FEED_ID_BYTES};
    struct feed_str fields[FIELDS] = {{NULL, 0}};
    size_t used = 0;
    if (feed_msgpack_scan(array, &whole_limits, &used) != FEED_OK || used != array.len)
        return FEED_E_INVALID;
    enum feed_error error = read_fields(array, fields, to, to_count);
    if (error != FEED_OK)
        return error;
    *out = (struct feed_entry){.verb = fields[0],
                               .actor = fields[1],
                               .object_type = fields[2],
                               .object_id = fields[3],
                               .target_type = fields[4],
                               .target_id = fields[5],
                               .owner = fields[6],
                               .data = fields[7]};
    memcpy(out->id.bytes, bytes.data, FEED_ID_BYTES);
    return FEED_OK;
}

enum feed_error feed_entry_decode(struct feed_str bytes, struct feed_entry *out)
{
    return bytes.len > FEED_ENTRY_MAX ? FEED_E_TOO_LARGE : decode(bytes, out, NULL, NULL);
}

enum feed_error feed_entry_decode_outbox(struct feed_str bytes, struct feed_entry *out, struct feed_str to[FEED_TO_MAX],
                                         size_t *to_count)
{
    *to_count = 0;
    return bytes.len > FEED_OUTBOX_ENTRY_MAX ? FEED_E_TOO_LARGE : decode(bytes, out, to, to_count);
}

static void write_thing(struct feed_json_out *out, const char *key, struct feed_str type, struct feed_str id,
                        struct feed_str owner)
{
    feed_json_key(out, key);
    feed_json_open(out);
    feed_json_member(out, "type", type);
    feed_json_member(out, "id", id);
    if (owner.data)
        feed_json_member(out, "owner", owner);
    feed_json_close(out);
}

void feed_entry_to_json(const struct feed_entry *entry, int64_t published_ms, struct feed_json_out *out)
{
    char id[FEED_ID_TEXT + 1];
    char published[FEED_TIME_TEXT + 1];
    feed_id_format(&entry->id, id);
    feed_time_format(published_ms, published);
    feed_json_open(out);
    feed_json_member(out, "id", feed_str_of(id));
    feed_json_member(out, "actor", entry->actor);
    feed_json_member(out, "verb", entry->verb);
    write_thing(out, "object", entry->object_type, entry->object_id, entry->owner);
    if (entry->target_type.data)
        write_thing(out, "target", entry->target_type, entry->target_id, (struct feed_str){NULL, 0});
    feed_json_member(out, "published", feed_str_of(published));
    if (entry->data.data) {
        feed_json_key(out, "data");
        feed_data_to_json(entry->data, out);
    }
    feed_json_close(out);
}

int feed_entry_order(int64_t a_ms, const struct feed_id *a, int64_t b_ms, const struct feed_id *b)
{
    if (a_ms != b_ms)
        return a_ms > b_ms ? 1 : -1;
    return feed_id_cmp(a, b);
}
