/* Session: one connection of a client.
 *
 *   CONNECTED ---- hello ----> OPENING ---- all slices sent ----> LIVE
 *       |                         |                                |
 *       '-------------------------+--------------------------------'
 *                                 v
 *                              CLOSING ---- last messages sent, or too late ----> CLOSED ---- socket gone ---> freed
 *
 * A token that came with the handshake is checked at once, but who it is for counts only with hello. */
#ifndef GW_SESSION_H
#define GW_SESSION_H

#include "gateway/close.h"
#include "gateway/hub.h"
#include "gateway/message.h"
#include "gateway/outbox.h"

enum gw_session_state {
    GW_SESSION_CONNECTED,
    GW_SESSION_OPENING,
    GW_SESSION_LIVE,
    GW_SESSION_CLOSING,
    GW_SESSION_CLOSED
};

struct gw_session {
    struct gw_hub *hub;
    struct feed_ws *ws;
    enum gw_session_state state;
    enum gw_close close;
    struct gw_link by_hub, by_write, by_closing;
    struct gw_outbox outbox;
    bool drained; /* the socket asked for more and there was none */
    bool behind;  /* changes of feeds were dropped, and none are sent until it is drained */
    uint8_t errors;
    uint8_t messages;     /* received of the allowance, */
    int64_t messages_ms;  /* as it was then */
    uint8_t tenant_label; /* of the metrics by tenant; 0 before hello */
    uint8_t view_count, joining;
    struct gw_view *views;    /* owned; all feeds of the hello */
    bool waited_for_wake;     /* OPENING: the time was extended, because a feed sleeps */
    int64_t deadline_ms;      /* of the state; LIVE: the next heartbeat */
    int64_t expires_s;        /* wall clock, when the token ends */
    uint64_t key_tag;         /* the key that vouches for it */
    uint32_t auth_generation; /* of the keys, when that was last looked at */
    struct gw_holding holding;
    struct feed_token_claims *claims; /* owned; of the handshake's token, until hello */
};

/* ---- reported by the shell ---- */

/* authorization: the header's value, or empty. NULL: out of memory. */
struct gw_session *gw_session_open(struct gw_hub *hub, struct feed_ws *ws, const struct feed_address *address,
                                   struct feed_str authorization);
void gw_session_message(struct gw_session *session, struct feed_str payload, bool binary);
/* The oldest frame with its reference, or NULL. */
struct feed_frame *gw_session_next_frame(struct gw_session *session);
/* The connection is gone; frees the session. */
void gw_session_closed(struct gw_session *session, unsigned code);

/* ---- for the parts of the core ---- */

bool gw_session_ending(const struct gw_session *session);
/* Queues the frame (borrowed). When the queue is full the session falls behind: what it holds of feeds is dropped, and
 * each of them gets a window when the socket has taken the rest. NULL, lack of memory, and more answers than the queue
 * holds end the session. */
void gw_session_send(struct gw_session *session, struct feed_frame *frame, enum gw_outbox_rule rule);
/* Sends what is in the hub's scratch, an answer. */
void gw_session_send_scratch(struct gw_session *session);
/* An error that the connection survives, GW_ERRORS_MAX times. id: as JSON, of the message that caused it. */
void gw_session_reproach(struct gw_session *session, enum gw_fault fault, const char *text, struct feed_str id);
enum { GW_TOKEN_PROBLEM = 80 };
/* False: a sentence in text; counted. */
bool gw_session_check_token(struct gw_session *session, struct feed_str token, struct feed_token_claims *claims,
                            char text[GW_TOKEN_PROBLEM]);
/* The session lives as long as these claims hold. Returns when the token ends, wall clock in ms. */
int64_t gw_session_vouched(struct gw_session *session, const struct feed_token_claims *claims);
bool gw_session_allowed(const struct feed_token_claims *claims, enum feed_timeline timeline);
/* One more of its views has its slice. */
void gw_session_joined(struct gw_session *session);
/* Sends what is queued (not to a slow client), then closes. Only the first reason counts. */
void gw_session_end(struct gw_session *session, enum gw_close close);
void gw_session_bye(struct gw_session *session);
/* Looks at the clock. */
void gw_session_look(struct gw_session *session);
/* For a session that is CLOSING: leaves its feeds; asks for the close when it can be; true when it was asked for. */
bool gw_session_try_close(struct gw_session *session);

#endif
