/* Keeps the values of a table of metrics. All memory is taken at the start: the label values are listed in the table,
 * or are tenants, of which so many get a label and no more; so what comes from outside cannot make time series without
 * end. */
#include "shared/observe/metrics.h"

#include "shared/base/assert.h"
#include "shared/observe/metrics_values.h"

#include <stdlib.h>

const double feed_metric_latency_buckets[] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                              0.1,    0.25,    0.5,    1,     2.5,    5,     10,   0};

const char *const feed_metric_by_tenant[] = {"other", NULL};

static void values_init(struct feed_metric_values *values, const struct feed_metric *row)
{
    values->series_count = 1;
    if (row->label) {
        values->series_count = 0;
        while (row->label_values[values->series_count]) {
            values->series_count++;
        }
    }
    feed_assert(values->series_count >= 1 && values->series_count <= FEED_METRIC_LABEL_VALUES_MAX);
    if (row->label_values == feed_metric_by_tenant)
        values->series_count = FEED_METRIC_TENANTS_MAX + 1;
    feed_assert((row->type == FEED_METRIC_HISTOGRAM) == (row->buckets != NULL));
    while (row->buckets && row->buckets[values->bucket_count] != 0) {
        values->bucket_count++;
    }
    feed_assert(values->bucket_count <= FEED_METRIC_BUCKETS_MAX);
    values->series = calloc(values->series_count, sizeof(*values->series));
    feed_assert(values->series);
    for (unsigned i = 0; i < values->series_count && values->bucket_count > 0; i++) {
        values->series[i].in_bucket = calloc(values->bucket_count, sizeof(uint64_t));
        feed_assert(values->series[i].in_bucket);
    }
}

struct feed_metrics *feed_metrics_new(const struct feed_metric *table)
{
    struct feed_metrics *metrics = calloc(1, sizeof(*metrics));
    feed_assert(metrics);
    metrics->table = table;
    enum feed_error fits =
        feed_str_copy(feed_str_of(feed_metric_by_tenant[0]), metrics->tenants.names[0], FEED_METRIC_TENANT_TEXT + 1);
    feed_assert(fits == FEED_OK);
    metrics->tenants.count = 1;
    while (table[metrics->count].name) {
        metrics->count++;
    }
    metrics->values = calloc(metrics->count ? metrics->count : 1, sizeof(*metrics->values));
    feed_assert(metrics->values);
    for (unsigned i = 0; i < metrics->count; i++) {
        values_init(&metrics->values[i], &table[i]);
    }
    return metrics;
}

void feed_metrics_free(struct feed_metrics *metrics)
{
    if (!metrics) {
        return;
    }
    for (unsigned i = 0; i < metrics->count; i++) {
        for (unsigned j = 0; j < metrics->values[i].series_count; j++) {
            free(metrics->values[i].series[j].in_bucket);
        }
        free(metrics->values[i].series);
    }
    free(metrics->values);
    free(metrics);
}

static struct feed_metric_series *series_of(const struct feed_metrics *metrics, unsigned metric, unsigned label)
{
    feed_assert(metric < metrics->count && label < metrics->values[metric].series_count);
    return &metrics->values[metric].series[label];
}

void feed_metrics_add(struct feed_metrics *metrics, unsigned metric, unsigned label, uint64_t n)
{
    struct feed_metric_series *series = series_of(metrics, metric, label);
    feed_assert(metrics->table[metric].type == FEED_METRIC_COUNTER);
    series->count += n;
}

void feed_metrics_set(struct feed_metrics *metrics, unsigned metric, unsigned label, double value)
{
    struct feed_metric_series *series = series_of(metrics, metric, label);
    feed_assert(metrics->table[metric].type == FEED_METRIC_GAUGE);
    series->value = value;
}

void feed_metrics_observe(struct feed_metrics *metrics, unsigned metric, unsigned label, double value)
{
    struct feed_metric_series *series = series_of(metrics, metric, label);
    const struct feed_metric *row = &metrics->table[metric];
    feed_assert(row->type == FEED_METRIC_HISTOGRAM);
    series->count++;
    series->value += value;
    for (unsigned i = 0; i < metrics->values[metric].bucket_count; i++) {
        if (value <= row->buckets[i]) {
            series->in_bucket[i]++;
            return;
        }
    }
}

unsigned feed_metrics_tenant(struct feed_metrics *metrics, struct feed_str tenant)
{
    struct feed_metric_tenants *tenants = &metrics->tenants;
    uint32_t hash = 2166136261U; /* FNV-1a: for a hundred names that are 32 bytes at most */
    for (size_t i = 0; i < tenant.len; i++)
        hash = (hash ^ (uint8_t)tenant.data[i]) * 16777619U;
    unsigned slot = hash % FEED_METRIC_TENANT_SLOTS;
    for (; tenants->slots[slot]; slot = (slot + 1) % FEED_METRIC_TENANT_SLOTS) {
        if (feed_str_eq(feed_str_of(tenants->names[tenants->slots[slot]]), tenant))
            return tenants->slots[slot];
    }
    if (tenants->count > FEED_METRIC_TENANTS_MAX || tenant.len == 0 ||
        feed_str_copy(tenant, tenants->names[tenants->count], FEED_METRIC_TENANT_TEXT + 1) != FEED_OK)
        return 0;
    tenants->slots[slot] = (uint8_t)tenants->count;
    return tenants->count++;
}

double feed_metrics_get(const struct feed_metrics *metrics, unsigned metric, unsigned label)
{
    const struct feed_metric_series *series = series_of(metrics, metric, label);
    return metrics->table[metric].type == FEED_METRIC_GAUGE ? series->value : (double)series->count;
}
