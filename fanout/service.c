/* The life of the daemon: opens everything, turns the loop, stops in order.
 *
 * The order of stopping matters: first nothing more is taken from Kafka; then the records in hand are finished, for a
 * bounded time; then positions are committed while we are still a member of the group; then the connections go. */
#include "fanout/service.h"

#include "fanout/purge_port.h"
#include "fanout/purges_port.h"
#include "fanout/service_state.h"
#include "shared/base/limits.h"
#include "shared/http/server.h"
#include "shared/model/names.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    TICK_MS = 100,
    LOG_MS = 10000,       /* a line about what was done, while something is */
    CONNECTIONS_MAX = 64, /* none: the admin port has its own */
    ADMIN_HANDSHAKE_TIMEOUT_MS = 5000,
    LETTERS_FLUSH_MS = 2000
};

/* ---- figures ---- */

static void add_since(struct fan_service *service, unsigned metric, unsigned label, uint64_t now, uint64_t before)
{
    if (now > before)
        feed_metrics_add(service->metrics, metric, label, now - before);
}

static void add_total(struct fan_service *service, unsigned metric, unsigned label, uint64_t total)
{
    add_since(service, metric, label, total, (uint64_t)feed_metrics_get(service->metrics, metric, label));
}

static void add_retries(struct fan_service *service)
{
    uint64_t sent = 0, held = 0;
    for (int i = 0; i < FEED_SHARDS_MAX; i++) {
        sent += service->budgets[i].sent;
        held += service->budgets[i].held;
    }
    add_total(service, FAN_METRIC_RETRIES, FAN_RETRIES_SENT, sent);
    add_total(service, FAN_METRIC_RETRIES, FAN_RETRIES_HELD, held);
}

static void refresh_metrics(void *arg)
{
    struct fan_service *service = arg;
    const struct fan_counts *now = fan_engine_counts(service->engine), *was = &service->reported;
    add_since(service, FAN_METRIC_RECORDS, FAN_RECORDS_DONE, now->done, was->done);
    add_since(service, FAN_METRIC_RECORDS, FAN_RECORDS_REPEAT, now->repeat, was->repeat);
    add_since(service, FAN_METRIC_RECORDS, FAN_RECORDS_DEAD_LETTER, now->dead_letter, was->dead_letter);
    add_since(service, FAN_METRIC_RECORDS, FAN_RECORDS_IMPORTED, now->imported, was->imported);
    add_since(service, FAN_METRIC_RECORDS, FAN_RECORDS_FORGOTTEN, now->forgotten, was->forgotten);
    add_since(service, FAN_METRIC_PURGES, 0, now->purges, was->purges);
    add_since(service, FAN_METRIC_WRITES, FAN_WRITES_ADDED, now->writes.added, was->writes.added);
    add_since(service, FAN_METRIC_WRITES, FAN_WRITES_PRESENT, now->writes.present, was->writes.present);
    add_since(service, FAN_METRIC_WRITES, FAN_WRITES_BEYOND_CAP, now->writes.beyond_cap, was->writes.beyond_cap);
    add_since(service, FAN_METRIC_WRITES, FAN_WRITES_LEFT_OUT, now->writes.left_out, was->writes.left_out);
    add_since(service, FAN_METRIC_WRITES, FAN_WRITES_REMOVED, now->writes.removed, was->writes.removed);
    add_since(service, FAN_METRIC_CROSSINGS, FAN_CROSSINGS_UP, now->writes.crossed_up, was->writes.crossed_up);
    add_since(service, FAN_METRIC_CROSSINGS, FAN_CROSSINGS_DOWN, now->writes.crossed_down, was->writes.crossed_down);
    add_since(service, FAN_METRIC_WRITES, FAN_WRITES_ASLEEP, now->writes.asleep, was->writes.asleep);
    add_since(service, FAN_METRIC_COMMANDS, 0, now->commands, was->commands);
    add_since(service, FAN_METRIC_REPEATS, 0, now->repeats, was->repeats);
    add_since(service, FAN_METRIC_LETTERS, 0, now->letters, was->letters);
    add_since(service, FAN_METRIC_RELATIONS, 0, now->relations, was->relations);
    service->reported = *now;
    feed_tiers_file_measure(service->tiers, service->metrics, FAN_METRIC_TIERS_RELOADS);
    add_total(service, FAN_METRIC_RECOVERIES, 0, service->recoveries);
    add_total(service, FAN_METRIC_EDGES_LOADED, 0, service->edges_loaded);
    add_total(service, FAN_METRIC_REWINDS, 0, service->rewinds);
    add_total(service, FAN_METRIC_REPLAYS, 0, service->replays);
    add_total(service, FAN_METRIC_CONNECTS, 0, service->connects);
    add_retries(service);
    feed_metrics_set(service->metrics, FAN_METRIC_RECOVERING, 0, fan_life_recovering(&service->life));
    feed_metrics_set(service->metrics, FAN_METRIC_LAG, 0, (double)fan_kafka_port_lag(service));
    feed_metrics_set(service->metrics, FAN_METRIC_LAG_SECONDS, 0, fan_progress_port_lag_s(service));
    feed_metrics_set(service->metrics, FAN_METRIC_IN_FLIGHT_RECORDS, 0, (double)fan_engine_records(service->engine));
    feed_metrics_set(service->metrics, FAN_METRIC_IN_FLIGHT_COMMANDS, 0, (double)fan_engine_commands(service->engine));
    feed_metrics_set(service->metrics, FAN_METRIC_PARTITIONS, 0, (double)service->partitions);
    feed_metrics_set(service->metrics, FAN_METRIC_REDIS_SHARDS, 0, feed_redis_count_shards(service->redis).known);
    feed_metrics_set(service->metrics, FAN_METRIC_REDIS_SHARDS_READY, 0, service->shards_ready);
    feed_metrics_set(service->metrics, FAN_METRIC_REDIS_SHARDS_ALONE, 0, fan_witness_alone(&service->witness));
    feed_metrics_set(service->metrics, FAN_METRIC_LOOP_LAG, 0, feed_loop_lag_s(service->loop));
}

