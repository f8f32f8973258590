/* Reads the client's messages with yyjson. The reader does not recurse and messages are small, so depth needs no limit
 * of its own; members that are unknown are skipped unseen. */
#include "gateway/message.h"

#include "shared/base/assert.h"
#include "shared/base/json_out.h"
#include "shared/base/time_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yyjson.h>

static const struct {
    const char *name;
    bool retryable;
} faults[] = {
#define GW_FAULT_ROW(id, name, retryable) {name, retryable},
    GW_FAULTS(GW_FAULT_ROW)
#undef GW_FAULT_ROW
};

const char *gw_fault_name(enum gw_fault fault)
{
    feed_assert(fault < GW_FAULT_COUNT);
    return faults[fault].name;
}

bool gw_fault_retryable(enum gw_fault fault)
{
    feed_assert(fault < GW_FAULT_COUNT);
    return faults[fault].retryable;
}

/* Where the sentence about a fault goes. */
struct sentence {
    char *text;
    size_t size;
};

static enum gw_fault fail(struct sentence s, enum gw_fault fault, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static enum gw_fault fail(struct sentence s, enum gw_fault fault, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(s.text, s.size, format, args);
    va_end(args);
    return fault;
}

static struct feed_str text_of(yyjson_val *value)
{
    return (struct feed_str){yyjson_get_str(value), yyjson_get_len(value)};
}

static enum gw_fault read_id(yyjson_val *root, struct gw_message *message, struct sentence s)
{
    yyjson_val *id = yyjson_obj_get(root, "id");
    if (!id)
        return GW_FAULT_NONE;
    struct feed_json_out out;
    feed_json_out_init(&out, &message->id);
    if (yyjson_is_str(id) && yyjson_get_len(id) <= GW_MESSAGE_ID_MAX)
        feed_json_str(&out, text_of(id));
    else if (yyjson_is_uint(id))
        feed_json_u64(&out, yyjson_get_uint(id));
    else if (yyjson_is_sint(id))
        feed_json_i64(&out, yyjson_get_sint(id));
    else if (yyjson_is_real(id))
        feed_json_double(&out, yyjson_get_real(id));
    else
        return fail(s, GW_FAULT_BAD_MESSAGE, "id must be a number or a text of at most %d bytes", GW_MESSAGE_ID_MAX);
    return GW_FAULT_NONE;
}

/* where: the path of the object that may have the member, with its point. */
static enum gw_fault read_limit(yyjson_val *limit, const char *where, unsigned *out, struct sentence s)
{
    *out = FEED_SLICE;
    if (!limit)
        return GW_FAULT_NONE;
    if (!yyjson_is_uint(limit) || yyjson_get_uint(limit) < 1 || yyjson_get_uint(limit) > FEED_CAP)
        return fail(s, GW_FAULT_BAD_MESSAGE, "%slimit must be a whole number from 1 to %d", where, FEED_CAP);
    *out = (unsigned)yyjson_get_uint(limit);
    return GW_FAULT_NONE;
}

static enum gw_fault read_timeline(yyjson_val *name, const char *where, enum feed_timeline *out, struct sentence s)
{
    if (!yyjson_is_str(name))
        return fail(s, GW_FAULT_BAD_MESSAGE, "%sfeed must be a text", where);
    if (feed_timeline_from_name(text_of(name), out) != FEED_OK)
        return fail(s, GW_FAULT_UNKNOWN_FEED, "%sfeed must be home or notifications", where);
    return GW_FAULT_NONE;
}

static enum gw_fault read_position(yyjson_val *position, size_t i, struct gw_hello_feed *out, struct sentence s)
{
    if (!position || yyjson_is_null(position))
        return GW_FAULT_NONE;
    if (!yyjson_is_str(position) || yyjson_get_len(position) > GW_POSITION_TEXT_MAX)
        return fail(s, GW_FAULT_BAD_MESSAGE, "feeds[%zu].position must be a text that came with a slice or push", i);
    out->position = text_of(position);
    return GW_FAULT_NONE;
}

static enum gw_fault read_feed(yyjson_val *value, size_t i, struct gw_message *message, struct sentence s)
{
    if (!yyjson_is_obj(value))
        return fail(s, GW_FAULT_BAD_MESSAGE, "feeds[%zu] must be an object", i);
    char where[32];
    snprintf(where, sizeof where, "feeds[%zu].", i);
    struct gw_hello_feed *feed = &message->feeds[i];
    *feed = (struct gw_hello_feed){0};
    enum gw_fault fault = read_timeline(yyjson_obj_get(value, "feed"), where, &feed->timeline, s);
    if (fault)
        return fault;
    for (size_t j = 0; j < i; j++) {
        if (message->feeds[j].timeline == feed->timeline)
            return fail(s, GW_FAULT_BAD_MESSAGE, "%sfeed is named by feeds[%zu] already", where, j);
    }
    fault = read_limit(yyjson_obj_get(value, "limit"), where, &feed->limit, s);
    return fault ? fault : read_position(yyjson_obj_get(value, "position"), i, feed, s);
}

static enum gw_fault read_token(yyjson_val *root, struct gw_message *message, struct sentence s)
{
    yyjson_val *token = yyjson_obj_get(root, "token");
    if (!token || yyjson_is_null(token))
        return GW_FAULT_NONE;
    if (!yyjson_is_str(token))
        return fail(s, GW_FAULT_BAD_MESSAGE, "token must be a text");
    message->token = text_of(token);
    return GW_FAULT_NONE;
}

static enum gw_fault read_hello(yyjson_val *root, struct gw_message *message, struct sentence s)
{
    enum gw_fault fault = read_token(root, message, s);
    if (fault)
        return fault;
    yyjson_val *feeds = yyjson_obj_get(root, "feeds");
    size_t count = yyjson_arr_size(feeds); /* 0 if it is no array */
    if (count < 1 || count > FEED_CLIENT_FEEDS_MAX)
        return fail(s, GW_FAULT_BAD_MESSAGE, "feeds must be a list of 1 to %d feeds", FEED_CLIENT_FEEDS_MAX);
    size_t i, n;
    yyjson_val *feed;
    yyjson_arr_foreach(feeds, i, n, feed)
    {
        fault = read_feed(feed, i, message, s);
        if (fault)
            return fault;
        message->feed_count++;
    }
    return GW_FAULT_NONE;
}

static enum gw_fault read_page(yyjson_val *root, struct gw_message *message, struct sentence s)
{
    struct gw_page_ask *page = &message->page;
    enum gw_fault fault = read_timeline(yyjson_obj_get(root, "feed"), "", &page->timeline, s);
    if (!fault)
        fault = read_limit(yyjson_obj_get(root, "limit"), "", &page->limit, s);
    if (fault)
        return fault;
    yyjson_val *before = yyjson_obj_get(root, "before");
    if (feed_time_parse(text_of(yyjson_obj_get(before, "published")), &page->before_ms) != FEED_OK ||
        feed_id_parse(text_of(yyjson_obj_get(before, "id")), &page->before_id) != FEED_OK)
        return fail(s, GW_FAULT_BAD_MESSAGE, "before must have the published and id of an entry");
    return GW_FAULT_NONE;
}

static enum gw_fault read_refresh(yyjson_val *root, struct gw_message *message, struct sentence s)
{
    enum gw_fault fault = read_token(root, message, s);
    return fault || message->token.data ? fault : fail(s, GW_FAULT_BAD_MESSAGE, "token must be a text");
}

static enum gw_fault read_place(yyjson_val *value, size_t i, struct gw_await_ask *ask, struct sentence s)
{
    yyjson_val *partition = yyjson_obj_get(value, "partition"), *offset = yyjson_obj_get(value, "offset");
    if (feed_id_parse(text_of(yyjson_obj_get(value, "id")), &ask->places[i].id) != FEED_OK ||
        !yyjson_is_uint(partition) || yyjson_get_uint(partition) > INT32_MAX || !yyjson_is_uint(offset) ||
        yyjson_get_uint(offset) > INT64_MAX)
        return fail(s, GW_FAULT_BAD_MESSAGE,
                    "positions[%zu] must have id (a UUID), partition and offset of an activity", i);
    ask->places[i].partition = (int32_t)yyjson_get_uint(partition);
    ask->places[i].offset = (int64_t)yyjson_get_uint(offset);
    return GW_FAULT_NONE;
}

static enum gw_fault read_timeout(yyjson_val *timeout, struct gw_await_ask *ask, struct sentence s)
{
    ask->timeout_ms = GW_AWAIT_TIMEOUT_MS;
    if (!timeout)
        return GW_FAULT_NONE;
    if (!yyjson_is_uint(timeout) || yyjson_get_uint(timeout) < 1 || yyjson_get_uint(timeout) > GW_AWAIT_TIMEOUT_MAX_MS)
        return fail(s, GW_FAULT_BAD_MESSAGE, "timeout_ms must be a whole number from 1 to %d", GW_AWAIT_TIMEOUT_MAX_MS);
    ask->timeout_ms = (int64_t)yyjson_get_uint(timeout);
    return GW_FAULT_NONE;
}

static enum gw_fault read_await(yyjson_val *root, struct gw_message *message, struct sentence s)
{
    struct gw_await_ask *ask = &message->await;
    yyjson_val *positions = yyjson_obj_get(root, "positions"), *position;
    enum gw_fault fault = read_timeline(yyjson_obj_get(root, "feed"), "", &ask->timeline, s);
    if (!fault)
        fault = read_timeout(yyjson_obj_get(root, "timeout_ms"), ask, s);
    if (fault)
        return fault;
    ask->count = yyjson_arr_size(positions);
    if (ask->count < 1 || ask->count > GW_AWAIT_PLACES_MAX)
        return fail(s, GW_FAULT_BAD_MESSAGE, "positions must be a list of 1 to %d", GW_AWAIT_PLACES_MAX);
    size_t i, n;
    yyjson_arr_foreach(positions, i, n, position)
    {
        fault = read_place(position, i, ask, s);
        if (fault)
            return fault;
    }
    return GW_FAULT_NONE;
}

/* The messages there are. */
static const struct {
    const char *name;
    enum gw_message_type type;
    enum gw_fault (*read)(yyjson_val *root, struct gw_message *message, struct sentence s);
} types[] = {
    {"hello", GW_MESSAGE_HELLO, read_hello},
    {"page", GW_MESSAGE_PAGE, read_page},
    {"refresh", GW_MESSAGE_REFRESH, read_refresh},
    {"await", GW_MESSAGE_AWAIT, read_await},
};

enum gw_fault gw_message_parse(struct feed_str json, struct gw_message *message, char *text, size_t text_size)
{
    struct sentence s = {text, text_size};
    memset(message, 0, sizeof *message);
    feed_buf_init(&message->id, GW_MESSAGE_ID_JSON_MAX);
    yyjson_read_err error = {0};
    message->doc = yyjson_read_opts((char *)json.data, json.len, YYJSON_READ_NOFLAG, NULL, &error);
    if (!message->doc)
        return fail(s, GW_FAULT_BAD_JSON, "not JSON: %s at byte %zu", error.msg ? error.msg : "error", error.pos);
    yyjson_val *root = yyjson_doc_get_root(message->doc);
    if (!yyjson_is_obj(root))
        return fail(s, GW_FAULT_BAD_MESSAGE, "a message must be a JSON object");
    enum gw_fault fault = read_id(root, message, s);
    if (fault)
        return fault;
    yyjson_val *type = yyjson_obj_get(root, "type");
    if (!yyjson_is_str(type))
        return fail(s, GW_FAULT_BAD_MESSAGE, "type must be a text");
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (!yyjson_equals_str(type, types[i].name))
            continue;
        message->type = types[i].type;
        return types[i].read(root, message, s);
    }
    return fail(s, GW_FAULT_UNKNOWN_TYPE, "there is no message of this type");
}

void gw_message_fini(struct gw_message *message)
{
    yyjson_doc_free(message->doc);
    message->doc = NULL;
    feed_buf_fini(&message->id);
}
