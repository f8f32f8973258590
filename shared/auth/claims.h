/* The two JSON objects of a token, read and checked; the signature is token.c's. */
#ifndef FEED_AUTH_CLAIMS_H
#define FEED_AUTH_CLAIMS_H

#include "shared/auth/token.h"

/* A bound on the comparing of names, which is quadratic, before the signature is known. */
enum { FEED_TOKEN_MEMBERS_MAX = 32 };

/* The JOSE header: alg must be `alg`, and crit absent. *reason as for feed_token_verify. */
enum feed_error feed_token_header_check(struct feed_str json, const char *alg, const char **reason) FEED_MUST_USE;
/* The claims of a token whose signature holds. */
enum feed_error feed_token_claims_read(struct feed_str json, int64_t now_s, struct feed_token_claims *out,
                                       const char **reason) FEED_MUST_USE;

#endif