static uint64_t finished(const struct fan_service *service)
{
    const struct fan_counts *counts = fan_engine_counts(service->engine);
    return counts->done + counts->repeat + counts->dead_letter + counts->imported + counts->forgotten;
}

static void on_log_time(void *arg)
{
    struct fan_service *service = arg;
    if (service->load)
        FEED_LOG(service->log, FEED_LOG_INFO, "graph_loading", NULL,
                 FEED_LOG_NUMBER("records", (int64_t)fan_graph_port_loaded_records(service)));
    uint64_t records = finished(service);
    if (records == service->progress_done)
        return;
    FEED_LOG(service->log, FEED_LOG_INFO, "progress", NULL,
             FEED_LOG_NUMBER("records", (int64_t)(records - service->progress_done)),
             FEED_LOG_NUMBER("records_total", (int64_t)records),
             FEED_LOG_NUMBER("feed_writes_total", (int64_t)fan_engine_counts(service->engine)->writes.added),
             FEED_LOG_NUMBER("lag", (int64_t)fan_kafka_port_lag(service)));
    service->progress_done = records;
}

/* ---- the other calls of the port ---- */

static void on_failing(void *arg, const char *step, struct feed_str text)
{
    struct fan_service *service = arg;
    FEED_LOG(service->log, FEED_LOG_WARN, "redis_command_failed", "it will be tried again for some seconds",
             FEED_LOG_TEXT("step", feed_str_of(step)), FEED_LOG_TEXT("reason", text));
}

static void give_random(void *arg, uint8_t *out, size_t len)
{
    (void)arg;
    feed_random_bytes(out, len);
}

static void on_succeeded(void *arg, struct feed_str tenant)
{
    struct fan_service *service = arg;
    feed_metrics_add(service->metrics, FAN_METRIC_SUCCESS, feed_metrics_tenant(service->metrics, tenant), 1);
}

static unsigned share_of(void *arg, struct feed_str tenant)
{
    const struct fan_service *service = arg;
    int64_t commands_max = service->options->commands_max;
    int64_t share = feed_tier_share(feed_tiers_file_of(service->tiers, tenant), commands_max);
    return (unsigned)(share < commands_max ? share : commands_max);
}

static const struct fan_port_ops port_ops = {
    .send = fan_redis_port_send,
    .post = fan_kafka_port_post,
    .relate = fan_graph_port_relate,
    .consume = fan_kafka_port_consume,
    .purge = fan_purge_port_purge,
    .purge_drop = fan_purge_port_drop,
    .halted = fan_redis_port_halted,
    .failing = on_failing,
    .random = give_random,
    .succeeded = on_succeeded,
    .share = share_of,
};

/* ---- time ---- */

