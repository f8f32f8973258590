/* Metrics: values by row and label, and the text that Prometheus reads. */
#include "shared/observe/metrics.h"

#include "tests/unit/support/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SENT, CLOSES, OPEN, LATENCY };

static const char *const reasons[] = {"slow", "a\"b\\c\nd", NULL};
static const double buckets[] = {0.1, 0.5, 0};

static const struct feed_metric table[] = {
    [SENT] = {"messages_sent_total", FEED_METRIC_COUNTER, "Messages \\ sent.\nAll.", NULL, NULL, NULL},
    [CLOSES] = {"closes_total", FEED_METRIC_COUNTER, "Closes.", "reason", reasons, NULL},
    [OPEN] = {"connections", FEED_METRIC_GAUGE, "Open.", NULL, NULL, NULL},
    [LATENCY] = {"command_seconds", FEED_METRIC_HISTOGRAM, "Latency.", "reason", reasons, buckets},
    {.name = NULL},
};

static int setup(void **state)
{
    *state = feed_metrics_new(table);
    return 0;
}

static int teardown(void **state)
{
    feed_metrics_free(*state);
    return 0;
}

static void test_values(void **state)
{
    struct feed_metrics *metrics = *state;
    feed_metrics_add(metrics, SENT, 0, 2);
    feed_metrics_add(metrics, SENT, 0, 3);
    feed_metrics_add(metrics, CLOSES, 1, 7);
    feed_metrics_set(metrics, OPEN, 0, 4);
    feed_metrics_set(metrics, OPEN, 0, 1.5);
    feed_metrics_observe(metrics, LATENCY, 0, 0.2);
    assert_true(feed_metrics_get(metrics, SENT, 0) == 5);
    assert_true(feed_metrics_get(metrics, CLOSES, 0) == 0);
    assert_true(feed_metrics_get(metrics, CLOSES, 1) == 7);
    assert_true(feed_metrics_get(metrics, OPEN, 0) == 1.5);
    assert_true(feed_metrics_get(metrics, LATENCY, 0) == 1);
    assert_true(feed_metrics_get(metrics, LATENCY, 1) == 0);
}

static const char expected[] = "# HELP messages_sent_total Messages \\\\ sent.\\nAll.\n"
                               "# TYPE messages_sent_total counter\n"
                               "messages_sent_total 18446744073709551615\n"
                               "# HELP closes_total Closes.\n"
                               "# TYPE closes_total counter\n"
                               "closes_total{reason=\"slow\"} 0\n"
                               "closes_total{reason=\"a\\\"b\\\\c\\nd\"} 1\n"
                               "# HELP connections Open.\n"
                               "# TYPE connections gauge\n"
                               "connections +Inf\n"
                               "# HELP command_seconds Latency.\n"
                               "# TYPE command_seconds histogram\n"
                               "command_seconds_bucket{reason=\"slow\",le=\"0.1\"} 2\n"
                               "command_seconds_bucket{reason=\"slow\",le=\"0.5\"} 3\n"
                               "command_seconds_bucket{reason=\"slow\",le=\"+Inf\"} 4\n"
                               "command_seconds_sum{reason=\"slow\"} 3.2500001\n"
                               "command_seconds_count{reason=\"slow\"} 4\n"
                               "command_seconds_bucket{reason=\"a\\\"b\\\\c\\nd\",le=\"0.1\"} 0\n"
                               "command_seconds_bucket{reason=\"a\\\"b\\\\c\\nd\",le=\"0.5\"} 0\n"
                               "command_seconds_bucket{reason=\"a\\\"b\\\\c\\nd\",le=\"+Inf\"} 0\n"
                               "command_seconds_sum{reason=\"a\\\"b\\\\c\\nd\"} 0\n"
                               "command_seconds_count{reason=\"a\\\"b\\\\c\\nd\"} 0\n";

static void test_text(void **state)
{
    struct feed_metrics *metrics = *state;
    feed_metrics_add(metrics, SENT, 0, UINT64_MAX);
    feed_metrics_add(metrics, CLOSES, 1, 1);
    feed_metrics_set(metrics, OPEN, 0, INFINITY);
    feed_metrics_observe(metrics, LATENCY, 0, 0.05);
    feed_metrics_observe(metrics, LATENCY, 0, 0.1); /* a bucket includes its bound */
    feed_metrics_observe(metrics, LATENCY, 0, 0.1000001);
    feed_metrics_observe(metrics, LATENCY, 0, 3);
    struct feed_buf out;
    feed_buf_init(&out, 1 << 16);
    feed_metrics_render(metrics, &out);
    feed_buf_char(&out, '\0');
    assert_string_equal(out.data, expected);
    feed_buf_fini(&out);
}

