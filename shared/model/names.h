/* The grammar of names. Tenants and users become parts of Redis and Kafka keys, so nothing that has a meaning there
 * passes. */
#ifndef FEED_MODEL_NAMES_H
#define FEED_MODEL_NAMES_H

#include "shared/base/str.h"

bool feed_tenant_valid(struct feed_str name); /* [a-z0-9-]{1,32} */
bool feed_user_valid(struct feed_str name);   /* 1-128 of [A-Za-z0-9_.:@|+=~-] */
bool feed_verb_valid(struct feed_str name);   /* [a-z][a-z0-9_-]{0,31}; also types of objects and targets */
bool feed_object_id_valid(
    struct feed_str id); /* 1-256 bytes of UTF-8 without control characters (U+0000-U+001F, U+007F) */
bool feed_activity_id_valid(struct feed_str id); /* the same with 1-128 bytes */
bool feed_source_valid(struct feed_str source);  /* the same; CloudEvents source */
bool feed_topic_valid(struct feed_str name);     /* 1-249 of [A-Za-z0-9._-], as Kafka has it, but not . or .. */

#endif
