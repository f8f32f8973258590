/* A browser opens WebSockets to anywhere, whatever page asks for it; the Origin header is what tells the pages apart.
 */
#include "gateway/origin.h"

#include <string.h>

static struct feed_str trim(struct feed_str s)
{
    while (s.len > 0 && s.data[0] == ' ') {
        s.data++;
        s.len--;
    }
    while (s.len > 0 && s.data[s.len - 1] == ' ')
        s.len--;
    return s;
}

bool gw_origin_allowed(struct feed_str allowed, struct feed_str origin)
{
    if (!origin.data)
        return true;
    while (allowed.len > 0) {
        const char *comma = memchr(allowed.data, ',', allowed.len);
        size_t len = comma ? (size_t)(comma - allowed.data) : allowed.len;
        struct feed_str one = trim((struct feed_str){allowed.data, len});
        if (one.len > 0 && feed_str_eq(one, origin))
            return true;
        size_t used = comma ? len + 1 : len;
        allowed.data += used;
        allowed.len -= used;
    }
    return false;
}
