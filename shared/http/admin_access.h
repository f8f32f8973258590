/* Who may ask the admin port: the probes are for everybody, everything else wants the token of admin.token_file, if
 * there is one. Without one the port may listen on loopback only. Pure. */
#ifndef FEED_HTTP_ADMIN_ACCESS_H
#define FEED_HTTP_ADMIN_ACCESS_H

#include "shared/base/str.h"
#include "shared/config/options.h"
#include "shared/observe/metrics.h"

enum { FEED_ADMIN_TOKEN_MIN = 32, FEED_ADMIN_TOKEN_MAX = 256 };

/* The row of the option, for the tables of the daemons; field: the offset of a char * in the daemon's options. */
#define FEED_ADMIN_TOKEN_ROW(field)                                                                                    \
    {                                                                                                                  \
        "admin.token_file", FEED_OPTION_SECRET_FILE, (field), "", NULL, FEED_ADMIN_TOKEN_MIN, FEED_ADMIN_TOKEN_MAX,    \
            "A file with the token that /metrics asks for (Authorization: Bearer TOKEN); /livez and /readyz never "    \
            "do. "                                                                                                     \
            "Required unless admin.address is a loopback address."                                                     \
    }
/* And of the metric. */
#define FEED_ADMIN_METRIC_REFUSED                                                                                      \
    {                                                                                                                  \
        "admin_refused_total", FEED_METRIC_COUNTER,                                                                    \
            "Requests to the admin port without its token, or with another one.", NULL, NULL, NULL                     \
    }

/* What is wrong with these options of a daemon: a sentence (static), or NULL. token NULL: none. */
const char *feed_admin_problem(const char *address, const char *token);

/* Whether a request for `path` with this Authorization header may be answered. */
bool feed_admin_allowed(const char *token, struct feed_str path, struct feed_str authorization);

#endif
