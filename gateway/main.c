/* feedwire-gateway: puts the core, the server and Redis on one loop, and stops them in order: no new connections, a bye
 * to all that there are, then out when they have gone or when their time is over. */
#include "gateway/kafka_side.h"
#include "gateway/metrics.h"
#include "gateway/options.h"
#include "gateway/origin.h"
#include "gateway/redis_side.h"
#include "gateway/session.h"
#include "shared/auth/files.h"
#include "shared/base/limits.h"
#include "shared/http/admin.h"
#include "shared/http/admin_access.h"
#include "shared/loop/loop.h"
#include "shared/model/names.h"
#include "shared/observe/health.h"
#include "shared/observe/log.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    LISTENER_CLIENTS,
    LISTENER_ADMIN,
    LISTENERS,

    HANDSHAKE_TIMEOUT_MS = 5000,
    PING_AFTER_S = 25,
    HANGUP_AFTER_S = 35,
    STALL_AFTER_S = 90,
    SHUTDOWN_MS = 10000,
    ADDRESS_RETRY_AFTER_S = 30,
    STALE_AFTER_MIN_MS = 3000,
    HELP_BYTES_MAX = 256 * 1024
};

struct gateway {
    struct gw_options options;
    struct feed_loop *loop;
    struct feed_log *log;
    struct feed_metrics *metrics;
    struct feed_health health;
    unsigned accepting; /* condition */
    struct gw_hub hub;
    struct gw_port port;
    struct gw_redis_side redis;
    struct gw_kafka_side kafka;
    struct feed_admin admin;
    struct feed_server *server;
    struct feed_timer *tick, *shutdown, *files_timer;
    struct feed_auth_files *auth_files;
    struct feed_tiers_file *tiers;
    struct feed_proxies proxies;
    struct feed_server_counts counted; /* of the server, as last taken into the metrics */
    bool stopping;
};

/* ---- the port ---- */

static struct gateway *gateway_of(void *redis_side)
{
    return (struct gateway *)(void *)((char *)redis_side - offsetof(struct gateway, redis));
}

static int64_t mono_ms(void *arg)
{
    return feed_loop_now_ms(gateway_of(arg)->loop);
}

static int64_t wall_ms(void *arg)
{
    (void)arg;
    return feed_clock_wall_ms();
}

static void random_bytes(void *arg, void *out, size_t len)
{
    (void)arg;
    feed_random_bytes(out, len);
}

static enum feed_error wake(void *arg, struct feed_str key)
{
    return gw_kafka_side_wake(&gateway_of(arg)->kafka, key);
}

static void make_port(struct gateway *gateway)
{
    gateway->port = (struct gw_port){.arg = &gateway->redis,
                                     .mono_ms_fn = mono_ms,
                                     .wall_ms_fn = wall_ms,
                                     .random_fn = random_bytes,
                                     .frame_new_fn = feed_frame_new,
                                     .frame_ref_fn = feed_frame_ref,
                                     .frame_unref_fn = feed_frame_unref,
                                     .frame_payload_fn = feed_frame_payload,
                                     .want_write_fn = feed_ws_want_write,
                                     .known_fn = feed_ws_known,
                                     .close_fn = feed_ws_close,
                                     .wake_fn = wake};
    gw_redis_side_port(&gateway->port);
}

/* ---- clients ---- */

static bool refuse(struct gateway *gateway, const struct feed_http_request *head, enum gw_refusal reason,
                   const char *event, const char *message)
{
    char address[FEED_ADDRESS_TEXT + 1];
    feed_address_text(&head->client, address);
    feed_metrics_add(gateway->metrics, GW_M_HANDSHAKES_REFUSED, reason, 1);
    FEED_LOG(
        gateway->log, FEED_LOG_WARN, event, message, FEED_LOG_TEXT("address", feed_str_of(address)),
        FEED_LOG_TEXT("origin", head->headers[FEED_HTTP_ORIGIN].data ? head->headers[FEED_HTTP_ORIGIN] : FEED_STR("")));
    return false;
}

static bool on_accept(void *arg, const struct feed_http_request *head, struct feed_ws_refusal *refusal)
{
    struct gateway *gateway = arg;
    if (!gw_origin_allowed(feed_str_of(gateway->options.http_allowed_origins), head->headers[FEED_HTTP_ORIGIN]))
        return refuse(gateway, head, GW_REFUSED_ORIGIN, "origin_refused", "not in http.allowed_origins");
    if (gw_quota_address_free(&gateway->hub.quota, &head->client))
        return true;
    *refusal = (struct feed_ws_refusal){429, "This address has too many connections.", ADDRESS_RETRY_AFTER_S};
    return refuse(gateway, head, GW_REFUSED_ADDRESS, "address_refused", "it has limit.address_connections");
}

