/* Inside shared/http only: a connection and what server.c, http_request.c and websocket.c share about it.
 *
 *   accepted -> READING -> WAITING -> SENDING -> IDLE -> READING ..      plain HTTP, keep-alive
 *                  |                      `----> LINGERING -> gone       an answer with "connection: close"
 *                  `-> WS_OPEN <-> WS_PINGED                             after a handshake
 *                         `-> WS_CLOSING -> gone
 *   any of them -> DYING -> gone                                         a deadline passed, or a write failed
 *
 * Each phase but WAITING (the handler's time) and DYING has a deadline. */
#ifndef FEED_HTTP_CONNECTION_H
#define FEED_HTTP_CONNECTION_H

#include "shared/http/chunked.h"
#include "shared/http/expiry.h"
#include "shared/http/lws_guest.h"
#include "shared/http/request_rules.h"
#include "shared/http/server.h"
#include "shared/tenant/tally.h"

#include <libwebsockets.h>

enum feed_conn_phase {
    FEED_CONN_READING,   /* the head or the body of a request is coming */
    FEED_CONN_WAITING,   /* the handler has the request; nothing is read */
    FEED_CONN_SENDING,   /* the socket has not taken the whole answer yet */
    FEED_CONN_LINGERING, /* answered and shut for writing; what still comes is thrown away */
    FEED_CONN_IDLE,      /* between two requests */
    FEED_CONN_WS_OPEN,
    FEED_CONN_WS_PINGED, /* nothing was heard for a while; the next must come soon */
    FEED_CONN_WS_CLOSING,
    FEED_CONN_DYING,
    FEED_CONN_PHASES
};

struct feed_ws {
    void *session;
    struct feed_buf message;    /* fragments of an incomplete message; no memory while there is none */
    char *close_reason;         /* with close_code */
    uint16_t close_code;        /* what we want to close with; 0: do not */
    uint16_t peer_code;         /* what the peer closed with; 0: has not */
    bool open;                  /* open_fn was called and closed_fn was not */
    bool close_sent;            /* lws has been told to send the close frame */
    bool wants_write, ping_due; /* what the next writable event is for */
    int64_t ping_due_ms;        /* since when; as of feed_loop_now_ms */
};

/* A connection that has not shown who it is. */
struct feed_stranger {
    bool in, by_address;        /* where it counts: in all, and for an address */
    struct feed_address counts; /* for which; two connections of an IPv6 network count as one's */
};

struct feed_conn {
    struct feed_server *server;
    const struct feed_listener *listener;
    struct lws *wsi;
    struct feed_guest_socket *socket;
    struct feed_expiry expiry;
    enum feed_conn_phase phase;
    struct feed_address peer;
    struct feed_stranger stranger;
    size_t lingered_bytes;
    struct feed_request *request; /* the one being read, handled or answered; or a handshake's head */
    struct feed_ws ws;
};

struct feed_request {
    struct feed_conn *conn; /* NULL: the client has gone */
    struct feed_http_request http;
    struct feed_buf body, answer; /* answer: LWS_PRE bytes, then head and body of the response */
    uint64_t body_length;         /* 0 if it is chunked */
    bool is_chunked;
    struct feed_chunked chunked;
    bool handed;   /* to the handler, or refused: no more of its body is wanted */
    bool close;    /* the connection ends with this answer */
    bool answered; /* feed_request_respond was called */
    bool queued;   /* in the server's list of answers, which then owns it */
    struct feed_request *next_answer;
    char text[]; /* path and header values */
};

struct feed_strangers {
    unsigned count;
    struct feed_tally addresses; /* by feed_address_bucket */
};

struct feed_server {
    struct feed_loop *loop;
    struct feed_log *log;
    struct feed_server_settings settings;
    struct feed_server_counts counts;
    struct feed_guest *guest;
    struct lws_vhost *vhost;
    struct feed_expiry_list expiry[FEED_CONN_PHASES];
    bool expires[FEED_CONN_PHASES];
    struct feed_request *answers_first, *answers_last;
    struct lws_protocols protocols[3];
    lws_log_cx_t log_cx;
    struct feed_listener *listeners;  /* copies */
    struct feed_strangers *strangers; /* one for each listener */
    struct feed_listening **listening;
    unsigned *own_open; /* connections of those listeners that count them by themselves */
    size_t listener_count;
};

