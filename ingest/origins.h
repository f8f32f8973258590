/* Which web origins may use the API from a browser (CORS, https://fetch.spec.whatwg.org). */
#ifndef INGEST_ORIGINS_H
#define INGEST_ORIGINS_H

#include "shared/base/str.h"

enum { ING_ORIGINS_MAX = 32 };

struct ing_origins {
    struct feed_str list[ING_ORIGINS_MAX]; /* borrowed from the option's text */
    size_t count;
};

/* "http://localhost:8000, https://feeds.example": each is a scheme, a host in lower case and an optional port, as
 * browsers write it. FEED_E_INVALID for anything else ("*", "null", a path), FEED_E_TOO_LARGE for too many. Borrows
 * text. */
enum feed_error ing_origins_parse(struct feed_str text, struct ing_origins *out) FEED_MUST_USE;

/* The origin of the list (not the request's: it lives longer) that equals `origin` byte for byte; data NULL: none. */
struct feed_str ing_origins_find(const struct ing_origins *origins, struct feed_str origin);

#endif
