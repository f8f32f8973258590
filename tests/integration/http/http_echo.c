/* Task: a program around shared/http that tests can drive from outside. It answers on one port and has the admin pages
 * on another; both are printed as one JSON line. Settings come as name=value arguments.
 *
 *   POST /echo         the body back               GET /later     answered by a timer, 50 ms later
 *   GET /bytes/N       N bytes                     GET /never     answered by the next /release
 *   GET /head          what the handler is told    GET /stats     counters as JSON
 *   GET /denied        401 from the head           GET /push      one message to every WebSocket
 *   GET /close/CODE    closes every WebSocket
 *
 * WebSocket /v1/ws, subprotocol echo.v1 (with protocol=0: none, and no commands): text "flood COUNT SIZE" makes COUNT
 * messages of SIZE bytes that begin with their number, "close CODE REASON" closes, anything else comes back. */
#include "shared/base/assert.h"
#include "shared/base/json_out.h"
#include "shared/http/admin.h"
#include "shared/http/admin_access.h"
#include "shared/http/server.h"
#include "shared/loop/loop.h"
#include "shared/observe/health.h"
#include "shared/observe/log.h"
#include "shared/observe/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SESSION_QUEUE_MAX = 4096, LATER_MS = 50, BYTES_MAX = 64 * 1024 * 1024, BODY_MAX = 1024 * 1024 };

struct session {
    struct echo *echo;
    struct feed_ws *ws;
    struct session *prev, *next;
    struct feed_frame *queue[SESSION_QUEUE_MAX];
    size_t first, count;
    uint64_t flood_next, flood_count, flood_size;
};

struct echo {
    struct feed_loop *loop;
    struct feed_server *server;
    struct session sessions; /* ring */
    struct feed_request *never;
    unsigned opened, closed, last_code, messages;
    size_t longest;
    bool only_echo; /* texts are no commands */
};

struct later {
    struct feed_timer *timer;
    struct feed_request *request;
};

static void respond(struct feed_request *request, unsigned status, const char *type, struct feed_str body)
{
    struct feed_http_response response = {.status = status, .content_type = type, .body = body};
    feed_request_respond(request, &response);
}

static void respond_ok(struct feed_request *request)
{
    respond(request, 200, "text/plain", FEED_STR("ok\n"));
}

/* ---- WebSocket ---- */

static bool on_accept(void *arg, const struct feed_http_request *head, struct feed_ws_refusal *refusal)
{
    (void)arg;
    if (feed_str_eq(head->headers[FEED_HTTP_AUTHORIZATION], FEED_STR("Bearer bad"))) {
        refusal->status = 401;
        return false;
    }
    return !feed_str_eq(head->headers[FEED_HTTP_ORIGIN], FEED_STR("http://evil.example"));
}

static void *on_open(void *arg, struct feed_ws *ws, const struct feed_http_request *head)
{
    struct echo *echo = arg;
    if (feed_str_eq(head->headers[FEED_HTTP_ORIGIN], FEED_STR("http://unlucky.example")))
        return NULL;
    struct session *s = calloc(1, sizeof(*s));
    feed_assert(s);
    s->echo = echo;
    s->ws = ws;
    s->prev = echo->sessions.prev;
    s->next = &echo->sessions;
    s->prev->next = s->next->prev = s;
    echo->opened++;
    return s;
}

static void enqueue(struct session *s, struct feed_frame *frame)
{
    feed_assert(frame && s->count < SESSION_QUEUE_MAX);
    s->queue[(s->first + s->count++) % SESSION_QUEUE_MAX] = frame;
    feed_ws_want_write(s->ws);
}

