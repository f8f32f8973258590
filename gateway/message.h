/* Messages from clients: JSON text into checked structures. What is wrong is named by the member, for the `error` that
 * the client gets. */
#ifndef GW_MESSAGE_H
#define GW_MESSAGE_H

#include "shared/base/id.h"
#include "shared/base/limits.h"
#include "shared/base/str.h"
#include "shared/model/keys.h"

/* Codes of `error`, and whether trying the same again can help. */
#define GW_FAULTS(ROW)                                                                                                 \
    ROW(GW_FAULT_NONE, "none", false)                                                                                  \
    ROW(GW_FAULT_BAD_JSON, "bad_json", false)                                                                          \
    ROW(GW_FAULT_BAD_MESSAGE, "bad_message", false)                                                                    \
    ROW(GW_FAULT_UNKNOWN_TYPE, "unknown_type", false)                                                                  \
    ROW(GW_FAULT_UNKNOWN_FEED, "unknown_feed", false)                                                                  \
    ROW(GW_FAULT_UNAUTHORIZED, "unauthorized", false)                                                                  \
    ROW(GW_FAULT_FORBIDDEN, "forbidden", false)                                                                        \
    ROW(GW_FAULT_TOO_MANY, "too_many", true)                                                                           \
    ROW(GW_FAULT_BUSY, "busy", true)                                                                                   \
    ROW(GW_FAULT_UNAVAILABLE, "unavailable", true)

enum gw_fault {
#define GW_FAULT_ROW(id, name, retryable) id,
    GW_FAULTS(GW_FAULT_ROW)
#undef GW_FAULT_ROW
        GW_FAULT_COUNT
};

const char *gw_fault_name(enum gw_fault fault);
bool gw_fault_retryable(enum gw_fault fault);

enum {
    GW_MESSAGE_ID_MAX = 128,                            /* of the client's `id`, in bytes of UTF-8 */
    GW_MESSAGE_ID_JSON_MAX = 6 * GW_MESSAGE_ID_MAX + 2, /* the same as JSON: each byte as \u00xx, and quotes */
    /* Longer ones cannot be ours of any version; refused, so that nobody uses them as a store. */
    GW_POSITION_TEXT_MAX = 256
};

struct gw_hello_feed {
    enum feed_timeline timeline;
    struct feed_str position; /* data NULL: none sent */
    unsigned limit;
};

/* Entries that are older than the one named, whether the feed still has it or not. */
struct gw_page_ask {
    enum feed_timeline timeline;
    int64_t before_ms;
    struct feed_id before_id;
    unsigned limit;
};

enum {
    GW_AWAIT_PLACES_MAX = 8,
    GW_AWAIT_TIMEOUT_MS = 10000, /* unless the client says otherwise */
    GW_AWAIT_TIMEOUT_MAX_MS = 60000
};

/* Activities, and where they are in Kafka. */
struct gw_await_ask {
    enum feed_timeline timeline;
    int64_t timeout_ms;
    size_t count;
    struct {
        struct feed_id id;
        int32_t partition;
        int64_t offset;
    } places[GW_AWAIT_PLACES_MAX];
};

enum gw_message_type {
    GW_MESSAGE_UNKNOWN,
    GW_MESSAGE_HELLO,
    GW_MESSAGE_PAGE,
    GW_MESSAGE_REFRESH,
    GW_MESSAGE_AWAIT,
    GW_MESSAGE_TYPES
};

struct gw_message {
    struct yyjson_doc *doc; /* owned; the views point into it */
    struct feed_buf id;     /* the client's `id` as JSON; empty: none */
    enum gw_message_type type;
    /* hello; refresh, where there always is one */
    struct feed_str token; /* data NULL: none */
    /* hello */
    struct gw_hello_feed feeds[FEED_CLIENT_FEEDS_MAX];
    size_t feed_count;
    /* page */
    struct gw_page_ask page;
    struct gw_await_ask await;
};

/* Fills *message, also when a fault is returned (then with the id if it could be read); to be freed by gw_message_fini
 * in any case. `text` gets a sentence for the client. */
enum gw_fault gw_message_parse(struct feed_str json, struct gw_message *message, char *text,
                               size_t text_size) FEED_MUST_USE;
void gw_message_fini(struct gw_message *message);

#endif
