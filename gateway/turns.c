/* Lists, and a word of bits that says which of them to look at. */
#include "gateway/turns.h"

#include <xxhash.h>

void gw_turns_init(struct gw_turns *turns)
{
    turns->some = 0;
    turns->last = 0;
    for (unsigned i = 0; i < GW_TURNS; i++)
        gw_link_init(&turns->lists[i]);
}

unsigned gw_turns_share(struct feed_str tenant)
{
    return (unsigned)(XXH3_64bits(tenant.data, tenant.len) % GW_TURNS);
}

void gw_turns_append(struct gw_turns *turns, unsigned share, struct gw_link *link)
{
    gw_list_append(&turns->lists[share], link);
    turns->some |= UINT64_C(1) << share;
}

struct gw_link *gw_turns_next(struct gw_turns *turns)
{
    for (unsigned i = 1; turns->some && i <= GW_TURNS; i++) {
        unsigned share = (turns->last + i) % GW_TURNS;
        if (!(turns->some & UINT64_C(1) << share))
            continue;
        struct gw_link *link = gw_list_first(&turns->lists[share]);
        if (link) {
            turns->last = share;
            return link;
        }
        turns->some &= ~(UINT64_C(1) << share);
    }
    return NULL;
}
