/* The messages of the gateway as JSON text. */
#include "gateway/encode.h"

#include "shared/base/assert.h"
#include "shared/base/json_out.h"
#include "shared/base/time_text.h"
#include "shared/codec/entry.h"

#include <string.h>

static void open_message(struct feed_json_out *json, struct feed_buf *out, const char *type)
{
    feed_json_out_init(json, out);
    feed_json_open(json);
    feed_json_key(json, "type");
    feed_json_text(json, type);
}

static void member_text(struct feed_json_out *json, const char *key, const char *value)
{
    feed_json_key(json, key);
    feed_json_text(json, value);
}

static void member_number(struct feed_json_out *json, const char *key, int64_t value)
{
    feed_json_key(json, key);
    feed_json_i64(json, value);
}

static void member_bool(struct feed_json_out *json, const char *key, bool value)
{
    feed_json_key(json, key);
    feed_json_bool(json, value);
}

static void member_position(struct feed_json_out *json, const char *key, const struct feed_position *position)
{
    char text[FEED_POSITION_TEXT_MAX + 1];
    feed_position_format(position, text);
    member_text(json, key, text);
}

static void member_id(struct feed_json_out *json, struct feed_str id)
{
    if (id.len == 0)
        return;
    feed_json_key(json, "id");
    feed_json_raw(json, id);
}

static void member_expires(struct feed_json_out *json, int64_t at)
{
    char text[FEED_TIME_TEXT + 1];
    at = at < FEED_TIME_MIN_MS ? FEED_TIME_MIN_MS : at > FEED_TIME_MAX_MS ? FEED_TIME_MAX_MS : at;
    feed_time_format(at, text);
    member_text(json, "expires", text);
}

void gw_encode_welcome(struct feed_buf *out, const struct gw_welcome *welcome)
{
    struct feed_json_out json;
    open_message(&json, out, "welcome");
    member_id(&json, welcome->id);
    member_text(&json, "session", welcome->session);
    member_text(&json, "tenant", welcome->tenant);
    member_text(&json, "user", welcome->user);
    member_number(&json, "heartbeat_ms", welcome->heartbeat_ms);
    member_expires(&json, welcome->expires_ms);
    feed_json_key(&json, "features");
    feed_json_open_list(&json);
    feed_json_close_list(&json);
    feed_json_close(&json);
}

void gw_encode_refreshed(struct feed_buf *out, struct feed_str id, int64_t expires_ms)
{
    struct feed_json_out json;
    open_message(&json, out, "refreshed");
    member_id(&json, id);
    member_expires(&json, expires_ms);
    feed_json_close(&json);
}

static bool readable(const struct gw_item *item, struct feed_entry *out)
{
    return item->published_ms >= FEED_TIME_MIN_MS && item->published_ms <= FEED_TIME_MAX_MS &&
           feed_entry_decode(item->entry, out) == FEED_OK;
}

/* The value that `before` takes. */
static void place(struct feed_json_out *json, const struct gw_item *item)
{
    char published[FEED_TIME_TEXT + 1], text[FEED_ID_TEXT + 1];
    struct feed_id id = gw_item_id(item);
    feed_time_format(item->published_ms, published);
    feed_id_format(&id, text);
    feed_json_open(json);
    member_text(json, "published", published);
    member_text(json, "id", text);
    feed_json_close(json);
}

static size_t entries(struct feed_json_out *json, const struct gw_item *items, size_t count)
{
    size_t unreadable = 0;
    feed_json_key(json, "entries");
    feed_json_open_list(json);
    for (size_t i = 0; i < count; i++) {
        struct feed_entry entry;
        if (readable(&items[i], &entry))
            feed_entry_to_json(&entry, items[i].published_ms, json);
        else
            unreadable++;
    }
    feed_json_close_list(json);
    return unreadable;
}

void gw_encode_entry(struct feed_buf *out, const struct gw_item *item)
{
    struct feed_entry entry;
    if (!readable(item, &entry))
        return;
    struct feed_json_out json;
    feed_json_out_init(&json, out);
    feed_entry_to_json(&entry, item->published_ms, &json);
}

void gw_encode_push_texts(struct feed_buf *out, enum feed_timeline timeline, const struct feed_str *texts, size_t count,
                          const struct feed_position *position)
{
    struct feed_json_out json;
    open_message(&json, out, "push");
    member_text(&json, "feed", feed_timeline_name(timeline));
    feed_json_key(&json, "entries");
    feed_json_open_list(&json);
    for (size_t i = 0; i < count; i++)
        feed_json_raw(&json, texts[i]);
    feed_json_close_list(&json);
    member_position(&json, "position", position);
    feed_json_close(&json);
}

