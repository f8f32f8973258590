/* Task: the admin port: liveness, readiness, metrics. Difficulty: none. */
#include "shared/http/admin.h"

#include "shared/http/admin_access.h"
#include "shared/http/response_text.h"
#include "shared/observe/health.h"
#include "shared/observe/metrics.h"

enum { ADMIN_PAGE_MAX = 16 * 1024 * 1024, ADMIN_CONNECTIONS_MAX = 64 };

static void answer(struct feed_request *request, unsigned status, const char *content_type, struct feed_buf *page)
{
    struct feed_http_response response = {.status = status, .content_type = content_type, .body = feed_buf_view(page)};
    if (page->error)
        feed_request_problem(request, 500, "The page could not be made.", 0);
    else
        feed_request_respond(request, &response);
}

static void render(struct feed_admin *admin, struct feed_request *request, struct feed_str path, struct feed_buf *page)
{
    if (feed_str_eq(path, FEED_STR("/livez"))) {
        feed_buf_text(page, "ok\n");
        answer(request, 200, "text/plain; charset=utf-8", page);
    } else if (feed_str_eq(path, FEED_STR("/readyz"))) {
        feed_health_render(admin->health, page);
        answer(request, feed_health_ready(admin->health) ? 200 : 503, "application/json", page);
    } else if (feed_str_eq(path, FEED_STR("/metrics"))) {
        if (admin->refresh_fn)
            admin->refresh_fn(admin->arg);
        feed_metrics_render(admin->metrics, page);
        answer(request, 200, "text/plain; version=0.0.4; charset=utf-8", page);
    } else {
        feed_request_problem(request, 404, "The admin port has /livez, /readyz and /metrics.", 0);
    }
}

static void refuse(struct feed_admin *admin, struct feed_request *request)
{
    struct feed_buf body;
    feed_metrics_add(admin->metrics, admin->metric_refused, 0, 1);
    feed_buf_init(&body, ADMIN_PAGE_MAX);
    feed_http_problem_write(&body, 401, "The token of the admin port is required: Authorization: Bearer TOKEN.");
    struct feed_http_response response = {.status = 401,
                                          .content_type = "application/problem+json",
                                          .body = feed_buf_view(&body),
                                          .headers = {{"www-authenticate", FEED_STR("Bearer")}},
                                          .header_count = 1};
    feed_request_respond(request, &response);
    feed_buf_fini(&body);
}

static void on_request(void *arg, struct feed_request *request, const struct feed_http_request *http)
{
    struct feed_admin *admin = arg;
    struct feed_buf page;
    if (!feed_admin_allowed(admin->token, http->path, http->headers[FEED_HTTP_AUTHORIZATION])) {
        refuse(admin, request);
        return;
    }
    if (http->method != FEED_HTTP_GET && http->method != FEED_HTTP_HEAD) {
        feed_request_problem(request, 405, "The admin port answers GET and HEAD only.", 0);
        return;
    }
    feed_buf_init(&page, ADMIN_PAGE_MAX);
    render(admin, request, http->path, &page);
    feed_buf_fini(&page);
}

struct feed_listener feed_admin_listener(struct feed_admin *admin, const char *address, unsigned port)
{
    return (struct feed_listener){.address = address,
                                  .port = port,
                                  .own_connections_max = ADMIN_CONNECTIONS_MAX,
                                  .http_fn = on_request,
                                  .arg = admin};
}
