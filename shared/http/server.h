/* HTTP and WebSocket server: libwebsockets as a guest of the libuv loop through event_lib_custom, with optimistic
 * writes: when lws asks for writability it is called back in the same turn of the loop, and POLLOUT is armed only after
 * the socket really was full. One struct feed_server is one lws context, with one or more listeners. Timers inside lws
 * are served five times a second. */
#ifndef FEED_HTTP_SERVER_H
#define FEED_HTTP_SERVER_H

#include "shared/base/str.h"
#include "shared/http/address.h"

struct feed_loop;
struct feed_log;
struct feed_server;
struct feed_request;
struct feed_ws;
struct feed_frame;

/* ---- plain HTTP ---- */

enum { FEED_HTTP_PATH_MAX = 512, FEED_HTTP_RESPONSE_HEADERS_MAX = 12 };

enum feed_http_method {
    FEED_HTTP_GET,
    FEED_HTTP_HEAD,
    FEED_HTTP_POST,
    FEED_HTTP_PUT,
    FEED_HTTP_DELETE,
    FEED_HTTP_OPTIONS,
    FEED_HTTP_OTHER
};

/* Headers that handlers can ask for. */
enum feed_http_header {
    FEED_HTTP_AUTHORIZATION,
    FEED_HTTP_CONTENT_TYPE,
    FEED_HTTP_CONTENT_ENCODING,
    FEED_HTTP_ORIGIN,
    FEED_HTTP_TRACEPARENT,
    /* One value each: a request that gives one of these twice is refused with 400. */
    FEED_HTTP_IDEMPOTENCY_KEY,
    FEED_HTTP_CE_SPECVERSION,
    FEED_HTTP_CE_ID,
    FEED_HTTP_CE_SOURCE,
    FEED_HTTP_CE_TYPE,
    FEED_HTTP_CE_TIME,
    FEED_HTTP_CUSTOM_SINGLE_END,
    /* Absent when it is there twice: what then is one's own and what was forwarded cannot be told. */
    FEED_HTTP_FORWARDED = FEED_HTTP_CUSTOM_SINGLE_END,
    FEED_HTTP_X_FORWARDED_FOR,
    FEED_HTTP_HEADER_COUNT
};

struct feed_http_request { /* all borrowed until the request is answered */
    enum feed_http_method method;
    /* Without the query, decoded once; refused with 400 if it has control characters or a backslash. libwebsockets
     * resolves dot segments and repeated slashes before, and takes a plain "+" for a blank ("%2B" stays "+"). */
    struct feed_str path;
    /* Behind the "?": name=value pairs with & between, decoded once, so a value that has a & looks like two. Absent:
     * data NULL. A plain "+" is a blank here too. */
    struct feed_str query;
    struct feed_str headers[FEED_HTTP_HEADER_COUNT]; /* absent: data NULL */
    struct feed_str body;                            /* complete */
    struct feed_address client; /* where it came from: the peer, or what trusted proxies say (shared/http/proxies.h) */
};

struct feed_http_response_header {
    const char *name;      /* "retry-after" */
    struct feed_str value; /* no CR or LF (asserted) */
};

struct feed_http_response {
    unsigned status;
    const char *content_type; /* NULL when there is no body */
    struct feed_str body;     /* copied */
    struct feed_http_response_header headers[FEED_HTTP_RESPONSE_HEADERS_MAX];
    size_t header_count;
    bool close; /* close the connection afterwards; it is then drained for a while, so that the answer arrives */
};

/* Called once the request is complete; answer with feed_request_respond now or later. The answer is dropped if the
 * client has gone; the request object stays valid until it is answered. */
typedef void feed_http_fn(void *arg, struct feed_request *request, const struct feed_http_request *http);
/* May be NULL. Called with the request's head, before its body is read: return 0 to go on, or the status of an early
 * refusal (e.g. 401, 415); answered as problem+json and closed. Before it, the server refuses by itself:
 * 413 when the body is longer than body_max, 411 for POST and PATCH without Content-Length (a POST may be chunked), 400
 * for what could be read in two ways. One request of a connection is handled at a time; a request that was sent
 * behind a body before the answer came is dropped and the connection closed (see http_request.c). */
typedef unsigned feed_http_head_fn(void *arg, const struct feed_http_request *head, const char **detail);
/* May be NULL. The server has refused a request by itself, with this status: to be counted. Not called for what
 * head_fn, http_fn or accept_fn answered. */
typedef void feed_http_refused_fn(void *arg, unsigned status);

/* Exactly once for each request, also after feed_server_free (the answer is dropped then). Never calls back inline. */
void feed_request_respond(struct feed_request *request, const struct feed_http_response *response);
/* RFC 9457: {"type":"about:blank","title":..,"status":..,"detail":..}; retry_after_s 0: none. */
void feed_request_problem(struct feed_request *request, unsigned status, const char *detail, unsigned retry_after_s);

/* ---- WebSocket ---- */

/* One message ready to be sent, shared by all connections that send it: encoded once, references counted, LWS_PRE bytes
 * in front. Text, which is UTF-8, or binary. */
