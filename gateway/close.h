/* Why a connection ends: one table for the close frames, the metric websocket_closes_total and the documentation.
 * schemas/close-codes.json holds the same rows for clients; a test compares the two. */
#ifndef GW_CLOSE_H
#define GW_CLOSE_H

#include <stdbool.h>

/* name, close code, whether a client should come back by itself */
#define GW_CLOSES(ROW)                                                                                                 \
    ROW(GW_CLOSE_SHUTDOWN, "shutdown", 1012, true)                                                                     \
    ROW(GW_CLOSE_SLOW_CLIENT, "slow_client", 4001, true)                                                               \
    ROW(GW_CLOSE_UNAVAILABLE, "unavailable", 4002, true)                                                               \
    ROW(GW_CLOSE_HELLO_TIMEOUT, "hello_timeout", 4008, true)                                                           \
    ROW(GW_CLOSE_TENANT_FULL, "tenant_full", 4029, true)                                                               \
    ROW(GW_CLOSE_USER_FULL, "user_full", 4030, true)                                                                   \
    ROW(GW_CLOSE_TOO_BUSY, "too_busy", 4031, true)                                                                     \
    ROW(GW_CLOSE_TOKEN_EXPIRED, "token_expired", 4401, true)                                                           \
    ROW(GW_CLOSE_BAD_MESSAGE, "bad_message", 4500, false)                                                              \
    ROW(GW_CLOSE_UNAUTHORIZED, "unauthorized", 4501, false)                                                            \
    ROW(GW_CLOSE_FORBIDDEN, "forbidden", 4503, false)                                                                  \
    ROW(GW_CLOSE_TOO_MANY_FEEDS, "too_many_feeds", 4504, false)                                                        \
    ROW(GW_CLOSE_INTERNAL, "internal", 1011, true)                                                                     \
    ROW(GW_CLOSE_PROTOCOL, "protocol_error", 1002, false)                                                              \
    ROW(GW_CLOSE_TOO_LARGE, "too_large", 1009, false)                                                                  \
    ROW(GW_CLOSE_LOST, "lost", 1006, true)                                                                             \
    ROW(GW_CLOSE_CLIENT, "client", 1000, false)

enum gw_close {
#define GW_CLOSE_ROW(id, name, code, come_back) id,
    GW_CLOSES(GW_CLOSE_ROW)
#undef GW_CLOSE_ROW
        GW_CLOSE_COUNT,
    GW_CLOSE_NONE = GW_CLOSE_COUNT
};

struct gw_close_row {
    const char *name;
    unsigned code;
    bool come_back;
};

const struct gw_close_row *gw_close_row(enum gw_close close);
/* Names of all rows in order, NULL-terminated: the label values of the metric. */
extern const char *const gw_close_names[GW_CLOSE_COUNT + 1];
/* Which row a code stands for that we did not send ourselves: 1006 is "lost", what a violation of the WebSocket
 * protocol is answered with is "protocol_error" or "too_large", all others are the client's own. */
enum gw_close gw_close_of_peer(unsigned code);

#endif