size_t gw_encode_slice(struct feed_buf *out, const struct gw_slice *slice)
{
    struct feed_json_out json;
    open_message(&json, out, "slice");
    member_text(&json, "feed", feed_timeline_name(slice->timeline));
    member_text(&json, "outcome", gw_outcome_names[slice->outcome]);
    member_bool(&json, "reset", slice->outcome != GW_OUTCOME_CURRENT);
    size_t unreadable = entries(&json, slice->items, slice->count);
    member_position(&json, "position", &slice->position);
    member_bool(&json, "more", slice->more);
    feed_json_close(&json);
    return unreadable;
}

/* Why there is no next page: what is older than the window is kept nowhere. */
static const char end_of_window[] = "no_archive";

size_t gw_encode_page(struct feed_buf *out, const struct gw_page_answer *page)
{
    struct feed_json_out json;
    open_message(&json, out, "page");
    member_id(&json, page->id);
    member_text(&json, "feed", feed_timeline_name(page->timeline));
    size_t unreadable = entries(&json, page->items, page->count);
    member_bool(&json, "more", page->more);
    feed_json_key(&json, "next");
    if (page->rest) {
        place(&json, &page->items[page->count - 1]);
    } else {
        feed_json_null(&json);
        member_text(&json, "end", end_of_window);
    }
    feed_json_close(&json);
    return unreadable;
}

size_t gw_encode_push(struct feed_buf *out, enum feed_timeline timeline, const struct gw_item *items, size_t count,
                      const struct feed_position *position)
{
    struct feed_json_out json;
    open_message(&json, out, "push");
    member_text(&json, "feed", feed_timeline_name(timeline));
    size_t unreadable = entries(&json, items, count);
    member_position(&json, "position", position);
    feed_json_close(&json);
    return unreadable;
}

void gw_encode_remove(struct feed_buf *out, enum feed_timeline timeline, const struct gw_item *items, size_t count,
                      bool final, const struct feed_position *position)
{
    struct feed_json_out json;
    open_message(&json, out, "remove");
    member_text(&json, "feed", feed_timeline_name(timeline));
    feed_json_key(&json, "ids");
    feed_json_open_list(&json);
    for (size_t i = 0; i < count; i++) {
        struct feed_id id;
        char text[FEED_ID_TEXT + 1];
        feed_assert(items[i].entry.len >= FEED_ID_BYTES); /* a notice without an id is not decoded */
        memcpy(id.bytes, items[i].entry.data, FEED_ID_BYTES);
        feed_id_format(&id, text);
        feed_json_text(&json, text);
    }
    feed_json_close_list(&json);
    member_bool(&json, "final", final);
    member_position(&json, "position", position);
    feed_json_close(&json);
}

void gw_encode_heartbeat(struct feed_buf *out, const struct gw_feed_position *positions, size_t count)
{
    struct feed_json_out json;
    open_message(&json, out, "heartbeat");
    feed_json_key(&json, "positions");
    feed_json_open(&json);
    for (size_t i = 0; i < count; i++)
        member_position(&json, feed_timeline_name(positions[i].timeline), &positions[i].position);
    feed_json_close(&json);
    feed_json_close(&json);
}

void gw_encode_awaited(struct feed_buf *out, const char *type, struct feed_str id, enum feed_timeline timeline)
{
    struct feed_json_out json;
    open_message(&json, out, type);
    member_id(&json, id);
    member_text(&json, "feed", feed_timeline_name(timeline));
    feed_json_close(&json);
}

void gw_encode_stale(struct feed_buf *out, enum feed_timeline timeline, int64_t lag_ms)
{
    struct feed_json_out json;
    open_message(&json, out, "stale");
    member_text(&json, "feed", feed_timeline_name(timeline));
    member_number(&json, "lag_ms", lag_ms);
    feed_json_close(&json);
}

void gw_encode_fresh(struct feed_buf *out, enum feed_timeline timeline)
{
    struct feed_json_out json;
    open_message(&json, out, "fresh");
    member_text(&json, "feed", feed_timeline_name(timeline));
    feed_json_close(&json);
}

void gw_encode_error(struct feed_buf *out, enum gw_fault fault, const char *text, struct feed_str id)
{
    struct feed_json_out json;
    open_message(&json, out, "error");
    member_text(&json, "code", gw_fault_name(fault));
    member_text(&json, "message", text);
    member_bool(&json, "retryable", gw_fault_retryable(fault));
    member_id(&json, id);
    feed_json_close(&json);
}

void gw_encode_bye(struct feed_buf *out, const char *reason, int64_t retry_after_ms)
{
    struct feed_json_out json;
    open_message(&json, out, "bye");
    member_text(&json, "reason", reason);
    member_number(&json, "retry_after_ms", retry_after_ms);
    feed_json_close(&json);
}
