/* Outbox: the frames that wait for one connection, oldest first, bounded by count and bytes. It holds pointers to
 * shared frames, so a message to many connections is in memory once.
 *
 * What a feed has become can be told anew at any time, so frames that say it can be dropped when there are too many;
 * answers cannot. */
#ifndef GW_OUTBOX_H
#define GW_OUTBOX_H

#include "gateway/port.h"

/* Inline slots: a connection that keeps up never has more frames than this at a time, and takes no memory for them. */
enum { GW_OUTBOX_INLINE = 4, GW_OUTBOX_FRAMES_MAX = 1024 };

struct gw_outbox {
    char *few[GW_OUTBOX_INLINE];
    char **many; /* owned; NULL while `few` is enough */
    uint32_t capacity, head, count;
    size_t bytes; /* of payload */
};

enum gw_outbox_rule {
    /* A change of a feed. Refused when the bytes would exceed the limit; one frame alone is never too large, because it
     * could not be sent at any time. Can be dropped. */
    GW_OUTBOX_CHANGE,
    /* The first slice of a feed. Only the count is limited: a refusal would meet the client again in the same way, and
     * there are at most as many as feeds in the hello. Can be dropped. */
    GW_OUTBOX_FIRST,
    /* Refused as a change is; stays until it is sent. */
    GW_OUTBOX_ANSWER
};

void gw_outbox_init(struct gw_outbox *outbox);
/* Takes a reference of its own. FEED_E_FULL: not taken; FEED_E_MEMORY. */
enum feed_error gw_outbox_push(struct gw_outbox *outbox, const struct gw_port *port, struct feed_frame *frame,
                               size_t bytes_max, enum gw_outbox_rule rule) FEED_MUST_USE;
/* The oldest frame with its reference, or NULL. */
struct feed_frame *gw_outbox_pop(struct gw_outbox *outbox, const struct gw_port *port);
/* Drops what can be dropped; the others keep their order. */
void gw_outbox_drop_feeds(struct gw_outbox *outbox, const struct gw_port *port);
/* Drops all; gives back the memory. The outbox stays usable. */
void gw_outbox_clear(struct gw_outbox *outbox, const struct gw_port *port);

#endif
