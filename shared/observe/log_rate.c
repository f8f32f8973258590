/* A small open-addressed table, events as keys. Compared by text, since the same event may be named in several files.
 */
#include "shared/observe/log_rate.h"

#include <stddef.h>
#include <string.h>

static struct feed_log_rate_slot *slot_of(struct feed_log_rate *rate, const char *event)
{
    uint32_t hash = 2166136261u; /* FNV-1a: the keys are our own words, nobody can choose them to collide */
    for (const char *c = event; *c; c++) {
        hash = (hash ^ (uint8_t)*c) * 16777619u;
    }
    for (unsigned i = 0; i < FEED_LOG_RATE_EVENTS; i++) {
        struct feed_log_rate_slot *slot = &rate->slots[(hash + i) % FEED_LOG_RATE_EVENTS];
        if (!slot->event) {
            slot->event = event;
        }
        if (strcmp(slot->event, event) == 0) {
            return slot;
        }
    }
    return &rate->slots[FEED_LOG_RATE_EVENTS];
}

bool feed_log_rate_take(struct feed_log_rate *rate, const char *event, int64_t now_ms, unsigned per_second,
                        uint64_t *suppressed)
{
    struct feed_log_rate_slot *slot = slot_of(rate, event);
    if (slot->second != now_ms / 1000) {
        slot->second = now_ms / 1000;
        slot->lines = 0;
    }
    if (slot->lines >= per_second) {
        slot->suppressed++;
        return false;
    }
    slot->lines++;
    *suppressed = slot->suppressed;
    slot->suppressed = 0;
    return true;
}
