/* Takes a Redis URL apart. The difficulty is small: credentials may hold any byte as %xx, a host may be an IPv6 address
 * in brackets, and no error text may repeat what was given, because it may hold a password. */
#include "shared/redis/address.h"

#include <string.h>

static struct feed_str cut(struct feed_str s, size_t from, size_t to)
{
    return (struct feed_str){s.data + from, to - from};
}

/* The index of c in s, or s.len. */
static size_t find(struct feed_str s, char c)
{
    const char *at = s.len ? memchr(s.data, c, s.len) : NULL;
    return at ? (size_t)(at - s.data) : s.len;
}

static size_t find_last(struct feed_str s, char c)
{
    const char *at = s.len ? memrchr(s.data, c, s.len) : NULL;
    return at ? (size_t)(at - s.data) : s.len;
}

static enum feed_error decode(struct feed_str text, char *out, size_t out_size)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '%') {
            if (text.len - i < 3 || feed_unhex(cut(text, i + 1, i + 3), (uint8_t *)&c, 1) != FEED_OK || c == '\0') {
                return FEED_E_INVALID;
            }
            i += 2;
        }
        if (n + 1 >= out_size) {
            return FEED_E_TOO_LARGE;
        }
        out[n++] = c;
    }
    out[n] = '\0';
    return FEED_OK;
}

static enum feed_error credentials(struct feed_str text, struct feed_redis_address *out)
{
    size_t colon = find(text, ':');
    enum feed_error error = decode(cut(text, 0, colon), out->user, sizeof out->user);
    if (error == FEED_OK && colon < text.len) {
        error = decode(cut(text, colon + 1, text.len), out->password, sizeof out->password);
    }
    return error;
}

static enum feed_error host_and_port(struct feed_str text, struct feed_redis_address *out, const char **problem)
{
    struct feed_str host, rest;
    if (text.len && text.data[0] == '[') {
        size_t end = find(text, ']');
        if (end == text.len) {
            *problem = "the bracket of the IPv6 address is not closed";
            return FEED_E_INVALID;
        }
        host = cut(text, 1, end);
        rest = cut(text, end + 1, text.len);
    } else {
        size_t colon = find(text, ':');
        host = cut(text, 0, colon);
        rest = cut(text, colon, text.len);
    }
    if (host.len == 0 || feed_str_copy(host, out->host, sizeof out->host) != FEED_OK) {
        *problem = "the host is missing or too long";
        return FEED_E_INVALID;
    }
    out->port = FEED_REDIS_PORT;
    if (rest.len > 0) {
        uint64_t port;
        if (rest.data[0] != ':' || feed_str_to_u64(cut(rest, 1, rest.len), 65535, &port) != FEED_OK || port == 0) {
            *problem = "the port must be a number from 1 to 65535";
            return FEED_E_INVALID;
        }
        out->port = (int)port;
    }
    return FEED_OK;
}

/* All but the host goes into out[0], from which the others are copied. */
static enum feed_error hosts(struct feed_str text, struct feed_redis_address *out, size_t *count, const char **problem)
{
    enum feed_error error = FEED_OK;
    *count = 0;
    for (size_t from = 0; error == FEED_OK && from <= text.len;) {
        struct feed_str rest = cut(text, from, text.len);
        size_t comma = find(rest, ',');
        if (*count == FEED_REDIS_HOSTS_MAX) {
            *problem = "there are too many hosts; a few of the cluster are enough";
            return FEED_E_TOO_LARGE;
        }
        if (*count > 0) {
            out[*count] = out[0];
        }
        error = host_and_port(cut(rest, 0, comma), &out[(*count)++], problem);
        from += comma + 1;
    }
    return error;
}

enum feed_error feed_redis_address_parse(struct feed_str url, struct feed_redis_address out[FEED_REDIS_HOSTS_MAX],
                                         size_t *count, const char **problem)
{
    static const struct feed_str scheme = {"redis://", 8}, tls = {"rediss://", 9};
    memset(out, 0, sizeof *out);
    if (url.len >= tls.len && memcmp(url.data, tls.data, tls.len) == 0) {
        *problem = "TLS to Redis (rediss://) is not supported; end TLS beside Redis, or use redis://";
        return FEED_E_UNSUPPORTED;
    }
    if (url.len < scheme.len || memcmp(url.data, scheme.data, scheme.len) != 0) {
        *problem = "the URL must begin with redis://";
        return FEED_E_INVALID;
    }
    struct feed_str rest = cut(url, scheme.len, url.len);
    size_t at = find_last(rest, '@');
    if (at < rest.len) {
        if (credentials(cut(rest, 0, at), out) != FEED_OK) {
            *problem = "the user or the password is too long or wrongly escaped";
            return FEED_E_INVALID;
        }
        rest = cut(rest, at + 1, rest.len);
    }
    size_t slash = find(rest, '/');
    if (slash + 1 < rest.len) {
        uint64_t db;
        if (feed_str_to_u64(cut(rest, slash + 1, rest.len), 65535, &db) != FEED_OK) {
            *problem = "the database after the slash must be a number";
            return FEED_E_INVALID;
        }
        out->db = (unsigned)db;
    }
    enum feed_error error = hosts(cut(rest, 0, slash), out, count, problem);
    if (error == FEED_OK && *count > 1 && out->db != 0) {
        *problem = "a cluster has no databases but 0";
        return FEED_E_INVALID;
    }
    return error;
}
