/* The two JSON objects of a token, read and checked; the signature is token.c's. */
#ifndef FEED_AUTH_CLAIMS_H
#define FEED_AUTH_CLAIMS_H

#include "shared/auth/token.h"

/* A bound on the comparing of names, which is quadratic, before the signature is known. */
enum { FEED_TOKEN_MEMBERS_MAX = 32 };

/* What a JOSE header says that counts. */
struct feed_token_header {
    char alg[16]; /* "" when it is missing or no algorithm's name */
    bool has_kid;
    char kid[FEED_KEY_ID_MAX + 1]; /* "" when it is no kid that a key can have */
};

/* FEED_E_UNAUTHORIZED with *reason "malformed": no JSON object, a member that comes twice, crit, or another type. */
enum feed_error feed_token_header_read(struct feed_str json, struct feed_token_header *out,
                                       const char **reason) FEED_MUST_USE;
/* The claims of a token whose signature holds. */
enum feed_error feed_token_claims_read(struct feed_str json, const struct feed_token_rules *rules, int64_t now_s,
                                       struct feed_token_claims *out, const char **reason) FEED_MUST_USE;
/* The words of a scope into the three rights. */
void feed_scope_read(struct feed_str scope, struct feed_token_claims *out);

#endif
