/* schemas/limits.json tells callers the same figures as base/limits.h tells the code. */
#include "shared/base/limits.h"

#include "shared/base/str.h"
#include "tests/unit/support/check.h"
#include "tests/unit/support/vectors.h"

static const struct {
    const char *name;
    uint64_t value;
} limits[] = {
    {"tenant_max", FEED_TENANT_MAX},
    {"user_max", FEED_USER_MAX},
    {"verb_max", FEED_VERB_MAX},
    {"type_max", FEED_TYPE_MAX},
    {"object_id_max", FEED_OBJECT_ID_MAX},
    {"activity_id_max", FEED_ACTIVITY_ID_MAX},
    {"source_max", FEED_SOURCE_MAX},
    {"to_max", FEED_TO_MAX},
    {"exclude_max", FEED_EXCLUDE_MAX},
    {"data_max", FEED_DATA_MAX},
    {"data_depth_max", FEED_DATA_DEPTH_MAX},
    {"body_max", FEED_BODY_MAX},
    {"batch_max", FEED_BATCH_MAX},
    {"json_depth_max", FEED_JSON_DEPTH_MAX},
    {"idempotency_key_max", FEED_IDEMPOTENCY_KEY_MAX},
    {"token_max", FEED_TOKEN_MAX},
    {"client_message_max", FEED_CLIENT_MESSAGE_MAX},
    {"client_feeds_max", FEED_CLIENT_FEEDS_MAX},
    {"cap", FEED_CAP},
    {"trim_slack", FEED_TRIM_SLACK},
    {"slice", FEED_SLICE},
    {"backfill", FEED_BACKFILL},
};
enum { LIMITS = sizeof(limits) / sizeof(limits[0]) };

static void published_limits_are_those_of_the_code(void **state)
{
    (void)state;
    yyjson_doc *doc = vectors_load("schemas/limits.json");
    yyjson_val *root = yyjson_doc_get_root(doc);
    for (size_t i = 0; i < LIMITS; i++) {
        yyjson_val *value = yyjson_obj_get(root, limits[i].name);
        if (!yyjson_is_uint(value) || yyjson_get_uint(value) != limits[i].value)
            fail_msg("%s differs", limits[i].name);
    }
    assert_int_equal(yyjson_obj_size(root), LIMITS); /* a new one must be added above */
    yyjson_doc_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(published_limits_are_those_of_the_code)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
