/* What the files of this room share of the loop. */
#ifndef FEED_LOOP_LOOP_STATE_H
#define FEED_LOOP_LOOP_STATE_H

#include "shared/loop/loop.h"

#include <uv.h>

enum { FEED_LOOP_LAG_PROBE_MS = 100 };

struct feed_deferred {
    feed_defer_fn *fn;
    void *arg;
    struct feed_deferred *next;
};

struct feed_loop {
    uv_loop_t uv;
    uv_prepare_t prepare; /* turn hooks and deferred calls, before the loop waits */
    uv_idle_t idle;       /* active while a turn is wanted at once: the loop does not wait */
    uv_timer_t lag_probe;
    uint64_t lag_due_us;
    uint64_t lag_max_us;
    struct feed_deferred *deferred, **deferred_tail;
    struct {
        feed_turn_fn *fn;
        void *arg;
    } hooks[FEED_LOOP_TURN_HOOKS];
    unsigned hooks_end; /* none is in use from here on */
    uv_signal_t term, intr;
    bool signals_open;
    bool terminating;
    feed_signal_fn *signal_fn;
    void *signal_arg;
};

#endif
