/* Verifies and makes tokens. The order is the point: the form, then the algorithm, then the signature over the very
 * bytes that came, and only then does anything read the claims. */
#include "shared/auth/token.h"

#include "shared/auth/base64url.h"
#include "shared/auth/claims.h"
#include "shared/base/assert.h"
#include "shared/base/json_out.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <strings.h>

enum { HS256_BYTES = 32 };

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

static void hs256(const struct feed_token_key *key, struct feed_str text, unsigned char out[HS256_BYTES])
{
    unsigned len = 0;
    feed_assert(key->secret.len >= FEED_SECRET_MIN && key->secret.len <= FEED_SECRET_MAX);
    unsigned char *done = HMAC(EVP_sha256(), key->secret.data, (int)key->secret.len, (const unsigned char *)text.data,
                               text.len, out, &len);
    feed_assert(done && len == HS256_BYTES);
}

static bool signature_holds(const struct feed_token_key *key, const struct parts *parts)
{
    char said[HS256_BYTES];
    size_t said_len = 0;
    unsigned char expected[HS256_BYTES];
    if (feed_base64url_decode(parts->signature, said, sizeof(said), &said_len) != FEED_OK || said_len != HS256_BYTES) {
        return false;
    }
    hs256(key, parts->signed_text, expected);
    bool holds = CRYPTO_memcmp(said, expected, HS256_BYTES) == 0;
    OPENSSL_cleanse(expected, sizeof(expected));
    return holds;
}

static enum feed_error refuse(const char **reason, const char *why)
{
    *reason = why;
    return FEED_E_UNAUTHORIZED;
}

enum feed_error feed_token_verify(const struct feed_token_key *key, struct feed_str token, int64_t now_s,
                                  struct feed_token_claims *out, const char **reason)
{
    struct parts parts;
    char json[FEED_TOKEN_MAX];
    size_t len;
    if (token.len > FEED_TOKEN_MAX || !split(token, &parts) ||
        feed_base64url_decode(parts.header, json, sizeof(json), &len) != FEED_OK) {
        return refuse(reason, "malformed");
    }
    enum feed_error error = feed_token_header_check((struct feed_str){json, len}, "HS256", reason);
    if (error != FEED_OK) {
        return error;
    }
    if (!signature_holds(key, &parts)) {
        return refuse(reason, "signature");
    }
    if (feed_base64url_decode(parts.payload, json, sizeof(json), &len) != FEED_OK) {
        return refuse(reason, "malformed");
    }
    return feed_token_claims_read((struct feed_str){json, len}, now_s, out, reason);
}

void feed_token_sign(const struct feed_token_key *key, struct feed_str tenant, struct feed_str subject,
                     int64_t expires_s, struct feed_str scope, struct feed_buf *out)
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
        hs256(key, (struct feed_str){out->data + start, out->len - start}, mac);
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
