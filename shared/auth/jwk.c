/* Public keys and signatures by OpenSSL's EVP. What it would accept but should not be in a token is refused before: RSA
 * keys that are short or odd, points off the curve, signatures of another length. */
#include "shared/auth/jwk.h"

#include "shared/base/digest.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>

enum {
    P256_BYTES = 32,
    ED25519_BYTES = 32,
    ED25519_SIGNATURE_BYTES = 64,
    ECDSA_DER_MAX = 80,
    RSA_EXPONENT_MIN = 65537,  /* smaller ones have been the door of attacks on padding (FIPS 186-5) */
    RSA_EXPONENT_BYTES_MAX = 4 /* verifying takes time by its length */
};

const char *feed_token_alg_name(enum feed_token_alg alg)
{
    static const char *const names[] = {
        [FEED_ALG_RS256] = "RS256", [FEED_ALG_ES256] = "ES256", [FEED_ALG_EDDSA] = "EdDSA"};
    return names[alg];
}

static enum feed_error invalid(const char **problem, const char *why)
{
    ERR_clear_error();
    *problem = why;
    return FEED_E_INVALID;
}

static enum feed_error take(struct feed_jwk *out, enum feed_token_alg alg, EVP_PKEY *pkey, struct feed_str a,
                            struct feed_str b)
{
    const struct feed_str parts[] = {feed_str_of(out->kid), feed_str_of(feed_token_alg_name(alg)), a, b};
    uint8_t digest[FEED_DIGEST_BYTES];
    feed_digest(parts, sizeof parts / sizeof parts[0], digest);
    memcpy(&out->tag, digest, sizeof out->tag);
    out->tag |= 1;
    out->alg = alg;
    out->pkey = pkey;
    return FEED_OK;
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *builder)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (!params || !context || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    return pkey;
}

/* Takes pkey (may be NULL); NULL when it fails the check of its kind (a point off the curve, a modulus with small
 * factors). */
static EVP_PKEY *checked(EVP_PKEY *pkey)
{
    EVP_PKEY_CTX *context = pkey ? EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL) : NULL;
    bool good = context && EVP_PKEY_public_check(context) == 1;
    EVP_PKEY_CTX_free(context);
    if (good)
        return pkey;
    EVP_PKEY_free(pkey);
    return NULL;
}

static EVP_PKEY *rsa_of(const BIGNUM *n, const BIGNUM *e)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *pkey = NULL;
    if (builder && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1)
        pkey = checked(from_params("RSA", builder));
    OSSL_PARAM_BLD_free(builder);
    return pkey;
}

static const char *rsa_fault(const BIGNUM *n, const BIGNUM *e, size_t e_len)
{
    if (!n || !e)
        return "there is not enough memory";
    if (BN_num_bits(n) < FEED_RSA_BITS_MIN)
        return "an RSA key needs 2048 bits or more";
    if (BN_num_bits(n) > FEED_RSA_BITS_MAX)
        return "an RSA key may have at most 4096 bits";
    if (e_len > RSA_EXPONENT_BYTES_MAX || !BN_is_odd(e) || BN_get_word(e) < RSA_EXPONENT_MIN)
        return "the exponent of an RSA key must be odd, and from 65537 to 4294967295";
    return NULL;
}

enum feed_error feed_jwk_rsa(struct feed_jwk *out, struct feed_str n, struct feed_str e, const char **problem)
{
    BIGNUM *modulus = BN_bin2bn((const unsigned char *)n.data, (int)n.len, NULL);
    BIGNUM *exponent = BN_bin2bn((const unsigned char *)e.data, (int)e.len, NULL);
    const char *fault = rsa_fault(modulus, exponent, e.len);
    EVP_PKEY *pkey = fault ? NULL : rsa_of(modulus, exponent);
    BN_free(modulus);
    BN_free(exponent);
    if (!pkey)
        return invalid(problem, fault ? fault : "it is no RSA key");
    return take(out, FEED_ALG_RS256, pkey, n, e);
}

