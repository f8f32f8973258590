/* Purged: how a user who was erased is remembered without their name, so that nothing of them comes back. The time of
 * the purge stands under 16 bytes of a hash of tenant and user: who has the name can find it, who has not cannot read
 * it from there. See schemas/kafka.md (kind `purge` of the topic graph) and schemas/redis.md. */
#ifndef FEED_MODEL_PURGED_H
#define FEED_MODEL_PURGED_H

#include "shared/base/id.h"
#include "shared/base/limits.h"

#define FEED_PURGES_KEY "x:{feedwire}" /* hash: who is purged -> until when, and how often that has changed */

enum {
    FEED_PURGED_NAME = 2 * FEED_ID_BYTES, /* in hexadecimal, a valid name of a user */
    FEED_PURGE_REPORT_KEY_MAX = sizeof FEED_PURGES_KEY + FEED_PURGED_NAME
};

struct feed_id feed_purged_id(struct feed_str tenant, struct feed_str user);
void feed_purged_name(const struct feed_id *id, char out[FEED_PURGED_NAME + 1]);
/* FEED_E_INVALID when the text is no such name. */
enum feed_error feed_purged_parse(struct feed_str name, struct feed_id *out) FEED_MUST_USE;
/* The key of the report about one purge: how far it is. Terminated. */
void feed_purge_report_key(const struct feed_id *id, char out[FEED_PURGE_REPORT_KEY_MAX + 1]);

#endif
