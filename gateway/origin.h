/* Which web pages may open a WebSocket here. */
#ifndef GW_ORIGIN_H
#define GW_ORIGIN_H

#include "shared/base/str.h"

/* allowed: origins separated by commas, as browsers send them ("https://example.org"). Only an exact match counts: no
 * wildcards, no suffixes, no other case or port. A handshake without Origin (data NULL) is not a browser's, so no page
 * is behind it, and its token decides alone. */
bool gw_origin_allowed(struct feed_str allowed, struct feed_str origin);

#endif
