/* Records of the graph. Whoever may write to the topic wrote them, so they are checked like anything from outside: the
 * names become parts of Redis keys. */
#include "shared/model/relation.h"

#include "shared/base/assert.h"
#include "shared/codec/msgpack_read.h"
#include "shared/codec/msgpack_scan.h"
#include "shared/codec/msgpack_write.h"
#include "shared/model/names.h"

#include <string.h>

enum { KEY_PARTS = 4, ELEMENTS = 2 };

static const char *const kind_names[FEED_RELATION_KINDS] = {[FEED_RELATION_FOLLOW] = "follow",
                                                            [FEED_RELATION_PURGE] = "purge",
                                                            [FEED_RELATION_SETTINGS] = "settings",
                                                            [FEED_RELATION_FILTER] = "filter"};

static const struct feed_msgpack_limits limits = {8, FEED_RELATION_VALUE_MAX};

static bool time_valid(int64_t time_ms)
{
    return time_ms == 0 || (time_ms >= FEED_TIME_MIN_MS && time_ms <= FEED_TIME_MAX_MS);
}

void feed_relation_key(const struct feed_relation *relation, struct feed_buf *out)
{
    feed_assert(feed_tenant_valid(relation->tenant) && feed_user_valid(relation->user) &&
                feed_user_valid(relation->subject) && relation->kind < FEED_RELATION_KINDS);
    feed_buf_str(out, relation->tenant);
    feed_buf_char(out, '/');
    feed_buf_text(out, kind_names[relation->kind]);
    feed_buf_char(out, '/');
    feed_buf_str(out, relation->user);
    feed_buf_char(out, '/');
    feed_buf_str(out, relation->subject);
}

static void write_texts(const struct feed_relation *relation, struct feed_buf *out)
{
    feed_msgpack_array(out, ELEMENTS);
    for (size_t i = 0; i < ELEMENTS; i++)
        feed_msgpack_str(out, relation->texts[i]);
}

static bool has_texts(enum feed_relation_kind kind)
{
    return kind == FEED_RELATION_SETTINGS || kind == FEED_RELATION_FILTER;
}

void feed_relation_value(const struct feed_relation *relation, struct feed_buf *out)
{
    if (has_texts(relation->kind)) {
        write_texts(relation, out);
        return;
    }
    feed_assert(time_valid(relation->since_ms) && time_valid(relation->ended_ms) && time_valid(relation->latest_ms));
    feed_msgpack_array(out, ELEMENTS + (relation->latest_ms > 0));
    feed_msgpack_i64(out, relation->since_ms);
    feed_msgpack_i64(out, relation->ended_ms);
    if (relation->latest_ms > 0)
        feed_msgpack_i64(out, relation->latest_ms);
}

/* False when there are not exactly so many parts: no part may hold a slash. */
static bool split(struct feed_str key, struct feed_str parts[KEY_PARTS])
{
    for (unsigned i = 0; i < KEY_PARTS; i++) {
        const char *slash = key.len ? memchr(key.data, '/', key.len) : NULL;
        if ((slash != NULL) != (i < KEY_PARTS - 1))
            return false;
        size_t len = slash ? (size_t)(slash - key.data) : key.len;
        parts[i] = (struct feed_str){key.data, len};
        if (slash)
            key = (struct feed_str){slash + 1, key.len - len - 1};
    }
    return true;
}

static enum feed_error read_key(struct feed_str key, struct feed_relation *out)
{
    struct feed_str parts[KEY_PARTS];
    if (key.len > FEED_RELATION_KEY_MAX || !split(key, parts) || !feed_tenant_valid(parts[0]))
        return FEED_E_INVALID;
    unsigned kind = 0;
    while (kind < FEED_RELATION_KINDS && !feed_str_eq(parts[1], feed_str_of(kind_names[kind])))
        kind++;
    if (kind == FEED_RELATION_KINDS)
        return feed_verb_valid(parts[1]) ? FEED_E_UNSUPPORTED : FEED_E_INVALID;
    if (!feed_user_valid(parts[2]) || !feed_user_valid(parts[3]))
        return FEED_E_INVALID;
    *out = (struct feed_relation){.kind = kind, .tenant = parts[0], .user = parts[2], .subject = parts[3]};
    return FEED_OK;
}

static bool next_time(struct feed_str *rest, int64_t *out)
{
    struct feed_msgpack_item item;
    if (feed_msgpack_next(rest, &item) != FEED_OK || item.type != FEED_MSGPACK_UINT ||
        item.uint > (uint64_t)FEED_TIME_MAX_MS)
        return false;
    *out = (int64_t)item.uint;
    return true;
}

