/* Health: the reasons why a daemon is not ready, as a set of named conditions. /readyz answers 200 when all hold. */
#ifndef FEED_OBSERVE_HEALTH_H
#define FEED_OBSERVE_HEALTH_H

#include "shared/base/str.h"

enum { FEED_HEALTH_CONDITIONS_MAX = 8 };

struct feed_health {
    struct {
        const char *name; /* "redis", "kafka", static */
        bool ok;
        char reason[128]; /* why not */
    } conditions[FEED_HEALTH_CONDITIONS_MAX];
    size_t count;
};

/* Conditions start as not ok with the reason "starting". Returns the index. */
unsigned feed_health_add(struct feed_health *health, const char *name);
void feed_health_set(struct feed_health *health, unsigned condition, bool ok,
                     const char *reason); /* reason is copied; NULL when ok */
bool feed_health_ready(const struct feed_health *health);
/* {"ready":false,"conditions":[{"name":"redis","ok":false,"reason":".."}]} */
void feed_health_render(const struct feed_health *health, struct feed_buf *out);

#endif
