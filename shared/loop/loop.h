/* The event loop of a thread (libuv): timers, signals, deferred calls and the clocks. All libraries are guests on it.
 */
#ifndef FEED_LOOP_LOOP_H
#define FEED_LOOP_LOOP_H

#include "shared/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct feed_loop;
struct feed_timer;
struct uv_loop_s;

struct feed_loop *feed_loop_new(void);       /* NULL when out of memory or descriptors */
void feed_loop_free(struct feed_loop *loop); /* everything that uses it was freed before (asserted); NULL is ignored */
void feed_loop_run(struct feed_loop *loop);  /* until feed_loop_stop */
void feed_loop_stop(struct feed_loop *loop);
struct uv_loop_s *feed_loop_uv(struct feed_loop *loop); /* for the wrappers in shared/ only */

int64_t feed_loop_now_ms(const struct feed_loop *loop); /* monotonic, of this turn */
uint64_t feed_clock_mono_us(void);                      /* monotonic, now */
int64_t feed_clock_wall_ms(void);
void feed_random_bytes(void *out, size_t len); /* from the kernel; aborts if that fails */

/* Random bytes fetched in advance, for who needs a few of them for each request: a call of the kernel costs as much as
 * reading a small request. Each byte is given once and wiped here. All zero at first; not for several threads, and not
 * across a fork. */
struct feed_random_pool {
    uint8_t bytes[1024];
    size_t left;
};
void feed_random_take(struct feed_random_pool *pool, void *out, size_t len); /* at most sizeof bytes */

/* Timers. The callback fires on the loop's thread, never inline; a timer may be stopped, restarted or freed in it.
 * repeat_ms 0: once. A timer that starts itself again with 0 waits a millisecond, so that others have their turn. */
typedef void feed_timer_fn(void *arg);
struct feed_timer *feed_timer_new(struct feed_loop *loop, feed_timer_fn *fn, void *arg);
void feed_timer_start(struct feed_timer *timer, uint64_t after_ms, uint64_t repeat_ms);
void feed_timer_stop(struct feed_timer *timer);
void feed_timer_free(struct feed_timer *timer); /* NULL is ignored */

/* Calls fn once, after the I/O callbacks of this turn, before the loop waits again: to free what must not be freed in
 * its own callback. */
typedef void feed_defer_fn(void *arg);
void feed_loop_defer(struct feed_loop *loop, feed_defer_fn *fn, void *arg);

/* Called once each turn before the loop waits (uv_prepare), after deferred calls: a place to flush what the turn
 * collected. fn NULL removes the hook of this arg. At most FEED_LOOP_TURN_HOOKS. */
enum { FEED_LOOP_TURN_HOOKS = 280 }; /* two connections to each of 128 shards of Redis, and a few others */
typedef void feed_turn_fn(void *arg);
void feed_loop_on_turn(struct feed_loop *loop, feed_turn_fn *fn, void *arg);
/* The loop does not wait before the turn hooks have run again: for a guest that may collect something after its own
 * hook has run, inside another's. */
void feed_loop_again(struct feed_loop *loop);

/* SIGTERM and SIGINT: the first calls fn (start an orderly stop), a second one ends the process at once with 128 +
 * signal. SIGPIPE is ignored. */
typedef void feed_signal_fn(void *arg, int signal_number);
enum feed_error feed_loop_on_terminate(struct feed_loop *loop, feed_signal_fn *fn, void *arg) FEED_MUST_USE;

/* How late the loop's timers are: the lag of a 100 ms probe, maximum since the last call, in seconds. For the metric
 * loop_lag_seconds. */
double feed_loop_lag_s(struct feed_loop *loop);

#endif
