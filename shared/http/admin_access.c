/* Task: who may ask the admin port. Difficulty: an address that is not understood must count as one that others reach.
 */
#include "shared/http/admin_access.h"

#include "shared/auth/token.h"
#include "shared/base/digest.h"

#include <arpa/inet.h>
#include <string.h>

static bool loopback(const char *address)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, address, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, address, &v6) == 1 && memcmp(&v6, &in6addr_loopback, sizeof(v6)) == 0;
}

/* As it can stand behind "Bearer " (RFC 6750: token68, and what else is visible does no harm). */
static bool visible(const char *token)
{
    for (; *token; token++)
        if (*token <= ' ' || *token > '~')
            return false;
    return true;
}

const char *feed_admin_problem(const char *address, const char *token)
{
    if (token && !visible(token))
        return "admin.token_file must hold one line of visible ASCII characters without blanks";
    if (!token && !loopback(address))
        return "admin.token_file is required when admin.address is not a loopback address: others could read /metrics";
    return NULL;
}

bool feed_admin_allowed(const char *token, struct feed_str path, struct feed_str authorization)
{
    struct feed_str given;
    if (!token || feed_str_eq(path, FEED_STR("/livez")) || feed_str_eq(path, FEED_STR("/readyz")))
        return true;
    return feed_token_from_authorization(authorization, &given) == FEED_OK &&
           feed_secret_same(given, feed_str_of(token));
}
