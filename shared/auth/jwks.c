/* Reads a JWK Set. */
#include "shared/auth/jwks.h"

#include "shared/auth/base64url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

enum { MEMBER_BYTES_MAX = FEED_RSA_BITS_MAX / 8 + 8 };

struct feed_jwks {
    size_t count, left_out;
    struct feed_jwk keys[FEED_JWKS_KEYS_MAX];
};

struct member {
    char bytes[MEMBER_BYTES_MAX];
    size_t len;
};

static const char ours_or_not[] = ""; /* the problem of a key that is for something else */

bool feed_key_id_valid(struct feed_str kid)
{
    static const char others[] = "_.:@|+=~/-";
    if (kid.len == 0 || kid.len > FEED_KEY_ID_MAX)
        return false;
    for (size_t i = 0; i < kid.len; i++) {
        char c = kid.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && (c == '\0' || !strchr(others, c)))
            return false;
    }
    return true;
}

static struct feed_str text_of(yyjson_val *value)
{
    return (struct feed_str){yyjson_get_str(value), yyjson_get_len(value)};
}

static bool says(yyjson_val *key, const char *member, const char *word)
{
    yyjson_val *value = yyjson_obj_get(key, member);
    return yyjson_is_str(value) && feed_str_eq(text_of(value), feed_str_of(word));
}

static bool read_member(yyjson_val *key, const char *name, struct member *out)
{
    yyjson_val *value = yyjson_obj_get(key, name);
    return yyjson_is_str(value) &&
           feed_base64url_decode(text_of(value), out->bytes, sizeof out->bytes, &out->len) == FEED_OK;
}

static struct feed_str view(const struct member *member)
{
    return (struct feed_str){member->bytes, member->len};
}

static bool lists_verify(yyjson_val *operations)
{
    size_t index, max;
    yyjson_val *operation;
    yyjson_arr_foreach(operations, index, max, operation)
    {
        if (yyjson_is_str(operation) && feed_str_eq(text_of(operation), FEED_STR("verify")))
            return true;
    }
    return false;
}

/* A key for encryption, or for an algorithm of which we do not know how to verify it. */
static bool for_something_else(yyjson_val *key)
{
    yyjson_val *alg = yyjson_obj_get(key, "alg"), *operations = yyjson_obj_get(key, "key_ops");
    const char *ours = says(key, "kty", "RSA") ? "RS256" : NULL;
    if (says(key, "kty", "EC") && says(key, "crv", "P-256"))
        ours = "ES256";
    if (says(key, "kty", "OKP") && says(key, "crv", "Ed25519"))
        ours = "EdDSA";
    return !ours || (yyjson_obj_get(key, "use") && !says(key, "use", "sig")) ||
           (operations && !lists_verify(operations)) || (alg && !says(key, "alg", ours));
}

static const char *read_material(yyjson_val *key, struct feed_jwk *out)
{
    struct member a, b;
    const char *problem = NULL;
    enum feed_error error;
    if (says(key, "kty", "RSA")) {
        if (!read_member(key, "n", &a) || !read_member(key, "e", &b))
            return "n and e must be base64url, and n of at most 4096 bits";
        error = feed_jwk_rsa(out, view(&a), view(&b), &problem);
    } else if (says(key, "kty", "EC")) {
        if (!read_member(key, "x", &a) || !read_member(key, "y", &b))
            return "x and y must be base64url";
        error = feed_jwk_p256(out, view(&a), view(&b), &problem);
    } else {
        if (!read_member(key, "x", &a))
            return "x must be base64url";
        error = feed_jwk_ed25519(out, view(&a), &problem);
    }
    return error == FEED_OK ? NULL : problem;
}

