/* The table of metrics is one that can be used, and every status has a label. */
#include "ingest/metrics.h"

#include "tests/unit/support/check.h"

#include <stdio.h>
#include <string.h>

static void test_codes(void **state)
{
    (void)state;
    const unsigned known[] = {200, 202, 204, 400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503};
    struct feed_metrics *metrics = feed_metrics_new(ing_metric_table);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        char line[64];
        struct feed_buf out;
        feed_buf_init(&out, 1 << 16);
        feed_metrics_add(metrics, ING_METRIC_HTTP_REQUESTS, ing_metric_code(known[i]), 77);
        feed_metrics_render(metrics, &out);
        feed_buf_char(&out, '\0');
        snprintf(line, sizeof(line), "http_requests_total{code=\"%u\"} 77\n", known[i]);
        assert_non_null(strstr(out.data, line));
        feed_buf_fini(&out);
    }
    feed_metrics_add(metrics, ING_METRIC_HTTP_REQUESTS, ing_metric_code(418), 1);
    feed_metrics_add(metrics, ING_METRIC_HTTP_REQUESTS, ing_metric_code(0), 1);
    assert_int_equal(ing_metric_code(418), ing_metric_code(0));
    assert_true(feed_metrics_get(metrics, ING_METRIC_HTTP_REQUESTS, ing_metric_code(418)) == 2);
    feed_metrics_free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_codes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