static void on_refused(void *arg, unsigned status)
{
    struct gateway *gateway = arg;
    (void)status;
    feed_metrics_add(gateway->metrics, GW_M_HANDSHAKES_REFUSED, GW_REFUSED_REQUEST, 1);
}

static void *on_open(void *arg, struct feed_ws *ws, const struct feed_http_request *head)
{
    struct gateway *gateway = arg;
    return gw_session_open(&gateway->hub, ws, &head->client, head->headers[FEED_HTTP_AUTHORIZATION]);
}

static void on_message(void *session, struct feed_str payload, bool binary)
{
    gw_session_message(session, payload, binary);
}

static struct feed_frame *next_frame(void *session)
{
    return gw_session_next_frame(session);
}

static void on_closed(void *session, unsigned code)
{
    gw_session_closed(session, code);
}

static const struct feed_ws_events ws_events = {.accept_fn = on_accept,
                                                .open_fn = on_open,
                                                .message_fn = on_message,
                                                .next_frame_fn = next_frame,
                                                .closed_fn = on_closed};

/* ---- time ---- */

static void on_turn(void *arg)
{
    struct gateway *gateway = arg;
    gw_hub_turn(&gateway->hub);
    if (gateway->stopping && gateway->hub.session_count == 0)
        feed_loop_stop(gateway->loop);
}

static void on_tick(void *arg)
{
    struct gateway *gateway = arg;
    gw_hub_tick(&gateway->hub);
}

static void on_files(void *arg)
{
    struct gateway *gateway = arg;
    feed_auth_files_poll(gateway->auth_files);
    feed_tiers_file_poll(gateway->tiers);
}

static void on_shutdown_deadline(void *arg)
{
    struct gateway *gateway = arg;
    FEED_LOG(gateway->log, FEED_LOG_WARN, "shutdown_deadline", "connections that did not close in time are cut",
             FEED_LOG_NUMBER("connections", (int64_t)gateway->hub.session_count));
    feed_loop_stop(gateway->loop);
}

static void on_terminate(void *arg, int signal_number)
{
    struct gateway *gateway = arg;
    FEED_LOG(gateway->log, FEED_LOG_INFO, "stopping", NULL, FEED_LOG_NUMBER("signal", signal_number),
             FEED_LOG_NUMBER("connections", (int64_t)gateway->hub.session_count));
    feed_health_set(&gateway->health, gateway->accepting, false, "stopping");
    feed_server_stop_accepting(gateway->server, LISTENER_CLIENTS);
    gw_hub_drain(&gateway->hub);
    gateway->stopping = true;
    feed_timer_start(gateway->shutdown, SHUTDOWN_MS, 0);
}

static void refresh_metrics(void *arg)
{
    struct gateway *gateway = arg;
    gw_hub_measure(&gateway->hub);
    feed_auth_files_measure(gateway->auth_files, gateway->metrics, GW_M_AUTH_RELOADS, GW_M_AUTH_KEYS);
    gw_redis_side_measure(&gateway->redis);
    feed_metrics_set(gateway->metrics, GW_M_LOOP_LAG, 0, feed_loop_lag_s(gateway->loop));
    const struct feed_server_counts *now = feed_server_counts(gateway->server), *before = &gateway->counted;
    feed_metrics_add(gateway->metrics, GW_M_HANDSHAKES_REFUSED, GW_REFUSED_FULL,
                     now->refused_full - before->refused_full);
    feed_metrics_add(gateway->metrics, GW_M_HANDSHAKES_REFUSED, GW_REFUSED_STRANGERS,
                     now->refused_strangers - before->refused_strangers);
    feed_metrics_add(gateway->metrics, GW_M_HANDSHAKES_REFUSED, GW_REFUSED_STRANGERS_ADDRESS,
                     now->refused_strangers_address - before->refused_strangers_address);
    gateway->counted = *now;
    feed_tiers_file_measure(gateway->tiers, gateway->metrics, GW_M_TIERS_RELOADS);
}

/* ---- start and stop ---- */

