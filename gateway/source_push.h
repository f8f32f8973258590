/* Source push: changes of one outbox to all sessions whose home feed it is merged into. The entries are encoded once;
 * what differs from one to the next are the position, and what each is shown. */
#ifndef GW_SOURCE_PUSH_H
#define GW_SOURCE_PUSH_H

#include "gateway/encode.h"
#include "gateway/hub.h"
#include "shared/model/merge.h"

struct gw_source;

enum { GW_SOURCE_RUN_MAX = GW_BACKLOG_NOTICES_MAX };

/* Changes of one kind; their bytes are borrowed. */
struct gw_source_run {
    enum gw_change change;
    struct feed_member members[GW_SOURCE_RUN_MAX];
    size_t count;
};

/* The source has taken the changes over already. `after`: its term when the clients have this message. */
void gw_source_push(struct gw_hub *hub, struct gw_source *source, const struct gw_source_run *run,
                    const struct feed_seen *after);

/* The outbox has lost entries of which copies may be in the feeds: all sessions get their windows anew. */
void gw_source_distrust(struct gw_hub *hub, struct gw_source *source, const struct feed_seen *after);

#endif