/* "flood COUNT SIZE" and "close CODE REASON"; false for any other text. */
static bool command(struct session *s, const char *text)
{
    char *rest;
    if (strncmp(text, "flood ", 6) == 0) {
        s->flood_count = strtoull(text + 6, &rest, 10);
        s->flood_size = strtoull(rest, NULL, 10);
        feed_ws_want_write(s->ws);
        return true;
    }
    if (strncmp(text, "close ", 6) == 0) {
        unsigned long code = strtoul(text + 6, &rest, 10);
        feed_ws_close(s->ws, (unsigned)code, *rest ? rest + 1 : NULL);
        return true;
    }
    return false;
}

static void on_message(void *session, struct feed_str payload, bool binary)
{
    struct session *s = session;
    char text[64];
    s->echo->messages++;
    s->echo->longest = payload.len > s->echo->longest ? payload.len : s->echo->longest;
    bool plain = binary || s->echo->only_echo || feed_str_copy(payload, text, sizeof(text)) != FEED_OK;
    if (plain || !command(s, text))
        enqueue(s, binary ? feed_frame_new_binary(payload) : feed_frame_new(payload));
}

static struct feed_frame *next_flood(struct session *s)
{
    char *bytes = calloc(1, s->flood_size + 32);
    feed_assert(bytes);
    memset(bytes, 'x', s->flood_size);
    int n = snprintf(bytes, 32, "%" PRIu64 " ", s->flood_next++);
    bytes[n] = 'x';
    struct feed_frame *frame = feed_frame_new((struct feed_str){bytes, s->flood_size});
    free(bytes);
    return frame;
}

static struct feed_frame *on_next_frame(void *session)
{
    struct session *s = session;
    if (s->flood_next < s->flood_count)
        return next_flood(s);
    if (s->count == 0)
        return NULL;
    struct feed_frame *frame = s->queue[s->first];
    s->first = (s->first + 1) % SESSION_QUEUE_MAX;
    s->count--;
    return frame;
}

static void on_closed(void *session, unsigned code)
{
    struct session *s = session;
    s->echo->closed++;
    s->echo->last_code = code;
    s->prev->next = s->next;
    s->next->prev = s->prev;
    while (s->count > 0) {
        feed_frame_unref(s->queue[s->first]);
        s->first = (s->first + 1) % SESSION_QUEUE_MAX;
        s->count--;
    }
    free(s);
}

/* ---- HTTP ---- */

static void on_later(void *arg)
{
    struct later *later = arg;
    respond_ok(later->request);
    feed_timer_free(later->timer);
    free(later);
}

static void answer_later(struct echo *echo, struct feed_request *request)
{
    struct later *later = calloc(1, sizeof(*later));
    feed_assert(later);
    later->request = request;
    later->timer = feed_timer_new(echo->loop, on_later, later);
    feed_timer_start(later->timer, LATER_MS, 0);
}

static void answer_bytes(struct feed_request *request, uint64_t n)
{
    char *bytes = malloc(n + 1);
    feed_assert(bytes);
    for (uint64_t i = 0; i < n; i++)
        bytes[i] = (char)('a' + i % 26);
    respond(request, 200, "application/octet-stream", (struct feed_str){bytes, n});
    free(bytes);
}

static void answer_head(struct feed_request *request, const struct feed_http_request *http)
{
    static const char *const names[FEED_HTTP_HEADER_COUNT] = {"authorization",
                                                              "content-type",
                                                              "content-encoding",
                                                              "origin",
                                                              "traceparent",
                                                              [FEED_HTTP_X_FORWARDED_FOR] = "x-forwarded-for",
                                                              [FEED_HTTP_FORWARDED] = "forwarded"};
    struct feed_buf buf;
    struct feed_json_out json;
    feed_buf_init(&buf, 65536);
    feed_json_out_init(&json, &buf);
    feed_json_open(&json);
    feed_json_key(&json, "method");
    feed_json_i64(&json, http->method);
    feed_json_member(&json, "path", http->path);
    for (int h = 0; h < FEED_HTTP_HEADER_COUNT; h++)
        if (http->headers[h].data && names[h])
            feed_json_member(&json, names[h], http->headers[h]);
    feed_json_close(&json);
    respond(request, 200, "application/json", feed_buf_view(&buf));
    feed_buf_fini(&buf);
}

