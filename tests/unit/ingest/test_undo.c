/* DELETE as the activity that it stands for. */
#include "ingest/undo.h"

#include "shared/model/activity.h"
#include "tests/unit/support/check.h"

#include <string.h>

static const char *made(const char *path, const char *query, struct feed_activity *activity,
                        struct feed_activity_problem *problem)
{
    struct feed_buf json;
    feed_buf_init(&json, 4096);
    feed_activity_init(activity);
    const char *fault = ing_undo_activity(feed_str_of(path), feed_str_of(query), &json);
    if (fault)
        assert_int_equal(json.len, 0);
    else if (feed_activity_from_json(feed_buf_view(&json), activity, problem) == FEED_OK)
        problem->field[0] = '\0';
    feed_buf_fini(&json);
    return fault;
}

static void an_undo_is_made_of_path_and_query(void **state)
{
    (void)state;
    struct feed_activity activity;
    struct feed_activity_problem problem;
    assert_null(made("/v1/activities/a/\"b c", "x=1&actor=ann&published=2026-01-02T03:04:05Z&y", &activity, &problem));
    assert_string_equal(problem.field, "");
    assert_int_equal(feed_activity_act(&activity), FEED_ACT_UNDO);
    assert_str_equal(activity.actor, "ann");
    assert_str_equal(activity.object_id, "a/\"b c");
    assert_int_equal(activity.object_published_ms, 1767323045000);
    assert_null(activity.id.data);
    feed_activity_fini(&activity);
    assert_null(made("/v1/activities/7", "actor=a=b", &activity, &problem));
    assert_str_equal(activity.actor, "a=b");
    assert_int_equal(activity.object_published_ms, 0);
    feed_activity_fini(&activity);
}

static void what_makes_no_undo_is_refused(void **state)
{
    (void)state;
    struct feed_activity activity;
    struct feed_activity_problem problem;
    assert_non_null(made("/v1/activities/7", "", &activity, &problem));
    assert_non_null(made("/v1/activities/7", "actor", &activity, &problem));
    assert_non_null(made("/v1/activities/7", "Actor=ann", &activity, &problem));
    assert_non_null(made("/v1/activities/7", "actor=ann&actor=ann", &activity, &problem));
    assert_non_null(made("/v1/activities/7", "actor=ann&published=&published=", &activity, &problem));
    assert_non_null(made("/v1/activities/7", "actor=\xff", &activity, &problem));
    assert_non_null(made("/v1/activities/\xff", "actor=ann", &activity, &problem));
    char path[64 + FEED_ACTIVITY_ID_MAX + 2] = "/v1/activities/";
    for (size_t i = 0; i <= FEED_ACTIVITY_ID_MAX; i++)
        strcat(path, "i");
    assert_non_null(made(path, "actor=ann", &activity, &problem));
    feed_activity_fini(&activity);
}

static void what_the_values_must_be_is_told_by_the_rules_of_activities(void **state)
{
    (void)state;
    struct feed_activity activity;
    struct feed_activity_problem problem;
    assert_null(made("/v1/activities/7", "actor=a/b", &activity, &problem));
    assert_string_equal(problem.field, "actor");
    assert_null(made("/v1/activities/7", "actor=", &activity, &problem));
    assert_string_equal(problem.field, "actor");
    assert_null(made("/v1/activities/7", "actor=ann&published=now", &activity, &problem));
    assert_string_equal(problem.field, "object.published");
    feed_activity_fini(&activity);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_undo_is_made_of_path_and_query),
        cmocka_unit_test(what_makes_no_undo_is_refused),
        cmocka_unit_test(what_the_values_must_be_is_told_by_the_rules_of_activities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