static void test_doubles_read_back(void **state)
{
    struct feed_metrics *metrics = *state;
    const struct {
        double value;
        const char *line;
    } rows[] = {{0.1, "connections 0.1\n"},
                {1795496891.581, "connections 1795496891.581\n"},
                {1.0 / 3, "connections 0.33333333333333331\n"},
                {-0.5, "connections -0.5\n"},
                {NAN, "connections NaN\n"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct feed_buf out;
        feed_buf_init(&out, 1 << 16);
        feed_metrics_set(metrics, OPEN, 0, rows[i].value);
        feed_metrics_render(metrics, &out);
        feed_buf_char(&out, '\0');
        assert_non_null(strstr(out.data, rows[i].line));
        feed_buf_fini(&out);
    }
}

static const struct feed_metric by_tenant[] = {
    {"taken_total", FEED_METRIC_COUNTER, "Taken.", "tenant", feed_metric_by_tenant, NULL},
    {"open", FEED_METRIC_GAUGE, "Open.", "tenant", feed_metric_by_tenant, NULL},
    {.name = NULL},
};

static bool says(const struct feed_metrics *metrics, const char *line)
{
    struct feed_buf out;
    feed_buf_init(&out, 1 << 20);
    feed_metrics_render(metrics, &out);
    feed_buf_char(&out, '\0');
    bool found = strstr(out.data, line) != NULL;
    feed_buf_fini(&out);
    return found;
}

/* Tenants get labels as they come, the same in all rows, until there are too many. */
static void test_tenants(void **state)
{
    (void)state;
    struct feed_metrics *metrics = feed_metrics_new(by_tenant);
    char name[16];
    assert_true(says(metrics, "taken_total{tenant=\"other\"} 0\n# HELP open"));
    for (unsigned i = 1; i <= FEED_METRIC_TENANTS_MAX; i++) {
        snprintf(name, sizeof name, "t%u", i);
        assert_int_equal(feed_metrics_tenant(metrics, feed_str_of(name)), i);
        feed_metrics_add(metrics, 0, i, i);
    }
    for (unsigned i = 1; i <= FEED_METRIC_TENANTS_MAX; i++) {
        snprintf(name, sizeof name, "t%u", i);
        assert_int_equal(feed_metrics_tenant(metrics, feed_str_of(name)), i); /* it stays */
    }
    assert_int_equal(feed_metrics_tenant(metrics, FEED_STR("late")), 0);
    assert_int_equal(feed_metrics_tenant(metrics, FEED_STR("")), 0);
    assert_int_equal(feed_metrics_tenant(metrics, FEED_STR("a-name-that-is-longer-than-a-tenant-can-be")), 0);
    feed_metrics_add(metrics, 0, 0, 7);
    feed_metrics_set(metrics, 1, 100, 3);
    assert_true(says(metrics, "taken_total{tenant=\"other\"} 7\n"));
    assert_true(says(metrics, "taken_total{tenant=\"t42\"} 42\n"));
    assert_true(says(metrics, "open{tenant=\"t100\"} 3\n"));
    assert_false(says(metrics, "late"));
    feed_metrics_free(metrics);
}

static void test_markdown(void **state)
{
    (void)state;
    struct feed_buf out;
    feed_buf_init(&out, 1 << 16);
    feed_metrics_markdown(table, &out);
    feed_buf_char(&out, '\0');
    assert_non_null(strstr(out.data, "| `connections` | gauge | | Open. |\n"));
    assert_non_null(strstr(out.data, "| `closes_total` | counter | `reason`: `slow`, "));
    feed_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_values, setup, teardown),
        cmocka_unit_test_setup_teardown(test_text, setup, teardown),
        cmocka_unit_test_setup_teardown(test_doubles_read_back, setup, teardown),
        cmocka_unit_test(test_markdown),
        cmocka_unit_test(test_tenants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