static void answer_stats(struct echo *echo, struct feed_request *request)
{
    const struct feed_server_counts *c = feed_server_counts(echo->server);
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {{"accepted", c->accepted},
                {"refused_full", c->refused_full},
                {"http_requests", c->http_requests},
                {"bytes_sent", c->bytes_sent},
                {"frames_sent", c->frames_sent},
                {"write_full", c->write_full},
                {"open", c->open},
                {"ws_opened", echo->opened},
                {"ws_closed", echo->closed},
                {"last_code", echo->last_code},
                {"messages", echo->messages},
                {"longest", echo->longest}};
    struct feed_buf buf;
    struct feed_json_out json;
    feed_buf_init(&buf, 4096);
    feed_json_out_init(&json, &buf);
    feed_json_open(&json);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        feed_json_key(&json, rows[i].name);
        feed_json_u64(&json, rows[i].value);
    }
    feed_json_close(&json);
    respond(request, 200, "application/json", feed_buf_view(&buf));
    feed_buf_fini(&buf);
}

static void push_all(struct echo *echo)
{
    struct feed_frame *frame = feed_frame_new(FEED_STR("pushed"));
    for (struct session *s = echo->sessions.next; s != &echo->sessions; s = s->next)
        enqueue(s, feed_frame_ref(frame));
    feed_frame_unref(frame);
}

static void close_all(struct echo *echo, unsigned code)
{
    for (struct session *s = echo->sessions.next; s != &echo->sessions; s = s->next)
        feed_ws_close(s->ws, code, "by request");
}

static void release(struct echo *echo)
{
    struct feed_request *request = echo->never;
    echo->never = NULL;
    if (request)
        respond_ok(request);
}

static bool path_number(struct feed_str path, struct feed_str prefix, uint64_t max, uint64_t *n)
{
    if (path.len <= prefix.len || memcmp(path.data, prefix.data, prefix.len) != 0)
        return false;
    return feed_str_to_u64((struct feed_str){path.data + prefix.len, path.len - prefix.len}, max, n) == FEED_OK;
}

static void on_http(void *arg, struct feed_request *request, const struct feed_http_request *http)
{
    struct echo *echo = arg;
    uint64_t n;
    if (feed_str_eq(http->path, FEED_STR("/echo"))) {
        respond(request, 200, "application/octet-stream", http->body);
    } else if (feed_str_eq(http->path, FEED_STR("/later"))) {
        answer_later(echo, request);
    } else if (feed_str_eq(http->path, FEED_STR("/never"))) {
        release(echo);
        echo->never = request;
        echo->messages++;
    } else if (feed_str_eq(http->path, FEED_STR("/release"))) {
        release(echo);
        respond_ok(request);
    } else if (feed_str_eq(http->path, FEED_STR("/head"))) {
        answer_head(request, http);
    } else if (feed_str_eq(http->path, FEED_STR("/stats"))) {
        answer_stats(echo, request);
    } else if (feed_str_eq(http->path, FEED_STR("/push"))) {
        push_all(echo);
        respond_ok(request);
    } else if (path_number(http->path, FEED_STR("/close/"), 4999, &n)) {
        close_all(echo, (unsigned)n);
        respond_ok(request);
    } else if (path_number(http->path, FEED_STR("/bytes/"), BYTES_MAX, &n)) {
        answer_bytes(request, n);
    } else {
        feed_request_problem(request, 404, "There is nothing at this path.", 7);
    }
}

static unsigned on_head(void *arg, const struct feed_http_request *head, const char **detail)
{
    (void)arg;
    *detail = "Not for you.";
    return feed_str_eq(head->path, FEED_STR("/denied")) ? 401 : 0;
}

/* ---- the program ---- */

