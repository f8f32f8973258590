/* Reads the header and the claims of a token. Everything that could be read in two ways is refused: members that come
 * twice, times that are no numbers, a scope that is no text. */
#include "shared/auth/claims.h"

#include "shared/auth/jwks.h"
#include "shared/model/names.h"

#include <string.h>
#include <strings.h>
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

/* Explicit typing (RFC 8725, 3.11): the same issuer signs other things (logout tokens, proofs of possession), which
 * must not pass for these. */
static bool type_accepted(yyjson_val *type)
{
    static const char media[] = "application/";
    if (!type)
        return true;
    if (!yyjson_is_str(type))
        return false;
    const char *text = yyjson_get_str(type);
    if (strlen(text) != yyjson_get_len(type))
        return false;
    if (strncasecmp(text, media, sizeof media - 1) == 0)
        text += sizeof media - 1;
    return strcasecmp(text, "JWT") == 0 || strcasecmp(text, "at+jwt") == 0;
}

/* The name of an algorithm has no NUL in it, which the copy would end at. */
static void read_alg(yyjson_val *value, struct feed_token_header *out)
{
    if (yyjson_is_str(value) && strlen(yyjson_get_str(value)) == yyjson_get_len(value) &&
        feed_str_copy(text_of(value), out->alg, sizeof out->alg) != FEED_OK)
        out->alg[0] = '\0';
}

static void read_kid(yyjson_val *value, struct feed_token_header *out)
{
    out->has_kid = value != NULL;
    if (yyjson_is_str(value) && feed_key_id_valid(text_of(value)))
        memcpy(out->kid, yyjson_get_str(value), yyjson_get_len(value));
}

enum feed_error feed_token_header_read(struct feed_str json, struct feed_token_header *out, const char **reason)
{
    memset(out, 0, sizeof *out);
    yyjson_doc *doc = read_object(json);
    if (!doc)
        return refuse(reason, "malformed");
    yyjson_val *root = yyjson_doc_get_root(doc);
    read_alg(yyjson_obj_get(root, "alg"), out);
    read_kid(yyjson_obj_get(root, "kid"), out);
    bool crit = yyjson_obj_get(root, "crit") != NULL; /* extensions that must be understood: we know none */
    bool typed = type_accepted(yyjson_obj_get(root, "typ"));
    yyjson_doc_free(doc);
    return crit || !typed ? refuse(reason, "malformed") : FEED_OK;
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
void feed_scope_read(struct feed_str scope, struct feed_token_claims *out)
{
    bool publish = false, read = false, admin = false;
    for (size_t start = 0; start < scope.len;) {
        size_t end = start;
        while (end < scope.len && scope.data[end] != ' ')
            end++;
        struct feed_str word = {scope.data + start, end - start};
        publish |= feed_str_eq(word, FEED_STR("publish"));
        read |= feed_str_eq(word, FEED_STR("read"));
        admin |= feed_str_eq(word, FEED_STR("admin"));
        start = end + 1;
    }
    bool own = !publish && !read && !admin;
    out->may_publish = publish;
    out->may_post = publish || own;
    out->may_read = read || own;
    out->may_import = admin;
}

static bool read_scope(yyjson_val *value, struct feed_token_claims *out)
{
    if (value && !yyjson_is_str(value))
        return false;
    feed_scope_read(value ? text_of(value) : (struct feed_str){NULL, 0}, out);
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

static bool is_text(yyjson_val *value, struct feed_str expected)
{
    return yyjson_is_str(value) && feed_str_eq(text_of(value), expected);
}

/* A text, or a list of texts (RFC 7519, 4.1.3). A token that is for somebody must be for us. */
static bool audience_accepted(yyjson_val *audience, struct feed_str expected)
{
    size_t index, max;
    yyjson_val *one;
    bool named = is_text(audience, expected);
    if (expected.len == 0)
        return audience == NULL;
    if (!yyjson_is_arr(audience))
        return named;
    yyjson_arr_foreach(audience, index, max, one)
    {
        if (!yyjson_is_str(one))
            return false;
        named |= is_text(one, expected);
    }
    return named;
}

struct times {
    int64_t expires_s, not_before_s, issued_s;
};

static bool read_times(yyjson_val *root, struct times *out)
{
    yyjson_val *not_before = yyjson_obj_get(root, "nbf"), *issued = yyjson_obj_get(root, "iat");
    *out = (struct times){0};
    return read_time(yyjson_obj_get(root, "exp"), &out->expires_s) &&
           (!not_before || read_time(not_before, &out->not_before_s)) && (!issued || read_time(issued, &out->issued_s));
}

static enum feed_error read_claims(yyjson_val *root, const struct feed_token_rules *rules, int64_t now_s,
                                   struct feed_token_claims *out, const char **reason)
{
    struct times times;
    if (!read_times(root, &times) ||
        !read_name(yyjson_obj_get(root, "tenant"), feed_tenant_valid, out->tenant, sizeof(out->tenant)) ||
        !read_name(yyjson_obj_get(root, "sub"), feed_user_valid, out->subject, sizeof(out->subject)) ||
        !read_scope(yyjson_obj_get(root, "scope"), out) || !read_feeds(yyjson_obj_get(root, "feeds"), out))
        return refuse(reason, "claims");
    out->expires_s = times.expires_s;
    if (rules->issuer.len > 0 && !is_text(yyjson_obj_get(root, "iss"), rules->issuer))
        return refuse(reason, "issuer");
    if (!audience_accepted(yyjson_obj_get(root, "aud"), rules->audience))
        return refuse(reason, "audience");
    if (now_s >= times.expires_s + FEED_TOKEN_LEEWAY_S)
        return refuse(reason, "expired");
    /* A token from the future means a clock that is wrong; then its other times mean nothing either. */
    if (now_s < times.not_before_s - FEED_TOKEN_LEEWAY_S || now_s < times.issued_s - FEED_TOKEN_LEEWAY_S)
        return refuse(reason, "not_yet");
    return FEED_OK;
}

enum feed_error feed_token_claims_read(struct feed_str json, const struct feed_token_rules *rules, int64_t now_s,
                                       struct feed_token_claims *out, const char **reason)
{
    memset(out, 0, sizeof(*out));
    yyjson_doc *doc = read_object(json);
    if (!doc) {
        return refuse(reason, "malformed");
    }
    enum feed_error error = read_claims(yyjson_doc_get_root(doc), rules, now_s, out, reason);
    yyjson_doc_free(doc);
    return error;
}
