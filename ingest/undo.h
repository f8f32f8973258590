/* An undo that came as DELETE: its path and query as the activity that it stands for. */
#ifndef INGEST_UNDO_H
#define INGEST_UNDO_H

#include "shared/base/str.h"

/* Appends the JSON of the activity: verb undo, object {type activity, id, published?}. The path begins with
 * ING_PATH_ONE; the query has `actor`, and `published` if the caller likes. NULL, or what is wrong (static); then
 * nothing was appended. The values are not checked beyond being text: whoever reads the activity does that. */
const char *ing_undo_activity(struct feed_str path, struct feed_str query, struct feed_buf *out) FEED_MUST_USE;

#endif