static uint64_t setting(int argc, char **argv, const char *name, uint64_t otherwise)
{
    size_t len = strlen(name);
    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], name, len) == 0 && argv[i][len] == '=')
            return strtoull(argv[i] + len + 1, NULL, 10);
    return otherwise;
}

static void on_terminate(void *arg, int signal_number)
{
    struct echo *echo = arg;
    (void)signal_number;
    feed_loop_stop(echo->loop);
}

enum { METRIC_UP, METRIC_ADMIN_REFUSED };
static const struct feed_metric metric_table[] = {
    [METRIC_UP] = {.name = "echo_up", .type = FEED_METRIC_GAUGE, .help = "Always 0."},
    [METRIC_ADMIN_REFUSED] = FEED_ADMIN_METRIC_REFUSED,
    {.name = NULL}};

static void set_up(struct echo *echo, int argc, char **argv, struct feed_log *log, struct feed_admin *admin)
{
    static const struct feed_ws_events ws_events = {.accept_fn = on_accept,
                                                    .open_fn = on_open,
                                                    .message_fn = on_message,
                                                    .next_frame_fn = on_next_frame,
                                                    .closed_fn = on_closed};
    echo->only_echo = setting(argc, argv, "protocol", 1) == 0;
    struct feed_server_settings settings = {
        .connections_max = (unsigned)setting(argc, argv, "connections_max", 1000),
        .handshake_timeout_ms = (unsigned)setting(argc, argv, "handshake_timeout_ms", 10000),
        .ping_after_s = (unsigned)setting(argc, argv, "ping_after_s", 0),
        .hangup_after_s = (unsigned)setting(argc, argv, "hangup_after_s", 0),
        .stall_after_s = (unsigned)setting(argc, argv, "stall_after_s", 0),
    };
    struct feed_listener listeners[] = {
        {.address = "127.0.0.1",
         .port = (unsigned)setting(argc, argv, "port", 0),
         .body_max = setting(argc, argv, "body_max", BODY_MAX),
         .head_fn = on_head,
         .http_fn = on_http,
         .ws_path = "/v1/ws",
         .ws_protocol = echo->only_echo ? NULL : "echo.v1",
         .message_max = setting(argc, argv, "message_max", 8192),
         .ws_events = &ws_events,
         .arg = echo},
        feed_admin_listener(admin, "127.0.0.1", (unsigned)setting(argc, argv, "admin_port", 0)),
    };
    char problem[256] = "out of memory";
    if (feed_server_new(echo->loop, log, &settings, listeners, 2, &echo->server, problem, sizeof(problem)) != FEED_OK) {
        fprintf(stderr, "http_echo: %s\n", problem);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    struct echo echo = {.loop = feed_loop_new()};
    struct feed_health health = {0};
    struct feed_log *log = feed_log_new("http_echo", FEED_LOG_INFO, NULL, NULL, NULL);
    struct feed_metrics *metrics = feed_metrics_new(metric_table);
    struct feed_admin admin = {.health = &health, .metrics = metrics, .metric_refused = METRIC_ADMIN_REFUSED};
    echo.sessions.prev = echo.sessions.next = &echo.sessions;
    feed_health_set(&health, feed_health_add(&health, "echo"), setting(argc, argv, "ready", 1) != 0, "told not to be");
    feed_assert(echo.loop && log && metrics);
    feed_assert(feed_loop_on_terminate(echo.loop, on_terminate, &echo) == FEED_OK);
    set_up(&echo, argc, argv, log, &admin);
    printf("{\"event\":\"listening\",\"port\":%u,\"admin_port\":%u}\n", feed_server_port(echo.server, 0),
           feed_server_port(echo.server, 1));
    fflush(stdout);
    feed_loop_run(echo.loop);
    feed_server_free(echo.server);
    release(&echo); /* requests outlive the server until they are answered */
    feed_metrics_free(metrics);
    feed_log_free(log);
    feed_loop_free(echo.loop);
    return 0;
}
