/* Writes metrics as Prometheus text (exposition format 0.0.4), and the table as Markdown. */
#include "shared/observe/metrics_values.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const type_names[] = {"counter", "gauge", "histogram"};

static void put_double(struct feed_buf *out, double value)
{
    if (isnan(value)) {
        feed_buf_text(out, "NaN");
    } else if (isinf(value)) {
        feed_buf_text(out, value > 0 ? "+Inf" : "-Inf");
    } else {
        char text[40];
        snprintf(text, sizeof(text), "%.15g", value);
        if (strtod(text, NULL) != value) {
            snprintf(text, sizeof(text), "%.17g", value);
        }
        feed_buf_text(out, text);
    }
}

static void put_escaped(struct feed_buf *out, const char *text, bool in_quotes)
{
    for (; *text; text++) {
        if (*text == '\n') {
            feed_buf_text(out, "\\n");
        } else if (*text == '\\' || (in_quotes && *text == '"')) {
            feed_buf_char(out, '\\');
            feed_buf_char(out, *text);
        } else {
            feed_buf_char(out, *text);
        }
    }
}

/* {label="value",le="0.5"}; both parts may be absent. */
static void put_labels(struct feed_buf *out, const struct feed_metric *row, const char *label, const double *le)
{
    if (!row->label && !le) {
        return;
    }
    feed_buf_char(out, '{');
    if (row->label) {
        feed_buf_text(out, row->label);
        feed_buf_text(out, "=\"");
        put_escaped(out, label, true);
        feed_buf_text(out, le ? "\"," : "\"");
    }
    if (le) {
        feed_buf_text(out, "le=\"");
        put_double(out, *le);
        feed_buf_char(out, '"');
    }
    feed_buf_char(out, '}');
}

static void put_name(struct feed_buf *out, const struct feed_metric *row, const char *suffix, const char *label,
                     const double *le)
{
    feed_buf_text(out, row->name);
    feed_buf_text(out, suffix);
    put_labels(out, row, label, le);
    feed_buf_char(out, ' ');
}

static void put_count(struct feed_buf *out, uint64_t count)
{
    feed_buf_u64(out, count);
    feed_buf_char(out, '\n');
}

static void put_histogram(struct feed_buf *out, const struct feed_metric *row, const struct feed_metric_values *values,
                          const struct feed_metric_series *series, const char *label)
{
    uint64_t below = 0;
    for (unsigned i = 0; i < values->bucket_count; i++) {
        below += series->in_bucket[i];
        put_name(out, row, "_bucket", label, &row->buckets[i]);
        put_count(out, below);
    }
    const double everything = INFINITY;
    put_name(out, row, "_bucket", label, &everything);
    put_count(out, series->count);
    put_name(out, row, "_sum", label, NULL);
    put_double(out, series->value);
    feed_buf_char(out, '\n');
    put_name(out, row, "_count", label, NULL);
    put_count(out, series->count);
}

static void put_series(struct feed_buf *out, const struct feed_metric *row, const struct feed_metric_values *values,
                       const struct feed_metric_series *series, const char *label)
{
    if (row->type == FEED_METRIC_HISTOGRAM) {
        put_histogram(out, row, values, series, label);
        return;
    }
    put_name(out, row, "", label, NULL);
    if (row->type == FEED_METRIC_COUNTER) {
        feed_buf_u64(out, series->count);
    } else {
        put_double(out, series->value);
    }
    feed_buf_char(out, '\n');
}

void feed_metrics_render(const struct feed_metrics *metrics, struct feed_buf *out)
{
    for (unsigned i = 0; i < metrics->count; i++) {
        const struct feed_metric *row = &metrics->table[i];
        feed_buf_printf(out, "# HELP %s ", row->name);
        put_escaped(out, row->help, false);
        feed_buf_printf(out, "\n# TYPE %s %s\n", row->name, type_names[row->type]);
        bool by_tenant = row->label_values == feed_metric_by_tenant;
        unsigned count = by_tenant ? metrics->tenants.count : metrics->values[i].series_count;
        for (unsigned label = 0; label < count; label++) {
            const char *value = by_tenant    ? metrics->tenants.names[label]
                                : row->label ? row->label_values[label]
                                             : NULL;
            put_series(out, row, &metrics->values[i], &metrics->values[i].series[label], value);
        }
    }
}

void feed_metrics_markdown(const struct feed_metric *table, struct feed_buf *out)
{
    feed_buf_text(out, "| metric | type | label | meaning |\n|---|---|---|---|\n");
    for (const struct feed_metric *row = table; row->name; row++) {
        feed_buf_printf(out, "| `%s` | %s | ", row->name, type_names[row->type]);
        if (row->label) {
            feed_buf_printf(out, "`%s`: ", row->label);
            if (row->label_values == feed_metric_by_tenant)
                feed_buf_text(out, "each, ");
            for (unsigned i = 0; row->label_values[i]; i++) {
                feed_buf_printf(out, "%s`%s`", i ? ", " : "", row->label_values[i]);
            }
        }
        feed_buf_printf(out, "%s| %s |\n", row->label ? " " : "", row->help);
    }
}