struct feed_frame *
feed_frame_new(struct feed_str payload); /* copies; one reference, the caller's. NULL when out of memory */
struct feed_frame *feed_frame_new_binary(struct feed_str payload); /* likewise */
struct feed_frame *feed_frame_ref(struct feed_frame *frame);
void feed_frame_unref(struct feed_frame *frame); /* NULL is ignored */
struct feed_str feed_frame_payload(const struct feed_frame *frame);

struct feed_ws_refusal {
    unsigned status;
    const char *detail;     /* static */
    unsigned retry_after_s; /* 0: none */
};

struct feed_ws_events {
    /* A handshake for a path and subprotocol that are served; return false to refuse it (with 403, unless *refusal says
     * something else). Called before the upgrade. */
    bool (*accept_fn)(void *arg, const struct feed_http_request *head, struct feed_ws_refusal *refusal);
    /* The connection stands. The value returned is `session` below; NULL closes it with 1011. `authorization` may be
     * empty. */
    void *(*open_fn)(void *arg, struct feed_ws *ws, const struct feed_http_request *head);
    /* One complete message (reassembled, at most message_max bytes; larger ones close with 1009 before they are
     * buffered). */
    void (*message_fn)(void *session, struct feed_str payload, bool binary);
    /* The socket takes bytes: give the next frame (the caller's reference goes to the server) or NULL when there is
     * none. Called again until NULL, or until the socket is full. Only after feed_ws_want_write. */
    struct feed_frame *(*next_frame_fn)(void *session);
    /* Exactly once for each open; ws is gone when this returns, session may be freed by it. code: what the peer sent,
     * or what we did, or 1006. */
    void (*closed_fn)(void *session, unsigned code);
};
void feed_ws_want_write(struct feed_ws *ws);
/* The peer has shown who it is: the connection does not count among the strangers any more. */
void feed_ws_known(struct feed_ws *ws);
/* Sends a close frame after the frame that is on its way, if any; next_frame_fn and message_fn are not called any more.
 * closed_fn fires later, never inline: when the peer has answered, or after five seconds. Reason: copied, at most 123
 * bytes of UTF-8, may be NULL. */
void feed_ws_close(struct feed_ws *ws, unsigned code, const char *reason);

/* ---- server ---- */

struct feed_listener {
    const char *address; /* "127.0.0.1", "0.0.0.0", "::1" */
    unsigned port;       /* 0: any; see feed_server_port */
    /* Not 0: it has so many connections of its own, which neither count among the server's nor suffer from them. */
    unsigned own_connections_max;
    size_t body_max;
    feed_http_head_fn *head_fn;
    feed_http_refused_fn *refused_fn;
    feed_http_fn *http_fn; /* all HTTP requests that are not WebSocket handshakes at ws_path; NULL: 404 */
    const char *ws_path;   /* "/v1/ws"; NULL: no WebSocket */
    /* "feedwire.v1.json": a handshake that does not offer it is refused with 400. NULL: none is spoken, and one that is
     * offered is refused. */
    const char *ws_protocol;
    size_t message_max;
    const struct feed_ws_events *ws_events;
    const struct feed_proxies *proxies; /* borrowed; NULL: nobody's X-Forwarded-For is believed */
    /* Connections that have not shown who they are (feed_ws_known): in all, and of one address; 0: not limited. One
     * that is too many is closed at once, or refused with 429 where its address is known from its head alone. */
    unsigned strangers_max, strangers_address_max;
    void *arg; /* for all callbacks of this listener */
};
/* Texts and ws_events are borrowed for the server's life. All ws_path listeners of a server have one ws_protocol. */

struct feed_server_settings {
    unsigned connections_max;      /* of all listeners without their own; further ones are closed at once and counted */
    unsigned handshake_timeout_ms; /* request head and body must be complete by then */
    unsigned ping_after_s;         /* idle WebSocket: ping; 0 none */
    unsigned hangup_after_s;       /* and close when nothing came for so long */
    /* A peer whose socket is full cannot be pinged. While its kernel acknowledges, it is there but does not read, and
     * has so long, from the ping that was due, to take something. 0: no longer than for an answer. */
    unsigned stall_after_s;
};

struct feed_server_counts {
    uint64_t accepted, refused_full, refused_strangers, refused_strangers_address, http_requests, bytes_sent,
        frames_sent, write_full;
    unsigned open; /* connections now */
};

enum feed_error feed_server_new(struct feed_loop *loop, struct feed_log *log,
                                const struct feed_server_settings *settings, const struct feed_listener *listeners,
                                size_t listener_count, struct feed_server **out, char *problem,
                                size_t problem_size) FEED_MUST_USE;
/* The port that listener i has. */
unsigned feed_server_port(const struct feed_server *server, size_t i);
void feed_server_stop_accepting(struct feed_server *server, size_t i); /* closes the listening socket of listener i */
const struct feed_server_counts *feed_server_counts(const struct feed_server *server);
/* Closes everything; closed_fn of every WebSocket fires inside. Not from a callback of this server. A request that was
 * not answered stays valid until it is. */
void feed_server_free(struct feed_server *server);

#endif
