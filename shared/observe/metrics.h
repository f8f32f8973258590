/* Metrics, declared once a daemon as a table of rows, rendered as Prometheus text (exposition format 0.0.4). One
 * thread. */
#ifndef FEED_OBSERVE_METRICS_H
#define FEED_OBSERVE_METRICS_H

#include "shared/base/str.h"

enum feed_metric_type { FEED_METRIC_COUNTER, FEED_METRIC_GAUGE, FEED_METRIC_HISTOGRAM };

enum {
    FEED_METRIC_BUCKETS_MAX = 20,
    FEED_METRIC_LABEL_VALUES_MAX = 24,
    FEED_METRIC_TENANTS_MAX = 100, /* that have series of their own; a time series costs Prometheus some KB */
    FEED_METRIC_TENANT_TEXT = 32
};

struct feed_metric {
    const char *name; /* e.g. "websocket_messages_sent_total" */
    enum feed_metric_type type;
    const char *help;  /* one sentence */
    const char *label; /* NULL, or the one label, e.g. "reason" */
    const char *const
        *label_values; /* with label: its values, NULL-terminated, at most FEED_METRIC_LABEL_VALUES_MAX; else NULL */
    const double *buckets; /* histograms: upper bounds, ascending, ended by 0; else NULL */
};

/* Buckets for latencies in seconds: 100 us .. 10 s. */
extern const double feed_metric_latency_buckets[];

/* For label_values of rows whose label is the tenant. Their values come as tenants are met (feed_metrics_tenant): the
 * first FEED_METRIC_TENANTS_MAX of a process have their own, all others, and what is nobody's, are "other". */
extern const char *const feed_metric_by_tenant[];

struct feed_metrics; /* the values of one table */

/* The table ends with a row whose name is NULL; it and everything in it is borrowed for life. Metric i below is the
 * row's index (an enum beside the table); label v is the index of the label's value, 0 where there is no label. */
struct feed_metrics *feed_metrics_new(const struct feed_metric *table);
void feed_metrics_free(struct feed_metrics *metrics);
void feed_metrics_add(struct feed_metrics *metrics, unsigned metric, unsigned label, uint64_t n);       /* counters */
void feed_metrics_set(struct feed_metrics *metrics, unsigned metric, unsigned label, double value);     /* gauges */
void feed_metrics_observe(struct feed_metrics *metrics, unsigned metric, unsigned label, double value); /* histograms */
/* The label of this tenant (at most FEED_METRIC_TENANT_TEXT bytes) in all rows with feed_metric_by_tenant; it stays. 0:
 * "other". */
unsigned feed_metrics_tenant(struct feed_metrics *metrics, struct feed_str tenant);
double feed_metrics_get(const struct feed_metrics *metrics, unsigned metric,
                        unsigned label); /* value, or a histogram's count */
void feed_metrics_render(const struct feed_metrics *metrics, struct feed_buf *out);
/* The table as a Markdown table, for docs/reference. */
void feed_metrics_markdown(const struct feed_metric *table, struct feed_buf *out);

#endif
