/* The state machine of marks.h; and keys for slots, which are found by trying: every 16,384th number fits. */
#include "fanout/marks.h"

#include "shared/redis/slot.h"

#include <stdio.h>

void fan_mark_key(unsigned slot, char out[FAN_MARK_KEY_MAX + 1])
{
    for (unsigned n = 0;; n++) {
        snprintf(out, FAN_MARK_KEY_MAX + 1, "life:{feedwire/%u}", n);
        if (feed_slot_of(feed_str_of(out)) == slot)
            return;
    }
}

void fan_mark_want(struct fan_mark *mark, int slot)
{
    if (mark->slot == slot)
        return;
    *mark = (struct fan_mark){.slot = slot};
    if (slot != FAN_MARK_NONE)
        fan_mark_key((unsigned)slot, mark->key);
}

void fan_mark_forget(struct fan_mark *mark)
{
    mark->state = FAN_MARK_LISTED;
    mark->asking = false;
    mark->good_check = 0;
}

bool fan_mark_took(struct fan_mark *mark, struct feed_str value, const char *life, uint64_t check)
{
    bool ours = feed_str_eq(value, feed_str_of(life));
    mark->asking = false;
    switch (mark->state) {
    case FAN_MARK_LISTED:
        mark->listed = ours;
        mark->state = FAN_MARK_LOOK;
        return true;
    case FAN_MARK_LOOK:
        if (!ours && mark->listed)
            return false;
        mark->state = !ours ? FAN_MARK_WRITE : mark->listed ? FAN_MARK_MARKED : FAN_MARK_LIST;
        return true;
    case FAN_MARK_WRITE:
        mark->state = FAN_MARK_LIST;
        return true;
    case FAN_MARK_LIST:
        mark->state = FAN_MARK_MARKED;
        return true;
    case FAN_MARK_MARKED:
        if (ours)
            mark->good_check = check;
        return ours;
    }
    return true;
}

bool fan_mark_good(const struct fan_mark *mark, uint64_t check)
{
    return mark->slot == FAN_MARK_NONE || (mark->state == FAN_MARK_MARKED && mark->good_check >= check);
}
