/* Relations as resources are activities. */
#include "ingest/relate.h"

#include "shared/model/activity.h"
#include "tests/unit/support/check.h"

static void test_activities(void **state)
{
    (void)state;
    const struct {
        bool put;
        const char *path, *query;
        enum feed_act act;
        bool keeps;
    } rows[] = {
        {true, "/v1/follows/ann/bob", "", FEED_ACT_FOLLOW, false},
        {false, "/v1/follows/ann/bob", "", FEED_ACT_UNFOLLOW, false},
        {false, "/v1/follows/ann/bob", "entries=keep", FEED_ACT_UNFOLLOW, true},
        {false, "/v1/follows/ann/bob", "x=1&entries=purge", FEED_ACT_UNFOLLOW, false},
        {true, "/v1/blocks/ann/bob", "", FEED_ACT_BLOCK, false},
        {false, "/v1/blocks/ann/bob", "", FEED_ACT_UNBLOCK, false},
        {true, "/v1/mutes/ann/bob", "", FEED_ACT_MUTE, false},
        {false, "/v1/mutes/ann/bob", "", FEED_ACT_UNMUTE, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct feed_buf json;
        struct feed_activity activity;
        struct feed_activity_problem problem;
        feed_buf_init(&json, 4096);
        feed_activity_init(&activity);
        assert_true(ing_relate_path(feed_str_of(rows[i].path)));
        assert_null(ing_relate_activity(rows[i].put, feed_str_of(rows[i].path), feed_str_of(rows[i].query), &json));
        assert_int_equal(feed_activity_from_json(feed_buf_view(&json), &activity, &problem), FEED_OK);
        assert_int_equal(feed_activity_act(&activity), rows[i].act);
        assert_str_equal(activity.actor, "ann");
        assert_str_equal(activity.object_id, "bob");
        assert_int_equal(feed_activity_keeps_entries(&activity), rows[i].keeps);
        feed_activity_fini(&activity);
        feed_buf_fini(&json);
    }
}

static void test_faults(void **state)
{
    (void)state;
    const struct {
        bool put;
        const char *path, *query;
    } rows[] = {
        {true, "/v1/follows/ann", ""},
        {true, "/v1/follows/ann/", ""},
        {true, "/v1/follows//bob", ""},
        {true, "/v1/follows/ann/bob/", ""},
        {true, "/v1/follows/ann/bob/cy", ""},
        {true, "/v1/follows/a b/bob", ""},
        {true, "/v1/follows/ann/b\xc3\xa4", ""},
        {true, "/v1/follows/ann/bob", "entries=keep"},
        {false, "/v1/blocks/ann/bob", "entries=keep"},
        {false, "/v1/follows/ann/bob", "entries=keep&entries=keep"},
        {false, "/v1/follows/ann/bob", "entries=\xff"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct feed_buf json;
        feed_buf_init(&json, 4096);
        assert_non_null(ing_relate_activity(rows[i].put, feed_str_of(rows[i].path), feed_str_of(rows[i].query), &json));
        assert_int_equal(json.len, 0);
        feed_buf_fini(&json);
    }
    const char *const elsewhere[] = {"/v1/follows/", "/v1/follow/ann/bob", "/v1/follows", "/V1/follows/a/b", ""};
    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
        assert_false(ing_relate_path(feed_str_of(elsewhere[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_activities), cmocka_unit_test(test_faults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
