/* SHA-256 over several texts (OpenSSL does the cryptography). Each goes in behind its length, so that what is put
 * together differently has a different digest. */
#ifndef FEED_BASE_DIGEST_H
#define FEED_BASE_DIGEST_H

#include "shared/base/str.h"

enum { FEED_DIGEST_BYTES = 32 };

void feed_digest(const struct feed_str *parts, size_t count, uint8_t out[FEED_DIGEST_BYTES]);

/* Whether two secrets are the same, in a time that tells nothing of where they differ. */
bool feed_secret_same(struct feed_str a, struct feed_str b);

#endif