static void on_tiers(void *arg)
{
    struct fan_service *service = arg;
    feed_tiers_file_poll(service->tiers);
}

static void on_tick(void *arg)
{
    struct fan_service *service = arg;
    int64_t now_ms = feed_loop_now_ms(service->loop);
    fan_redis_port_tick(service);
    fan_engine_tick(service->engine, now_ms);
    fan_life_port_tick(service);
    fan_graph_topic_port_tick(service);
    fan_purges_port_tick(service);
    fan_purge_port_tick(service);
    bool through = fan_engine_records(service->engine) == fan_purge_port_jobs(service) && fan_life_port_quiet(service);
    if (service->stopping && ((through && fan_purges_port_left(service)) || now_ms >= service->stop_deadline_ms))
        feed_loop_stop(service->loop);
}

static void on_commit_time(void *arg)
{
    fan_kafka_port_commit(arg, false);
}

static void on_progress_time(void *arg)
{
    fan_progress_port_publish(arg);
}

static void on_terminate(void *arg, int signal_number)
{
    struct fan_service *service = arg;
    FEED_LOG(service->log, FEED_LOG_INFO, "stopping", "finishing the records in hand",
             FEED_LOG_NUMBER("signal", signal_number),
             FEED_LOG_NUMBER("records", (int64_t)fan_engine_records(service->engine)));
    service->stopping = true;
    service->stop_deadline_ms = feed_loop_now_ms(service->loop) + service->options->stop_timeout_ms;
    fan_engine_stop_consuming(service->engine);
}

/* ---- opening and closing ---- */

static bool open_admin(struct fan_service *service, char *problem, size_t problem_size)
{
    service->admin = (struct feed_admin){.health = &service->health,
                                         .metrics = service->metrics,
                                         .token = service->options->admin_token,
                                         .metric_refused = FAN_METRIC_ADMIN_REFUSED,
                                         .refresh_fn = refresh_metrics,
                                         .arg = service};
    struct feed_listener listener =
        feed_admin_listener(&service->admin, service->options->admin_address, (unsigned)service->options->admin_port);
    const struct feed_server_settings settings = {.connections_max = CONNECTIONS_MAX,
                                                  .handshake_timeout_ms = ADMIN_HANDSHAKE_TIMEOUT_MS};
    return feed_server_new(service->loop, service->log, &settings, &listener, 1, &service->server, problem,
                           problem_size) == FEED_OK;
}

static int refused(struct fan_service *service, const char *event, const char *problem, int code)
{
    FEED_LOG(service->log, FEED_LOG_ERROR, event, problem, FEED_LOG_NUMBER("exit_code", code));
    return code;
}

static void open_core(struct fan_service *service)
{
    const struct fan_options *options = service->options;
    service->redis_condition = feed_health_add(&service->health, "redis");
    service->kafka_condition = feed_health_add(&service->health, "kafka");
    service->graph_condition = feed_health_add(&service->health, "graph");
    fan_graph_topic_port_open(service);
    service->metrics = feed_metrics_new(fan_metric_table);
    feed_metrics_set(service->metrics, FAN_METRIC_START_TIME, 0, (double)feed_clock_wall_ms() / 1000);
    const struct fan_settings settings = {
        .records_max = (unsigned)options->records_max,
        .bytes_max = (size_t)options->records_kbytes_max * 1024,
        .commands_max = (unsigned)options->commands_max,
        .cap = (unsigned)options->feed_cap,
        .backfill = FEED_BACKFILL,
        .page_followers = (unsigned)options->page_followers,
        .broadcast_threshold = (unsigned)options->broadcast_threshold,
        .broadcast_return_percent = (unsigned)options->broadcast_return_percent,
        .ttl_ms = options->feed_ttl_s * 1000,
        .home_own = options->home_own,
        .replay_window_ms = options->replay_window_ms,
    };
    service->engine = fan_engine_new(&settings, &port_ops, service);
    fan_engine_tick(service->engine, feed_loop_now_ms(service->loop));
    fan_purges_port_open(service);
    fan_purge_port_open(service);
    fan_life_port_open(service);
    fan_witness_init(&service->witness, options->replica_wait_ms);
}

