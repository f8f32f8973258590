/* Task: one message for many connections. Difficulty: libwebsockets writes the WebSocket header into the LWS_PRE bytes
 * in front of the payload; a server's header depends only on the payload's length, so all connections write the same.
 */
#include "shared/http/connection.h"

#include "shared/base/assert.h"

#include <stdlib.h>
#include <string.h>

struct feed_frame {
    unsigned references;
    bool binary;
    size_t len;
    unsigned char bytes[]; /* LWS_PRE, then the payload */
};

static struct feed_frame *new_frame(struct feed_str payload, bool binary)
{
    if (payload.len > (size_t)INT32_MAX)
        return NULL;
    struct feed_frame *frame = malloc(sizeof(*frame) + LWS_PRE + payload.len);
    if (!frame)
        return NULL;
    frame->references = 1;
    frame->binary = binary;
    frame->len = payload.len;
    memset(frame->bytes, 0, LWS_PRE);
    if (payload.len > 0)
        memcpy(frame->bytes + LWS_PRE, payload.data, payload.len);
    return frame;
}

struct feed_frame *feed_frame_new(struct feed_str payload)
{
    return new_frame(payload, false);
}

struct feed_frame *feed_frame_new_binary(struct feed_str payload)
{
    return new_frame(payload, true);
}

bool feed_frame_binary(const struct feed_frame *frame)
{
    return frame->binary;
}

struct feed_frame *feed_frame_ref(struct feed_frame *frame)
{
    feed_assert(frame->references > 0);
    frame->references++;
    return frame;
}

void feed_frame_unref(struct feed_frame *frame)
{
    if (!frame)
        return;
    feed_assert(frame->references > 0);
    if (--frame->references == 0)
        free(frame);
}

struct feed_str feed_frame_payload(const struct feed_frame *frame)
{
    return (struct feed_str){(const char *)frame->bytes + LWS_PRE, frame->len};
}

unsigned char *feed_frame_bytes(struct feed_frame *frame, size_t *len)
{
    *len = frame->len;
    return frame->bytes + LWS_PRE;
}
