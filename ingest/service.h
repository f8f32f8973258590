/* The daemon: HTTP server, producer, admin port and their life on one loop. */
#ifndef INGEST_SERVICE_H
#define INGEST_SERVICE_H

#include "ingest/options.h"

struct feed_log;

/* Runs until SIGTERM or SIGINT. The exit code: 0 orderly stop, 1 failure, 2 an option that was refused (logged). */
int ing_service_run(const struct ing_options *options, struct feed_log *log);

#endif