/* Each connection is a descriptor, and the usual soft limit is 1,024. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static enum feed_error start_server(struct gateway *gateway, char *problem, size_t problem_size)
{
    const struct gw_options *options = &gateway->options;
    gateway->admin = (struct feed_admin){.health = &gateway->health,
                                         .metrics = gateway->metrics,
                                         .token = options->admin_token,
                                         .metric_refused = GW_M_ADMIN_REFUSED,
                                         .refresh_fn = refresh_metrics,
                                         .arg = gateway};
    unsigned strangers_max = (unsigned)(options->http_connections_max * options->limit_unauthenticated_percent / 100);
    struct feed_listener listeners[LISTENERS] = {
        [LISTENER_CLIENTS] = {.address = options->http_address,
                              .port = (unsigned)options->http_port,
                              .ws_path = "/v1/ws",
                              .ws_protocol = "feedwire.v1.json",
                              .refused_fn = on_refused,
                              .message_max = FEED_CLIENT_MESSAGE_MAX,
                              .ws_events = &ws_events,
                              .proxies = &gateway->proxies,
                              .strangers_max = strangers_max > 0 ? strangers_max : 1,
                              .strangers_address_max = (unsigned)options->limit_address_unauthenticated,
                              .arg = gateway},
        [LISTENER_ADMIN] = feed_admin_listener(&gateway->admin, options->admin_address, (unsigned)options->admin_port)};
    const struct feed_server_settings settings = {.connections_max = (unsigned)options->http_connections_max,
                                                  .handshake_timeout_ms = HANDSHAKE_TIMEOUT_MS,
                                                  .ping_after_s = PING_AFTER_S,
                                                  .hangup_after_s = HANGUP_AFTER_S,
                                                  .stall_after_s = STALL_AFTER_S};
    return feed_server_new(gateway->loop, gateway->log, &settings, listeners, LISTENERS, &gateway->server, problem,
                           problem_size);
}

static enum feed_error start(struct gateway *gateway, char *problem, size_t problem_size)
{
    const struct gw_options *options = &gateway->options;
    const struct gw_hub_settings settings = {.queue_bytes_max = (size_t)options->queue_bytes_max,
                                             .heartbeat_ms = options->heartbeat_ms,
                                             .check_interval_ms = options->check_interval_ms,
                                             .stale_after_ms = options->stale_after_ms,
                                             .ttl_ms = options->feed_ttl_s * 1000,
                                             .auth = feed_auth_files_auth(gateway->auth_files),
                                             .tiers = gateway->tiers,
                                             .address_connections = options->limit_address_connections};
    make_port(gateway);
    enum feed_error error = gw_hub_init(&gateway->hub, &gateway->port, &settings, gateway->metrics, gateway->log);
    /* Before the server's hook, so that what the hub sends in a turn leaves in the same turn. */
    feed_loop_on_turn(gateway->loop, on_turn, gateway);
    gateway->redis = (struct gw_redis_side){.hub = &gateway->hub,
                                            .log = gateway->log,
                                            .metrics = gateway->metrics,
                                            .health = &gateway->health,
                                            .ttl_ms = options->feed_ttl_s * 1000,
                                            .condition = feed_health_add(&gateway->health, "redis")};
    gateway->accepting = feed_health_add(&gateway->health, "accepting");
    const char *text = "out of memory";
    if (error == FEED_OK)
        error = gw_redis_side_start(&gateway->redis, gateway->loop, options, &text);
    if (error != FEED_OK) {
        snprintf(problem, problem_size, "%s", text);
        return error;
    }
    gateway->kafka = (struct gw_kafka_side){.log = gateway->log, .metrics = gateway->metrics};
    error = gw_kafka_side_start(&gateway->kafka, gateway->loop, options, problem, problem_size);
    if (error != FEED_OK)
        return error;
    error = start_server(gateway, problem, problem_size);
    if (error != FEED_OK)
        return error;
    gateway->tick = feed_timer_new(gateway->loop, on_tick, gateway);
    feed_timer_start(gateway->tick, GW_TICK_MS, GW_TICK_MS);
    gateway->files_timer = feed_timer_new(gateway->loop, on_files, gateway);
    feed_timer_start(gateway->files_timer, FEED_WATCHED_POLL_MS, FEED_WATCHED_POLL_MS);
    gateway->shutdown = feed_timer_new(gateway->loop, on_shutdown_deadline, gateway);
    feed_health_set(&gateway->health, gateway->accepting, true, NULL);
    feed_metrics_set(gateway->metrics, GW_M_START_TIME, 0, (double)feed_clock_wall_ms() / 1000);
    return feed_loop_on_terminate(gateway->loop, on_terminate, gateway);
}

static void stop(struct gateway *gateway)
{
    if (gateway->server)
        feed_server_free(gateway->server);
    gw_redis_side_stop(&gateway->redis);
    gw_kafka_side_stop(&gateway->kafka);
    feed_timer_free(gateway->tick);
    feed_timer_free(gateway->shutdown);
    feed_timer_free(gateway->files_timer);
    feed_loop_on_turn(gateway->loop, NULL, gateway);
    gw_hub_fini(&gateway->hub);
}

