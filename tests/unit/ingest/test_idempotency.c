/* Idempotency keys: which there are, what makes requests the same, and what is remembered. */
#include "ingest/idempotency.h"

#include "tests/unit/support/check.h"

#include <string.h>

static void test_keys(void **state)
{
    (void)state;
    static char longest[FEED_IDEMPOTENCY_KEY_MAX + 1];
    memset(longest, 'k', sizeof(longest));
    const struct {
        struct feed_str header;
        const char *key; /* NULL: refused */
    } rows[] = {
        {FEED_STR("8e03978e-40d5-43e8-bc93-6894a57f9324"), "8e03978e-40d5-43e8-bc93-6894a57f9324"},
        {FEED_STR("\"8e03978e\""), "8e03978e"},
        {FEED_STR("order:7/created=+a|b~c@d.e_f-"), "order:7/created=+a|b~c@d.e_f-"},
        {{longest, FEED_IDEMPOTENCY_KEY_MAX}, NULL /* checked below */},
        {FEED_STR(""), NULL},
        {FEED_STR("\"\""), NULL},
        {FEED_STR("\""), NULL},
        {FEED_STR("a\"b"), NULL},
        {FEED_STR("\"a"), NULL},
        {FEED_STR("a b"), NULL},
        {FEED_STR("a,b"), NULL},
        {FEED_STR("{a}"), NULL},
        {FEED_STR("a*"), NULL},
        {FEED_STR("a\r\nb"), NULL},
        {{"a\0b", 3}, NULL},
        {FEED_STR("\xc3\xa4"), NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct feed_str key = {NULL, 0};
        enum feed_error error = ing_idempotency_parse(rows[i].header, &key);
        if (rows[i].header.data == longest)
            assert_int_equal(error, FEED_OK);
        else if (!rows[i].key)
            assert_int_equal(error, FEED_E_INVALID);
        else
            assert_true(feed_str_eq(key, feed_str_of(rows[i].key)));
    }
    struct feed_str key;
    assert_int_equal(ing_idempotency_parse((struct feed_str){longest, sizeof(longest)}, &key), FEED_E_INVALID);
}

static void test_claim_keys(void **state)
{
    (void)state;
    struct feed_token_claims claims = {.tenant = "demo", .subject = "service:shop"};
    struct ing_claim_key key = ing_claim_key(&claims, FEED_STR("a/b"));
    assert_string_equal(key.text, "i:{demo/service:shop/a/b}");
    assert_int_equal(key.len, strlen(key.text));
    /* The longest of all fits. */
    char text[FEED_IDEMPOTENCY_KEY_MAX];
    memset(text, 'k', sizeof(text));
    memset(claims.tenant, 't', FEED_TENANT_MAX);
    memset(claims.subject, 's', FEED_USER_MAX);
    key = ing_claim_key(&claims, (struct feed_str){text, sizeof(text)});
    assert_int_equal(key.len, ING_CLAIM_KEY_MAX);
}

static void test_fingerprints(void **state)
{
    (void)state;
    struct feed_http_request http = {
        .method = FEED_HTTP_POST, .path = FEED_STR("/v1/activities"), .body = FEED_STR("{}")};
    uint8_t first[ING_FINGERPRINT_BYTES], other[ING_FINGERPRINT_BYTES];
    ing_fingerprint(&http, first);
    http.headers[FEED_HTTP_TRACEPARENT] = FEED_STR("another attempt");
    http.headers[FEED_HTTP_AUTHORIZATION] = FEED_STR("another token");
    ing_fingerprint(&http, other);
    assert_memory_equal(first, other, sizeof(first));
    const struct feed_http_request others[] = {
        {.method = FEED_HTTP_PUT, .path = http.path, .body = http.body},
        {.method = FEED_HTTP_POST, .path = FEED_STR("/v1/activitie"), .body = FEED_STR("s{}")},
        {.method = FEED_HTTP_POST, .path = http.path, .query = FEED_STR("a=b"), .body = http.body},
        {.method = FEED_HTTP_POST, .path = http.path, .body = FEED_STR("{ }")},
        {.method = FEED_HTTP_POST,
         .path = http.path,
         .body = http.body,
         .headers = {[FEED_HTTP_CONTENT_TYPE] = FEED_STR("application/json")}},
        {.method = FEED_HTTP_POST,
         .path = http.path,
         .body = http.body,
         .headers = {[FEED_HTTP_CE_ID] = FEED_STR("1")}},
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        ing_fingerprint(&others[i], other);
        assert_memory_not_equal(first, other, sizeof(first));
    }
}

static void test_stamps(void **state)
{
    (void)state;
    struct feed_token_claims claims = {.tenant = "demo", .subject = "ann"};
    struct ing_claim_key a = ing_claim_key(&claims, FEED_STR("a")), b = ing_claim_key(&claims, FEED_STR("b"));
    struct ing_stamp one = ing_stamp_of(&a, 7), again = ing_stamp_of(&a, 7);
    assert_memory_equal(one.seed, again.seed, sizeof(one.seed));
    assert_int_equal(one.first_ms, 7);
    struct ing_stamp later = ing_stamp_of(&a, 8), other = ing_stamp_of(&b, 7);
    assert_memory_not_equal(one.seed, later.seed, sizeof(one.seed));
    assert_memory_not_equal(one.seed, other.seed, sizeof(one.seed));
}

static void test_places(void **state)
{
    (void)state;
    struct feed_buf places;
    feed_buf_init(&places, ING_PLACES_MAX);
    struct ing_batch *batch = ing_batch_new(FEED_BATCH_MAX, NULL);
    for (size_t i = 0; i < batch->count; i++)
        ing_batch_known(batch, i, INT32_MAX, INT64_MAX - (int64_t)i);
    ing_places_write(batch, &places);
    assert_int_equal(places.error, FEED_OK); /* the longest fits */
    struct ing_batch *back = ing_batch_new(FEED_BATCH_MAX, NULL);
    assert_int_equal(ing_places_read(feed_buf_view(&places), back), FEED_OK);
    assert_true(ing_batch_complete(back));
    assert_int_equal(back->acknowledged, FEED_BATCH_MAX);
    assert_int_equal(back->items[999].partition, INT32_MAX);
    assert_true(back->items[999].offset == INT64_MAX - 999);
    ing_batch_free(batch);
    ing_batch_free(back);
    feed_buf_fini(&places);
}

static void test_damaged_places(void **state)
{
    (void)state;
    const struct feed_str rows[] = {FEED_STR(""),         FEED_STR("1:2"),    FEED_STR("1:2 3:4 5:6"),
                                    FEED_STR("1:2 3"),    FEED_STR("1:2 :4"), FEED_STR("1:2 -3:4"),
                                    FEED_STR("1:2 3:4x"), FEED_STR("1 2"),    FEED_STR("4294967296:1 1:1"),
                                    FEED_STR("1:2  3:4"), FEED_STR(" ")};
    struct ing_batch *batch = ing_batch_new(2, NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(ing_places_read(rows[i], batch), FEED_E_INVALID);
        assert_int_equal(batch->acknowledged, 0);
    }
    assert_int_equal(ing_places_read(FEED_STR("1:2 3:4"), batch), FEED_OK);
    assert_int_equal(batch->items[1].offset, 4);
    ing_batch_free(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_keys),         cmocka_unit_test(test_claim_keys),
                                       cmocka_unit_test(test_fingerprints), cmocka_unit_test(test_stamps),
                                       cmocka_unit_test(test_places),       cmocka_unit_test(test_damaged_places)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
