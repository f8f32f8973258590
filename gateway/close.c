/* The rows of close.h as data. */
#include "gateway/close.h"

#include "shared/base/assert.h"

#include <stddef.h>

static const struct gw_close_row rows[] = {
#define GW_CLOSE_ROW(id, name, code, come_back) {name, code, come_back},
    GW_CLOSES(GW_CLOSE_ROW)
#undef GW_CLOSE_ROW
};

const char *const gw_close_names[GW_CLOSE_COUNT + 1] = {
#define GW_CLOSE_ROW(id, name, code, come_back) name,
    GW_CLOSES(GW_CLOSE_ROW)
#undef GW_CLOSE_ROW
        NULL};

const struct gw_close_row *gw_close_row(enum gw_close close)
{
    feed_assert(close < GW_CLOSE_COUNT);
    return &rows[close];
}

enum gw_close gw_close_of_peer(unsigned code)
{
    switch (code) {
    case 1002: /* protocol error */
    case 1007: /* not UTF-8 */
        return GW_CLOSE_PROTOCOL;
    case 1006:
        return GW_CLOSE_LOST;
    case 1009:
        return GW_CLOSE_TOO_LARGE;
    case 1011:
        return GW_CLOSE_INTERNAL;
    default:
        return GW_CLOSE_CLIENT;
    }
}
