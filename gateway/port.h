/* What the core asks of the outside: clocks, randomness, frames, sockets and Redis. The shell fills it with the real
 * ones, the tests with a world of their own. */
#ifndef GW_PORT_H
#define GW_PORT_H

#include "shared/base/str.h"
#include "shared/codec/position.h"

struct feed_frame; /* one encoded message, shared by all who send it; references counted */
struct feed_ws;    /* one WebSocket connection */
struct gw_feed;

struct gw_port {
    void *arg; /* first argument of those below that take one */

    int64_t (*mono_ms_fn)(void *arg);
    int64_t (*wall_ms_fn)(void *arg);
    void (*random_fn)(void *arg, void *out, size_t len);

    struct feed_frame *(*frame_new_fn)(struct feed_str payload); /* copies; NULL when out of memory */
    struct feed_frame *(*frame_ref_fn)(struct feed_frame *frame);
    void (*frame_unref_fn)(struct feed_frame *frame);
    struct feed_str (*frame_payload_fn)(const struct feed_frame *frame);

    /* The socket asks for frames by gw_session_next_frame, perhaps before this returns. */
    void (*want_write_fn)(struct feed_ws *ws);
    /* The connection has shown who it is. */
    void (*known_fn)(struct feed_ws *ws);
    /* gw_session_closed follows, later. */
    void (*close_fn)(struct feed_ws *ws, unsigned code, const char *reason);

    /* gw_hub_confirmed follows, perhaps much later, and again after each reconnect. */
    enum feed_error (*subscribe_fn)(void *arg, struct feed_str key);
    void (*unsubscribe_fn)(void *arg, struct feed_str key);
    /* Of a feed that is a source, its marks too.
     * FEED_OK: exactly one of gw_hub_window, gw_hub_window_failed (gw_hub_checked, gw_hub_check_failed) follows, later.
     * known, if not NULL: entries are not wanted if this is the position. */
    enum feed_error (*read_fn)(void *arg, struct gw_feed *feed, unsigned limit, const struct feed_position *known);
    enum feed_error (*check_fn)(void *arg, struct gw_feed *feed, const struct feed_position *known);

    /* Asks fan-out to make the feed of this key. Nothing follows but its notice, so it is asked again. */
    enum feed_error (*wake_fn)(void *arg, struct feed_str key);
    /* The feed has a reader: it is to stay for another feed.ttl. Nothing follows. */
    void (*touch_fn)(void *arg, struct feed_str key);
};

#endif
