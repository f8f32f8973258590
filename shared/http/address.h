/* Addresses: an IPv4 or IPv6 address as 16 bytes, of which IPv4 has its mapped form. Without ports. Pure. */
#ifndef FEED_HTTP_ADDRESS_H
#define FEED_HTTP_ADDRESS_H

#include "shared/base/str.h"

enum { FEED_ADDRESS_BYTES = 16, FEED_ADDRESS_TEXT = 45 };

struct feed_address {
    uint8_t bytes[FEED_ADDRESS_BYTES];
};

/* "192.0.2.1", "2001:db8::1", and with a port "192.0.2.1:80", "[2001:db8::1]:80", "[2001:db8::1]". */
bool feed_address_parse(struct feed_str text, struct feed_address *out);
void feed_address_text(const struct feed_address *address, char out[FEED_ADDRESS_TEXT + 1]);
/* What counts as one for limits (borrows the address): all of an IPv4 address, the first 64 bits of an IPv6 one, since
 * whoever has one of these has all of its network. */
struct feed_str feed_address_bucket(const struct feed_address *address);

struct sockaddr;
struct feed_address feed_address_of_socket(const struct sockaddr *socket); /* "::" for other families */

#endif
