/* API keys: verified by their digest, which is looked up by the id that is part of the key. */
#include "shared/auth/api_keys.h"

#include "shared/auth/base64url.h"
#include "shared/auth/claims.h"
#include "shared/base/assert.h"
#include "shared/base/time_text.h"
#include "shared/model/names.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "fwk_"
enum { PREFIX_LEN = 4, ID_TEXT = 2 * FEED_API_KEY_ID_BYTES, DIGEST_BYTES = 32, SCOPE_MAX = 64 };

struct api_key {
    uint8_t id[FEED_API_KEY_ID_BYTES];
    uint8_t digest[DIGEST_BYTES];
    struct feed_token_claims claims; /* expires_s: FEED_TIME_MAX_MS / 1000 when never */
};

struct feed_api_keys {
    size_t count, capacity;
    struct api_key *keys; /* sorted by id */
};

static void digest_of(struct feed_str key, uint8_t out[DIGEST_BYTES])
{
    unsigned len = 0;
    int done = EVP_Digest(key.data, key.len, out, &len, EVP_sha256(), NULL);
    feed_assert(done == 1 && len == DIGEST_BYTES);
}

/* ---- lines ---- */

enum field { FIELD_ID, FIELD_SHA256, FIELD_TENANT, FIELD_SUB, FIELD_SCOPE, FIELD_EXPIRES, FIELDS };

static const char *const field_names[FIELDS] = {"id", "sha256", "tenant", "sub", "scope", "expires"};

/* Ends at the first blank; *rest begins behind it. */
static struct feed_str next_word(struct feed_str *rest)
{
    while (rest->len > 0 && (rest->data[0] == ' ' || rest->data[0] == '\t')) {
        rest->data++;
        rest->len--;
    }
    struct feed_str word = {rest->data, 0};
    while (word.len < rest->len && word.data[word.len] != ' ' && word.data[word.len] != '\t')
        word.len++;
    *rest = (struct feed_str){rest->data + word.len, rest->len - word.len};
    return word;
}

static const char *split_fields(struct feed_str line, struct feed_str fields[FIELDS])
{
    for (struct feed_str word = next_word(&line); word.len > 0; word = next_word(&line)) {
        const char *equals = memchr(word.data, '=', word.len);
        size_t name_len = equals ? (size_t)(equals - word.data) : word.len;
        size_t field = 0;
        while (field < FIELDS && !feed_str_eq((struct feed_str){word.data, name_len}, feed_str_of(field_names[field])))
            field++;
        if (!equals || field == FIELDS)
            return "it must have the fields id, sha256, tenant, sub, scope and perhaps expires, each as name=value";
        if (fields[field].data)
            return "a field comes twice";
        fields[field] = (struct feed_str){equals + 1, word.len - name_len - 1};
    }
    for (size_t field = 0; field < FIELD_EXPIRES; field++) {
        if (!fields[field].data)
            return "it needs id, sha256, tenant, sub and scope";
    }
    return NULL;
}

/* publish,read -> the rights. False for a word that is none, and for no word at all. */
static bool read_scope(struct feed_str words, struct feed_token_claims *out)
{
    static const char *const known[] = {"publish", "read", "admin"};
    char scope[SCOPE_MAX];
    if (feed_str_copy(words, scope, sizeof scope) != FEED_OK || words.len == 0)
        return false;
    for (char *word = scope; word;) {
        char *comma = strchr(word, ',');
        size_t len = comma ? (size_t)(comma - word) : strlen(word), i = 0;
        while (i < sizeof known / sizeof known[0] && !feed_str_eq((struct feed_str){word, len}, feed_str_of(known[i])))
            i++;
        if (i == sizeof known / sizeof known[0])
            return false;
        if (comma)
            *comma = ' ';
        word = comma ? comma + 1 : NULL;
    }
    feed_scope_read((struct feed_str){scope, words.len}, out);
    return true;
}

static const char *read_grant(struct feed_str fields[FIELDS], struct feed_token_claims *out)
{
    int64_t expires_ms = FEED_TIME_MAX_MS;
    if (!feed_tenant_valid(fields[FIELD_TENANT]) ||
        feed_str_copy(fields[FIELD_TENANT], out->tenant, sizeof out->tenant) != FEED_OK)
        return "tenant must be 1 to 32 characters of a-z 0-9 -";
    if (!feed_user_valid(fields[FIELD_SUB]) ||
        feed_str_copy(fields[FIELD_SUB], out->subject, sizeof out->subject) != FEED_OK)
        return "sub must be 1 to 128 characters of A-Z a-z 0-9 _ . : @ | + = ~ -";
    if (!read_scope(fields[FIELD_SCOPE], out))
        return "scope must be words of publish, read and admin, with commas between";
    if (fields[FIELD_EXPIRES].data && feed_time_parse(fields[FIELD_EXPIRES], &expires_ms) != FEED_OK)
        return "expires must be a time like 2030-01-02T03:04:05Z";
    out->expires_s = expires_ms / 1000;
    out->all_feeds = true;
    return NULL;
}

