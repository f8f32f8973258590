/* Relations as resources: PUT and DELETE of /v1/follows/ACTOR/OBJECT, /v1/blocks/.. and /v1/mutes/.. are the activities
 * follow and unfollow, block and unblock, mute and unmute. */
#ifndef INGEST_RELATE_H
#define INGEST_RELATE_H

#include "shared/base/str.h"

/* Whether the path begins as one of a relation, with something behind. */
bool ing_relate_path(struct feed_str path);
/* Appends the activity as JSON to out: what PUT (put) or DELETE of this path means. Returns NULL, or a static sentence
 * about what is wrong; then nothing was appended. */
const char *ing_relate_activity(bool put, struct feed_str path, struct feed_str query, struct feed_buf *out);

#endif
