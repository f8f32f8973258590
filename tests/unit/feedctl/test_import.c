/* What an import makes of lines. What is wrong with one is tested with the edges (tests/unit/model/test_edge.c). */
#include "feedctl/import.h"

#include "tests/unit/support/check.h"

#include <stdio.h>

static const struct ctl_import_settings settings = {
    .since_ms = INT64_C(1600000000000), .now_ms = INT64_C(1700000000000), .bad_max = 1};

static enum ctl_import_verdict take(struct ctl_import *import, const char *text, struct feed_edge *edge)
{
    const struct ctl_line line = {.text = feed_str_of(text)};
    return ctl_import_take(import, &line, edge);
}

static void the_first_line_decides_the_format(void **state)
{
    (void)state;
    struct ctl_import import;
    struct feed_edge edge;
    ctl_import_init(&import, &settings);
    assert_int_equal(take(&import, "\xef\xbb\xbf", &edge), CTL_IMPORT_SKIPPED);
    assert_int_equal(take(&import, " {\"actor\":\"ann\",\"object\":\"bob\"}", &edge), CTL_IMPORT_EDGE);
    assert_str_equal(edge.actor, "ann");
    assert_int_equal(edge.since_ms, settings.since_ms);
    assert_int_equal(take(&import, "ann,bob", &edge), CTL_IMPORT_BAD);
    ctl_import_fini(&import);

    ctl_import_init(&import, &settings);
    assert_int_equal(take(&import,
                          "\xef\xbb\xbf"
                          "actor,object,since",
                          &edge),
                     CTL_IMPORT_SKIPPED);
    assert_int_equal(take(&import, "ann,bob,1500000000000", &edge), CTL_IMPORT_EDGE);
    assert_int_equal(edge.since_ms, INT64_C(1500000000000));
    assert_int_equal(take(&import, "{}", &edge), CTL_IMPORT_BAD);
    assert_int_equal(take(&import, "actor,object", &edge), CTL_IMPORT_EDGE); /* two users, in the middle */
    ctl_import_fini(&import);
}

static void bad_lines_are_counted_and_stop_it(void **state)
{
    (void)state;
    struct ctl_import import;
    struct feed_edge edge;
    ctl_import_init(&import, &settings);
    assert_int_equal(take(&import, "ann,bob", &edge), CTL_IMPORT_EDGE);
    assert_int_equal(take(&import, "ann", &edge), CTL_IMPORT_BAD);
    assert_int_equal(take(&import, "  \t", &edge), CTL_IMPORT_SKIPPED);
    assert_false(ctl_import_stops(&import));
    assert_int_equal(ctl_import_take(&import, &(struct ctl_line){.text = FEED_STR(""), .too_long = true}, &edge),
                     CTL_IMPORT_BAD);
    assert_string_equal(import.problem.text, "is longer than 4096 bytes");
    assert_string_equal(import.problem.field, "");
    assert_true(ctl_import_stops(&import));
    assert_int_equal(import.edges, 1);
    assert_int_equal(import.bad, 2);
    assert_int_equal(import.skipped, 1);
    ctl_import_fini(&import);
}

static void formats_have_names(void **state)
{
    (void)state;
    enum ctl_import_format format;
    assert_true(ctl_import_format_read("csv", &format) && format == CTL_IMPORT_CSV);
    assert_true(ctl_import_format_read("ndjson", &format) && format == CTL_IMPORT_NDJSON);
    assert_true(ctl_import_format_read("auto", &format) && format == CTL_IMPORT_AUTO);
    assert_false(ctl_import_format_read("json", &format));
}

static void each_follower_is_new_once(void **state)
{
    (void)state;
    enum { FOLLOWERS = 50000 };
    struct ctl_seen seen = {.size = 0};
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < FOLLOWERS; i++) {
            char name[16];
            snprintf(name, sizeof name, "u%d", i);
            assert_int_equal(ctl_seen_add(&seen, feed_str_of(name)), round == 0);
        }
    }
    assert_int_equal(seen.count, FOLLOWERS);
    ctl_seen_fini(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_line_decides_the_format),
        cmocka_unit_test(bad_lines_are_counted_and_stop_it),
        cmocka_unit_test(formats_have_names),
        cmocka_unit_test(each_follower_is_new_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
