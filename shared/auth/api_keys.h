/* API keys: credentials of services that cannot or need not make tokens. A key is
 *
 *     fwk_ID_SECRET        ID: 16 hexadecimal digits, to find it by; SECRET: 32 random bytes, base64url
 *
 * and what is kept of it is a line of a file, without the secret:
 *
 *     id=ID sha256=DIGEST tenant=demo sub=service:shop scope=publish,read expires=2030-01-01T00:00:00Z
 *
 * DIGEST is the SHA-256 of the whole key in hexadecimal. That is enough for 256 random bits: there is nothing to guess
 * that a slower function would protect. scope is needed (words of publish, read, admin); expires is optional. Empty
 * lines and lines that begin with # are skipped. Digests are compared in constant time. */
#ifndef FEED_AUTH_API_KEYS_H
#define FEED_AUTH_API_KEYS_H

#include "shared/auth/token.h"

enum {
    FEED_API_KEY_ID_BYTES = 8,
    FEED_API_KEY_SECRET_BYTES = 32,
    FEED_API_KEY_RANDOM = FEED_API_KEY_ID_BYTES + FEED_API_KEY_SECRET_BYTES,
    FEED_API_KEY_TEXT = 4 + 2 * FEED_API_KEY_ID_BYTES + 1 + 43
};

struct feed_api_keys;

/* Takes the whole file or nothing: FEED_E_INVALID or FEED_E_TOO_LARGE with a sentence that names the line and repeats
 * nothing of it. A file without keys is fine. */
enum feed_error feed_api_keys_parse(struct feed_str text, struct feed_api_keys **out, char *problem,
                                    size_t problem_size) FEED_MUST_USE;
void feed_api_keys_free(struct feed_api_keys *keys); /* NULL is ignored */
size_t feed_api_keys_count(const struct feed_api_keys *keys);
bool feed_api_keys_has_tag(const struct feed_api_keys *keys, uint64_t tag);

bool feed_api_key_looks_like(struct feed_str credential); /* begins with fwk_ */
/* FEED_E_UNAUTHORIZED with *reason "malformed", "key" or "expired". keys may be NULL: there are none. */
enum feed_error feed_api_keys_verify(const struct feed_api_keys *keys, struct feed_str credential, int64_t now_s,
                                     struct feed_token_claims *out, const char **reason) FEED_MUST_USE;

/* What a new key is for. */
struct feed_api_key_grant {
    struct feed_str tenant, subject;
    struct feed_str scope; /* words with commas between */
    int64_t expires_ms;    /* 0: never */
};
/* Makes the text of a key from random bytes, and appends its line (without a newline). FEED_E_INVALID when the grant is
 * not one. */
enum feed_error feed_api_key_make(const uint8_t random[FEED_API_KEY_RANDOM], const struct feed_api_key_grant *grant,
                                  char key[FEED_API_KEY_TEXT + 1], struct feed_buf *line) FEED_MUST_USE;

#endif
