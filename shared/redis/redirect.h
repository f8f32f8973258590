/* Redirect: where a server of a cluster says that a key is, in the text of an error. Pure. */
#ifndef FEED_REDIS_REDIRECT_H
#define FEED_REDIS_REDIRECT_H

#include "shared/redis/address.h"

/* A server of a cluster, as clients reach it. */
struct feed_endpoint {
    char host[FEED_REDIS_HOST_MAX + 1];
    int port;
};

struct feed_redirect {
    bool ask; /* for this command only, after ASKING; else for all of the slot */
    unsigned slot;
    struct feed_endpoint to;
};

/* Of "MOVED 3999 10.0.0.7:6381" or "ASK 3999 ::1:6381" (an IPv6 address without brackets: the last colon is the
 * port's). An empty host means the host that was asked. False: it is another error, or one that names no place. */
bool feed_redirect_parse(struct feed_str error, const char *asked_host, struct feed_redirect *out) FEED_MUST_USE;
/* Fills in a host and a port that came from outside. An empty host means asked_host. False: no host or port that could
 * be connected to. */
bool feed_endpoint_set(struct feed_endpoint *endpoint, struct feed_str host, int64_t port,
                       const char *asked_host) FEED_MUST_USE;
bool feed_endpoint_equal(const struct feed_endpoint *a, const struct feed_endpoint *b);

#endif