static const char *read_line(struct feed_str line, struct api_key *out)
{
    struct feed_str fields[FIELDS] = {{NULL, 0}};
    memset(out, 0, sizeof *out);
    const char *fault = split_fields(line, fields);
    if (!fault && feed_unhex(fields[FIELD_ID], out->id, sizeof out->id) != FEED_OK)
        fault = "id must be 16 hexadecimal digits";
    if (!fault && feed_unhex(fields[FIELD_SHA256], out->digest, sizeof out->digest) != FEED_OK)
        fault = "sha256 must be 64 hexadecimal digits; the key itself does not belong here";
    if (!fault)
        fault = read_grant(fields, &out->claims);
    feed_hex(out->id, sizeof out->id, out->claims.credential);
    /* Of the digest: a key that is replaced under the same id is another one. */
    memcpy(&out->claims.key_tag, out->digest, sizeof out->claims.key_tag);
    out->claims.key_tag |= 1;
    return fault;
}

/* ---- the file ---- */

static int by_id(const void *a, const void *b)
{
    return memcmp(((const struct api_key *)a)->id, ((const struct api_key *)b)->id, FEED_API_KEY_ID_BYTES);
}

static struct api_key *new_key(struct feed_api_keys *keys)
{
    if (keys->count == keys->capacity) {
        size_t capacity = keys->capacity ? 2 * keys->capacity : 16;
        struct api_key *more = realloc(keys->keys, capacity * sizeof *more);
        if (!more)
            return NULL;
        keys->keys = more;
        keys->capacity = capacity;
    }
    return &keys->keys[keys->count];
}

static struct feed_str next_line(struct feed_str *rest)
{
    const char *end = memchr(rest->data, '\n', rest->len);
    size_t len = end ? (size_t)(end - rest->data) : rest->len;
    struct feed_str line = {rest->data, len};
    size_t taken = end ? len + 1 : len;
    *rest = (struct feed_str){rest->data + taken, rest->len - taken};
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    return line;
}

static enum feed_error read_lines(struct feed_str text, struct feed_api_keys *keys, char *problem, size_t problem_size)
{
    for (size_t number = 1; text.len > 0; number++) {
        struct feed_str line = next_line(&text), rest = line;
        struct feed_str first = next_word(&rest);
        if (first.len == 0 || first.data[0] == '#')
            continue;
        if (keys->count == FEED_API_KEYS_MAX || line.len > FEED_API_KEYS_LINE_MAX) {
            snprintf(problem, problem_size, "line %zu: there may be %d keys, and %d bytes in a line", number,
                     FEED_API_KEYS_MAX, FEED_API_KEYS_LINE_MAX);
            return FEED_E_TOO_LARGE;
        }
        struct api_key *key = new_key(keys);
        const char *fault = key ? read_line(line, key) : "there is not enough memory";
        if (fault) {
            snprintf(problem, problem_size, "line %zu: %s", number, fault);
            return key ? FEED_E_INVALID : FEED_E_MEMORY;
        }
        keys->count++;
    }
    return FEED_OK;
}

static enum feed_error sort(struct feed_api_keys *keys, char *problem, size_t problem_size)
{
    if (keys->count > 0)
        qsort(keys->keys, keys->count, sizeof keys->keys[0], by_id);
    for (size_t i = 1; i < keys->count; i++) {
        if (by_id(&keys->keys[i - 1], &keys->keys[i]) == 0) {
            snprintf(problem, problem_size, "two keys have the id %s", keys->keys[i].claims.credential);
            return FEED_E_INVALID;
        }
    }
    return FEED_OK;
}

enum feed_error feed_api_keys_parse(struct feed_str text, struct feed_api_keys **out, char *problem,
                                    size_t problem_size)
{
    *out = NULL;
    if (text.len > FEED_API_KEYS_BYTES_MAX) {
        snprintf(problem, problem_size, "it is larger than %d bytes", FEED_API_KEYS_BYTES_MAX);
        return FEED_E_TOO_LARGE;
    }
    struct feed_api_keys *keys = calloc(1, sizeof *keys);
    if (!keys) {
        snprintf(problem, problem_size, "there is not enough memory");
        return FEED_E_MEMORY;
    }
    enum feed_error error = read_lines(text, keys, problem, problem_size);
    if (error == FEED_OK)
        error = sort(keys, problem, problem_size);
    if (error == FEED_OK)
        *out = keys;
    else
        feed_api_keys_free(keys);
    return error;
}

