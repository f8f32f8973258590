/* A JWK Set (RFC 7517, 5): the public keys of those who sign tokens. It is taken whole or not at all. Keys for other
 * purposes (encryption, algorithms that are not accepted here) are left out and counted; keys of our kinds that are
 * damaged or weak, private or secret ones, a kid that comes twice or is missing make the whole set invalid: whoever
 * wrote the file meant something else. */
#ifndef FEED_AUTH_JWKS_H
#define FEED_AUTH_JWKS_H

#include "shared/auth/jwk.h"

struct feed_jwks;

/* FEED_E_INVALID or FEED_E_TOO_LARGE with a sentence in problem, which names the key by its place, and never repeats
 * what it holds. A set without a key that can be used is invalid. */
enum feed_error feed_jwks_parse(struct feed_str json, struct feed_jwks **out, char *problem,
                                size_t problem_size) FEED_MUST_USE;
void feed_jwks_free(struct feed_jwks *set); /* NULL is ignored */

const struct feed_jwk *feed_jwks_find(const struct feed_jwks *set, struct feed_str kid); /* NULL: there is none */
bool feed_jwks_has_tag(const struct feed_jwks *set, uint64_t tag);
size_t feed_jwks_count(const struct feed_jwks *set);    /* keys that can be used */
size_t feed_jwks_left_out(const struct feed_jwks *set); /* keys for something else */

/* 1 to FEED_KEY_ID_MAX of [A-Za-z0-9_.:@|+=~/-]. */
bool feed_key_id_valid(struct feed_str kid);

#endif
