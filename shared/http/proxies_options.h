/* The options about proxies, for the tables of the daemons that clients reach. */
#ifndef FEED_HTTP_PROXIES_OPTIONS_H
#define FEED_HTTP_PROXIES_OPTIONS_H

#include "shared/config/options.h"
#include "shared/http/proxies.h"

struct feed_proxies_options {
    char *trusted, *header;
};

/* Rows; `base` is the offset of the struct in that of the daemon's options. */
#define FEED_PROXIES_OPTION_ROWS(base)                                                                                 \
    {"http.trusted_proxies",                                                                                           \
     FEED_OPTION_TEXT,                                                                                                 \
     (base) + offsetof(struct feed_proxies_options, trusted),                                                          \
     "",                                                                                                               \
     "",                                                                                                               \
     0,                                                                                                                \
     2048,                                                                                                             \
     "Proxies that are believed about where a request came from: networks (10.0.0.0/8, ::1; several with commas), or " \
     "how many proxies there are on every way (2). Empty: nobody, and the address of a request is its peer's."},       \
    {                                                                                                                  \
        "http.forwarded_header", FEED_OPTION_TEXT, (base) + offsetof(struct feed_proxies_options, header), "",         \
            "x-forwarded-for", 1, 32,                                                                                  \
            "The header that these proxies write: x-forwarded-for or forwarded (RFC 7239). The other is not read."     \
    }

/* NULL, or a sentence about what is wrong. */
static inline const char *feed_proxies_from_options(const struct feed_proxies_options *options,
                                                    struct feed_proxies *out)
{
    switch (feed_proxies_parse(feed_str_of(options->trusted), feed_str_of(options->header), out)) {
    case FEED_OK:
        return NULL;
    case FEED_E_TOO_LARGE:
        return "http.trusted_proxies has more than 32 networks";
    default:
        return "http.trusted_proxies must be a number from 0 to 16 or networks like 10.0.0.0/8,::1, and "
               "http.forwarded_header x-forwarded-for or forwarded";
    }
}

#endif