void feed_api_keys_free(struct feed_api_keys *keys)
{
    if (keys)
        free(keys->keys);
    free(keys);
}

size_t feed_api_keys_count(const struct feed_api_keys *keys)
{
    return keys->count;
}

bool feed_api_keys_has_tag(const struct feed_api_keys *keys, uint64_t tag)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (keys->keys[i].claims.key_tag == tag)
            return true;
    }
    return false;
}

/* ---- verifying ---- */

static enum feed_error refuse(const char **reason, const char *why)
{
    *reason = why;
    return FEED_E_UNAUTHORIZED;
}

bool feed_api_key_looks_like(struct feed_str credential)
{
    return credential.len >= PREFIX_LEN && memcmp(credential.data, PREFIX, PREFIX_LEN) == 0;
}

static bool lower_hex(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
            return false;
    }
    return true;
}

/* The key has one way of being written; the digest is of all of it. */
static bool well_formed(struct feed_str key)
{
    char secret[FEED_API_KEY_SECRET_BYTES];
    size_t len = 0;
    struct feed_str text = {key.data + PREFIX_LEN + ID_TEXT + 1, key.len - PREFIX_LEN - ID_TEXT - 1};
    bool good = key.data[PREFIX_LEN + ID_TEXT] == '_' && lower_hex(key.data + PREFIX_LEN, ID_TEXT) &&
                feed_base64url_decode(text, secret, sizeof secret, &len) == FEED_OK && len == sizeof secret;
    OPENSSL_cleanse(secret, sizeof secret);
    return good;
}

enum feed_error feed_api_keys_verify(const struct feed_api_keys *keys, struct feed_str credential, int64_t now_s,
                                     struct feed_token_claims *out, const char **reason)
{
    struct api_key wanted;
    uint8_t digest[DIGEST_BYTES];
    if (credential.len != FEED_API_KEY_TEXT || !feed_api_key_looks_like(credential) || !well_formed(credential) ||
        feed_unhex((struct feed_str){credential.data + PREFIX_LEN, ID_TEXT}, wanted.id, sizeof wanted.id) != FEED_OK)
        return refuse(reason, "malformed");
    digest_of(credential, digest);
    const struct api_key *key =
        keys && keys->count > 0 ? bsearch(&wanted, keys->keys, keys->count, sizeof keys->keys[0], by_id) : NULL;
    if (!key || CRYPTO_memcmp(digest, key->digest, sizeof digest) != 0)
        return refuse(reason, "key");
    if (now_s >= key->claims.expires_s)
        return refuse(reason, "expired");
    *out = key->claims;
    return FEED_OK;
}

/* ---- making ---- */

enum feed_error feed_api_key_make(const uint8_t random[FEED_API_KEY_RANDOM], const struct feed_api_key_grant *grant,
                                  char key[FEED_API_KEY_TEXT + 1], struct feed_buf *line)
{
    char id[ID_TEXT + 1], hex[2 * DIGEST_BYTES + 1], expires[FEED_TIME_TEXT + 1];
    uint8_t digest[DIGEST_BYTES];
    struct feed_buf text;
    struct feed_token_claims claims;
    if (!feed_tenant_valid(grant->tenant) || !feed_user_valid(grant->subject) || !read_scope(grant->scope, &claims))
        return FEED_E_INVALID;
    feed_hex(random, FEED_API_KEY_ID_BYTES, id);
    feed_buf_init(&text, FEED_API_KEY_TEXT);
    feed_buf_printf(&text, PREFIX "%s_", id);
    feed_base64url_encode((struct feed_str){(const char *)random + FEED_API_KEY_ID_BYTES, FEED_API_KEY_SECRET_BYTES},
                          &text);
    enum feed_error error = text.error;
    if (error == FEED_OK)
        error = feed_str_copy(feed_buf_view(&text), key, FEED_API_KEY_TEXT + 1);
    if (text.data)
        OPENSSL_cleanse(text.data, text.len);
    feed_buf_fini(&text);
    if (error != FEED_OK)
        return error;
    digest_of((struct feed_str){key, FEED_API_KEY_TEXT}, digest);
    feed_hex(digest, sizeof digest, hex);
    feed_buf_printf(line, "id=%s sha256=%s tenant=%.*s sub=%.*s scope=%.*s", id, hex, (int)grant->tenant.len,
                    grant->tenant.data, (int)grant->subject.len, grant->subject.data, (int)grant->scope.len,
                    grant->scope.data);
    if (grant->expires_ms > 0) {
        feed_time_format(grant->expires_ms, expires);
        feed_buf_printf(line, " expires=%s", expires);
    }
    return line->error;
}
