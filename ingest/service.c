/* The daemon's life: start, health, orderly stop.
 *
 *   serving --SIGTERM--> stopping (not ready, not listening, new requests get 503) --nothing waits, or deadline--> end
 *
 * Redis' client and Kafka's are freed first at the end, since they still owe callbacks that answer requests: Redis'
 * before, so that none of its callbacks produces any more. */
#include "ingest/service.h"

#include "ingest/metrics.h"
#include "ingest/redis_side.h"
#include "ingest/service_state.h"
#include "shared/auth/files.h"
#include "shared/kafka/producer.h"
#include "shared/loop/loop.h"
#include "shared/observe/log.h"
#include "shared/observe/metrics.h"

#include <stdlib.h>
#include <string.h>

enum {
    HEALTH_EVERY_MS = 500,
    DRAIN_EVERY_MS = 50,
    DRAIN_QUIET = 4,        /* turns of the drain timer: time for the last answers to leave */
    DRAIN_BEYOND_MS = 2000, /* after the delivery timeout everything has been answered; then some */
    FLUSH_MS = 1000,
    LINGER_MS = 2,              /* of the producer: a record waits so long for others to share its request */
    REQUEST_TIMEOUT_MS = 15000, /* for head and body */
    TOKENS_REMEMBERED = 1024,   /* services send the same token for a thousand requests, and each is looked at twice */
    LISTENER_PUBLIC = 0
};

static void on_metrics(void *arg)
{
    struct ing_service *service = arg;
    const struct feed_server_counts *counts = feed_server_counts(service->server);
    feed_metrics_add(service->metrics, ING_METRIC_HTTP_CONNECTIONS_REFUSED, 0,
                     counts->refused_full - service->connections_refused);
    service->connections_refused = counts->refused_full;
    feed_metrics_set(service->metrics, ING_METRIC_HTTP_CONNECTIONS, 0, counts->open);
    feed_metrics_set(service->metrics, ING_METRIC_QUEUE_RECORDS, 0, feed_kafka_producer_queued(service->producer));
    feed_metrics_set(service->metrics, ING_METRIC_CIRCUIT_OPEN, 0,
                     feed_kafka_producer_up(service->producer, NULL) ? 0 : 1);
    feed_metrics_set(service->metrics, ING_METRIC_REDIS_UP, 0, feed_redis_up(service->redis));
    feed_auth_files_measure(service->auth_files, service->metrics, ING_METRIC_AUTH_RELOADS, ING_METRIC_AUTH_KEYS);
    feed_tiers_file_measure(service->tiers, service->metrics, ING_METRIC_TIERS_RELOADS);
    feed_metrics_set(service->metrics, ING_METRIC_LOOP_LAG, 0, feed_loop_lag_s(service->loop));
}

static void on_health(void *arg)
{
    struct ing_service *service = arg;
    const char *reason = NULL;
    bool up = feed_kafka_producer_up(service->producer, &reason);
    feed_health_set(&service->health, service->health_kafka, up, reason);
    if (service->kafka_up && !up) {
        feed_metrics_add(service->metrics, ING_METRIC_CIRCUIT_OPENED, 0, 1);
    }
    service->kafka_up = up;
}

static void on_files(void *arg)
{
    struct ing_service *service = arg;
    feed_auth_files_poll(service->auth_files);
    feed_tiers_file_poll(service->tiers);
}

static void on_drain(void *arg)
{
    struct ing_service *service = arg;
    service->quiet = service->waiting == 0 ? service->quiet + 1 : 0;
    bool late = feed_loop_now_ms(service->loop) >= service->stop_at;
    if (service->quiet < DRAIN_QUIET && !late) {
        return;
    }
    if (service->waiting > 0) {
        FEED_LOG(service->log, FEED_LOG_WARN, "stop_deadline", "requests are dropped whose activities may have arrived",
                 FEED_LOG_NUMBER("requests", (int64_t)service->waiting));
    }
    feed_loop_stop(service->loop);
}

static void on_terminate(void *arg, int signal_number)
{
    struct ing_service *service = arg;
    service->stopping = true;
    service->stop_at = feed_loop_now_ms(service->loop) + service->options->kafka_delivery_timeout_ms + DRAIN_BEYOND_MS;
    feed_health_set(&service->health, service->health_serving, false, "stopping");
    feed_server_stop_accepting(service->server, LISTENER_PUBLIC);
    feed_timer_start(service->drain_timer, DRAIN_EVERY_MS, DRAIN_EVERY_MS);
    FEED_LOG(service->log, FEED_LOG_INFO, "stopping", "no new activities are taken",
             FEED_LOG_NUMBER("signal", signal_number), FEED_LOG_NUMBER("waiting", (int64_t)service->waiting));
}

