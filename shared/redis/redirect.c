/* Error texts of Redis are taken apart by hand; what is not exactly of the form is not followed. */
#include "shared/redis/redirect.h"

#include "shared/redis/slot.h"

#include <string.h>
#include <strings.h>

/* What a name or an address of a host may have in it: no blanks or controls, nothing that a resolver would read
 * otherwise. "?" is how Redis says that it knows no name. */
static bool host_valid(struct feed_str host)
{
    for (size_t i = 0; i < host.len; i++) {
        char c = host.data[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                    c == '-' || c == '_' || c == ':' || c == '%';
        if (!good)
            return false;
    }
    return host.len > 0;
}

bool feed_endpoint_set(struct feed_endpoint *endpoint, struct feed_str host, int64_t port, const char *asked_host)
{
    struct feed_str named = host.len ? host : feed_str_of(asked_host);
    if (!host_valid(named) || port < 1 || port > 65535)
        return false;
    if (feed_str_copy(named, endpoint->host, sizeof endpoint->host) != FEED_OK)
        return false;
    endpoint->port = (int)port;
    return true;
}

bool feed_endpoint_equal(const struct feed_endpoint *a, const struct feed_endpoint *b)
{
    return a->port == b->port && strcasecmp(a->host, b->host) == 0;
}

/* Cuts the text up to the blank, and the blank, off the front. */
static bool cut_word(struct feed_str *rest, struct feed_str *word)
{
    const char *blank = rest->len ? memchr(rest->data, ' ', rest->len) : NULL;
    if (!blank)
        return false;
    *word = (struct feed_str){rest->data, (size_t)(blank - rest->data)};
    *rest = (struct feed_str){blank + 1, rest->len - word->len - 1};
    return true;
}

bool feed_redirect_parse(struct feed_str error, const char *asked_host, struct feed_redirect *out)
{
    struct feed_str rest = error, kind, slot;
    if (!cut_word(&rest, &kind) || !cut_word(&rest, &slot))
        return false;
    out->ask = feed_str_eq(kind, FEED_STR("ASK"));
    if (!out->ask && !feed_str_eq(kind, FEED_STR("MOVED")))
        return false;
    const char *colon = rest.len ? memrchr(rest.data, ':', rest.len) : NULL;
    uint64_t number, port;
    if (!colon || feed_str_to_u64(slot, FEED_SLOTS - 1, &number) != FEED_OK)
        return false;
    struct feed_str host = {rest.data, (size_t)(colon - rest.data)};
    struct feed_str port_text = {colon + 1, rest.len - host.len - 1};
    if (feed_str_to_u64(port_text, 65535, &port) != FEED_OK)
        return false;
    out->slot = (unsigned)number;
    return feed_endpoint_set(&out->to, host, (int64_t)port, asked_host);
}
