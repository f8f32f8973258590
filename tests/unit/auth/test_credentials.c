/* Credentials by the golden vectors: tokens of all algorithms, sets of keys, API keys. */
#include "shared/auth/api_keys.h"
#include "shared/auth/auth.h"
#include "shared/auth/jwks.h"
#include "tests/unit/support/check.h"
#include "tests/unit/support/vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
    yyjson_doc *doc;
    int64_t now_s;
    struct feed_str secret, jwks, api_keys;
    char *jwks_text;
};

static int load(void **state)
{
    static struct fixture f;
    f.doc = vectors_load("schemas/vectors/credentials.json");
    yyjson_val *root = yyjson_doc_get_root(f.doc);
    f.now_s = yyjson_get_sint(yyjson_obj_get(root, "now"));
    f.secret = vector_text(root, "hs256_secret");
    f.jwks.data = f.jwks_text = yyjson_val_write(yyjson_obj_get(root, "jwks"), 0, &f.jwks.len);
    f.api_keys = vector_text(yyjson_obj_get(root, "api_keys"), "file");
    *state = &f;
    return 0;
}

static int unload(void **state)
{
    struct fixture *f = *state;
    free(f->jwks_text);
    yyjson_doc_free(f->doc);
    return 0;
}

static struct feed_auth *new_auth(const struct fixture *f, struct feed_str issuer, struct feed_str audience,
                                  size_t remembered)
{
    char problem[256] = "";
    const struct feed_auth_settings settings = {
        .secret = f->secret, .issuer = issuer, .audience = audience, .remembered = remembered};
    struct feed_auth *auth = feed_auth_new(&settings);
    assert_non_null(auth);
    if (feed_auth_set_jwks(auth, f->jwks, problem, sizeof problem) != FEED_OK ||
        feed_auth_set_api_keys(auth, f->api_keys, problem, sizeof problem) != FEED_OK)
        fail_msg("%s", problem);
    return auth;
}

static struct feed_auth *plain_auth(const struct fixture *f, size_t remembered)
{
    return new_auth(f, FEED_STR(""), FEED_STR(""), remembered);
}

/* "ok", or the reason. The claims are set only by "ok". */
static const char *check(struct feed_auth *auth, struct feed_str credential, int64_t now_s,
                         struct feed_token_claims *claims)
{
    const char *reason = "none given";
    struct feed_str copy = exact_copy(credential);
    enum feed_error error = feed_auth_check(auth, copy, now_s, claims, &reason);
    free_copy(copy);
    assert_true(error == FEED_OK || error == FEED_E_UNAUTHORIZED);
    return error == FEED_OK ? "ok" : reason;
}

static void check_verdict(struct feed_auth *auth, yyjson_val *vector, int64_t now_s)
{
    struct feed_token_claims claims;
    yyjson_val *own_now = yyjson_obj_get(vector, "now");
    const char *got = check(auth, vector_text(vector, "token"), own_now ? yyjson_get_sint(own_now) : now_s, &claims);
    struct feed_str expected = vector_text(vector, "reason");
    if (!feed_str_eq(feed_str_of(got), expected))
        fail_msg("case \"%s\": %s instead of %.*s", vector_name(vector), got, (int)expected.len, expected.data);
}

static void check_rights(struct feed_auth *auth, yyjson_val *vector, int64_t now_s, struct feed_token_claims *claims)
{
    const char *got = check(auth, vector_text(vector, "token"), now_s, claims);
    if (strcmp(got, "ok") != 0)
        fail_msg("case \"%s\": %s", vector_name(vector), got);
    vector_check(vector, claims->may_publish == yyjson_get_bool(yyjson_obj_get(vector, "publish")));
    vector_check(vector, claims->may_post == yyjson_get_bool(yyjson_obj_get(vector, "post")));
    vector_check(vector, claims->may_read == yyjson_get_bool(yyjson_obj_get(vector, "read")));
    vector_check(vector, strcmp(claims->tenant, "demo") == 0);
}

static void good_tokens_are_accepted(void **state)
{
    const struct fixture *f = *state;
    size_t i, max;
    yyjson_val *vector;
    struct feed_token_claims claims;
    struct feed_auth *auth = plain_auth(f, 0);
    yyjson_arr_foreach(vectors_list(f->doc, "valid"), i, max, vector)
    {
        check_rights(auth, vector, f->now_s, &claims);
        vector_check(vector, claims.credential[0] == '\0' && claims.all_feeds);
    }
    feed_auth_free(auth);
}

