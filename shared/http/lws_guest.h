/* libwebsockets as a guest of the libuv loop: one struct feed_guest for one lws context, one uv_poll for each of its
 * sockets.
 *
 * Optimistic writes: a socket for which lws asks writability goes to a ready list, which is served at the end of the
 * same turn of the loop; UV_WRITABLE is armed only while lws holds bytes that the socket did not take. So a message to
 * an idle connection costs one write and no change of the poll set. While the list is not empty the loop does not
 * sleep.
 *
 * Reading is left in the poll set when lws stops it for a moment (it does so around each HTTP request); it is taken out
 * only when something arrives that lws does not want yet. */
#ifndef FEED_HTTP_LWS_GUEST_H
#define FEED_HTTP_LWS_GUEST_H

#include <stdbool.h>

struct feed_guest;
struct feed_guest_socket;
struct feed_loop;
struct lws;
struct lws_context;
struct lws_context_creation_info;

struct feed_guest_events {
    /* At the end of each turn, before the ready list is served, and five times a second (for deadlines). */
    void (*turn_fn)(void *arg);
    void (*tick_fn)(void *arg);
    /* Something can be read, or was sent completely: true when the owner has dealt with it, then lws is not told. */
    bool (*readable_fn)(void *owner);
    bool (*writable_fn)(void *owner);
};

/* Fills in the event library and creates the context. events is borrowed for life; info until this returns. NULL when
 * lws fails. */
struct feed_guest *feed_guest_new(struct feed_loop *loop, struct lws_context_creation_info *info,
                                  const struct feed_guest_events *events, void *arg);
/* Destroys the context, with all its callbacks; not from inside one. */
void feed_guest_free(struct feed_guest *guest);
/* The loop does not sleep before turn_fn was called. */
void feed_guest_wake(struct feed_guest *guest);
struct lws_context *feed_guest_context(const struct feed_guest *guest);

/* The socket of a connection, from its adoption until LWS_CALLBACK_WSI_DESTROY; NULL for wsis that have none. */
struct feed_guest_socket *feed_guest_socket_of(struct lws *wsi);
/* The owner is handed to readable_fn and writable_fn; without one lws gets everything. */
void feed_guest_socket_set_owner(struct feed_guest_socket *socket, void *owner);
void *feed_guest_socket_owner(const struct feed_guest_socket *socket);
/* Polls for reading whatever lws wants: the owner reads by itself. */
void feed_guest_socket_read_always(struct feed_guest_socket *socket);
/* Gives lws the event "writable" now. False if the socket has died of it. */
bool feed_guest_socket_write_now(struct feed_guest_socket *socket);
/* Watches for writability, as lws holds bytes that the socket did not take. */
void feed_guest_socket_arm(struct feed_guest_socket *socket);

#endif