/* listening.c */
/* NULL with errno. Address and port of the listener; the listener is borrowed. */
struct feed_listening *feed_listening_new(struct feed_server *server, const struct feed_listener *listener);
void feed_listening_stop(struct feed_listening *listening); /* closes the socket */
void feed_listening_free(struct feed_listening *listening);
void feed_listening_resume(struct feed_listening *listening); /* if it had no descriptors to accept with */
unsigned feed_listening_port(const struct feed_listening *listening);

/* strangers.c */
/* Counts a connection that was accepted; false: there are too many. */
bool feed_strangers_enter(struct feed_server *server, const struct feed_listener *listener,
                          const struct feed_address *peer, struct feed_stranger *out);
/* The same for the address that the head of a request gave, where the peer is a proxy. */
bool feed_strangers_forwarded(struct feed_conn *conn, const struct feed_address *client);
/* Also when it is none any more. */
void feed_strangers_leave(struct feed_server *server, const struct feed_listener *listener,
                          struct feed_stranger *stranger);

/* connection.c */
/* Where the open connections of this listener are counted. */
unsigned *feed_conn_count(struct feed_server *server, const struct feed_listener *listener);
struct feed_conn *feed_conn_of(struct lws *wsi); /* NULL for sockets that are not connections */
struct feed_conn *feed_conn_new(struct feed_server *server, const struct feed_listener *listener, struct lws *wsi,
                                const struct feed_address *peer, const struct feed_stranger *stranger);
void feed_conn_free(struct feed_conn *conn);
void feed_conn_move(struct feed_conn *conn, enum feed_conn_phase phase); /* with a full time for the new phase */
void feed_conn_kill(struct feed_conn *conn);                             /* soon, not inline; nothing more is sent */
void feed_conn_expire(struct feed_server *server);                       /* deals with all that is due */

/* http_request.c: what lws calls; values to return to it */
int feed_http_on_head(struct feed_conn *conn);
int feed_http_on_body(struct feed_conn *conn, const void *bytes, size_t len);

/* http_answer.c */
void feed_http_send_answers(struct feed_server *server);
bool feed_http_on_readable(struct feed_conn *conn);
bool feed_http_on_writable(struct feed_conn *conn);

/* http_head.c */
/* The request's head as lws has it; *verdict says what is wrong with it. NULL: out of memory. */
struct feed_request *feed_http_read_head(struct feed_conn *conn, struct feed_http_verdict *verdict);
/* A short header into a buffer of the caller; absent or too long for it: data NULL, and *too_long says which. */
struct feed_str feed_http_short_header(struct lws *wsi, enum lws_token_indexes token, char *out, int size,
                                       bool *too_long);
void feed_request_free(struct feed_request *request);

/* websocket.c */
int feed_ws_on_upgrade(struct feed_conn *conn, char *upgrade);
int feed_ws_on_open(struct feed_conn *conn);
int feed_ws_on_receive(struct feed_conn *conn, const void *bytes, size_t len);
int feed_ws_on_writable(struct feed_conn *conn);
void feed_ws_on_pong(struct feed_conn *conn);
void feed_ws_on_peer_close(struct feed_conn *conn, const uint8_t *payload, size_t len);
void feed_ws_on_gone(struct feed_conn *conn); /* calls closed_fn if it is owed */
void feed_ws_ping(struct feed_conn *conn);
/* No answer to a ping came. True: it could not even be sent, but the peer is there and has more time; it waits again.
 */
bool feed_ws_stalls(struct feed_conn *conn, int64_t now_ms);

/* frame.c */
bool feed_frame_binary(const struct feed_frame *frame);
unsigned char *feed_frame_bytes(struct feed_frame *frame, size_t *len); /* with LWS_PRE writable bytes before */

#endif
