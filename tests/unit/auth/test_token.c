/* Tokens: what is made is read, and everything that could be a forgery or could be read in two ways is refused with the
 * right reason. */
#include "shared/auth/token.h"

#include "shared/auth/base64url.h"
#include "tests/unit/support/check.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define GOOD "\"tenant\":\"demo\",\"sub\":\"ann\",\"exp\":2000"

static const struct feed_token_rules key = {.secret = {"0123456789abcdef0123456789abcdef", 32}};
static const struct feed_token_rules other_key = {.secret = {"0123456789abcdef0123456789abcdeX", 32}};
static const int64_t NOW_S = 1000;

/* Signs any header and payload, so that only what they say can be wrong. */
static void forge(struct feed_buf *out, struct feed_str header, struct feed_str payload)
{
    unsigned char mac[32];
    feed_buf_init(out, 64 * 1024);
    feed_base64url_encode(header, out);
    feed_buf_char(out, '.');
    feed_base64url_encode(payload, out);
    HMAC(EVP_sha256(), key.secret.data, 32, (unsigned char *)out->data, out->len, mac, NULL);
    feed_buf_char(out, '.');
    feed_base64url_encode((struct feed_str){(char *)mac, 32}, out);
}

/* The reason why it is refused, or "ok". */
static const char *verify(struct feed_str token, int64_t now_s, struct feed_token_claims *claims)
{
    const char *reason = "none given";
    enum feed_error error = feed_token_verify(&key, token, now_s, claims, &reason);
    if (error == FEED_OK) {
        return "ok";
    }
    assert_int_equal(error, FEED_E_UNAUTHORIZED);
    return reason;
}

static const char *verdict(struct feed_str header, struct feed_str payload)
{
    struct feed_buf token;
    struct feed_token_claims claims;
    forge(&token, header, payload);
    const char *reason = verify(feed_buf_view(&token), NOW_S, &claims);
    feed_buf_fini(&token);
    return reason;
}

static void test_round_trip(void **state)
{
    (void)state;
    struct feed_buf token;
    struct feed_token_claims claims;
    feed_buf_init(&token, FEED_TOKEN_MAX);
    feed_token_sign(key.secret, FEED_STR("demo"), FEED_STR("ann"), 2000, FEED_STR(""), &token);
    assert_string_equal(verify(feed_buf_view(&token), NOW_S, &claims), "ok");
    assert_string_equal(claims.tenant, "demo");
    assert_string_equal(claims.subject, "ann");
    assert_int_equal(claims.expires_s, 2000);
    assert_false(claims.may_publish);
    assert_true(claims.all_feeds);
    feed_buf_reset(&token);
    feed_token_sign(key.secret, FEED_STR("demo"), FEED_STR("service:shop"), 2000, FEED_STR("publish"), &token);
    assert_string_equal(verify(feed_buf_view(&token), NOW_S, &claims), "ok");
    assert_true(claims.may_publish);
    feed_buf_fini(&token);
}

/* Made with another implementation (Python's hmac), so that a fault that signing and verifying share is seen. */
static void test_known_token(void **state)
{
    (void)state;
    struct feed_token_claims claims;
    assert_string_equal(verify(FEED_STR("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
                                        "eyJ0ZW5hbnQiOiJkZW1vIiwic3ViIjoiYW5uIiwiZXhwIjoyMDAwfQ."
                                        "5YawaSM8euMlOuRpwB3PMmHTndxOtZHzITYZqoY5iSU"),
                               NOW_S, &claims),
                        "ok");
}

static void test_every_changed_character_is_refused(void **state)
{
    (void)state;
    struct feed_buf token;
    struct feed_token_claims claims;
    feed_buf_init(&token, FEED_TOKEN_MAX);
    feed_token_sign(key.secret, FEED_STR("demo"), FEED_STR("ann"), 2000, FEED_STR("publish"), &token);
    for (size_t i = 0; i < token.len; i++) {
        char before = token.data[i];
        token.data[i] = before == 'A' ? 'B' : 'A';
        assert_string_not_equal(verify(feed_buf_view(&token), NOW_S, &claims), "ok");
        token.data[i] = before;
        assert_string_not_equal(verify((struct feed_str){token.data, i}, NOW_S, &claims), "ok");
    }
    feed_buf_char(&token, 'A');
    assert_string_not_equal(verify(feed_buf_view(&token), NOW_S, &claims), "ok");
    feed_buf_fini(&token);
}

