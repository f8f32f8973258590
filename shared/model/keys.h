/* Redis keys and channels, built from checked parts only. See schemas/redis.md. */
#ifndef FEED_MODEL_KEYS_H
#define FEED_MODEL_KEYS_H

#include "shared/base/limits.h"
#include "shared/base/str.h"

enum feed_timeline {
    FEED_TIMELINE_HOME,          /* f:{tenant/user} */
    FEED_TIMELINE_NOTIFICATIONS, /* n:{tenant/user} */
    FEED_TIMELINE_OUTBOX         /* o:{tenant/user} */
};

struct feed_key {
    char text[FEED_KEY_MAX + 1]; /* terminated */
    size_t len;
};

/* Tenant and user are valid names (asserted: whoever took them from outside has checked them). */
struct feed_key feed_key_timeline(enum feed_timeline timeline, struct feed_str tenant, struct feed_str user);
struct feed_key feed_key_followers(struct feed_str tenant, struct feed_str author,
                                   unsigned page); /* g:{tenant/author/page} */
struct feed_key feed_key_ended(struct feed_str tenant, struct feed_str author,
                               unsigned page); /* k:{tenant/author/page} */
struct feed_key feed_key_latest(struct feed_str tenant, struct feed_str author,
                                unsigned page); /* l:{tenant/author/page} */
struct feed_key feed_key_page(struct feed_str tenant, struct feed_str author,
                              unsigned page);                                     /* q:{tenant/author/page} */
struct feed_key feed_key_followees(struct feed_str tenant, struct feed_str user); /* h:{tenant/user} */
struct feed_key feed_key_settings(struct feed_str tenant, struct feed_str user);  /* m:{tenant/user} */
struct feed_key feed_key_author(struct feed_str tenant, struct feed_str author);  /* a:{tenant/author} */
struct feed_key feed_key_sources(struct feed_str tenant, struct feed_str user);   /* b:{tenant/user} */
struct feed_key feed_key_crossings(struct feed_str tenant, struct feed_str user); /* c:{tenant/user} */
struct feed_str feed_key_str(const struct feed_key *key);                         /* borrowed view */

/* The tenant in a key x:{tenant/..} that was made here; borrows it. */
struct feed_str feed_key_tenant(struct feed_str key);

/* p:{topic}: how far its partitions have been worked off; also the channel on which that is said. Terminated. The topic
 * is a valid name (asserted). Returns the length. */
size_t feed_key_progress(struct feed_str topic, char out[FEED_PROGRESS_KEY_MAX + 1]);

/* "home" and "notifications", as clients say them; FEED_E_INVALID otherwise. */
enum feed_error feed_timeline_from_name(struct feed_str name, enum feed_timeline *out) FEED_MUST_USE;
const char *feed_timeline_name(enum feed_timeline timeline); /* "home", "notifications", "outbox" */

#endif
