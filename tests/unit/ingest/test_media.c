/* What a body is, by its headers. */
#include "ingest/media.h"

#include "tests/unit/support/check.h"

static void test_types(void **state)
{
    (void)state;
    const struct {
        struct feed_str header;
        enum ing_media media;
    } rows[] = {
        {FEED_STR("application/json"), ING_MEDIA_JSON},
        {FEED_STR("Application/JSON"), ING_MEDIA_JSON},
        {FEED_STR("application/json; charset=utf-8"), ING_MEDIA_JSON},
        {FEED_STR("application/json;charset=\"UTF-8\" ;"), ING_MEDIA_JSON},
        {FEED_STR("application/x-ndjson"), ING_MEDIA_NDJSON},
        {FEED_STR("application/x-ndjson ; Charset=UTF-8"), ING_MEDIA_NDJSON},
        {FEED_STR("application/json; charset=latin1"), ING_MEDIA_OTHER},
        {FEED_STR("application/json; profile=x"), ING_MEDIA_OTHER},
        {FEED_STR("application/json; charset=utf-8; charset=latin1"), ING_MEDIA_OTHER},
        {FEED_STR("application/json, application/x-ndjson"), ING_MEDIA_OTHER},
        {FEED_STR("application/jsonx"), ING_MEDIA_OTHER},
        {FEED_STR("application/jso"), ING_MEDIA_OTHER},
        {FEED_STR("application/json\0"), ING_MEDIA_OTHER},
        {FEED_STR("text/plain"), ING_MEDIA_OTHER},
        {FEED_STR("application/x-www-form-urlencoded"), ING_MEDIA_OTHER},
        {FEED_STR(";"), ING_MEDIA_OTHER},
        {FEED_STR(""), ING_MEDIA_OTHER},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(ing_media_of(rows[i].header), rows[i].media);
    }
    assert_int_equal(ing_media_of((struct feed_str){NULL, 0}), ING_MEDIA_OTHER);
}

static void test_encodings(void **state)
{
    (void)state;
    assert_true(ing_encoding_is_identity((struct feed_str){NULL, 0}));
    assert_true(ing_encoding_is_identity(FEED_STR("identity")));
    assert_true(ing_encoding_is_identity(FEED_STR(" Identity ")));
    assert_false(ing_encoding_is_identity(FEED_STR("gzip")));
    assert_false(ing_encoding_is_identity(FEED_STR("identity, gzip")));
    assert_false(ing_encoding_is_identity(FEED_STR("br")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_types), cmocka_unit_test(test_encodings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
