/* The header is read from its right end, element by element, so that nothing that stands further left - quotes that are
 * not closed, a thousand addresses - can change what is read before it. */
#include "shared/http/proxies.h"

#include "shared/http/request_rules.h"

#include <string.h>
#include <strings.h>

/* ---- configuration ---- */

static bool parse_network(struct feed_str text, struct feed_proxies *out)
{
    struct feed_str rest = feed_http_trim(text), host = feed_str_cut(&rest, '/');
    bool v6 = host.len > 0 && memchr(host.data, ':', host.len) != NULL, all = host.len == feed_http_trim(text).len;
    uint64_t bits = v6 ? 128 : 32;
    if (!feed_address_parse(host, &out->networks[out->network_count].address) ||
        (!all && feed_str_to_u64(rest, bits, &bits) != FEED_OK))
        return false;
    out->networks[out->network_count++].bits = (unsigned)bits + (v6 ? 0 : 96);
    return true;
}

enum feed_error feed_proxies_parse(struct feed_str text, struct feed_str header, struct feed_proxies *out)
{
    uint64_t hops;
    *out = (struct feed_proxies){.forwarded = feed_str_eq(header, FEED_STR("forwarded"))};
    if (!out->forwarded && !feed_str_eq(header, FEED_STR("x-forwarded-for")))
        return FEED_E_INVALID;
    if (feed_str_to_u64(text, FEED_PROXIES_HOPS_MAX, &hops) == FEED_OK) {
        out->hops = (unsigned)hops;
        return FEED_OK;
    }
    while (text.len > 0) {
        if (out->network_count == FEED_PROXIES_NETWORKS_MAX)
            return FEED_E_TOO_LARGE;
        if (!parse_network(feed_str_cut(&text, ','), out))
            return FEED_E_INVALID;
    }
    return FEED_OK;
}

/* ---- the way of a request ---- */

static bool in_network(const struct feed_address *address, const struct feed_address *network, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(address->bytes, network->bytes, whole) != 0)
        return false;
    return rest == 0 || (address->bytes[whole] ^ network->bytes[whole]) >> (8 - rest) == 0;
}

static bool is_proxy(const struct feed_proxies *proxies, const struct feed_address *address)
{
    for (size_t i = 0; i < proxies->network_count; i++) {
        if (in_network(address, &proxies->networks[i].address, proxies->networks[i].bits))
            return true;
    }
    return false;
}

bool feed_proxies_trusts(const struct feed_proxies *proxies, const struct feed_address *peer)
{
    return proxies->hops > 0 || is_proxy(proxies, peer);
}

/* Takes the last element off the list; false: there is none. */
static bool take_last(struct feed_str *list, struct feed_str *element)
{
    if (!list->data)
        return false;
    size_t start = list->len;
    while (start > 0 && list->data[start - 1] != ',')
        start--;
    *element = feed_http_trim((struct feed_str){list->data + start, list->len - start});
    *list = start > 0 ? (struct feed_str){list->data, start - 1} : (struct feed_str){NULL, 0};
    return true;
}

/* `for` of an element of Forwarded: for=192.0.2.1;proto=https, for="[2001:db8::1]:80". Empty: none, or given twice. */
static struct feed_str forwarded_for(struct feed_str element)
{
    struct feed_str found = {NULL, 0};
    while (element.len > 0) {
        struct feed_str value = feed_http_trim(feed_str_cut(&element, ';')), name = feed_str_cut(&value, '=');
        if (name.len != 3 || strncasecmp(name.data, "for", 3) != 0)
            continue;
        if (found.data)
            return (struct feed_str){NULL, 0};
        found = value;
    }
    if (found.len >= 2 && found.data[0] == '"' && found.data[found.len - 1] == '"')
        found = (struct feed_str){found.data + 1, found.len - 2};
    return found;
}

/* The next address to the left. */
static bool step(const struct feed_proxies *proxies, struct feed_str *list, struct feed_address *out)
{
    struct feed_str element;
    if (!take_last(list, &element))
        return false;
    return feed_address_parse(proxies->forwarded ? forwarded_for(element) : element, out);
}

struct feed_address feed_proxies_client(const struct feed_proxies *proxies, const struct feed_address *peer,
                                        struct feed_str header)
{
    struct feed_address client = *peer, next;
    if (proxies->hops > 0) {
        for (unsigned hop = 0; hop < proxies->hops; hop++) {
            if (!step(proxies, &header, &next))
                return *peer;
            client = next;
        }
        return client;
    }
    while (is_proxy(proxies, &client) && step(proxies, &header, &next))
        client = next;
    return client;
}
