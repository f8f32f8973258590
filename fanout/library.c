/* A text is put into a text; the bytes are written as Lua escapes, so none of them can end the literal. */
#include "fanout/library.h"

#include "shared/base/assert.h"

#include <string.h>

static const char place[] = "local GENERATION = ''";

static const char *find(struct feed_str source)
{
    size_t len = sizeof place - 1;
    for (size_t i = 0; i + len <= source.len; i++) {
        if (memcmp(source.data + i, place, len) == 0)
            return source.data + i;
    }
    return NULL;
}

void fan_library_write(struct feed_str source, const char *id, struct feed_buf *out)
{
    uint8_t bytes[FAN_GENERATION_BYTES];
    const char *at = find(source);
    feed_assert(at);
    enum feed_error error = feed_unhex((struct feed_str){id, 2 * sizeof bytes}, bytes, sizeof bytes);
    feed_assert(error == FEED_OK);
    size_t before = (size_t)(at - source.data), after = before + sizeof place - 1;
    feed_buf_init(out, source.len + 64);
    feed_buf_append(out, source.data, before);
    feed_buf_printf(out, "local GENERATION = '\\%03u\\%03u\\%03u'", (unsigned)bytes[0], (unsigned)bytes[1],
                    (unsigned)bytes[2]);
    feed_buf_append(out, source.data + after, source.len - after);
    feed_assert(out->error == FEED_OK);
}
