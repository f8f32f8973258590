/* Declares the metrics of feedwire-ingest. */
#include "ingest/metrics.h"

#include "ingest/limit.h"
#include "shared/auth/metrics.h"
#include "shared/http/admin_access.h"
#include "shared/tenant/tiers_file.h"

#include <stdio.h>
#include <string.h>

static const char *const codes[] = {"200", "202", "204", "207", "400", "401", "403", "404", "405",   "409", "411",
                                    "413", "414", "415", "417", "422", "429", "500", "503", "other", NULL};

static const char *const claims[] = {"first",      "continued", "replayed",  "running",
                                     "mismatched", "refused",   "unchecked", NULL};

const struct feed_metric ing_metric_table[] = {
    [ING_METRIC_PUBLISHED] = {"activities_published_total", FEED_METRIC_COUNTER,
                              "Activities that Kafka has acknowledged.", "tenant", feed_metric_by_tenant, NULL},
    [ING_METRIC_UNACKNOWLEDGED] = {"activities_unacknowledged_total", FEED_METRIC_COUNTER,
                                   "Valid activities that were answered with 503: Kafka was away, too slow, or its "
                                   "queue was full.",
                                   "tenant", feed_metric_by_tenant, NULL},
    [ING_METRIC_HTTP_REQUESTS] = {"http_requests_total", FEED_METRIC_COUNTER,
                                  "Answers to requests that were read completely or refused for their head.", "code",
                                  codes, NULL},
    [ING_METRIC_HTTP_CONNECTIONS] = {"http_connections", FEED_METRIC_GAUGE, "Connections that are open.", NULL, NULL,
                                     NULL},
    [ING_METRIC_HTTP_CONNECTIONS_REFUSED] = {"http_connections_refused_total", FEED_METRIC_COUNTER,
                                             "Connections closed at once because http.connections_max was reached.",
                                             NULL, NULL, NULL},
    [ING_METRIC_PRODUCE_SECONDS] = {"kafka_produce_seconds", FEED_METRIC_HISTOGRAM,
                                    "From handing a record to the producer to its acknowledgement.", NULL, NULL,
                                    feed_metric_latency_buckets},
    [ING_METRIC_QUEUE_RECORDS] = {"kafka_queue_records", FEED_METRIC_GAUGE,
                                  "Records that wait for Kafka's acknowledgement.", NULL, NULL, NULL},
    [ING_METRIC_CIRCUIT_OPEN] = {"kafka_circuit_open", FEED_METRIC_GAUGE,
                                 "1 while Kafka is away or does not acknowledge in time: requests are answered with "
                                 "503 at once, until a broker is connected again.",
                                 NULL, NULL, NULL},
    [ING_METRIC_CIRCUIT_OPENED] = {"kafka_circuit_opened_total", FEED_METRIC_COUNTER,
                                   "How often that began, looked at twice a second.", NULL, NULL, NULL},
    [ING_METRIC_IDEMPOTENCY] = {"idempotency_requests_total", FEED_METRIC_COUNTER,
                                "Good requests with an Idempotency-Key: the first of its key, continued after one that "
                                "was not finished, answered from memory, refused because one is running (409) or was "
                                "another (422) or Redis is away (503), or done without Redis.",
                                "result", claims, NULL},
    [ING_METRIC_RATE_LIMITED] = {"rate_limited_total", FEED_METRIC_COUNTER,
                                 "Requests answered with 429, by the limit that they met.", "limit", ing_limit_names,
                                 NULL},
    [ING_METRIC_TENANT_LIMITED] = {"tenant_limited_total", FEED_METRIC_COUNTER, "The same, by tenant.", "tenant",
                                   feed_metric_by_tenant, NULL},
    [ING_METRIC_RATE_LOCAL] = {"rate_limit_local_total", FEED_METRIC_COUNTER,
                               "Requests that were held against this instance's own share, because Redis was away.",
                               NULL, NULL, NULL},
    [ING_METRIC_REDIS_UP] = {"redis_up", FEED_METRIC_GAUGE, "Whether a server of Redis can be used.", NULL, NULL, NULL},
    [ING_METRIC_REDIS_SECONDS] = {"redis_command_seconds", FEED_METRIC_HISTOGRAM,
                                  "From sending a command to its answer.", NULL, NULL, feed_metric_latency_buckets},
    [ING_METRIC_AUTH_REFUSED] = FEED_AUTH_METRIC_REFUSED,
    [ING_METRIC_AUTH_RELOADS] = FEED_AUTH_METRIC_RELOADS,
    [ING_METRIC_AUTH_KEYS] = FEED_AUTH_METRIC_KEYS,
    [ING_METRIC_ADMIN_REFUSED] = FEED_ADMIN_METRIC_REFUSED,
    [ING_METRIC_TIERS_RELOADS] = FEED_TIERS_METRIC_RELOADS,
    [ING_METRIC_LOOP_LAG] = {"loop_lag_seconds", FEED_METRIC_GAUGE,
                             "How late the loop's timers were at worst since the last reading.", NULL, NULL, NULL},
    [ING_METRIC_START_TIME] = {"process_start_time_seconds", FEED_METRIC_GAUGE,
                               "When the process started, in seconds since the Unix epoch.", NULL, NULL, NULL},
    {.name = NULL},
};

unsigned ing_metric_code(unsigned status)
{
    char text[16];
    unsigned label = 0;
    snprintf(text, sizeof(text), "%u", status);
    while (codes[label + 1] && strcmp(codes[label], text) != 0) {
        label++;
    }
    return label;
}
