/* Waiting until a consumer group has worked off what stands in a topic now. */
#ifndef CTL_AWAIT_H
#define CTL_AWAIT_H

#include "feedctl/options.h"

struct ctl_await {
    const char *topic, *group;
    const char *what;    /* "commands": for messages */
    uint64_t at_most;    /* it is enough when no more than so many are not worked off */
    bool reports_always; /* a line each second, also where stderr is no terminal */
};

/* Returns an exit code; if it is not CTL_EXIT_OK, what was the matter stands on stderr. Gives up when nothing has moved
 * for the time of the options. */
int ctl_await(const struct ctl_options *options, const struct ctl_await *await);

#endif