/* The token that came before is compared first, and must not stand for one that resembles it. */
static void a_token_that_differs_in_one_character_is_another(void **state)
{
    const struct fixture *f = *state;
    struct feed_token_claims claims;
    struct feed_auth *auth = plain_auth(f, 16);
    struct feed_str good = vector_text(yyjson_arr_get_first(vectors_list(f->doc, "valid")), "token");
    for (size_t i = 0; i < good.len; i++) {
        struct feed_str other = exact_copy(good);
        ((char *)other.data)[i] = good.data[i] == 'A' ? 'B' : 'A';
        assert_string_equal(check(auth, good, f->now_s, &claims), "ok");
        assert_string_not_equal(check(auth, other, f->now_s, &claims), "ok");
        free_copy(other);
    }
    feed_auth_free(auth);
}

static void hostile_tokens_are_refused(void **state)
{
    const struct fixture *f = *state;
    size_t i, max;
    yyjson_val *vector;
    struct feed_auth *auth = plain_auth(f, 16);
    assert_true(yyjson_arr_size(vectors_list(f->doc, "hostile")) >= 150);
    yyjson_arr_foreach(vectors_list(f->doc, "hostile"), i, max, vector) check_verdict(auth, vector, f->now_s);
    feed_auth_free(auth);
}

static void times_are_compared_with_the_leeway(void **state)
{
    const struct fixture *f = *state;
    size_t i, max;
    yyjson_val *vector;
    struct feed_auth *remembering = plain_auth(f, 16), *auth = plain_auth(f, 0);
    yyjson_arr_foreach(vectors_list(f->doc, "borderline"), i, max, vector)
    {
        check_verdict(auth, vector, f->now_s);
        check_verdict(remembering, vector, f->now_s);
    }
    feed_auth_free(auth);
    feed_auth_free(remembering);
}

static void issuer_and_audience_are_those_expected(void **state)
{
    const struct fixture *f = *state;
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(f->doc, "expectations"), i, max, vector)
    {
        struct feed_auth *auth = new_auth(f, vector_text(vector, "issuer"), vector_text(vector, "audience"), 0);
        check_verdict(auth, vector, f->now_s);
        feed_auth_free(auth);
    }
}

static void sets_of_keys_are_taken_whole_or_refused(void **state)
{
    const struct fixture *f = *state;
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(f->doc, "key_sets"), i, max, vector)
    {
        char text[256] = "";
        struct feed_jwks *set;
        struct feed_str json = exact_copy(vector_text(vector, "text")), problem = vector_text(vector, "problem");
        enum feed_error error = feed_jwks_parse(json, &set, text, sizeof text);
        free_copy(json);
        if (problem.data) {
            vector_check(vector, error != FEED_OK && !set);
            if (!strstr(text, problem.data))
                fail_msg("case \"%s\": %s", vector_name(vector), text);
            continue;
        }
        if (error != FEED_OK)
            fail_msg("case \"%s\": %s", vector_name(vector), text);
        vector_check(vector, feed_jwks_count(set) == yyjson_get_uint(yyjson_obj_get(vector, "usable")));
        vector_check(vector, feed_jwks_left_out(set) == yyjson_get_uint(yyjson_obj_get(vector, "left_out")));
        feed_jwks_free(set);
    }
}

static void api_keys_are_accepted_for_what_they_allow(void **state)
{
    const struct fixture *f = *state;
    size_t i, max;
    yyjson_val *vector, *root = yyjson_obj_get(yyjson_doc_get_root(f->doc), "api_keys");
    struct feed_token_claims claims;
    struct feed_auth *auth = plain_auth(f, 0);
    assert_int_equal(feed_auth_api_keys_count(auth), 5);
    yyjson_arr_foreach(yyjson_obj_get(root, "valid"), i, max, vector)
    {
        check_rights(auth, vector, f->now_s, &claims);
        vector_check(vector, feed_str_eq(feed_str_of(claims.subject), vector_text(vector, "subject")));
        vector_check(vector, feed_str_eq(feed_str_of(claims.credential), vector_text(vector, "credential")));
    }
    assert_true(i > 0);
    yyjson_arr_foreach(yyjson_obj_get(root, "hostile"), i, max, vector) check_verdict(auth, vector, f->now_s);
    assert_true(i > 0);
    feed_auth_free(auth);
}