enum feed_error feed_jwk_p256(struct feed_jwk *out, struct feed_str x, struct feed_str y, const char **problem)
{
    if (x.len != P256_BYTES || y.len != P256_BYTES)
        return invalid(problem, "x and y of a P-256 key must have 32 bytes each");
    unsigned char point[1 + 2 * P256_BYTES] = {POINT_CONVERSION_UNCOMPRESSED};
    memcpy(point + 1, x.data, P256_BYTES);
    memcpy(point + 1 + P256_BYTES, y.data, P256_BYTES);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *pkey = NULL;
    if (builder && OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, SN_X9_62_prime256v1, 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point) == 1)
        pkey = checked(from_params("EC", builder));
    OSSL_PARAM_BLD_free(builder);
    return pkey ? take(out, FEED_ALG_ES256, pkey, x, y) : invalid(problem, "the point is not on the curve P-256");
}

enum feed_error feed_jwk_ed25519(struct feed_jwk *out, struct feed_str x, const char **problem)
{
    static const unsigned char zero[ED25519_BYTES];
    if (x.len != ED25519_BYTES)
        return invalid(problem, "x of an Ed25519 key must have 32 bytes");
    if (memcmp(x.data, zero, ED25519_BYTES) == 0)
        return invalid(problem, "x of an Ed25519 key is zero");
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)x.data, ED25519_BYTES);
    return pkey ? take(out, FEED_ALG_EDDSA, pkey, x, (struct feed_str){NULL, 0})
                : invalid(problem, "it is no Ed25519 key");
}

void feed_jwk_fini(struct feed_jwk *key)
{
    EVP_PKEY_free(key->pkey);
    key->pkey = NULL;
}

/* ---- signatures ---- */

/* r and s as OpenSSL wants them; 0: they are none. */
static size_t der_of(struct feed_str signature, unsigned char out[ECDSA_DER_MAX])
{
    if (signature.len != (size_t)2 * P256_BYTES)
        return 0;
    const unsigned char *bytes = (const unsigned char *)signature.data;
    BIGNUM *r = BN_bin2bn(bytes, P256_BYTES, NULL), *s = BN_bin2bn(bytes + P256_BYTES, P256_BYTES, NULL);
    ECDSA_SIG *both = ECDSA_SIG_new();
    if (!both || !r || !s || ECDSA_SIG_set0(both, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(both);
        return 0;
    }
    unsigned char *end = out;
    int len = i2d_ECDSA_SIG(both, NULL) <= ECDSA_DER_MAX ? i2d_ECDSA_SIG(both, &end) : 0;
    ECDSA_SIG_free(both);
    return len > 0 ? (size_t)len : 0;
}

static bool verify(const struct feed_jwk *key, const EVP_MD *digest, struct feed_str text,
                   const unsigned char *signature, size_t len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool holds = context && EVP_DigestVerifyInit(context, NULL, digest, NULL, key->pkey) == 1 &&
                 EVP_DigestVerify(context, signature, len, (const unsigned char *)text.data, text.len) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return holds;
}

bool feed_jwk_verify(const struct feed_jwk *key, struct feed_str text, struct feed_str signature)
{
    unsigned char der[ECDSA_DER_MAX];
    const unsigned char *bytes = (const unsigned char *)signature.data;
    size_t len;
    switch (key->alg) {
    case FEED_ALG_RS256:
        return signature.len == (size_t)EVP_PKEY_get_size(key->pkey) &&
               verify(key, EVP_sha256(), text, bytes, signature.len);
    case FEED_ALG_ES256:
        len = der_of(signature, der);
        return len > 0 && verify(key, EVP_sha256(), text, der, len);
    case FEED_ALG_EDDSA:
        return signature.len == ED25519_SIGNATURE_BYTES && verify(key, NULL, text, bytes, signature.len);
    }
    return false;
}
