/* The admin port of a daemon: GET /livez (200 while the loop turns), /readyz (200 or 503, with the conditions as JSON)
 * and /metrics, which asks for the token if there is one (admin_access.h). A listener for feed_server_new; loopback
 * unless configured otherwise. It has connections of its own, so that probes are answered while all others are taken.
 */
#ifndef FEED_HTTP_ADMIN_H
#define FEED_HTTP_ADMIN_H

#include "shared/http/server.h"

struct feed_health;
struct feed_metrics;

struct feed_admin {
    const struct feed_health *health; /* borrowed */
    struct feed_metrics *metrics;     /* borrowed */
    const char *token;                /* borrowed; NULL: none */
    unsigned metric_refused;          /* the row of FEED_ADMIN_METRIC_REFUSED */
    void (*refresh_fn)(void *arg);    /* called before metrics are rendered, to set gauges; may be NULL */
    void *arg;
};

/* Fills a listener that answers from admin (borrowed for the server's life). */
struct feed_listener feed_admin_listener(struct feed_admin *admin, const char *address, unsigned port);

#endif
