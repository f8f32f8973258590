/* Timers. A timer may be freed in its own callback: the handle's memory goes when libuv has closed it. */
#include "shared/loop/loop_state.h"

#include "shared/base/assert.h"

#include <stdlib.h>

struct feed_timer {
    uv_timer_t uv;
    feed_timer_fn *fn;
    void *arg;
    bool firing;
};

static void on_fire(uv_timer_t *uv)
{
    struct feed_timer *timer = uv->data;
    timer->firing = true;
    timer->fn(timer->arg); /* if it frees the timer, the memory stays until libuv has closed the handle */
    timer->firing = false;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

struct feed_timer *feed_timer_new(struct feed_loop *loop, feed_timer_fn *fn, void *arg)
{
    struct feed_timer *timer = calloc(1, sizeof *timer);
    feed_assert(timer);
    timer->fn = fn;
    timer->arg = arg;
    uv_timer_init(&loop->uv, &timer->uv);
    timer->uv.data = timer;
    return timer;
}

void feed_timer_start(struct feed_timer *timer, uint64_t after_ms, uint64_t repeat_ms)
{
    /* libuv counts from the beginning of the turn; a long turn would make the timer fire early. */
    uv_update_time(timer->uv.loop);
    /* Before 1.45, libuv runs timers for as long as one is due: one that is always due would never let go. */
    if (after_ms == 0 && timer->firing) {
        after_ms = 1;
    }
    uv_timer_start(&timer->uv, on_fire, after_ms, repeat_ms);
}

void feed_timer_stop(struct feed_timer *timer)
{
    uv_timer_stop(&timer->uv);
}

void feed_timer_free(struct feed_timer *timer)
{
    if (timer) {
        uv_close((uv_handle_t *)&timer->uv, on_closed);
    }
}
