/* Addresses as text and bytes; inet_pton knows the grammar. */
#include "shared/http/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

enum { MAPPED = 12, NETWORK = 8 };
static const uint8_t mapped[MAPPED] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_v4(const struct feed_address *address)
{
    return memcmp(address->bytes, mapped, MAPPED) == 0;
}

/* Without brackets and port; false when what stands there is not one. */
static bool strip_port(struct feed_str *text)
{
    struct feed_str rest = *text;
    uint64_t port;
    if (text->len > 0 && text->data[0] == '[') {
        rest = (struct feed_str){text->data + 1, text->len - 1};
        *text = feed_str_cut(&rest, ']');
        if (!rest.data)
            return false; /* it was not closed */
        return rest.len == 0 || (rest.data[0] == ':' && feed_str_to_u64((struct feed_str){rest.data + 1, rest.len - 1},
                                                                        65535, &port) == FEED_OK);
    }
    struct feed_str host = feed_str_cut(&rest, ':');
    if (rest.len == 0 || memchr(rest.data, ':', rest.len))
        return true; /* no colon, or those of IPv6 */
    *text = host;
    return feed_str_to_u64(rest, 65535, &port) == FEED_OK;
}

bool feed_address_parse(struct feed_str text, struct feed_address *out)
{
    char plain[FEED_ADDRESS_TEXT + 1];
    if (!strip_port(&text) || feed_str_copy(text, plain, sizeof plain) != FEED_OK || strlen(plain) != text.len)
        return false;
    memcpy(out->bytes, mapped, MAPPED);
    return inet_pton(AF_INET, plain, out->bytes + MAPPED) == 1 || inet_pton(AF_INET6, plain, out->bytes) == 1;
}

void feed_address_text(const struct feed_address *address, char out[FEED_ADDRESS_TEXT + 1])
{
    bool v4 = is_v4(address);
    if (!inet_ntop(v4 ? AF_INET : AF_INET6, address->bytes + (v4 ? MAPPED : 0), out, FEED_ADDRESS_TEXT + 1))
        out[0] = '\0';
}

struct feed_str feed_address_bucket(const struct feed_address *address)
{
    return (struct feed_str){(const char *)address->bytes, is_v4(address) ? FEED_ADDRESS_BYTES : NETWORK};
}

struct feed_address feed_address_of_socket(const struct sockaddr *socket)
{
    struct feed_address address = {{0}};
    if (socket->sa_family == AF_INET) {
        memcpy(address.bytes, mapped, MAPPED);
        memcpy(address.bytes + MAPPED, &((const struct sockaddr_in *)(const void *)socket)->sin_addr, 4);
    } else if (socket->sa_family == AF_INET6) {
        memcpy(address.bytes, &((const struct sockaddr_in6 *)(const void *)socket)->sin6_addr, FEED_ADDRESS_BYTES);
    }
    return address;
}