/* NULL: out is set; ours_or_not: leave it out; else what is wrong with it. */
static const char *read_key(yyjson_val *key, const struct feed_jwks *before, struct feed_jwk *out)
{
    memset(out, 0, sizeof *out);
    if (!yyjson_is_obj(key) || !yyjson_is_str(yyjson_obj_get(key, "kty")))
        return "it must be an object with kty";
    if (says(key, "kty", "oct") || yyjson_obj_get(key, "d") || yyjson_obj_get(key, "k"))
        return "it holds a secret or private key, which must not be here";
    if (for_something_else(key))
        return ours_or_not;
    yyjson_val *kid = yyjson_obj_get(key, "kid");
    if (!yyjson_is_str(kid) || !feed_key_id_valid(text_of(kid)))
        return "kid must be 1 to 128 characters of A-Z a-z 0-9 _ . : @ | + = ~ / -";
    if (feed_jwks_find(before, text_of(kid)))
        return "another key has the same kid";
    memcpy(out->kid, yyjson_get_str(kid), yyjson_get_len(kid));
    return read_material(key, out);
}

static enum feed_error read_keys(yyjson_val *keys, struct feed_jwks *set, char *problem, size_t problem_size)
{
    size_t index, max;
    yyjson_val *key;
    yyjson_arr_foreach(keys, index, max, key)
    {
        const char *fault = read_key(key, set, &set->keys[set->count]);
        if (fault == ours_or_not) {
            set->left_out++;
        } else if (fault) {
            snprintf(problem, problem_size, "keys[%zu]: %s", index, fault);
            return FEED_E_INVALID;
        } else {
            set->count++;
        }
    }
    if (set->count > 0)
        return FEED_OK;
    snprintf(problem, problem_size, "it has no key for RS256, ES256 (P-256) or EdDSA (Ed25519)");
    return FEED_E_INVALID;
}

static enum feed_error read_set(struct feed_str json, struct feed_jwks *set, char *problem, size_t problem_size)
{
    yyjson_doc *doc = yyjson_read(json.data, json.len, 0);
    yyjson_val *keys = doc ? yyjson_obj_get(yyjson_doc_get_root(doc), "keys") : NULL;
    enum feed_error error = FEED_E_INVALID;
    if (!yyjson_is_arr(keys)) {
        snprintf(problem, problem_size, "it must be a JSON object with a list `keys`");
    } else if (yyjson_arr_size(keys) > FEED_JWKS_KEYS_MAX) {
        snprintf(problem, problem_size, "it has more than %d keys", FEED_JWKS_KEYS_MAX);
        error = FEED_E_TOO_LARGE;
    } else {
        error = read_keys(keys, set, problem, problem_size);
    }
    yyjson_doc_free(doc);
    return error;
}

enum feed_error feed_jwks_parse(struct feed_str json, struct feed_jwks **out, char *problem, size_t problem_size)
{
    *out = NULL;
    if (json.len > FEED_JWKS_BYTES_MAX) {
        snprintf(problem, problem_size, "it is larger than %d bytes", FEED_JWKS_BYTES_MAX);
        return FEED_E_TOO_LARGE;
    }
    struct feed_jwks *set = calloc(1, sizeof *set);
    if (!set) {
        snprintf(problem, problem_size, "there is not enough memory");
        return FEED_E_MEMORY;
    }
    enum feed_error error = read_set(json, set, problem, problem_size);
    if (error == FEED_OK)
        *out = set;
    else
        feed_jwks_free(set);
    return error;
}

void feed_jwks_free(struct feed_jwks *set)
{
    for (size_t i = 0; set && i < set->count; i++)
        feed_jwk_fini(&set->keys[i]);
    free(set);
}

const struct feed_jwk *feed_jwks_find(const struct feed_jwks *set, struct feed_str kid)
{
    for (size_t i = 0; i < set->count; i++) {
        if (feed_str_eq(feed_str_of(set->keys[i].kid), kid))
            return &set->keys[i];
    }
    return NULL;
}

bool feed_jwks_has_tag(const struct feed_jwks *set, uint64_t tag)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->keys[i].tag == tag)
            return true;
    }
    return false;
}

size_t feed_jwks_count(const struct feed_jwks *set)
{
    return set->count;
}

size_t feed_jwks_left_out(const struct feed_jwks *set)
{
    return set->left_out;
}
