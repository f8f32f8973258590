/* SIGTERM and SIGINT: the first asks for an orderly stop, the second is for people who do not want to wait for it. */
#include "shared/loop/loop_state.h"

#include "shared/base/assert.h"

#include <signal.h>
#include <unistd.h>

static void on_signal(uv_signal_t *handle, int signal_number)
{
    struct feed_loop *loop = handle->data;
    if (loop->terminating) {
        _exit(128 + signal_number);
    }
    loop->terminating = true;
    loop->signal_fn(loop->signal_arg, signal_number);
}

enum feed_error feed_loop_on_terminate(struct feed_loop *loop, feed_signal_fn *fn, void *arg)
{
    feed_assert(!loop->signals_open);
    loop->signal_fn = fn;
    loop->signal_arg = arg;
    loop->term.data = loop->intr.data = loop;
    signal(SIGPIPE, SIG_IGN);
    if (uv_signal_init(&loop->uv, &loop->term) != 0) {
        return FEED_E_SYSTEM;
    }
    feed_assert(uv_signal_init(&loop->uv, &loop->intr) == 0); /* only the first one needs descriptors */
    loop->signals_open = true;
    if (uv_signal_start(&loop->term, on_signal, SIGTERM) != 0 || uv_signal_start(&loop->intr, on_signal, SIGINT) != 0) {
        return FEED_E_SYSTEM;
    }
    return FEED_OK;
}