static int refuse_option(struct ing_service *service, const char *problem)
{
    FEED_LOG(service->log, FEED_LOG_ERROR, "bad_option", problem);
    return 2;
}

static int check_options(struct ing_service *service)
{
    const struct ing_options *options = service->options;
    service->claims_required = strcmp(options->idempotency_redis_away, "accept") != 0;
    if (service->claims_required && strcmp(options->idempotency_redis_away, "refuse") != 0) {
        return refuse_option(service, "idempotency.redis_away must be refuse or accept");
    }
    const char *wrong = feed_proxies_from_options(&options->proxies, &service->proxies);
    if (wrong) {
        return refuse_option(service, wrong);
    }
    switch (ing_origins_parse(feed_str_of(options->http_allowed_origins), &service->rules.origins)) {
    case FEED_OK:
        return 0;
    case FEED_E_TOO_LARGE:
        return refuse_option(service, "http.allowed_origins has more than 32 origins");
    default:
        return refuse_option(service,
                             "http.allowed_origins must be a list like http://localhost:8000,https://a.example: "
                             "scheme, host in lower case, port if it is not the usual one; no path, no *");
    }
}

static int start_limits(struct ing_service *service)
{
    const struct ing_options *options = service->options;
    char problem[256] = "";
    struct feed_tier base = feed_tier_unlimited();
    base.rates[FEED_RATE_TENANT] = (struct feed_rate){options->limit_tenant_per_s, options->limit_tenant_burst};
    base.rates[FEED_RATE_SUBJECT] = (struct feed_rate){options->limit_subject_per_s, options->limit_subject_burst};
    base.rates[FEED_RATE_ACTOR] = (struct feed_rate){options->limit_actor_per_s, options->limit_actor_burst};
    base.in_flight_percent = options->limit_in_flight_percent;
    if (feed_tiers_file_open(options->tiers_file, &base, service->log, &service->tiers, problem, sizeof problem) !=
        FEED_OK) {
        return refuse_option(service, problem);
    }
    service->buckets = calloc(1, sizeof(*service->buckets));
    if (!service->buckets) {
        FEED_LOG(service->log, FEED_LOG_ERROR, "start_failed", "there is not enough memory");
    }
    return service->buckets ? 0 : 1;
}

static int start_auth(struct ing_service *service)
{
    char problem[256] = "";
    if (feed_auth_files_open(&service->options->auth, service->log, TOKENS_REMEMBERED, &service->auth_files, problem,
                             sizeof problem) != FEED_OK)
        return refuse_option(service, problem);
    service->rules.auth = feed_auth_files_auth(service->auth_files);
    feed_timer_start(service->files_timer, FEED_WATCHED_POLL_MS, FEED_WATCHED_POLL_MS);
    return 0;
}

static int start_kafka(struct ing_service *service)
{
    const struct ing_options *options = service->options;
    char problem[256] = "";
    struct feed_kafka_producer_settings settings = {.kafka = {.brokers = options->kafka_brokers,
                                                              .client_id = "feedwire-ingest",
                                                              .properties = options->kafka_properties},
                                                    .queue_messages_max = (unsigned)options->kafka_queue_records_max,
                                                    .queue_kbytes_max = (unsigned)options->kafka_queue_kbytes_max,
                                                    .delivery_timeout_ms = (unsigned)options->kafka_delivery_timeout_ms,
                                                    .linger_ms = LINGER_MS};
    enum feed_error error =
        feed_kafka_producer_new(service->loop, service->log, &settings, &service->producer, problem, sizeof(problem));
    if (error == FEED_E_INVALID) {
        return refuse_option(service, problem);
    }
    if (error != FEED_OK) {
        FEED_LOG(service->log, FEED_LOG_ERROR, "start_failed", problem);
    }
    return error == FEED_OK ? 0 : 1;
}

static int start_redis(struct ing_service *service)
{
    const char *problem = NULL;
    enum feed_error error = ing_redis_open(service, &problem);
    return error == FEED_OK ? 0 : refuse_option(service, problem ? problem : "redis.url cannot be used");
}

