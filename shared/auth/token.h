/* Tokens: JWT (RFC 7519, and RFC 8725 for what not to believe). The token says by `kid` which key it means, and the key
 * decides the algorithm: RS256, ES256 or EdDSA with a key of the JWK Set; HS256, for development, with the secret, for
 * tokens without kid or where there is no set. Any other `alg` is refused, and so are `crit`, tokens of another `typ`
 * than JWT or at+jwt, and tokens without `exp`. What a header says about where to find keys (jku, jwk, x5u, x5c) is
 * ignored. Claims: tenant, sub (a user's name, or service:NAME), exp, nbf?, iat?, iss?, aud?, scope? (words separated
 * by blanks), feeds? (the feeds that may be read; absent: all of sub's own). OpenSSL does the cryptography; signatures
 * of HS256 are compared in constant time. */
#ifndef FEED_AUTH_TOKEN_H
#define FEED_AUTH_TOKEN_H

#include "shared/base/limits.h"
#include "shared/base/str.h"

enum {
    FEED_TOKEN_LEEWAY_S = 60, /* by so much clocks may differ */
    FEED_CREDENTIAL_ID_MAX = 16
};

struct feed_jwks;

/* What a token is held against; all borrowed. */
struct feed_token_rules {
    const struct feed_jwks *jwks; /* NULL: none */
    struct feed_str secret;       /* FEED_SECRET_MIN..FEED_SECRET_MAX bytes; data NULL: no HS256 */
    struct feed_str issuer;       /* `iss` must be this; empty: anything */
    struct feed_str audience;     /* `aud` must name this; empty: a token that has aud is for somebody else */
};

struct feed_token_claims {
    char tenant[FEED_TENANT_MAX + 1];
    char subject[FEED_USER_MAX + 1];
    int64_t expires_s; /* exp */
    /* Scope. With none of the words publish, read and admin in it (or no scope at all) it is a user's own token: it may
     * read the feeds of sub and post as sub. With any of them it may do what they say, and nothing else. */
    bool may_publish; /* for any actor of the tenant */
    bool may_post;    /* at all */
    bool may_read;
    bool may_import;                             /* admin: the follow graph of the tenant */
    bool all_feeds;                              /* no `feeds` claim */
    bool home, notifications;                    /* with a `feeds` claim: which it names */
    uint64_t key_tag;                            /* of the key that vouches for it (feed_auth_key_holds) */
    char credential[FEED_CREDENTIAL_ID_MAX + 1]; /* for logs: the id of the API key; "" for a token */
};

/* FEED_E_UNAUTHORIZED with *reason (one of FEED_TOKEN_REASONS, static) when it does not hold at now_s. */
enum feed_error feed_token_verify(const struct feed_token_rules *rules, struct feed_str token, int64_t now_s,
                                  struct feed_token_claims *out, const char **reason) FEED_MUST_USE;

/* Why a credential is refused: the word of the reason, and a sentence for the answer. "key": the token or API key is
 * of no key that is known here. */
#define FEED_TOKEN_REASONS(ROW)                                                                                        \
    ROW("malformed", "The token is malformed.")                                                                        \
    ROW("algorithm", "The token is not signed with the algorithm of its key.")                                         \
    ROW("key", "The credential belongs to no key that is known here.")                                                 \
    ROW("signature", "The token's signature is wrong.")                                                                \
    ROW("expired", "The credential has expired.")                                                                      \
    ROW("not_yet", "The token is not valid yet.")                                                                      \
    ROW("issuer", "The token is not of the issuer that is expected here.")                                             \
    ROW("audience", "The token is not for this audience.")                                                             \
    ROW("claims", "The token lacks a valid tenant, sub or exp, or has another claim of the wrong type.")
const char *feed_token_reason_sentence(const char *reason); /* static */
/* The index of the reason's row: the label of a metric. */
unsigned feed_token_reason_index(const char *reason);
extern const char *const feed_token_reason_names[]; /* NULL-terminated */

/* Makes a token (HS256) for development and tests. scope may be "" (none). Appends the text to out. */
void feed_token_sign(struct feed_str secret, struct feed_str tenant, struct feed_str subject, int64_t expires_s,
                     struct feed_str scope, struct feed_buf *out);

/* The value of an Authorization header: "Bearer TOKEN" (scheme in any case) -> TOKEN; FEED_E_MISSING when empty,
 * FEED_E_INVALID for another scheme. */
enum feed_error feed_token_from_authorization(struct feed_str header, struct feed_str *token) FEED_MUST_USE;

#endif
