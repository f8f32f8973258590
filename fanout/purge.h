/* Purge: the commands that erase users of one tenant from Redis, and which records of the topic graph name them. Pure;
 * purge_port.c looks through the keys and sends. */
#ifndef FANOUT_PURGE_H
#define FANOUT_PURGE_H

#include "fanout/job.h"

enum { FAN_PURGE_USERS_MAX = 8 }; /* erased in one go through all keys */

struct fan_purge_user {
    char name[FEED_USER_MAX + 1];
    int64_t until_ms;
    char until_text[24];
    struct feed_id id;
};

struct fan_purge {
    char tenant[FEED_TENANT_MAX + 1];
    struct fan_purge_user users[FAN_PURGE_USERS_MAX];
    size_t count;
    char cap[12];
};

void fan_purge_init(struct fan_purge *purge, struct feed_str tenant, unsigned cap);
/* False: of another tenant, or no room. A user who is there already takes the later time. */
bool fan_purge_add(struct fan_purge *purge, struct feed_str tenant, struct feed_str user, int64_t until_ms);

/* A pattern that SCAN takes; all keys of the tenant's users match it. Returns the length. */
enum { FAN_PURGE_PATTERN_MAX = FEED_TENANT_MAX + 8 };
size_t fan_purge_pattern(const struct fan_purge *purge, char out[FAN_PURGE_PATTERN_MAX + 1]);
/* The command that takes the users out of what this key holds; false: it can hold nothing of them. Views borrowed from
 * purge, key and call. */
bool fan_purge_build(const struct fan_purge *purge, struct feed_str key, struct fan_call *call);
/* Whether this record of the topic graph names one of them, and is not younger: a record without a value takes its
 * place. */
bool fan_purge_ends_relation(const struct fan_purge *purge, struct feed_str key, struct feed_str value);

#endif
