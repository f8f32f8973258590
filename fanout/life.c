/* The state machine of life.h. One question is under way at a time; an answer that does not belong to the present state
 * comes too late and is ignored. */
#include "fanout/life.h"

#include "shared/base/assert.h"

static enum fan_life_do ask(struct fan_life *life, enum fan_life_state state, enum fan_life_do what)
{
    life->state = state;
    life->asking = true;
    return what;
}

static enum fan_life_do wait(struct fan_life *life, int64_t until_ms)
{
    life->state = FAN_LIFE_WAITING;
    life->at_ms = until_ms;
    return FAN_LIFE_WAIT;
}

/* Of a marker that is longer than ours, whoever wrote it, the beginning: it is one life as long as it stays. */
static struct feed_str cut(struct feed_str id)
{
    return (struct feed_str){id.data, id.len < FAN_LIFE_TEXT ? id.len : FAN_LIFE_TEXT};
}

static enum fan_life_do know(struct fan_life *life, struct feed_str id)
{
    enum feed_error error = feed_str_copy(cut(id), life->id, sizeof life->id);
    feed_assert(error == FEED_OK);
    life->state = FAN_LIFE_KNOWN;
    return FAN_LIFE_GO;
}

static enum fan_life_do load(struct fan_life *life)
{
    life->state = FAN_LIFE_LOADING;
    life->loaded = false;
    return FAN_LIFE_LOAD;
}

enum fan_life_do fan_life_up(struct fan_life *life)
{
    return life->state == FAN_LIFE_DOWN ? ask(life, FAN_LIFE_LOOKING, FAN_LIFE_LOOK) : FAN_LIFE_NOTHING;
}

void fan_life_gone(struct fan_life *life)
{
    life->state = FAN_LIFE_DOWN;
    life->asking = false;
}

enum fan_life_do fan_life_looked(struct fan_life *life, struct feed_str id, enum fan_life_lease lease, int64_t now_ms)
{
    life->asking = false;
    if (life->state != FAN_LIFE_LOOKING && life->state != FAN_LIFE_LOADING)
        return FAN_LIFE_NOTHING;
    if (id.len)
        return know(life, id);
    if (lease == FAN_LIFE_LEASE_OTHERS)
        return wait(life, now_ms + FAN_LIFE_LOOK_MS);
    life->at_ms = now_ms + FAN_LIFE_RENEW_MS;
    /* Taken in the middle of a load: it had been lost, and perhaps with it what was loaded. */
    if (life->state == FAN_LIFE_LOOKING || lease == FAN_LIFE_LEASE_TAKEN)
        return load(life);
    return life->loaded ? ask(life, FAN_LIFE_BEGINNING, FAN_LIFE_BEGIN) : FAN_LIFE_NOTHING;
}

enum fan_life_do fan_life_loaded(struct fan_life *life, bool good, int64_t now_ms)
{
    if (life->state != FAN_LIFE_LOADING)
        return FAN_LIFE_NOTHING;
    if (!good)
        return wait(life, now_ms + FAN_LIFE_AGAIN_MS);
    if (life->asking) {
        /* Were the lease taken anew by that question, the life would begin all the same. */
        life->loaded = true;
        return FAN_LIFE_NOTHING;
    }
    return ask(life, FAN_LIFE_BEGINNING, FAN_LIFE_BEGIN);
}

enum fan_life_do fan_life_began(struct fan_life *life, struct feed_str id)
{
    life->asking = false;
    if (life->state != FAN_LIFE_BEGINNING)
        return FAN_LIFE_NOTHING;
    return id.len ? know(life, id) : ask(life, FAN_LIFE_LOOKING, FAN_LIFE_LOOK);
}

enum fan_life_do fan_life_checked(struct fan_life *life, struct feed_str id)
{
    life->asking = false;
    if (life->state != FAN_LIFE_KNOWN || feed_str_eq(cut(id), feed_str_of(life->id)))
        return FAN_LIFE_NOTHING;
    return ask(life, FAN_LIFE_LOOKING, FAN_LIFE_STOP);
}

void fan_life_unasked(struct fan_life *life, int64_t now_ms)
{
    life->asking = false;
    if (life->state == FAN_LIFE_LOOKING || life->state == FAN_LIFE_BEGINNING)
        wait(life, now_ms);
}

enum fan_life_do fan_life_tick(struct fan_life *life, int64_t now_ms)
{
    if (life->asking)
        return FAN_LIFE_NOTHING;
    if (life->state == FAN_LIFE_KNOWN)
        return ask(life, FAN_LIFE_KNOWN, FAN_LIFE_CHECK);
    if (now_ms < life->at_ms)
        return FAN_LIFE_NOTHING;
    if (life->state == FAN_LIFE_WAITING)
        return ask(life, FAN_LIFE_LOOKING, FAN_LIFE_LOOK);
    return life->state == FAN_LIFE_LOADING ? ask(life, FAN_LIFE_LOADING, FAN_LIFE_LOOK) : FAN_LIFE_NOTHING;
}

bool fan_life_recovering(const struct fan_life *life)
{
    return life->state == FAN_LIFE_WAITING || life->state == FAN_LIFE_LOADING || life->state == FAN_LIFE_BEGINNING;
}
