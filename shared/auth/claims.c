/* Reads the header and the claims of a token. Everything that could be read in two ways is refused: members that come
 * twice, times that are no numbers, a scope that is no text. */
#include "shared/auth/claims.h"

#include "shared/model/names.h"

#include <string.h>
#include <yyjson.h>

static enum feed_error refuse(const char **reason, const char *why)
{
    *reason = why;
    return FEED_E_UNAUTHORIZED;
}

static struct feed_str text_of(yyjson_val *value)
{
    return (struct feed_str){yyjson_get_str(value), yyjson_get_len(value)};
}

static bool members_distinct(yyjson_val *object)
{
    struct feed_str names[FEED_TOKEN_MEMBERS_MAX];
    size_t count = 0, index, max;
    yyjson_val *key, *value;
    if (yyjson_obj_size(object) > FEED_TOKEN_MEMBERS_MAX) {
        return false;
    }
    yyjson_obj_foreach(object, index, max, key, value)
    {
        names[count] = text_of(key);
        for (size_t i = 0; i < count; i++) {
            if (feed_str_eq(names[i], names[count])) {
                return false;
            }
        }
        count++;
    }
    return true;
}

/* NULL if it is not one JSON object whose members have different names. */
static yyjson_doc *read_object(struct feed_str json)
{
    yyjson_doc *doc = yyjson_read(json.data, json.len, 0);
    if (doc && yyjson_is_obj(yyjson_doc_get_root(doc)) && members_distinct(yyjson_doc_get_root(doc))) {
        return doc;
    }
    yyjson_doc_free(doc);
    return NULL;
}

enum feed_error feed_token_header_check(struct feed_str json, const char *alg, const char **reason)
{
    yyjson_doc *doc = read_object(json);
    if (!doc) {
        return refuse(reason, "malformed");
    }
    yyjson_val *root = yyjson_doc_get_root(doc);
    yyjson_val *said = yyjson_obj_get(root, "alg");
    bool alg_ok = yyjson_is_str(said) && feed_str_eq(text_of(said), feed_str_of(alg));
    bool crit = yyjson_obj_get(root, "crit") != NULL; /* extensions that must be understood: we know none */
    yyjson_doc_free(doc);
    if (!alg_ok) {
        return refuse(reason, "algorithm");
    }
    return crit ? refuse(reason, "malformed") : FEED_OK;
}

/* NumericDate (RFC 7519, section 2): seconds, fractions allowed. */
static bool read_time(yyjson_val *value, int64_t *out)
{
    if (!yyjson_is_num(value)) {
        return false;
    }
    double seconds = yyjson_get_num(value);
    if (!(seconds >= 0 && seconds <= (double)FEED_TIME_MAX_MS / 1000)) {
        return false;
    }
    *out = (int64_t)seconds;
    return true;
}

static bool read_name(yyjson_val *value, bool (*valid)(struct feed_str), char *out, size_t out_size)
{
    if (!yyjson_is_str(value)) {
        return false;
    }
    struct feed_str name = text_of(value);
    return valid(name) && feed_str_copy(name, out, out_size) == FEED_OK;
}

/* Words separated by blanks (RFC 8693, 4.2). */
static bool read_scope(yyjson_val *value, struct feed_token_claims *out)
{
    if (!value) {
        return true;
    }
    if (!yyjson_is_str(value)) {
        return false;
    }
    struct feed_str scope = text_of(value);
    for (size_t start = 0; start < scope.len;) {
        size_t end = start;
        while (end < scope.len && scope.data[end] != ' ') {
            end++;
        }
        if (feed_str_eq((struct feed_str){scope.data + start, end - start}, FEED_STR("publish"))) {
            out->may_publish = true;
        }
        start = end + 1;
    }
    return true;
}

static bool read_feeds(yyjson_val *value, struct feed_token_claims *out)
{
    out->all_feeds = value == NULL;
    if (!value) {
        return true;
    }
    size_t index, max;
    yyjson_val *feed;
    if (!yyjson_is_arr(value)) {
        return false;
    }
    yyjson_arr_foreach(value, index, max, feed)
    {
        if (!yyjson_is_str(feed)) {
            return false;
        }
        out->home |= feed_str_eq(text_of(feed), FEED_STR("home"));
        out->notifications |= feed_str_eq(text_of(feed), FEED_STR("notifications"));
    }
    return true;
}

static enum feed_error read_claims(yyjson_val *root, int64_t now_s, struct feed_token_claims *out, const char **reason)
{
    int64_t not_before_s = 0, issued_s;
    yyjson_val *not_before = yyjson_obj_get(root, "nbf"), *issued = yyjson_obj_get(root, "iat");
    if (!read_time(yyjson_obj_get(root, "exp"), &out->expires_s) ||
        (not_before && !read_time(not_before, &not_before_s)) || (issued && !read_time(issued, &issued_s)) ||
        !read_name(yyjson_obj_get(root, "tenant"), feed_tenant_valid, out->tenant, sizeof(out->tenant)) ||
        !read_name(yyjson_obj_get(root, "sub"), feed_user_valid, out->subject, sizeof(out->subject)) ||
        !read_scope(yyjson_obj_get(root, "scope"), out) || !read_feeds(yyjson_obj_get(root, "feeds"), out)) {
        return refuse(reason, "claims");
    }
    if (now_s >= out->expires_s + FEED_TOKEN_LEEWAY_S) {
        return refuse(reason, "expired");
    }
    if (now_s < not_before_s - FEED_TOKEN_LEEWAY_S) {
        return refuse(reason, "not_yet");
    }
    return FEED_OK;
}

enum feed_error feed_token_claims_read(struct feed_str json, int64_t now_s, struct feed_token_claims *out,
                                       const char **reason)
{
    memset(out, 0, sizeof(*out));
    yyjson_doc *doc = read_object(json);
    if (!doc) {
        return refuse(reason, "malformed");
    }
    enum feed_error error = read_claims(yyjson_doc_get_root(doc), now_s, out, reason);
    yyjson_doc_free(doc);
    return error;
}
