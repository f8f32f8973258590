/* Encode: the messages to clients as JSON, one function each; schemas/protocol.md describes them. All append to a
 * buffer of the caller, who looks at its `error` afterwards. */
#ifndef GW_ENCODE_H
#define GW_ENCODE_H

#include "gateway/backlog.h"
#include "gateway/message.h"
#include "gateway/resume.h"

enum { GW_SESSION_ID_BYTES = 16, GW_SESSION_ID_TEXT = 2 * GW_SESSION_ID_BYTES };

struct gw_welcome {
    struct feed_str id; /* JSON; empty: none */
    const char *session;
    const char *tenant, *user;
    int64_t heartbeat_ms;
    int64_t expires_ms; /* wall clock */
};
void gw_encode_welcome(struct feed_buf *out, const struct gw_welcome *welcome);

/* The answer to refresh. id: JSON; empty: none */
void gw_encode_refreshed(struct feed_buf *out, struct feed_str id, int64_t expires_ms);

struct gw_slice {
    enum feed_timeline timeline;
    enum gw_outcome outcome;
    const struct gw_item *items; /* newest first */
    size_t count;
    struct feed_position position;
    bool more;
};
/* These return how many entries could not be read and were left out. */
size_t gw_encode_slice(struct feed_buf *out, const struct gw_slice *slice);
size_t gw_encode_push(struct feed_buf *out, enum feed_timeline timeline, const struct gw_item *items, size_t count,
                      const struct feed_position *position);

struct gw_page_answer {
    struct feed_str id; /* JSON; empty: none */
    enum feed_timeline timeline;
    const struct gw_item *items; /* newest first */
    size_t count;
    bool rest; /* another page can be had */
    bool more; /* the feed goes on below these entries */
};
size_t gw_encode_page(struct feed_buf *out, const struct gw_page_answer *page);

/* One entry's JSON object; nothing if it cannot be read. */
void gw_encode_entry(struct feed_buf *out, const struct gw_item *item);
/* A push of entries that were encoded before. */
void gw_encode_push_texts(struct feed_buf *out, enum feed_timeline timeline, const struct feed_str *texts, size_t count,
                          const struct feed_position *position);

/* The ids of removed entries, of `items` whose entry begins with one. final: they will not come again. */
void gw_encode_remove(struct feed_buf *out, enum feed_timeline timeline, const struct gw_item *items, size_t count,
                      bool final, const struct feed_position *position);

struct gw_feed_position {
    enum feed_timeline timeline;
    struct feed_position position;
};
void gw_encode_heartbeat(struct feed_buf *out, const struct gw_feed_position *positions, size_t count);
/* type: visible, passed or timeout. id: JSON; empty: none */
void gw_encode_awaited(struct feed_buf *out, const char *type, struct feed_str id, enum feed_timeline timeline);
void gw_encode_stale(struct feed_buf *out, enum feed_timeline timeline, int64_t lag_ms);
void gw_encode_fresh(struct feed_buf *out, enum feed_timeline timeline);
/* id: JSON of the message that caused it; empty: none */
void gw_encode_error(struct feed_buf *out, enum gw_fault fault, const char *text, struct feed_str id);
void gw_encode_bye(struct feed_buf *out, const char *reason, int64_t retry_after_ms);

#endif
