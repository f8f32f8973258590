/* The chunked transfer coding (RFC 9112, 7.1), read piece by piece as it comes. Strict where two readers could disagree
 * about the end: CRLF and nothing else ends a line, a size has 1 to 8 hexadecimal digits and no blanks. Extensions and
 * trailer fields are skipped, up to a limit in all. Pure. */
#ifndef FEED_HTTP_CHUNKED_H
#define FEED_HTTP_CHUNKED_H

#include "shared/base/str.h"

enum { FEED_CHUNKED_SIZE_DIGITS = 8, FEED_CHUNKED_EXTRAS_MAX = 1024 /* bytes of extensions and trailers of a body */ };

enum feed_chunked_state {
    FEED_CHUNKED_SIZE,
    FEED_CHUNKED_EXTENSION,
    FEED_CHUNKED_SIZE_LF,
    FEED_CHUNKED_DATA,
    FEED_CHUNKED_DATA_CR,
    FEED_CHUNKED_DATA_LF,
    FEED_CHUNKED_TRAILER_BEGIN, /* of a line: an empty one ends the body */
    FEED_CHUNKED_TRAILER,
    FEED_CHUNKED_TRAILER_LF,
    FEED_CHUNKED_LAST_LF,
    FEED_CHUNKED_END
};

struct feed_chunked { /* all zero at first */
    enum feed_chunked_state state;
    uint64_t left; /* bytes of this chunk that are still to come */
    unsigned digits, extras;
};

/* Takes bytes from the front of *input, and appends what is data to body, until the input is used up or the body ends
 * (state is FEED_CHUNKED_END then; what follows stays in *input). FEED_E_INVALID: not chunked, or too many extras;
 * FEED_E_TOO_LARGE or FEED_E_MEMORY: the body does not take it. */
enum feed_error feed_chunked_read(struct feed_chunked *chunked, struct feed_str *input,
                                  struct feed_buf *body) FEED_MUST_USE;

#endif
