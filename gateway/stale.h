/* Stale: tells sessions when their feeds may be behind, and when they are not any more. A feed is stale when fan-out is
 * behind (gateway/progress.h), and when this gateway has not followed it for as long, because Redis is away. */
#ifndef GW_STALE_H
#define GW_STALE_H

#include "gateway/session.h"

/* Says what has changed; called for each session about once a second, which spreads the work. */
void gw_stale_look(struct gw_session *session);

#endif