static int run(struct gateway *gateway)
{
    char problem[256] = "";
    raise_descriptor_limit();
    enum feed_error error = start(gateway, problem, sizeof problem);
    if (error == FEED_OK) {
        FEED_LOG(gateway->log, FEED_LOG_INFO, "started", "serving clients",
                 FEED_LOG_TEXT("address", feed_str_of(gateway->options.http_address)),
                 FEED_LOG_NUMBER("port", feed_server_port(gateway->server, LISTENER_CLIENTS)),
                 FEED_LOG_NUMBER("admin_port", feed_server_port(gateway->server, LISTENER_ADMIN)));
        feed_loop_run(gateway->loop);
    } else {
        FEED_LOG(gateway->log, FEED_LOG_ERROR, "start_failed", problem,
                 FEED_LOG_TEXT("error", feed_str_of(feed_error_name(error))));
    }
    stop(gateway);
    if (error == FEED_OK)
        FEED_LOG(gateway->log, FEED_LOG_INFO, "stopped", NULL, FEED_LOG_NUMBER("exit_code", 0));
    return error == FEED_OK ? 0 : 1;
}

static int run_with_keys(struct gateway *gateway)
{
    char problem[256] = "";
    if (feed_auth_files_open(&gateway->options.auth, gateway->log, 0, &gateway->auth_files, problem, sizeof problem) !=
        FEED_OK) {
        fprintf(stderr, "feedwire-gateway: %s\n", problem);
        return 2;
    }
    struct feed_tier base = feed_tier_unlimited();
    base.connections = gateway->options.limit_tenant_connections;
    base.user_connections = gateway->options.limit_user_connections;
    int code = 2;
    if (feed_tiers_file_open(gateway->options.tiers_file, &base, gateway->log, &gateway->tiers, problem,
                             sizeof problem) == FEED_OK)
        code = run(gateway);
    else
        fprintf(stderr, "feedwire-gateway: %s\n", problem);
    feed_tiers_file_close(gateway->tiers);
    feed_auth_files_close(gateway->auth_files);
    return code;
}

/* What the rows of the table cannot say. */
static const char *check_options(const struct gw_options *options, struct feed_proxies *proxies,
                                 enum feed_log_level *level)
{
    const char *wrong = feed_proxies_from_options(&options->proxies, proxies);
    if (wrong)
        return wrong;
    if (feed_log_level_from_name(feed_str_of(options->log_level), level) != FEED_OK)
        return "log.level must be debug, info, warn or error";
    if (options->stale_after_ms && options->stale_after_ms < STALE_AFTER_MIN_MS)
        return "stale_after_ms must be 0, or at least 3000";
    if (!feed_topic_valid(feed_str_of(options->kafka_topic)))
        return "kafka.topic is no name of a topic";
    return feed_admin_problem(options->admin_address, options->admin_token);
}

int main(int argc, char **argv)
{
    struct gateway gateway;
    memset(&gateway, 0, sizeof gateway);
    const struct feed_options_input input = {.program = "feedwire-gateway",
                                             .version = FEEDWIRE_VERSION,
                                             .summary = "Carries feeds to browsers and phones over WebSockets.",
                                             .argc = argc,
                                             .argv = argv,
                                             .environment = environ};
    struct feed_buf message;
    feed_buf_init(&message, HELP_BYTES_MAX);
    enum feed_options_outcome outcome = feed_options_parse(gw_options_table, &input, &gateway.options, &message, NULL);
    enum feed_log_level level = FEED_LOG_INFO;
    const char *wrong = outcome == FEED_OPTIONS_RUN ? check_options(&gateway.options, &gateway.proxies, &level) : NULL;
    int code = 2;
    if (outcome == FEED_OPTIONS_EXIT_OK) {
        fwrite(message.data, 1, message.len, stdout);
        code = 0;
    } else if (outcome == FEED_OPTIONS_EXIT_BAD) {
        fwrite(message.data, 1, message.len, stderr);
    } else if (wrong) {
        fprintf(stderr, "feedwire-gateway: %s\n", wrong);
    } else {
        gateway.loop = feed_loop_new();
        gateway.log = feed_log_new("gateway", level, NULL, NULL, NULL);
        gateway.metrics = feed_metrics_new(gw_metrics_table);
        code = gateway.loop && gateway.log && gateway.metrics ? run_with_keys(&gateway) : 1;
        feed_metrics_free(gateway.metrics);
        feed_log_free(gateway.log);
        if (gateway.loop)
            feed_loop_free(gateway.loop);
    }
    feed_buf_fini(&message);
    feed_options_free(gw_options_table, &gateway.options, NULL);
    return code;
}
