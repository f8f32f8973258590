/* Auth: all that a daemon knows of who may come in - the secret for development, the JWK Set, the API keys - and the
 * one question that it asks: whose credential is this, and does it hold now? Sets of keys are replaced whole, between
 * two questions, so there is no moment without them. No I/O; files.h brings what the files say. Not for several
 * threads. */
#ifndef FEED_AUTH_AUTH_H
#define FEED_AUTH_AUTH_H

#include "shared/auth/token.h"

struct feed_auth;

/* Borrowed for the life of the object. */
struct feed_auth_settings {
    struct feed_str secret;           /* data NULL: none */
    struct feed_str issuer, audience; /* empty: not asked for */
    /* Tokens whose signatures are remembered, so that one that comes again costs a hash (0.5 us) instead of 20-105 us;
     * 0: none. About 300 bytes each. */
    size_t remembered;
};

struct feed_auth *feed_auth_new(const struct feed_auth_settings *settings); /* NULL: out of memory */
void feed_auth_free(struct feed_auth *auth);                                /* NULL is ignored */

/* Each takes the whole text or, with a sentence in problem, nothing: then what was there before stays. */
enum feed_error feed_auth_set_jwks(struct feed_auth *auth, struct feed_str json, char *problem,
                                   size_t problem_size) FEED_MUST_USE;
enum feed_error feed_auth_set_api_keys(struct feed_auth *auth, struct feed_str text, char *problem,
                                       size_t problem_size) FEED_MUST_USE;

/* look_fn is called inline by feed_auth_check when a credential names a key that is not there; it returns whether it
 * has set anything, and then the question is asked once more. So a new key is good from the moment that its file is. */
typedef bool feed_auth_look_fn(void *arg);
void feed_auth_on_unknown(struct feed_auth *auth, feed_auth_look_fn *look_fn, void *arg);

/* credential: a JWT or an API key. FEED_E_UNAUTHORIZED with *reason, one of FEED_TOKEN_REASONS. */
enum feed_error feed_auth_check(struct feed_auth *auth, struct feed_str credential, int64_t now_s,
                                struct feed_token_claims *out, const char **reason) FEED_MUST_USE;

/* For what lives longer than a request: whether the key that vouched (claims.key_tag) is still there. It can only
 * change when the generation does. */
uint32_t feed_auth_generation(const struct feed_auth *auth);
bool feed_auth_key_holds(const struct feed_auth *auth, uint64_t key_tag);

size_t feed_auth_jwks_count(const struct feed_auth *auth);
size_t feed_auth_jwks_left_out(const struct feed_auth *auth);
size_t feed_auth_api_keys_count(const struct feed_auth *auth);

#endif
