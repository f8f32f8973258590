/* Verifies and makes tokens. The order is the point: the form, then the key, then whether the algorithm is the key's,
 * then the signature over the very bytes that came, and only then does anything read the claims. */
#include "shared/auth/token.h"

#include "shared/auth/base64url.h"
#include "shared/auth/claims.h"
#include "shared/auth/jwks.h"
#include "shared/base/assert.h"
#include "shared/base/json_out.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <strings.h>

enum { HS256_BYTES = 32, SIGNATURE_MAX = FEED_RSA_BITS_MAX / 8 };

struct parts {
    struct feed_str header, payload, signature; /* as text */
    struct feed_str signed_text;                /* header and payload with the dot between */
};

static bool split(struct feed_str token, struct parts *out)
{
    const char *first = token.len ? memchr(token.data, '.', token.len) : NULL;
    if (!first) {
        return false;
    }
    const char *end = token.data + token.len;
    const char *second = memchr(first + 1, '.', (size_t)(end - first - 1));
    if (!second || memchr(second + 1, '.', (size_t)(end - second - 1))) {
        return false;
    }
    out->header = (struct feed_str){token.data, (size_t)(first - token.data)};
    out->payload = (struct feed_str){first + 1, (size_t)(second - first - 1)};
    out->signature = (struct feed_str){second + 1, (size_t)(end - second - 1)};
    out->signed_text = (struct feed_str){token.data, (size_t)(second - token.data)};
    return true;
}

static void hs256(struct feed_str secret, struct feed_str text, unsigned char out[HS256_BYTES])
{
    unsigned len = 0;
    feed_assert(secret.len >= FEED_SECRET_MIN && secret.len <= FEED_SECRET_MAX);
    unsigned char *done =
        HMAC(EVP_sha256(), secret.data, (int)secret.len, (const unsigned char *)text.data, text.len, out, &len);
    feed_assert(done && len == HS256_BYTES);
}

static bool hs256_holds(struct feed_str secret, struct feed_str text, struct feed_str said)
{
    unsigned char expected[HS256_BYTES];
    hs256(secret, text, expected);
    bool holds = said.len == HS256_BYTES && CRYPTO_memcmp(said.data, expected, HS256_BYTES) == 0;
    OPENSSL_cleanse(expected, sizeof(expected));
    return holds;
}

static enum feed_error refuse(const char **reason, const char *why)
{
    *reason = why;
    return FEED_E_UNAUTHORIZED;
}

/* The key that the header means; *jwk NULL: the secret. */
static enum feed_error find_key(const struct feed_token_rules *rules, const struct feed_token_header *header,
                                const struct feed_jwk **jwk, const char **reason)
{
    *jwk = NULL;
    if (header->has_kid && rules->jwks) {
        *jwk = feed_jwks_find(rules->jwks, feed_str_of(header->kid));
        return *jwk ? FEED_OK : refuse(reason, "key");
    }
    return rules->secret.data ? FEED_OK : refuse(reason, "key");
}

static enum feed_error check_signature(const struct feed_token_rules *rules, const struct feed_jwk *jwk,
                                       const struct parts *parts, const char **reason)
{
    char bytes[SIGNATURE_MAX];
    struct feed_str signature = {bytes, 0};
    if (feed_base64url_decode(parts->signature, bytes, sizeof bytes, &signature.len) != FEED_OK)
        return refuse(reason, "signature");
    bool holds = jwk ? feed_jwk_verify(jwk, parts->signed_text, signature)
                     : hs256_holds(rules->secret, parts->signed_text, signature);
    return holds ? FEED_OK : refuse(reason, "signature");
}

static enum feed_error check_header(const struct feed_token_rules *rules, const struct parts *parts, char *json,
                                    size_t json_size, const struct feed_jwk **jwk, const char **reason)
{
    struct feed_token_header header;
    size_t len;
    if (feed_base64url_decode(parts->header, json, json_size, &len) != FEED_OK)
        return refuse(reason, "malformed");
    enum feed_error error = feed_token_header_read((struct feed_str){json, len}, &header, reason);
    if (error == FEED_OK)
        error = find_key(rules, &header, jwk, reason);
    if (error != FEED_OK)
        return error;
    return strcmp(header.alg, *jwk ? feed_token_alg_name((*jwk)->alg) : "HS256") == 0 ? FEED_OK
                                                                                      : refuse(reason, "algorithm");
}

