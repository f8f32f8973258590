/* A window may be older than the moment in which it arrives, so each wait notes which of the windows that it wants was
 * asked for, and what was finished then. The client hears `visible` only when it has been sent what it waited for. */
#include "gateway/await.h"

#include "gateway/deliver.h"
#include "gateway/encode.h"
#include "gateway/hub_parts.h"
#include "gateway/metrics.h"

#include <stdlib.h>
#include <string.h>

const char *const gw_await_names[GW_AWAIT_ENDS + 1] = {"visible", "passed", "timeout", NULL};

/* A session that is behind gets a window when its socket has taken what waits; until then none would be for it. */
static void want(struct gw_await *await)
{
    struct gw_feed *feed = await->view->feed;
    await->wanted++;
    if (await->view->state != GW_VIEW_BEHIND)
        gw_hub_want_window(feed->hub, feed);
}

static bool all_finished(const struct gw_await *await)
{
    const struct gw_progress *progress = &await->view->feed->hub->progress;
    for (size_t i = 0; i < await->ask.count; i++) {
        if (!gw_progress_finished(progress, await->ask.places[i].partition, await->ask.places[i].offset))
            return false;
    }
    return true;
}

enum feed_error gw_await_open(struct gw_view *view, const struct gw_message *message)
{
    struct gw_hub *hub = view->feed->hub;
    unsigned count = 0;
    for (struct gw_link *l = view->awaits.next; l != &view->awaits; l = l->next)
        count++;
    if (count >= GW_AWAITS_MAX)
        return FEED_E_FULL;
    struct gw_await *await = calloc(1, sizeof *await);
    if (!await)
        return FEED_E_MEMORY;
    feed_buf_init(&await->id, GW_MESSAGE_ID_JSON_MAX);
    feed_buf_str(&await->id, feed_buf_view(&message->id));
    if (await->id.error != FEED_OK) {
        feed_buf_fini(&await->id);
        free(await);
        return FEED_E_MEMORY;
    }
    await->view = view;
    await->ask = message->await;
    await->deadline_ms = gw_hub_now(hub) + await->ask.timeout_ms;
    gw_link_init(&await->by_view);
    gw_link_init(&await->by_hub);
    gw_list_append(&view->awaits, &await->by_view);
    gw_list_append(&hub->awaits, &await->by_hub);
    await->finished = all_finished(await);
    want(await);
    return FEED_OK;
}

static void drop(struct gw_await *await)
{
    gw_link_remove(&await->by_view);
    gw_link_remove(&await->by_hub);
    feed_buf_fini(&await->id);
    free(await);
}

void gw_awaits_drop(struct gw_view *view)
{
    for (struct gw_link *l = view->awaits.next, *next = l->next; l != &view->awaits; l = next, next = l->next)
        drop(GW_OF(l, struct gw_await, by_view));
}

static void end(struct gw_await *await, enum gw_await_end how)
{
    struct gw_session *session = await->view->session;
    struct gw_hub *hub = session->hub;
    feed_buf_reset(&hub->scratch);
    gw_encode_awaited(&hub->scratch, gw_await_names[how], feed_buf_view(&await->id), await->view->feed->timeline);
    feed_metrics_add(hub->metrics, GW_M_AWAITS, how, 1);
    drop(await);
    gw_session_send_scratch(session);
}

bool gw_awaits_wanted(const struct gw_view *view)
{
    if (view->state == GW_VIEW_BEHIND)
        return false;
    for (const struct gw_link *l = view->awaits.next; l != &view->awaits; l = l->next) {
        const struct gw_await *await = GW_OF(l, struct gw_await, by_view);
        if (await->wanted != await->done)
            return true;
    }
    return false;
}

void gw_awaits_asked(struct gw_feed *feed)
{
    for (struct gw_link *v = feed->views.next; v != &feed->views; v = v->next) {
        struct gw_view *view = GW_OF(v, struct gw_view, by_feed);
        for (struct gw_link *l = view->awaits.next; l != &view->awaits; l = l->next) {
            struct gw_await *await = GW_OF(l, struct gw_await, by_view);
            await->asked = await->wanted;
            await->asking = true;
            await->finished_when_asked = await->finished;
        }
    }
}

static bool has(const struct gw_window *window, const struct feed_id *id)
{
    for (size_t i = 0; i < window->count; i++) {
        struct feed_id here = gw_item_id(&window->items[i]);
        if (feed_id_cmp(&here, id) == 0)
            return true;
    }
    return false;
}

static bool has_all(const struct gw_window *window, const struct gw_await *await)
{
    for (size_t i = 0; i < await->ask.count; i++) {
        if (!has(window, &await->ask.places[i].id))
            return false;
    }
    return true;
}

static void look_into(struct gw_await *await, const struct gw_window *window)
{
    const struct gw_view *view = await->view;
    bool all = has_all(window, await);
    /* Else the notice is on its way, and stirs. */
    bool sent = view->state == GW_VIEW_LIVE && gw_position_reaches(&window->position, &view->position);
    await->done = await->asked;
    if (all && sent)
        end(await, GW_AWAIT_VISIBLE);
    else if (!all && await->finished_when_asked)
        end(await, GW_AWAIT_PASSED);
}

void gw_awaits_window(struct gw_feed *feed, const struct gw_window *window)
{
    bool whole = gw_window_whole(feed, window), more = false;
    for (struct gw_link *v = feed->views.next; v != &feed->views; v = v->next) {
        struct gw_view *view = GW_OF(v, struct gw_view, by_feed);
        for (struct gw_link *l = view->awaits.next, *next = l->next; l != &view->awaits; l = next, next = l->next) {
            struct gw_await *await = GW_OF(l, struct gw_await, by_view);
            bool asking = await->asking;
            await->asking = false;
            if (asking && whole)
                look_into(await, window);
        }
        more = more || gw_awaits_wanted(view);
    }
    if (more)
        gw_feed_joined(feed);
}

void gw_awaits_stir(struct gw_feed *feed)
{
    for (struct gw_link *v = feed->views.next; v != &feed->views; v = v->next) {
        struct gw_view *view = GW_OF(v, struct gw_view, by_feed);
        for (struct gw_link *l = view->awaits.next; l != &view->awaits; l = l->next)
            want(GW_OF(l, struct gw_await, by_view));
    }
}

void gw_awaits_progress(struct gw_hub *hub)
{
    for (struct gw_link *l = hub->awaits.next; l != &hub->awaits; l = l->next) {
        struct gw_await *await = GW_OF(l, struct gw_await, by_hub);
        if (await->finished || !all_finished(await))
            continue;
        await->finished = true;
        want(await);
    }
}

void gw_awaits_look(struct gw_session *session)
{
    int64_t now_ms = gw_hub_now(session->hub);
    for (uint8_t i = 0; i < session->view_count; i++) {
        struct gw_view *view = &session->views[i];
        for (struct gw_link *l = view->awaits.next, *next = l->next; l != &view->awaits; l = next, next = l->next) {
            struct gw_await *await = GW_OF(l, struct gw_await, by_view);
            if (now_ms >= await->deadline_ms)
                end(await, GW_AWAIT_TIMEOUT);
        }
    }
}
