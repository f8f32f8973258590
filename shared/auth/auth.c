/* Puts the kinds of credentials together, and remembers tokens that held.
 *
 * What is remembered is found by the SHA-256 of the whole token, which nobody can make another token for; it holds
 * until the token's own end, and is forgotten as a whole when the keys change. Only good tokens are remembered: bad
 * ones cost their sender as much as us, and would push out the good. */
#include "shared/auth/auth.h"

#include "shared/auth/api_keys.h"
#include "shared/auth/jwks.h"
#include "shared/base/digest.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

struct memory {
    uint8_t digest[FEED_DIGEST_BYTES];
    uint32_t generation; /* 0: empty */
    struct feed_token_claims claims;
};

struct feed_auth {
    struct feed_token_rules rules;
    struct feed_jwks *jwks;
    struct feed_api_keys *api_keys;
    uint32_t generation; /* from 1 */
    feed_auth_look_fn *look_fn;
    void *look_arg;
    size_t remembered;
    struct memory *memory; /* by the first bytes of the digest; the newest wins */
    /* The token that was asked for last, and its digest: a request asks twice, at its head and at its end, and a
     * service has one token for all its requests. */
    uint8_t last_digest[FEED_DIGEST_BYTES];
    size_t last_len; /* 0: none */
    char last[FEED_TOKEN_MAX];
};

struct feed_auth *feed_auth_new(const struct feed_auth_settings *settings)
{
    struct feed_auth *auth = calloc(1, sizeof *auth);
    if (!auth)
        return NULL;
    auth->rules = (struct feed_token_rules){
        .secret = settings->secret, .issuer = settings->issuer, .audience = settings->audience};
    auth->generation = 1;
    auth->remembered = settings->remembered;
    if (auth->remembered > 0 && !(auth->memory = calloc(auth->remembered, sizeof auth->memory[0]))) {
        free(auth);
        return NULL;
    }
    return auth;
}

void feed_auth_free(struct feed_auth *auth)
{
    if (!auth)
        return;
    feed_jwks_free(auth->jwks);
    feed_api_keys_free(auth->api_keys);
    free(auth->memory);
    OPENSSL_cleanse(auth->last, sizeof auth->last);
    free(auth);
}

enum feed_error feed_auth_set_jwks(struct feed_auth *auth, struct feed_str json, char *problem, size_t problem_size)
{
    struct feed_jwks *set;
    enum feed_error error = feed_jwks_parse(json, &set, problem, problem_size);
    if (error != FEED_OK)
        return error;
    feed_jwks_free(auth->jwks);
    auth->jwks = set;
    auth->rules.jwks = set;
    auth->generation++;
    return FEED_OK;
}

enum feed_error feed_auth_set_api_keys(struct feed_auth *auth, struct feed_str text, char *problem, size_t problem_size)
{
    struct feed_api_keys *keys;
    enum feed_error error = feed_api_keys_parse(text, &keys, problem, problem_size);
    if (error != FEED_OK)
        return error;
    feed_api_keys_free(auth->api_keys);
    auth->api_keys = keys;
    auth->generation++;
    return FEED_OK;
}

void feed_auth_on_unknown(struct feed_auth *auth, feed_auth_look_fn *look_fn, void *arg)
{
    auth->look_fn = look_fn;
    auth->look_arg = arg;
}

/* ---- tokens that held ---- */

static struct memory *place_of(struct feed_auth *auth, const uint8_t digest[FEED_DIGEST_BYTES])
{
    uint64_t number;
    memcpy(&number, digest, sizeof number);
    return &auth->memory[number % auth->remembered];
}

static bool recall(const struct feed_auth *auth, const struct memory *memory, const uint8_t digest[FEED_DIGEST_BYTES],
                   int64_t now_s, struct feed_token_claims *out)
{
    if (memory->generation != auth->generation || memcmp(memory->digest, digest, FEED_DIGEST_BYTES) != 0 ||
        now_s >= memory->claims.expires_s) /* within the leeway it is looked at properly */
        return false;
    *out = memory->claims;
    return true;
}

/* Compared in constant time, so that nobody can feel their way to somebody else's token. */
static const uint8_t *digest_of(struct feed_auth *auth, struct feed_str token)
{
    if (token.len != auth->last_len || CRYPTO_memcmp(token.data, auth->last, token.len) != 0) {
        feed_digest(&token, 1, auth->last_digest);
        memcpy(auth->last, token.data, token.len);
        auth->last_len = token.len;
    }
    return auth->last_digest;
}

static enum feed_error verify_token(struct feed_auth *auth, struct feed_str token, int64_t now_s,
                                    struct feed_token_claims *out, const char **reason)
{
    if (auth->remembered == 0 || token.len == 0 || token.len > FEED_TOKEN_MAX)
        return feed_token_verify(&auth->rules, token, now_s, out, reason);
    const uint8_t *digest = digest_of(auth, token);
    struct memory *memory = place_of(auth, digest);
    if (recall(auth, memory, digest, now_s, out))
        return FEED_OK;
    enum feed_error error = feed_token_verify(&auth->rules, token, now_s, out, reason);
    if (error == FEED_OK) {
        memcpy(memory->digest, digest, sizeof memory->digest);
        memory->generation = auth->generation;
        memory->claims = *out;
    }
    return error;
}

/* ---- the question ---- */

static enum feed_error verify(struct feed_auth *auth, struct feed_str credential, int64_t now_s,
                              struct feed_token_claims *out, const char **reason)
{
    if (feed_api_key_looks_like(credential))
        return feed_api_keys_verify(auth->api_keys, credential, now_s, out, reason);
    return verify_token(auth, credential, now_s, out, reason);
}

enum feed_error feed_auth_check(struct feed_auth *auth, struct feed_str credential, int64_t now_s,
                                struct feed_token_claims *out, const char **reason)
{
    enum feed_error error = verify(auth, credential, now_s, out, reason);
    if (error != FEED_OK && auth->look_fn && strcmp(*reason, "key") == 0 && auth->look_fn(auth->look_arg))
        error = verify(auth, credential, now_s, out, reason);
    return error;
}

uint32_t feed_auth_generation(const struct feed_auth *auth)
{
    return auth->generation;
}

bool feed_auth_key_holds(const struct feed_auth *auth, uint64_t key_tag)
{
    return key_tag == 0 || (auth->jwks && feed_jwks_has_tag(auth->jwks, key_tag)) ||
           (auth->api_keys && feed_api_keys_has_tag(auth->api_keys, key_tag));
}

size_t feed_auth_jwks_count(const struct feed_auth *auth)
{
    return auth->jwks ? feed_jwks_count(auth->jwks) : 0;
}

size_t feed_auth_jwks_left_out(const struct feed_auth *auth)
{
    return auth->jwks ? feed_jwks_left_out(auth->jwks) : 0;
}

size_t feed_auth_api_keys_count(const struct feed_auth *auth)
{
    return auth->api_keys ? feed_api_keys_count(auth->api_keys) : 0;
}
