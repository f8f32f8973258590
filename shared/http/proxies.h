/* Proxies: whom to believe about where a request came from. Each proxy appends the address of its own peer to
 * X-Forwarded-For (or Forwarded, RFC 7239); what stands left of what trusted proxies wrote, anybody may have written.
 * The client is therefore the right-most address that is not that of a trusted proxy. One of the two headers is
 * believed, the one that the proxies write: in the other a client could say what it likes. Pure. */
#ifndef FEED_HTTP_PROXIES_H
#define FEED_HTTP_PROXIES_H

#include "shared/http/address.h"

enum { FEED_PROXIES_NETWORKS_MAX = 32, FEED_PROXIES_HOPS_MAX = 16 };

struct feed_proxies {
    unsigned hops; /* so many proxies, whatever their addresses; 0: those of the networks */
    struct {
        struct feed_address address;
        unsigned bits;
    } networks[FEED_PROXIES_NETWORKS_MAX];
    size_t network_count;
    bool forwarded; /* the header is Forwarded */
};

/* text: a number of hops, or networks (10.0.0.0/8, ::1, several with commas); empty: nobody is trusted. header:
 * "x-forwarded-for" or "forwarded". FEED_E_INVALID, FEED_E_TOO_LARGE. */
enum feed_error feed_proxies_parse(struct feed_str text, struct feed_str header,
                                   struct feed_proxies *out) FEED_MUST_USE;
/* Whether what this peer says is believed. */
bool feed_proxies_trusts(const struct feed_proxies *proxies, const struct feed_address *peer);
/* The client of a request; header: the value of the one that is believed, or empty. What cannot be read ends the way:
 * then it is the proxy that forwarded it, and with too few hops the peer. */
struct feed_address feed_proxies_client(const struct feed_proxies *proxies, const struct feed_address *peer,
                                        struct feed_str header);

#endif