enum feed_error feed_token_verify(const struct feed_token_rules *rules, struct feed_str token, int64_t now_s,
                                  struct feed_token_claims *out, const char **reason)
{
    struct parts parts;
    char json[FEED_TOKEN_MAX];
    size_t len;
    const struct feed_jwk *jwk;
    if (token.len > FEED_TOKEN_MAX || !split(token, &parts))
        return refuse(reason, "malformed");
    enum feed_error error = check_header(rules, &parts, json, sizeof json, &jwk, reason);
    if (error == FEED_OK)
        error = check_signature(rules, jwk, &parts, reason);
    if (error != FEED_OK)
        return error;
    if (feed_base64url_decode(parts.payload, json, sizeof(json), &len) != FEED_OK)
        return refuse(reason, "malformed");
    error = feed_token_claims_read((struct feed_str){json, len}, rules, now_s, out, reason);
    if (error == FEED_OK)
        out->key_tag = jwk ? jwk->tag : 0;
    return error;
}

/* ---- reasons ---- */

#define NAME(name, sentence) name,
const char *const feed_token_reason_names[] = {FEED_TOKEN_REASONS(NAME) NULL};
#undef NAME

unsigned feed_token_reason_index(const char *reason)
{
    unsigned index = 0;
    while (feed_token_reason_names[index] && strcmp(feed_token_reason_names[index], reason) != 0)
        index++;
    return feed_token_reason_names[index] ? index : 0;
}

const char *feed_token_reason_sentence(const char *reason)
{
#define SENTENCE(name, sentence) sentence,
    static const char *const sentences[] = {FEED_TOKEN_REASONS(SENTENCE)};
#undef SENTENCE
    return sentences[feed_token_reason_index(reason)];
}

/* ---- making ---- */

void feed_token_sign(struct feed_str secret, struct feed_str tenant, struct feed_str subject, int64_t expires_s,
                     struct feed_str scope, struct feed_buf *out)
{
    struct feed_buf payload;
    struct feed_json_out json;
    feed_buf_init(&payload, FEED_TOKEN_MAX);
    feed_json_out_init(&json, &payload);
    feed_json_open(&json);
    feed_json_member(&json, "tenant", tenant);
    feed_json_member(&json, "sub", subject);
    feed_json_key(&json, "exp");
    feed_json_i64(&json, expires_s);
    if (scope.len > 0) {
        feed_json_member(&json, "scope", scope);
    }
    feed_json_close(&json);

    size_t start = out->len;
    feed_base64url_encode(FEED_STR("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"), out);
    feed_buf_char(out, '.');
    feed_base64url_encode(feed_buf_view(&payload), out);
    if (out->error == FEED_OK) {
        out->error = payload.error;
    }
    feed_buf_fini(&payload);
    if (out->error == FEED_OK) {
        unsigned char mac[HS256_BYTES];
        hs256(secret, (struct feed_str){out->data + start, out->len - start}, mac);
        feed_buf_char(out, '.');
        feed_base64url_encode((struct feed_str){(const char *)mac, sizeof(mac)}, out);
    }
}

enum feed_error feed_token_from_authorization(struct feed_str header, struct feed_str *token)
{
    static const char scheme[] = "Bearer ";
    const size_t scheme_len = sizeof(scheme) - 1;
    if (header.len == 0) {
        return FEED_E_MISSING;
    }
    if (header.len <= scheme_len || strncasecmp(header.data, scheme, scheme_len) != 0) {
        return FEED_E_INVALID;
    }
    size_t start = scheme_len, end = header.len;
    while (start < end && header.data[start] == ' ') {
        start++;
    }
    while (end > start && header.data[end - 1] == ' ') {
        end--;
    }
    *token = (struct feed_str){header.data + start, end - start};
    return token->len > 0 ? FEED_OK : FEED_E_INVALID;
}
