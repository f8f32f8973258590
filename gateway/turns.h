/* Turns: what waits for something scarce, a list for each tenant, served in turn: a tenant whose thousand clients come
 * back at once delays the first one of another tenant by one turn. Within a tenant the order of arrival holds.
 *
 * A list is that of a hash of the tenant; tenants that have one in common cost each other fairness and nothing else. */
#ifndef GW_TURNS_H
#define GW_TURNS_H

#include "gateway/list.h"
#include "shared/base/str.h"

enum { GW_TURNS = 64 };

struct gw_turns {
    struct gw_link lists[GW_TURNS];
    uint64_t some; /* bit i: list i may have something, so that looking at nothing costs nothing */
    unsigned last; /* that was served */
};

void gw_turns_init(struct gw_turns *turns);
unsigned gw_turns_share(struct feed_str tenant);
/* It leaves by gw_link_remove. */
void gw_turns_append(struct gw_turns *turns, unsigned share, struct gw_link *link);
/* The first of the next list, which stays where it is; NULL: nothing waits. */
struct gw_link *gw_turns_next(struct gw_turns *turns);

#endif
