/* Tokens: JWT (RFC 7519) with HS256 for development. The algorithm belongs to the key, never to the token: any other
 * `alg` is refused, and so are `crit` and tokens without `exp`. Claims: tenant, sub (a user's name, or service:NAME),
 * exp, nbf?, iat?, scope? (words separated by blanks; "publish": may post for any actor of the tenant), feeds? (the
 * feeds that may be read; absent: all of sub's own). OpenSSL does the cryptography; the signature is compared in
 * constant time. */
#ifndef FEED_AUTH_TOKEN_H
#define FEED_AUTH_TOKEN_H

#include "shared/base/limits.h"
#include "shared/base/str.h"

enum { FEED_TOKEN_LEEWAY_S = 60 };

struct feed_token_key {
    struct feed_str secret; /* borrowed; FEED_SECRET_MIN..FEED_SECRET_MAX bytes */
};

struct feed_token_claims {
    char tenant[FEED_TENANT_MAX + 1];
    char subject[FEED_USER_MAX + 1];
    int64_t expires_s;        /* exp */
    bool may_publish;         /* scope has "publish" */
    bool all_feeds;           /* no `feeds` claim */
    bool home, notifications; /* with a `feeds` claim: which it names */
};

/* FEED_E_UNAUTHORIZED with *reason (static: "malformed", "algorithm", "signature", "expired", "not_yet", "claims") when
 * it does not hold at now_s. */
enum feed_error feed_token_verify(const struct feed_token_key *key, struct feed_str token, int64_t now_s,
                                  struct feed_token_claims *out, const char **reason) FEED_MUST_USE;

/* Makes a token for development and tests. scope may be "" (none). Appends the text to out. */
void feed_token_sign(const struct feed_token_key *key, struct feed_str tenant, struct feed_str subject,
                     int64_t expires_s, struct feed_str scope, struct feed_buf *out);

/* The value of an Authorization header: "Bearer TOKEN" (scheme in any case) -> TOKEN; FEED_E_MISSING when empty,
 * FEED_E_INVALID for another scheme. */
enum feed_error feed_token_from_authorization(struct feed_str header, struct feed_str *token) FEED_MUST_USE;

#endif