/* Returns 0, or the exit code. What was opened is closed by close_all in any case. */
static int open_all(struct fan_service *service)
{
    char problem[512] = "";
    const char *redis_problem = NULL;
    service->loop = feed_loop_new();
    if (!service->loop)
        return refused(service, "loop_failed", "the event loop could not be made", 1);
    struct feed_tier base = feed_tier_unlimited();
    base.in_flight_percent = service->options->in_flight_percent;
    if (feed_tiers_file_open(service->options->tiers_file, &base, service->log, &service->tiers, problem,
                             sizeof problem) != FEED_OK)
        return refused(service, "tiers_refused", problem, 2);
    open_core(service);
    if (!open_admin(service, problem, sizeof problem))
        return refused(service, "admin_failed", problem, 1);
    if (fan_redis_port_open(service, &redis_problem) != FEED_OK)
        return refused(service, "redis_url_refused", redis_problem, 2);
    if (!feed_topic_valid(feed_str_of(service->options->kafka_topic)) ||
        !feed_topic_valid(feed_str_of(service->options->kafka_dlq_topic)) ||
        !feed_topic_valid(feed_str_of(service->options->kafka_graph_topic)) ||
        !feed_topic_valid(feed_str_of(service->options->kafka_commands_topic)))
        return refused(service, "kafka_settings_refused",
                       "a name of a topic may have letters, digits, '.', '_' and '-' only", 2);
    if (fan_kafka_port_open(service, problem, sizeof problem) != FEED_OK)
        return refused(service, "kafka_settings_refused", problem, 2);
    if (feed_loop_on_terminate(service->loop, on_terminate, service) != FEED_OK)
        return refused(service, "signals_failed", "signals could not be caught", 1);
    service->tick_timer = feed_timer_new(service->loop, on_tick, service);
    service->commit_timer = feed_timer_new(service->loop, on_commit_time, service);
    service->log_timer = feed_timer_new(service->loop, on_log_time, service);
    service->tiers_timer = feed_timer_new(service->loop, on_tiers, service);
    feed_timer_start(service->tiers_timer, FEED_TIERS_POLL_MS, FEED_TIERS_POLL_MS);
    service->progress_timer = feed_timer_new(service->loop, on_progress_time, service);
    feed_timer_start(service->tick_timer, TICK_MS, TICK_MS);
    feed_timer_start(service->commit_timer, (uint64_t)service->options->commit_interval_ms,
                     (uint64_t)service->options->commit_interval_ms);
    feed_timer_start(service->log_timer, LOG_MS, LOG_MS);
    feed_timer_start(service->progress_timer, FAN_PROGRESS_INTERVAL_MS, FAN_PROGRESS_INTERVAL_MS);
    FEED_LOG(service->log, FEED_LOG_INFO, "started", NULL,
             FEED_LOG_NUMBER("admin_port", feed_server_port(service->server, 0)));
    return 0;
}

static void close_all(struct fan_service *service)
{
    feed_timer_free(service->tick_timer);
    feed_timer_free(service->commit_timer);
    feed_timer_free(service->log_timer);
    feed_timer_free(service->progress_timer);
    feed_timer_free(service->tiers_timer);
    if (service->consumer) {
        fan_kafka_port_commit(service, true);
        struct feed_kafka_consumer *consumer = service->consumer;
        feed_kafka_consumer_free(consumer);
        service->consumer = NULL;
        if (service->commands)
            feed_kafka_consumer_free(service->commands);
        service->commands = NULL;
    }
    fan_graph_topic_port_close(service);
    fan_graph_port_give_up(service);
    if (service->purge)
        fan_purge_port_stop(service);
    if (service->producer)
        feed_kafka_producer_free(service->producer, LETTERS_FLUSH_MS);
    if (service->redis)
        feed_redis_free(service->redis);
    if (service->server)
        feed_server_free(service->server);
    if (service->engine)
        fan_engine_free(service->engine);
    fan_purge_port_close(service);
    fan_purges_port_close(service);
    if (service->metrics)
        feed_metrics_free(service->metrics);
    if (service->loop)
        feed_loop_free(service->loop);
    feed_tiers_file_close(service->tiers);
    fan_starts_fini(&service->starts);
    free(service->values);
}

int fan_service_run(const struct fan_options *options, struct feed_log *log)
{
    struct fan_service service = {.options = options, .log = log};
    int code = open_all(&service);
    if (code == 0) {
        feed_loop_run(service.loop);
        FEED_LOG(log, FEED_LOG_INFO, "stopped", NULL, FEED_LOG_NUMBER("records_total", (int64_t)finished(&service)),
                 FEED_LOG_NUMBER("records_left", (int64_t)fan_engine_records(service.engine)));
    }
    close_all(&service);
    return code;
}
