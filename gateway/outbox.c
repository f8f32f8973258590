/* A ring of frame pointers. Most connections have no frame waiting at almost any time, so the ring starts inside the
 * session and goes back there when it runs empty; memory is taken only for a connection that lags. */
#include "gateway/outbox.h"

#include "shared/base/assert.h"

#include <stdlib.h>

void gw_outbox_init(struct gw_outbox *outbox)
{
    *outbox = (struct gw_outbox){.capacity = GW_OUTBOX_INLINE};
}

/* A slot points to the frame, or to its second byte: then the frame stays. No frame is at an odd address. */
static size_t stays(const char *slot)
{
    return (uintptr_t)slot & 1;
}

static struct feed_frame *frame_in(char *slot)
{
    return (struct feed_frame *)(void *)(slot - stays(slot));
}

static char **slots(struct gw_outbox *outbox)
{
    return outbox->many ? outbox->many : outbox->few;
}

/* Capacities are powers of two. */
static bool grow(struct gw_outbox *outbox)
{
    uint32_t capacity = outbox->capacity * 4;
    feed_assert(outbox->capacity > 0 && capacity <= GW_OUTBOX_FRAMES_MAX);
    char **bigger = malloc(capacity * sizeof *bigger);
    if (!bigger)
        return false;
    char *const *old = slots(outbox);
    for (uint32_t i = 0; i < outbox->count; i++)
        bigger[i] = old[(outbox->head + i) & (outbox->capacity - 1)];
    free(outbox->many);
    outbox->many = bigger;
    outbox->capacity = capacity;
    outbox->head = 0;
    return true;
}

enum feed_error gw_outbox_push(struct gw_outbox *outbox, const struct gw_port *port, struct feed_frame *frame,
                               size_t bytes_max, enum gw_outbox_rule rule)
{
    size_t len = port->frame_payload_fn(frame).len;
    if (outbox->count >= GW_OUTBOX_FRAMES_MAX)
        return FEED_E_FULL;
    if (rule != GW_OUTBOX_FIRST && outbox->count > 0 && (len > bytes_max || outbox->bytes > bytes_max - len))
        return FEED_E_FULL;
    if (outbox->count == outbox->capacity && !grow(outbox))
        return FEED_E_MEMORY;
    char *slot = (char *)port->frame_ref_fn(frame);
    feed_assert(!stays(slot));
    slots(outbox)[(outbox->head + outbox->count) & (outbox->capacity - 1)] = rule == GW_OUTBOX_ANSWER ? slot + 1 : slot;
    outbox->count++;
    outbox->bytes += len;
    return FEED_OK;
}

static void shrink(struct gw_outbox *outbox)
{
    feed_assert(outbox->bytes == 0);
    free(outbox->many);
    outbox->many = NULL;
    outbox->capacity = GW_OUTBOX_INLINE;
    outbox->head = 0;
}

struct feed_frame *gw_outbox_pop(struct gw_outbox *outbox, const struct gw_port *port)
{
    if (outbox->count == 0)
        return NULL;
    struct feed_frame *frame = frame_in(slots(outbox)[outbox->head]);
    outbox->head = (outbox->head + 1) & (outbox->capacity - 1);
    outbox->count--;
    outbox->bytes -= port->frame_payload_fn(frame).len;
    if (outbox->count == 0 && outbox->many)
        shrink(outbox);
    return frame;
}

void gw_outbox_drop_feeds(struct gw_outbox *outbox, const struct gw_port *port)
{
    char **ring = slots(outbox);
    uint32_t mask = outbox->capacity - 1, kept = 0;
    for (uint32_t i = 0; i < outbox->count; i++) {
        char *slot = ring[(outbox->head + i) & mask];
        if (stays(slot)) {
            ring[(outbox->head + kept++) & mask] = slot;
            continue;
        }
        outbox->bytes -= port->frame_payload_fn(frame_in(slot)).len;
        port->frame_unref_fn(frame_in(slot));
    }
    outbox->count = kept;
    if (kept == 0 && outbox->many)
        shrink(outbox);
}

void gw_outbox_clear(struct gw_outbox *outbox, const struct gw_port *port)
{
    struct feed_frame *frame;
    while ((frame = gw_outbox_pop(outbox, port)))
        port->frame_unref_fn(frame);
}
