/* The metrics of feedwire-ingest: an index for each row of the table. */
#ifndef INGEST_METRICS_H
#define INGEST_METRICS_H

#include "shared/observe/metrics.h"

enum ing_metric {
    ING_METRIC_PUBLISHED,      /* label: feed_metrics_tenant */
    ING_METRIC_UNACKNOWLEDGED, /* label: feed_metrics_tenant */
    ING_METRIC_HTTP_REQUESTS,
    ING_METRIC_HTTP_CONNECTIONS,
    ING_METRIC_HTTP_CONNECTIONS_REFUSED,
    ING_METRIC_PRODUCE_SECONDS,
    ING_METRIC_QUEUE_RECORDS,
    ING_METRIC_CIRCUIT_OPEN,
    ING_METRIC_CIRCUIT_OPENED,
    ING_METRIC_IDEMPOTENCY,
    ING_METRIC_RATE_LIMITED,
    ING_METRIC_TENANT_LIMITED, /* label: feed_metrics_tenant */
    ING_METRIC_RATE_LOCAL,
    ING_METRIC_REDIS_UP,
    ING_METRIC_REDIS_SECONDS,
    ING_METRIC_AUTH_REFUSED, /* label: feed_token_reason_index */
    ING_METRIC_AUTH_RELOADS,
    ING_METRIC_AUTH_KEYS,
    ING_METRIC_ADMIN_REFUSED,
    ING_METRIC_TIERS_RELOADS,
    ING_METRIC_LOOP_LAG,
    ING_METRIC_START_TIME
};

/* The labels of ING_METRIC_IDEMPOTENCY. */
enum ing_metric_claim {
    ING_CLAIM_COUNT_FIRST,
    ING_CLAIM_COUNT_CONTINUED,
    ING_CLAIM_COUNT_REPLAYED,
    ING_CLAIM_COUNT_RUNNING,
    ING_CLAIM_COUNT_MISMATCHED,
    ING_CLAIM_COUNT_REFUSED,
    ING_CLAIM_COUNT_UNCHECKED
};

extern const struct feed_metric ing_metric_table[];

/* The label of ING_METRIC_HTTP_REQUESTS for a status. */
unsigned ing_metric_code(unsigned status);

#endif
