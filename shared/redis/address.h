/* Where a Redis is, from a URL: redis://[user[:password]@]host[:port][,host[:port]..][/db]. Several hosts are servers
 * of one cluster, any of which can tell the others; they share user and password. Pure. */
#ifndef FEED_REDIS_ADDRESS_H
#define FEED_REDIS_ADDRESS_H

#include "shared/base/str.h"

enum { FEED_REDIS_PORT = 6379, FEED_REDIS_HOST_MAX = 255, FEED_REDIS_CREDENTIAL_MAX = 512, FEED_REDIS_HOSTS_MAX = 8 };

struct feed_redis_address {
    char host[FEED_REDIS_HOST_MAX + 1];
    int port;
    unsigned db;
    char user[FEED_REDIS_CREDENTIAL_MAX + 1];     /* "" none */
    char password[FEED_REDIS_CREDENTIAL_MAX + 1]; /* "" none; %xx decoded */
};

/* One address for each host. FEED_E_INVALID or FEED_E_UNSUPPORTED (rediss://) with *problem, a static sentence that
 * never repeats the URL. */
enum feed_error feed_redis_address_parse(struct feed_str url, struct feed_redis_address out[FEED_REDIS_HOSTS_MAX],
                                         size_t *count, const char **problem) FEED_MUST_USE;

#endif
