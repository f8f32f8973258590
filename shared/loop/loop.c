/* The loop itself: running, deferred calls, turn hooks and the lag probe. The difficulty is teardown: libuv frees
 * nothing, and a handle's memory must outlive its close callback, so freeing the loop closes its own handles and runs
 * it until they are gone. */
#include "shared/loop/loop_state.h"

#include "shared/base/assert.h"

#include <stdlib.h>

static void on_idle(uv_idle_t *idle)
{
    (void)idle; /* being active is all that it is for: then the loop does not wait */
}

static void run_deferred(struct feed_loop *loop)
{
    /* Only those that are there now: what they defer in turn waits for the next turn. */
    struct feed_deferred *next = loop->deferred;
    loop->deferred = NULL;
    loop->deferred_tail = &loop->deferred;
    while (next) {
        struct feed_deferred *deferred = next;
        next = deferred->next;
        deferred->fn(deferred->arg);
        free(deferred);
    }
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct feed_loop *loop = prepare->data;
    uv_idle_stop(&loop->idle); /* what comes from here on starts it again, and has its turn at once */
    /* First what was deferred, because it may leave something for the hooks to flush. */
    run_deferred(loop);
    for (unsigned i = 0; i < loop->hooks_end; i++) {
        if (loop->hooks[i].fn) {
            loop->hooks[i].fn(loop->hooks[i].arg);
        }
    }
}

static void on_lag_probe(uv_timer_t *timer)
{
    struct feed_loop *loop = timer->data;
    uint64_t now = feed_clock_mono_us();
    uint64_t lag = now > loop->lag_due_us ? now - loop->lag_due_us : 0;
    if (lag > loop->lag_max_us) {
        loop->lag_max_us = lag;
    }
    loop->lag_due_us = now + FEED_LOOP_LAG_PROBE_MS * UINT64_C(1000);
    uv_timer_start(timer, on_lag_probe, FEED_LOOP_LAG_PROBE_MS, 0);
}

struct feed_loop *feed_loop_new(void)
{
    struct feed_loop *loop = calloc(1, sizeof *loop);
    if (!loop || uv_loop_init(&loop->uv) != 0) {
        free(loop);
        return NULL;
    }
    loop->deferred_tail = &loop->deferred;
    loop->prepare.data = loop->lag_probe.data = loop;
    uv_prepare_init(&loop->uv, &loop->prepare);
    uv_prepare_start(&loop->prepare, on_prepare);
    uv_idle_init(&loop->uv, &loop->idle);
    uv_timer_init(&loop->uv, &loop->lag_probe);
    loop->lag_due_us = feed_clock_mono_us() + FEED_LOOP_LAG_PROBE_MS * UINT64_C(1000);
    uv_timer_start(&loop->lag_probe, on_lag_probe, FEED_LOOP_LAG_PROBE_MS, 0);
    return loop;
}

/* A handle that nobody has closed would keep the memory of its holder in use, or the loop alive for ever. */
static void assert_closing(uv_handle_t *handle, void *arg)
{
    (void)arg;
    feed_assert(uv_is_closing(handle));
}

void feed_loop_free(struct feed_loop *loop)
{
    if (!loop) {
        return;
    }
    while (loop->deferred) {
        run_deferred(loop);
    }
    uv_close((uv_handle_t *)&loop->prepare, NULL);
    uv_close((uv_handle_t *)&loop->idle, NULL);
    uv_close((uv_handle_t *)&loop->lag_probe, NULL);
    if (loop->signals_open) {
        uv_close((uv_handle_t *)&loop->term, NULL);
        uv_close((uv_handle_t *)&loop->intr, NULL);
    }
    uv_walk(&loop->uv, assert_closing, NULL);
    /* Runs the close callbacks, also those of timers and connections that were freed just before, and waits for
     * questions to the resolver that are still under way. */
    while (uv_run(&loop->uv, UV_RUN_DEFAULT) != 0) {
        /* it was told to stop and had not run since */
    }
    feed_assert(uv_loop_close(&loop->uv) == 0);
    free(loop);
}

void feed_loop_run(struct feed_loop *loop)
{
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void feed_loop_stop(struct feed_loop *loop)
{
    uv_stop(&loop->uv);
}

struct uv_loop_s *feed_loop_uv(struct feed_loop *loop)
{
    return &loop->uv;
}

int64_t feed_loop_now_ms(const struct feed_loop *loop)
{
    return (int64_t)uv_now(&loop->uv);
}

void feed_loop_defer(struct feed_loop *loop, feed_defer_fn *fn, void *arg)
{
    struct feed_deferred *deferred = malloc(sizeof *deferred);
    feed_assert(deferred);
    *deferred = (struct feed_deferred){.fn = fn, .arg = arg};
    *loop->deferred_tail = deferred;
    loop->deferred_tail = &deferred->next;
    feed_loop_again(loop);
}

void feed_loop_again(struct feed_loop *loop)
{
    uv_idle_start(&loop->idle, on_idle);
}

void feed_loop_on_turn(struct feed_loop *loop, feed_turn_fn *fn, void *arg)
{
    for (unsigned i = 0; i < FEED_LOOP_TURN_HOOKS; i++) {
        if (!fn && loop->hooks[i].fn && loop->hooks[i].arg == arg) {
            loop->hooks[i].fn = NULL;
            while (loop->hooks_end > 0 && !loop->hooks[loop->hooks_end - 1].fn) {
                loop->hooks_end--;
            }
            return;
        }
        if (fn && !loop->hooks[i].fn) {
            loop->hooks[i].fn = fn;
            loop->hooks[i].arg = arg;
            if (i >= loop->hooks_end) {
                loop->hooks_end = i + 1;
            }
            return;
        }
    }
    feed_assert(!fn); /* FEED_LOOP_TURN_HOOKS are enough for all rooms together */
}

double feed_loop_lag_s(struct feed_loop *loop)
{
    double lag = (double)loop->lag_max_us / 1e6;
    loop->lag_max_us = 0;
    return lag;
}