static void on_refused(void *arg, unsigned status)
{
    struct ing_service *service = arg;
    feed_metrics_add(service->metrics, ING_METRIC_HTTP_REQUESTS, ing_metric_code(status), 1);
}

static int start_server(struct ing_service *service)
{
    const struct ing_options *options = service->options;
    char problem[256] = "";
    service->admin = (struct feed_admin){.health = &service->health,
                                         .metrics = service->metrics,
                                         .token = options->admin_token,
                                         .metric_refused = ING_METRIC_ADMIN_REFUSED,
                                         .refresh_fn = on_metrics,
                                         .arg = service};
    struct feed_server_settings settings = {.connections_max = (unsigned)options->http_connections_max,
                                            .handshake_timeout_ms = REQUEST_TIMEOUT_MS};
    struct feed_listener listeners[] = {
        [LISTENER_PUBLIC] = {.address = options->http_address,
                             .port = (unsigned)options->http_port,
                             .body_max = FEED_BODY_MAX,
                             .head_fn = ing_on_head,
                             .refused_fn = on_refused,
                             .proxies = &service->proxies,
                             .http_fn = ing_on_request,
                             .arg = service},
        feed_admin_listener(&service->admin, options->admin_address, (unsigned)options->admin_port),
    };
    enum feed_error error =
        feed_server_new(service->loop, service->log, &settings, listeners, sizeof(listeners) / sizeof(listeners[0]),
                        &service->server, problem, sizeof(problem));
    if (error != FEED_OK) {
        FEED_LOG(service->log, FEED_LOG_ERROR, "start_failed", problem);
        return 1;
    }
    FEED_LOG(service->log, FEED_LOG_INFO, "listening", NULL,
             FEED_LOG_TEXT("address", feed_str_of(options->http_address)),
             FEED_LOG_NUMBER("port", feed_server_port(service->server, 0)),
             FEED_LOG_NUMBER("admin_port", feed_server_port(service->server, 1)));
    return 0;
}

static int start(struct ing_service *service)
{
    int code = check_options(service);
    if (code == 0) {
        code = start_limits(service);
    }
    if (code == 0) {
        code = start_auth(service);
    }
    if (code == 0) {
        code = start_kafka(service);
    }
    if (code == 0) {
        code = start_redis(service);
    }
    if (code == 0) {
        code = start_server(service);
    }
    if (code == 0 && feed_loop_on_terminate(service->loop, on_terminate, service) != FEED_OK) {
        FEED_LOG(service->log, FEED_LOG_ERROR, "start_failed", "signals cannot be caught");
        code = 1;
    }
    return code;
}

static void stop(struct ing_service *service)
{
    service->ended = true;
    ing_redis_close(service);
    feed_kafka_producer_free(service->producer, FLUSH_MS);
    if (service->server) {
        feed_server_free(service->server);
    }
    feed_timer_free(service->health_timer);
    feed_timer_free(service->drain_timer);
    feed_timer_free(service->files_timer);
    feed_auth_files_close(service->auth_files);
    feed_metrics_free(service->metrics);
    feed_tiers_file_close(service->tiers);
    feed_tally_fini(&service->requests);
    feed_tally_fini(&service->activities);
    free(service->buckets);
    feed_loop_free(service->loop);
}

int ing_service_run(const struct ing_options *options, struct feed_log *log)
{
    struct ing_service service = {.options = options, .log = log, .loop = feed_loop_new()};
    if (!service.loop) {
        FEED_LOG(log, FEED_LOG_ERROR, "start_failed", "there is not enough memory, or not enough descriptors");
        return 1;
    }
    service.metrics = feed_metrics_new(ing_metric_table);
    feed_metrics_set(service.metrics, ING_METRIC_START_TIME, 0, (double)feed_clock_wall_ms() / 1000);
    service.health_kafka = feed_health_add(&service.health, "kafka");
    service.health_serving = feed_health_add(&service.health, "serving");
    service.health_timer = feed_timer_new(service.loop, on_health, &service);
    service.drain_timer = feed_timer_new(service.loop, on_drain, &service);
    service.files_timer = feed_timer_new(service.loop, on_files, &service);
    int code = start(&service);
    if (code == 0) {
        feed_health_set(&service.health, service.health_serving, true, NULL);
        feed_timer_start(service.health_timer, HEALTH_EVERY_MS, HEALTH_EVERY_MS);
        feed_loop_run(service.loop);
        FEED_LOG(log, FEED_LOG_INFO, "stopped", NULL);
    }
    stop(&service);
    return code;
}