static void files_of_api_keys_are_taken_whole_or_refused(void **state)
{
    const struct fixture *f = *state;
    size_t i, max;
    yyjson_val *vector, *root = yyjson_obj_get(yyjson_doc_get_root(f->doc), "api_keys");
    yyjson_arr_foreach(yyjson_obj_get(root, "files"), i, max, vector)
    {
        char text[256] = "";
        struct feed_api_keys *keys;
        struct feed_str file = exact_copy(vector_text(vector, "text")), problem = vector_text(vector, "problem");
        enum feed_error error = feed_api_keys_parse(file, &keys, text, sizeof text);
        free_copy(file);
        if (problem.data) {
            vector_check(vector, error != FEED_OK && !keys);
            if (!strstr(text, problem.data))
                fail_msg("case \"%s\": %s", vector_name(vector), text);
            continue;
        }
        if (error != FEED_OK)
            fail_msg("case \"%s\": %s", vector_name(vector), text);
        vector_check(vector, feed_api_keys_count(keys) == yyjson_get_uint(yyjson_obj_get(vector, "count")));
        feed_api_keys_free(keys);
    }
    assert_true(i > 0);
}

static void every_changed_character_of_an_api_key_is_refused(void **state)
{
    const struct fixture *f = *state;
    struct feed_auth *auth = plain_auth(f, 0);
    struct feed_token_claims claims;
    yyjson_val *first =
        yyjson_arr_get_first(yyjson_obj_get(yyjson_obj_get(yyjson_doc_get_root(f->doc), "api_keys"), "valid"));
    struct feed_str good = vector_text(first, "token");
    char key[FEED_API_KEY_TEXT];
    assert_int_equal(good.len, sizeof key);
    for (size_t i = 0; i < sizeof key; i++) {
        memcpy(key, good.data, sizeof key);
        key[i] = key[i] == 'a' ? 'b' : 'a';
        assert_string_not_equal(check(auth, (struct feed_str){key, sizeof key}, f->now_s, &claims), "ok");
    }
    feed_auth_free(auth);
}

static void a_made_key_is_known_by_its_line(void **state)
{
    const struct fixture *f = *state;
    uint8_t random[FEED_API_KEY_RANDOM];
    char key[FEED_API_KEY_TEXT + 1], problem[256] = "";
    struct feed_token_claims claims;
    struct feed_buf line;
    struct feed_auth *auth = plain_auth(f, 0);
    for (size_t i = 0; i < sizeof random; i++)
        random[i] = (uint8_t)(i * 37);
    struct feed_api_key_grant grant = {FEED_STR("acme"), FEED_STR("service:x"), FEED_STR("publish,read"),
                                       (f->now_s + 100) * 1000};
    feed_buf_init(&line, FEED_API_KEYS_LINE_MAX);
    assert_int_equal(feed_api_key_make(random, &grant, key, &line), FEED_OK);
    assert_null(strstr(line.data, key + 22)); /* nothing of the secret is in the line */
    assert_int_equal(feed_auth_set_api_keys(auth, feed_buf_view(&line), problem, sizeof problem), FEED_OK);
    assert_string_equal(check(auth, feed_str_of(key), f->now_s, &claims), "ok");
    assert_string_equal(claims.tenant, "acme");
    assert_string_equal(claims.subject, "service:x");
    assert_true(claims.may_publish && claims.may_read);
    assert_string_equal(check(auth, feed_str_of(key), f->now_s + 100, &claims), "expired");
    feed_buf_reset(&line);
    grant.scope = FEED_STR("write");
    assert_int_equal(feed_api_key_make(random, &grant, key, &line), FEED_E_INVALID);
    feed_buf_fini(&line);
    feed_auth_free(auth);
}

/* ---- keys that change ---- */

struct rotation {
    struct feed_auth *auth;
    struct feed_str old_token, new_token;
    char *old_set, *new_set, *both;
};

static char *set_of(const char *a, const char *b)
{
    char *out = malloc(4096);
    assert_non_null(out);
    snprintf(out, 4096, "{\"keys\":[%s%s%s]}", a, b ? "," : "", b ? b : "");
    return out;
}

static void rotation_init(const struct fixture *f, struct rotation *r, size_t remembered)
{
    yyjson_val *root = yyjson_obj_get(yyjson_doc_get_root(f->doc), "rotation");
    char *old = yyjson_val_write(yyjson_obj_get(root, "old"), 0, NULL);
    char *new = yyjson_val_write(yyjson_obj_get(root, "new"), 0, NULL);
    const struct feed_auth_settings settings = {.remembered = remembered};
    *r = (struct rotation){.auth = feed_auth_new(&settings),
                           .old_token = vector_text(root, "old_token"),
                           .new_token = vector_text(root, "new_token"),
                           .old_set = set_of(old, NULL),
                           .new_set = set_of(new, NULL),
                           .both = set_of(old, new)};
    free(old);
    free(new);
}