static void test_other_key(void **state)
{
    (void)state;
    struct feed_buf token;
    struct feed_token_claims claims;
    feed_buf_init(&token, FEED_TOKEN_MAX);
    feed_token_sign(other_key.secret, FEED_STR("demo"), FEED_STR("ann"), 2000, FEED_STR(""), &token);
    assert_string_equal(verify(feed_buf_view(&token), NOW_S, &claims), "signature");
    feed_buf_fini(&token);
}

static void test_headers(void **state)
{
    (void)state;
    const struct feed_str payload = FEED_STR("{" GOOD "}");
    const struct {
        struct feed_str header;
        const char *verdict;
    } rows[] = {
        {FEED_STR("{\"alg\":\"HS256\"}"), "ok"},
        {FEED_STR("{\"alg\":\"none\"}"), "algorithm"},
        {FEED_STR("{\"alg\":\"None\"}"), "algorithm"},
        {FEED_STR("{\"alg\":\"hs256\"}"), "algorithm"},
        {FEED_STR("{\"alg\":\"HS384\"}"), "algorithm"},
        {FEED_STR("{\"alg\":\"RS256\"}"), "algorithm"},
        {FEED_STR("{\"alg\":null}"), "algorithm"},
        {FEED_STR("{\"alg\":[\"HS256\"]}"), "algorithm"},
        {FEED_STR("{}"), "algorithm"},
        {FEED_STR("{\"alg\":\"HS256\\u0000\"}"), "algorithm"},
        {FEED_STR("{\"alg\":\"none\",\"alg\":\"HS256\"}"), "malformed"},
        {FEED_STR("{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}"), "malformed"},
        {FEED_STR("{\"alg\":\"HS256\",}"), "malformed"},
        {FEED_STR("[\"HS256\"]"), "malformed"},
        {FEED_STR(""), "malformed"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_string_equal(verdict(rows[i].header, payload), rows[i].verdict);
    }
}

static void test_claims(void **state)
{
    (void)state;
    const struct {
        struct feed_str payload;
        const char *verdict;
    } rows[] = {
        {FEED_STR("{" GOOD "}"), "ok"},
        {FEED_STR("{" GOOD ",\"unknown\":{\"a\":[1]}}"), "ok"},
        {FEED_STR("{" GOOD ",\"nbf\":1060,\"iat\":1060}"), "ok"},
        {FEED_STR("{" GOOD ",\"iat\":1061}"), "not_yet"},
        {FEED_STR("{" GOOD ",\"nbf\":1061}"), "not_yet"},
        {FEED_STR("{" GOOD ",\"nbf\":\"1\"}"), "claims"},
        {FEED_STR("{" GOOD ",\"iat\":true}"), "claims"},
        {FEED_STR("{" GOOD ",\"sub\":\"bob\"}"), "malformed"},
        {FEED_STR("{" GOOD ",\"unknown\":1,\"unknown\":1}"), "malformed"},
        {FEED_STR("{" GOOD ",\"\\u0073ub\":\"bob\"}"), "malformed"},
        {FEED_STR("{" GOOD ",\"scope\":[\"publish\"]}"), "claims"},
        {FEED_STR("{" GOOD ",\"feeds\":\"home\"}"), "claims"},
        {FEED_STR("{" GOOD ",\"feeds\":[1]}"), "claims"},
        {FEED_STR("{\"tenant\":\"demo\",\"sub\":\"ann\"}"), "claims"},
        {FEED_STR("{\"tenant\":\"demo\",\"sub\":\"ann\",\"exp\":\"2000\"}"), "claims"},
        {FEED_STR("{\"tenant\":\"demo\",\"sub\":\"ann\",\"exp\":null}"), "claims"},
        {FEED_STR("{\"tenant\":\"demo\",\"sub\":\"ann\",\"exp\":-1}"), "claims"},
        {FEED_STR("{\"tenant\":\"demo\",\"sub\":\"ann\",\"exp\":1e300}"), "claims"},
        {FEED_STR("{\"tenant\":\"demo\",\"sub\":\"ann\",\"exp\":18446744073709551615}"), "claims"},
        {FEED_STR("{\"tenant\":\"demo\",\"sub\":\"ann\",\"exp\":941}"), "ok"}, /* the leeway */
        {FEED_STR("{\"tenant\":\"demo\",\"sub\":\"ann\",\"exp\":940}"), "expired"},
        {FEED_STR("{\"tenant\":\"demo\",\"sub\":\"ann\",\"exp\":1000.5}"), "ok"},
        {FEED_STR("{\"tenant\":\"demo\",\"sub\":7,\"exp\":2000}"), "claims"},
        {FEED_STR("{\"tenant\":\"demo\",\"sub\":\"\",\"exp\":2000}"), "claims"},
        {FEED_STR("{\"tenant\":\"demo\",\"sub\":\"ann/bob\",\"exp\":2000}"), "claims"},
        {FEED_STR("{\"tenant\":\"demo\",\"sub\":\"ann\\u0000\",\"exp\":2000}"), "claims"},
        {FEED_STR("{\"tenant\":\"demo\",\"exp\":2000}"), "claims"},
        {FEED_STR("{\"tenant\":\"De mo\",\"sub\":\"ann\",\"exp\":2000}"), "claims"},
        {FEED_STR("{\"sub\":\"ann\",\"exp\":2000}"), "claims"},
        {FEED_STR("{" GOOD "} "), "ok"},
        {FEED_STR("{" GOOD "} x"), "malformed"},
        {FEED_STR("[]"), "malformed"},
        {FEED_STR("{" GOOD ",\"x\":\"\xff\"}"), "malformed"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *got = verdict(FEED_STR(HEADER), rows[i].payload);
        if (strcmp(got, rows[i].verdict) != 0) {
            print_error("payload %s\n", rows[i].payload.data);
        }
        assert_string_equal(got, rows[i].verdict);
    }
}

static void test_scope_and_feeds(void **state)
{
    (void)state;
    const struct {
        struct feed_str payload;
        bool publish, all, home, notifications;
    } rows[] = {
        {FEED_STR("{" GOOD ",\"scope\":\"read publish  x\"}"), true, true, false, false},
        {FEED_STR("{" GOOD ",\"scope\":\"publisher publish:x Publish\"}"), false, true, false, false},
        {FEED_STR("{" GOOD ",\"scope\":\"\"}"), false, true, false, false},
        {FEED_STR("{" GOOD ",\"feeds\":[\"home\",\"else\"]}"), false, false, true, false},
        {FEED_STR("{" GOOD ",\"feeds\":[\"notifications\"]}"), false, false, false, true},
        {FEED_STR("{" GOOD ",\"feeds\":[]}"), false, false, false, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct feed_buf token;
        struct feed_token_claims claims;
        forge(&token, FEED_STR(HEADER), rows[i].payload);
        assert_string_equal(verify(feed_buf_view(&token), NOW_S, &claims), "ok");
        assert_int_equal(claims.may_publish, rows[i].publish);
        assert_int_equal(claims.all_feeds, rows[i].all);
        assert_int_equal(claims.home, rows[i].home);
        assert_int_equal(claims.notifications, rows[i].notifications);
        feed_buf_fini(&token);
    }
}

static void test_form(void **state)
{
    (void)state;
    static char large[FEED_TOKEN_MAX + 1];
    struct feed_token_claims claims;
    const struct feed_str bad[] = {FEED_STR(""),
                                   FEED_STR("."),
                                   FEED_STR(".."),
                                   FEED_STR("..."),
                                   FEED_STR("abc"),
                                   FEED_STR("e30.e30"),
                                   FEED_STR("e30.e30.e30.e30.e30"),
                                   FEED_STR("\x00.\x00.\x00")};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_string_equal(verify(bad[i], NOW_S, &claims), "malformed");
    }
    memset(large, 'A', sizeof(large));
    assert_string_equal(verify((struct feed_str){large, sizeof(large)}, NOW_S, &claims), "malformed");
}

static void test_authorization(void **state)
{
    (void)state;
    struct feed_str token;
    assert_int_equal(feed_token_from_authorization(FEED_STR("Bearer a.b.c"), &token), FEED_OK);
    assert_str_equal(token, "a.b.c");
    assert_int_equal(feed_token_from_authorization(FEED_STR("bEARER  a.b.c "), &token), FEED_OK);
    assert_str_equal(token, "a.b.c");
    assert_int_equal(feed_token_from_authorization((struct feed_str){NULL, 0}, &token), FEED_E_MISSING);
    assert_int_equal(feed_token_from_authorization(FEED_STR("Basic a.b.c"), &token), FEED_E_INVALID);
    assert_int_equal(feed_token_from_authorization(FEED_STR("Bearer"), &token), FEED_E_INVALID);
    assert_int_equal(feed_token_from_authorization(FEED_STR("Bearer  "), &token), FEED_E_INVALID);
    assert_int_equal(feed_token_from_authorization(FEED_STR("a.b.c"), &token), FEED_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_known_token),
        cmocka_unit_test(test_every_changed_character_is_refused),
        cmocka_unit_test(test_other_key),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_scope_and_feeds),
        cmocka_unit_test(test_form),
        cmocka_unit_test(test_authorization),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
