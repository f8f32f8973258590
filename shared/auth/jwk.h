/* One public key of a JWK Set (RFC 7517, 7518, 8037) and what it is for. The key decides the algorithm: RSA verifies
 * RS256 and nothing else, P-256 verifies ES256, Ed25519 verifies EdDSA. */
#ifndef FEED_AUTH_JWK_H
#define FEED_AUTH_JWK_H

#include "shared/base/limits.h"
#include "shared/base/str.h"

struct evp_pkey_st; /* OpenSSL's EVP_PKEY */

enum feed_token_alg { FEED_ALG_RS256, FEED_ALG_ES256, FEED_ALG_EDDSA };

struct feed_jwk {
    char kid[FEED_KEY_ID_MAX + 1];
    enum feed_token_alg alg;
    struct evp_pkey_st *pkey; /* owned */
    uint64_t tag;             /* of kid and material, the same in every file that has this key; never 0 */
};

const char *feed_token_alg_name(enum feed_token_alg alg); /* "RS256", "ES256", "EdDSA" */

/* Each makes the key of its kind from the bytes of its members, and checks it. FEED_E_INVALID with *problem (static):
 * too weak, not on the curve, of a wrong length. out->kid is set before by the caller. */
enum feed_error feed_jwk_rsa(struct feed_jwk *out, struct feed_str n, struct feed_str e,
                             const char **problem) FEED_MUST_USE;
enum feed_error feed_jwk_p256(struct feed_jwk *out, struct feed_str x, struct feed_str y,
                              const char **problem) FEED_MUST_USE;
enum feed_error feed_jwk_ed25519(struct feed_jwk *out, struct feed_str x, const char **problem) FEED_MUST_USE;
void feed_jwk_fini(struct feed_jwk *key);

/* Whether `signature` (as in a JWS: of ES256 r and s, 32 bytes each) is the key's over `text`. */
bool feed_jwk_verify(const struct feed_jwk *key, struct feed_str text, struct feed_str signature);

#endif
