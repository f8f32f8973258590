/* Service: the daemon around the engine; its I/O, timers, health and figures. */
#ifndef FANOUT_SERVICE_H
#define FANOUT_SERVICE_H

#include "fanout/options.h"

struct feed_log;

/* Runs until SIGTERM or SIGINT and stops in order. Returns the process's exit code; 2 when an option was refused by a
 * library, 1 when something could not be started; both after a line in the log. */
int fan_service_run(const struct fan_options *options, struct feed_log *log);

#endif
