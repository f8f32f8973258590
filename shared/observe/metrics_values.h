/* The values of a table of metrics, for metrics.c, which changes them, and metrics_text.c, which writes them. */
#ifndef FEED_OBSERVE_METRICS_VALUES_H
#define FEED_OBSERVE_METRICS_VALUES_H

#include "shared/observe/metrics.h"

/* One time series. A counter has `count`, a gauge `value`, a histogram all. */
struct feed_metric_series {
    uint64_t count;      /* a histogram's observations */
    double value;        /* a histogram's sum */
    uint64_t *in_bucket; /* histogram: observations in each bucket, not cumulative; those above all are in none */
};

struct feed_metric_values {
    unsigned series_count, bucket_count;
    struct feed_metric_series *series; /* one for each value of the label, or one */
};

/* Tenants that have a label: open addressing, never more than 40 % full. */
enum { FEED_METRIC_TENANT_SLOTS = 256 };
struct feed_metric_tenants {
    char names[FEED_METRIC_TENANTS_MAX + 1][FEED_METRIC_TENANT_TEXT + 1]; /* 0: other */
    unsigned count;                                                       /* with other */
    uint8_t slots[FEED_METRIC_TENANT_SLOTS];                              /* 0: free */
};

struct feed_metrics {
    const struct feed_metric *table;
    struct feed_metric_tenants tenants;
    unsigned count;
    struct feed_metric_values *values; /* one for each row */
};

#endif