static enum feed_error read_edge(struct feed_str *rest, uint32_t count, struct feed_relation *out)
{
    if (!next_time(rest, &out->since_ms) || !next_time(rest, &out->ended_ms))
        return FEED_E_INVALID;
    /* Anything else in the third place is from a version that is not known here. */
    int64_t latest_ms;
    if (count > ELEMENTS && next_time(rest, &latest_ms) && out->since_ms > 0 && latest_ms > out->since_ms)
        out->latest_ms = latest_ms;
    /* A relation that holds was ended before, if ever. */
    return out->since_ms == 0 || out->ended_ms < out->since_ms ? FEED_OK : FEED_E_INVALID;
}

/* ---- texts ---- */

static bool next_text(struct feed_str *rest, struct feed_str *out)
{
    struct feed_msgpack_item item;
    if (feed_msgpack_next(rest, &item) != FEED_OK || item.type != FEED_MSGPACK_STR)
        return false;
    *out = item.bytes;
    return true;
}

static bool read_time(struct feed_str digits, bool zero, struct feed_relation *relation, int64_t *out)
{
    uint64_t number;
    if (feed_str_to_u64(digits, (uint64_t)FEED_TIME_MAX_MS, &number) != FEED_OK || (number == 0 && !zero))
        return false;
    *out = (int64_t)number;
    if (*out > relation->newest_ms)
        relation->newest_ms = *out;
    return true;
}

/* "m1700 n1800": letters that are not known here are from a later version. */
static bool read_registers(struct feed_relation *out)
{
    struct feed_str rest = out->texts[0];
    while (rest.len) {
        struct feed_str word = feed_str_cut(&rest, ' ');
        int64_t time_ms;
        char letter = word.len ? word.data[0] : ' ';
        bool good = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
        if (!good || !read_time((struct feed_str){word.data + 1, word.len - 1}, false, out, &time_ms))
            return false;
        out->blocks |= letter == 'b' || letter == 'c';
        if (letter == 'e')
            out->ended_ms = time_ms;
    }
    return true;
}

/* "since until since until": what was kept; or, with verbs, "verb since until": the last may be 0. */
static bool read_spans(struct feed_relation *out)
{
    struct feed_str rest = out->texts[1];
    bool verbs = out->kind == FEED_RELATION_FILTER;
    while (rest.len) {
        int64_t since_ms, until_ms;
        if (verbs && !feed_verb_valid(feed_str_cut(&rest, ' ')))
            return false;
        if (!read_time(feed_str_cut(&rest, ' '), false, out, &since_ms) ||
            !read_time(feed_str_cut(&rest, ' '), verbs, out, &until_ms))
            return false;
    }
    return true;
}

static enum feed_error read_texts(struct feed_str *rest, struct feed_relation *out)
{
    int64_t time_ms;
    if (!next_text(rest, &out->texts[0]) || !next_text(rest, &out->texts[1]))
        return FEED_E_INVALID;
    bool filter = out->kind == FEED_RELATION_FILTER;
    bool good = filter ? read_time(out->texts[0], false, out, &time_ms) : read_registers(out);
    return good && read_spans(out) ? FEED_OK : FEED_E_INVALID;
}

int64_t feed_relation_newest_ms(const struct feed_relation *relation)
{
    const int64_t times[] = {relation->since_ms, relation->ended_ms, relation->latest_ms, relation->newest_ms};
    int64_t newest_ms = 0;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        if (times[i] > newest_ms)
            newest_ms = times[i];
    }
    return newest_ms;
}

enum feed_error feed_relation_read(struct feed_str key, struct feed_str value, struct feed_relation *out)
{
    enum feed_error error = read_key(key, out);
    if (error != FEED_OK)
        return error;
    if (!value.data)
        return FEED_E_MISSING;
    size_t used = 0;
    struct feed_msgpack_item array;
    size_t max = has_texts(out->kind) ? FEED_RELATION_VALUE_MAX : FEED_RELATION_EDGE_MAX;
    if (value.len > max || feed_msgpack_scan(value, &limits, &used) != FEED_OK || used != value.len ||
        feed_msgpack_next(&value, &array) != FEED_OK || array.type != FEED_MSGPACK_ARRAY || array.count < ELEMENTS)
        return FEED_E_INVALID;
    return has_texts(out->kind) ? read_texts(&value, out) : read_edge(&value, array.count, out);
}
