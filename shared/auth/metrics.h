/* The rows that daemons that ask for credentials put into their tables of metrics. */
#ifndef FEED_AUTH_METRICS_H
#define FEED_AUTH_METRICS_H

#include "shared/auth/token.h"
#include "shared/observe/metrics.h"

extern const char *const feed_auth_reload_results[]; /* ok, failed */
extern const char *const feed_auth_key_kinds[];      /* token, api */

#define FEED_AUTH_METRIC_REFUSED                                                                                       \
    {                                                                                                                  \
        "auth_refused_total", FEED_METRIC_COUNTER, "Credentials that were refused, by reason.", "reason",              \
            feed_token_reason_names, NULL                                                                              \
    }
#define FEED_AUTH_METRIC_RELOADS                                                                                       \
    {                                                                                                                  \
        "auth_reloads_total", FEED_METRIC_COUNTER,                                                                     \
            "Times that a changed file of keys was read again; failed = it was wrong, and the keys before it stay in " \
            "use.",                                                                                                    \
            "result", feed_auth_reload_results, NULL                                                                   \
    }
#define FEED_AUTH_METRIC_KEYS                                                                                          \
    {                                                                                                                  \
        "auth_keys", FEED_METRIC_GAUGE, "Keys in use: of those who sign tokens, and API keys.", "kind",                \
            feed_auth_key_kinds, NULL                                                                                  \
    }

#endif
