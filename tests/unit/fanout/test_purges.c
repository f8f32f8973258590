/* Who was erased, and which activities are to be forgotten for it. */
#include "fanout/purges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void add(struct fan_purges *purges, const char *user, int64_t until_ms)
{
    struct feed_id id = feed_purged_id(FEED_STR("demo"), feed_str_of(user));
    assert_true(fan_purges_add(purges, &id, until_ms));
}

static bool covers(const struct fan_purges *purges, const char *tenant, const char *user, int64_t time_ms)
{
    return fan_purges_cover(purges, feed_str_of(tenant), feed_str_of(user), time_ms);
}

static void a_purge_reaches_until_its_time(void **state)
{
    (void)state;
    struct fan_purges purges;
    fan_purges_init(&purges);
    assert_false(covers(&purges, "demo", "ann", 1));
    for (int i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof name, "user%d", i);
        add(&purges, name, 1000 + i);
    }
    fan_purges_sort(&purges);
    for (int i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof name, "user%d", i);
        assert_true(covers(&purges, "demo", name, 1000 + i));
        assert_false(covers(&purges, "demo", name, 1001 + i));
        assert_false(covers(&purges, "shop", name, 1));
    }
    assert_false(covers(&purges, "demo", "ann", 1));
    assert_false(covers(&purges, "demo", "not a name", 1));
    fan_purges_fini(&purges);
}

static void of_several_the_latest_counts(void **state)
{
    (void)state;
    struct fan_purges purges;
    fan_purges_init(&purges);
    add(&purges, "ann", 10);
    add(&purges, "bob", 5);
    add(&purges, "ann", 30);
    add(&purges, "ann", 20);
    fan_purges_sort(&purges);
    assert_int_equal(purges.count, 2);
    assert_true(covers(&purges, "demo", "ann", 30));
    assert_false(covers(&purges, "demo", "ann", 31));
    fan_purges_reset(&purges);
    assert_false(covers(&purges, "demo", "ann", 1));
    fan_purges_fini(&purges);
}

/* By ann at 10, about note n. */
static struct feed_activity sample(void)
{
    return (struct feed_activity){.tenant = FEED_STR("demo"),
                                  .actor = FEED_STR("ann"),
                                  .verb = FEED_STR("like"),
                                  .object_type = FEED_STR("note"),
                                  .object_id = FEED_STR("n"),
                                  .published_ms = 10};
}

static bool forgotten(struct feed_activity activity, const char *who, int64_t until_ms)
{
    struct fan_purges purges;
    fan_purges_init(&purges);
    add(&purges, who, until_ms);
    fan_purges_sort(&purges);
    bool result = fan_purges_forget(&purges, &activity);
    fan_purges_fini(&purges);
    return result;
}

static void what_somebody_did_or_what_names_them_is_forgotten(void **state)
{
    (void)state;
    struct feed_activity activity = sample();
    assert_true(forgotten(activity, "ann", 10));
    assert_false(forgotten(activity, "ann", 9));
    assert_false(forgotten(activity, "bob", 10));
    assert_false(forgotten(activity, "n", 10)); /* a note, and not the user of that name */
    activity.object_owner = FEED_STR("bob");
    assert_true(forgotten(activity, "bob", 10));
    activity = sample();
    activity.object_type = FEED_STR("user");
    assert_true(forgotten(activity, "n", 10));
    activity = sample();
    activity.target_type = FEED_STR("user");
    activity.target_id = FEED_STR("bob");
    assert_true(forgotten(activity, "bob", 10));
    activity.target_type = FEED_STR("group");
    assert_false(forgotten(activity, "bob", 10));
}

static void others_keep_what_was_addressed_to_them_too(void **state)
{
    (void)state;
    struct fan_purges purges;
    struct feed_activity activity = sample();
    activity.to[0] = FEED_STR("bob");
    activity.to[1] = FEED_STR("cy");
    activity.to[2] = FEED_STR("dan");
    activity.to_count = 3;
    fan_purges_init(&purges);
    add(&purges, "cy", 10);
    fan_purges_sort(&purges);
    assert_false(fan_purges_forget(&purges, &activity));
    assert_int_equal(activity.to_count, 2);
    assert_true(feed_str_eq(activity.to[0], FEED_STR("bob")) && feed_str_eq(activity.to[1], FEED_STR("dan")));
    fan_purges_fini(&purges);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_purge_reaches_until_its_time),
        cmocka_unit_test(of_several_the_latest_counts),
        cmocka_unit_test(what_somebody_did_or_what_names_them_is_forgotten),
        cmocka_unit_test(others_keep_what_was_addressed_to_them_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