static void rotation_fini(struct rotation *r)
{
    feed_auth_free(r->auth);
    free(r->old_set);
    free(r->new_set);
    free(r->both);
}

static void use(struct rotation *r, const char *set)
{
    char problem[256] = "";
    if (feed_auth_set_jwks(r->auth, feed_str_of(set), problem, sizeof problem) != FEED_OK)
        fail_msg("%s", problem);
}

static void keys_rotate(void **state)
{
    const struct fixture *f = *state;
    struct feed_token_claims old, new, claims;
    for (size_t remembered = 0; remembered <= 8; remembered += 8) {
        struct rotation r;
        rotation_init(f, &r, remembered);
        use(&r, r.old_set);
        uint32_t generation = feed_auth_generation(r.auth);
        assert_string_equal(check(r.auth, r.old_token, f->now_s, &old), "ok");
        assert_string_equal(check(r.auth, r.new_token, f->now_s, &claims), "key");
        use(&r, r.both);
        assert_int_not_equal(feed_auth_generation(r.auth), generation);
        assert_string_equal(check(r.auth, r.old_token, f->now_s, &claims), "ok");
        assert_string_equal(check(r.auth, r.new_token, f->now_s, &new), "ok");
        assert_true(claims.key_tag == old.key_tag && new.key_tag != old.key_tag);
        use(&r, r.new_set);
        assert_string_equal(check(r.auth, r.old_token, f->now_s, &claims), "key");
        assert_string_equal(check(r.auth, r.new_token, f->now_s, &claims), "ok");
        assert_false(feed_auth_key_holds(r.auth, old.key_tag));
        assert_true(feed_auth_key_holds(r.auth, new.key_tag));
        rotation_fini(&r);
    }
}

static void a_wrong_set_changes_nothing(void **state)
{
    const struct fixture *f = *state;
    struct rotation r;
    char problem[256] = "";
    struct feed_token_claims claims;
    rotation_init(f, &r, 0);
    use(&r, r.old_set);
    uint32_t generation = feed_auth_generation(r.auth);
    assert_int_equal(feed_auth_set_jwks(r.auth, FEED_STR("{\"keys\":[]}"), problem, sizeof problem), FEED_E_INVALID);
    assert_int_equal(feed_auth_set_api_keys(r.auth, FEED_STR("x"), problem, sizeof problem), FEED_E_INVALID);
    assert_int_equal(feed_auth_generation(r.auth), generation);
    assert_string_equal(check(r.auth, r.old_token, f->now_s, &claims), "ok");
    rotation_fini(&r);
}

struct look {
    struct rotation *rotation;
    const char *set; /* NULL: there is nothing new */
    unsigned calls;
};

static bool on_unknown(void *arg)
{
    struct look *look = arg;
    look->calls++;
    if (look->set)
        use(look->rotation, look->set);
    return look->set != NULL;
}

static void an_unknown_key_is_looked_for_once(void **state)
{
    const struct fixture *f = *state;
    struct rotation r;
    struct feed_token_claims claims;
    rotation_init(f, &r, 0);
    use(&r, r.old_set);
    struct look look = {.rotation = &r};
    feed_auth_on_unknown(r.auth, on_unknown, &look);
    assert_string_equal(check(r.auth, r.new_token, f->now_s, &claims), "key");
    assert_int_equal(look.calls, 1);
    look.set = r.both;
    assert_string_equal(check(r.auth, r.new_token, f->now_s, &claims), "ok");
    assert_string_equal(check(r.auth, FEED_STR("a.b.c"), f->now_s, &claims), "malformed");
    assert_int_equal(look.calls, 2);
    rotation_fini(&r);
}

#define CASE(test) cmocka_unit_test(test)

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(good_tokens_are_accepted),
                                       CASE(a_token_that_differs_in_one_character_is_another),
                                       CASE(hostile_tokens_are_refused),
                                       CASE(times_are_compared_with_the_leeway),
                                       CASE(issuer_and_audience_are_those_expected),
                                       CASE(sets_of_keys_are_taken_whole_or_refused),
                                       CASE(api_keys_are_accepted_for_what_they_allow),
                                       CASE(files_of_api_keys_are_taken_whole_or_refused),
                                       CASE(every_changed_character_of_an_api_key_is_refused),
                                       CASE(a_made_key_is_known_by_its_line),
                                       CASE(keys_rotate),
                                       CASE(a_wrong_set_changes_nothing),
                                       CASE(an_unknown_key_is_looked_for_once)};
    return cmocka_run_group_tests(tests, load, unload);
}
