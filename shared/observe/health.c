/* Keeps the conditions of readiness and writes them as JSON. The set is small and fixed, so an array does. */
#include "shared/observe/health.h"

#include "shared/base/assert.h"
#include "shared/base/json_out.h"

#include <stdio.h>

static void set_reason(struct feed_health *health, unsigned condition, const char *reason)
{
    snprintf(health->conditions[condition].reason, sizeof(health->conditions[condition].reason), "%s",
             reason ? reason : "");
}

unsigned feed_health_add(struct feed_health *health, const char *name)
{
    feed_assert(health->count < FEED_HEALTH_CONDITIONS_MAX);
    unsigned condition = (unsigned)health->count++;
    health->conditions[condition].name = name;
    health->conditions[condition].ok = false;
    set_reason(health, condition, "starting");
    return condition;
}

void feed_health_set(struct feed_health *health, unsigned condition, bool ok, const char *reason)
{
    feed_assert(condition < health->count);
    health->conditions[condition].ok = ok;
    set_reason(health, condition, ok ? NULL : reason);
}

bool feed_health_ready(const struct feed_health *health)
{
    for (size_t i = 0; i < health->count; i++) {
        if (!health->conditions[i].ok) {
            return false;
        }
    }
    return true;
}

void feed_health_render(const struct feed_health *health, struct feed_buf *out)
{
    struct feed_json_out json;
    feed_json_out_init(&json, out);
    feed_json_open(&json);
    feed_json_key(&json, "ready");
    feed_json_bool(&json, feed_health_ready(health));
    feed_json_key(&json, "conditions");
    feed_json_open_list(&json);
    for (size_t i = 0; i < health->count; i++) {
        feed_json_open(&json);
        feed_json_member(&json, "name", feed_str_of(health->conditions[i].name));
        feed_json_key(&json, "ok");
        feed_json_bool(&json, health->conditions[i].ok);
        if (!health->conditions[i].ok) {
            feed_json_member(&json, "reason", feed_str_of(health->conditions[i].reason));
        }
        feed_json_close(&json);
    }
    feed_json_close_list(&json);
    feed_json_close(&json);
}
