/* From a feed to its sessions. Usually all sessions of a feed get the same bytes, so a frame is kept for the next view
 * and made anew only when that one needs something else. Nothing is taken out of a list here: a session that must be
 * closed is only marked, because the lists are being walked. */
#include "gateway/deliver.h"

#include "gateway/await.h"
#include "gateway/encode.h"
#include "gateway/metrics.h"
#include "gateway/page.h"
#include "gateway/session.h"
#include "gateway/source.h"
#include "shared/base/assert.h"
#include "shared/codec/entry.h"

#include <string.h>

static unsigned larger(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

static unsigned slice_need(const struct gw_view *view)
{
    return view->limit < FEED_CAP ? view->limit + 1u : FEED_CAP;
}

/* One more than shown tells whether there are more; beyond the cap there is nothing. Where outboxes are merged in,
 * their marks may hide any number of entries. */
static unsigned slice_limit(const struct gw_feed *feed, const struct gw_view *view)
{
    return feed->sources ? FEED_CAP : slice_need(view);
}

static bool waits(const struct gw_feed *feed, const struct gw_view *view)
{
    if (gw_session_ending(view->session) || view->state == GW_VIEW_BEHIND)
        return false;
    return view->state != GW_VIEW_LIVE || view->page || gw_awaits_wanted(view) || feed->state == GW_FEED_READING;
}

/* Whether "unchanged" can be believed of a position that was merged: only if it is the one that this feed is at, with
 * the outboxes as they are here. */
static bool can_compare(const struct gw_feed *feed, const struct feed_position *known)
{
    if (!feed->sources)
        return feed_seen_none(&known->seen);
    struct feed_position here = feed->position;
    here.seen = feed->sources->seen;
    return feed_position_eq(&here, known);
}

struct gw_plan gw_deliver_plan(const struct gw_feed *feed)
{
    if (feed->source)
        return (struct gw_plan){.limit = FEED_CAP};
    struct gw_plan plan = {.has_known = true, .known = feed->position};
    if (feed->sources)
        plan.known.seen = feed->sources->seen;
    bool first = true;
    for (struct gw_link *l = feed->views.next; l != &feed->views; l = l->next) {
        const struct gw_view *view = GW_OF(l, struct gw_view, by_feed);
        if (!waits(feed, view))
            continue;
        if (view->state == GW_VIEW_JOINING && view->claim != GW_CLAIM_POSITION) {
            plan.limit = larger(plan.limit, slice_limit(feed, view));
            plan.has_known = false;
            if (view->page || gw_awaits_wanted(view))
                plan.limit = FEED_CAP;
            continue;
        }
        plan.limit = FEED_CAP;
        if (view->page || view->dropped || gw_awaits_wanted(view))
            plan.has_known = false;
        if (!first && !feed_position_eq(&plan.known, &view->position))
            plan.has_known = false;
        plan.known = view->position;
        first = false;
    }
    plan.has_known = plan.has_known && can_compare(feed, &plan.known);
    return plan;
}

static bool enough(const struct gw_feed *feed, const struct gw_window *window, const struct gw_view *view,
                   enum gw_outcome outcome)
{
    if (outcome == GW_OUTCOME_CURRENT)
        return true;
    if (window->unchanged)
        return false;
    unsigned need = outcome == GW_OUTCOME_WINDOW ? FEED_CAP : slice_need(view);
    return feed->asked_limit == FEED_CAP || feed->asked_limit >= need + window->hidden ||
           (feed->asked_limit > 0 && window->raw_count < feed->asked_limit);
}

static struct gw_slice slice_of(const struct gw_feed *feed, const struct gw_window *window, const struct gw_view *view,
                                enum gw_outcome outcome)
{
    size_t most = outcome == GW_OUTCOME_CURRENT ? 0 : outcome == GW_OUTCOME_WINDOW ? FEED_CAP : view->limit;
    size_t count = window->count < most ? window->count : most;
    return (struct gw_slice){.timeline = feed->timeline,
                             .outcome = outcome,
                             .items = window->items,
                             .count = count,
                             .position = window->position,
                             .more = count > 0 && (count < window->count || window->longer)};
}

bool gw_view_below_floor(const struct gw_view *view, const struct gw_item *item)
{
    struct feed_id id = gw_item_id(item);
    return view->floored && feed_entry_order(item->published_ms, &id, view->floor_ms, &view->floor_id) < 0;
}

static void set_live(struct gw_view *view, const struct gw_slice *slice)
{
    bool joined = view->state == GW_VIEW_JOINING;
    view->state = GW_VIEW_LIVE;
    view->dropped = false;
    view->position = slice->position;
    view->floored = slice->more;
    if (slice->more) {
        view->floor_ms = slice->items[slice->count - 1].published_ms;
        view->floor_id = gw_item_id(&slice->items[slice->count - 1]);
    }
    if (view->page)
        gw_page_follow(view->page, view);
    if (joined)
        gw_session_joined(view->session);
}

/* The last frame that was made, and for which slice. */
struct slice_frame {
    struct feed_frame *frame;
    enum gw_outcome outcome;
    size_t count;
};

static void send_slice(struct gw_hub *hub, struct gw_view *view, const struct gw_slice *slice, struct slice_frame *last)
{
    if (!last->frame || last->outcome != slice->outcome || last->count != slice->count) {
        hub->port->frame_unref_fn(last->frame);
        feed_buf_reset(&hub->scratch);
        size_t unreadable = gw_encode_slice(&hub->scratch, slice);
        feed_metrics_add(hub->metrics, GW_M_ENTRIES_UNREADABLE, 0, unreadable);
        *last = (struct slice_frame){gw_hub_frame(hub), slice->outcome, slice->count};
    }
    feed_metrics_add(hub->metrics, GW_M_SLICES, slice->outcome, 1);
    enum gw_outbox_rule rule = view->state == GW_VIEW_JOINING ? GW_OUTBOX_FIRST : GW_OUTBOX_CHANGE;
    set_live(view, slice);
    gw_session_send(view->session, last->frame, rule);
}

bool gw_window_whole(const struct gw_feed *feed, const struct gw_window *window)
{
    return !window->unchanged &&
           (feed->asked_limit == FEED_CAP || (feed->asked_limit > 0 && window->raw_count < feed->asked_limit));
}

/* The window is whole, and what it has that the client does not comes with it or after it. */
static bool enough_for_page(const struct gw_feed *feed, const struct gw_window *window, const struct gw_view *view)
{
    return gw_window_whole(feed, window) && gw_position_reaches(&view->position, &window->position);
}

/* From now on pushes reach down to the page's end. It begins at the floor or above it. */
static void lower_floor(struct gw_view *view, const struct gw_item *last, bool more)
{
    if (!view->floored)
        return;
    view->floored = more;
    if (!last)
        return;
    struct feed_id id = gw_item_id(last);
    if (feed_entry_order(last->published_ms, &id, view->floor_ms, &view->floor_id) < 0) {
        view->floor_ms = last->published_ms;
        view->floor_id = id;
    }
}

static void send_page(struct gw_hub *hub, struct gw_view *view, const struct gw_window *window)
{
    const struct gw_page *asked = view->page;
    struct gw_page_cut cut = gw_page_cut(&asked->ask, window->items, window->count);
    const struct gw_page_answer answer = {.id = feed_buf_view(&asked->id),
                                          .timeline = asked->ask.timeline,
                                          .items = window->items + cut.first,
                                          .count = cut.count,
                                          .rest = cut.rest,
                                          .more = cut.rest || window->longer};
    lower_floor(view, cut.count ? &answer.items[cut.count - 1] : NULL, answer.more);
    feed_buf_reset(&hub->scratch);
    size_t unreadable = gw_encode_page(&hub->scratch, &answer);
    feed_metrics_add(hub->metrics, GW_M_ENTRIES_UNREADABLE, 0, unreadable);
    feed_metrics_add(hub->metrics, GW_M_PAGES, 0, 1);
    gw_page_free(view->page);
    view->page = NULL;
    struct feed_frame *frame = gw_hub_frame(hub);
    gw_session_send(view->session, frame, GW_OUTBOX_ANSWER);
    hub->port->frame_unref_fn(frame);
}

/* The view is LIVE. Where the window is ahead of it, the notices between are on their way: they would bring entries of
 * the page once more, or leave some out as too old, so the client gets the window first. */
static bool deliver_page(struct gw_hub *hub, struct gw_feed *feed, const struct gw_window *window, struct gw_view *view,
                         struct slice_frame *last)
{
    if (!enough_for_page(feed, window, view))
        return false;
    if (!feed_position_eq(&view->position, &window->position)) {
        struct gw_slice slice = slice_of(feed, window, view, GW_OUTCOME_WINDOW);
        send_slice(hub, view, &slice, last);
    }
    if (view->state == GW_VIEW_LIVE) /* else the slice was dropped, and the page waits for the next one */
        send_page(hub, view, window);
    return true;
}

/* False: this window cannot give the view what it needs. */
static bool serve(struct gw_hub *hub, struct gw_feed *feed, const struct gw_window *window, struct gw_view *view,
                  bool truth, struct slice_frame *last)
{
    enum gw_outcome outcome = GW_OUTCOME_WINDOW;
    if (view->state == GW_VIEW_LIVE && !truth)
        return true;
    if (view->state == GW_VIEW_JOINING) {
        outcome = gw_resume((enum gw_claim)view->claim, &view->position, &window->position);
    } else if (!view->dropped && feed_position_eq(&view->position, &window->position)) {
        view->state = GW_VIEW_LIVE;
        return true;
    }
    if (!enough(feed, window, view, outcome)) {
        if (view->state == GW_VIEW_LIVE)
            view->state = GW_VIEW_STALE;
        return false;
    }
    struct gw_slice slice = slice_of(feed, window, view, outcome);
    send_slice(hub, view, &slice, last);
    return true;
}

bool gw_deliver_window(struct gw_hub *hub, struct gw_feed *feed, const struct gw_window *window, bool truth)
{
    struct slice_frame last = {0};
    bool all = true;
    for (struct gw_link *l = feed->views.next; l != &feed->views; l = l->next) {
        struct gw_view *view = GW_OF(l, struct gw_view, by_feed);
        if (gw_session_ending(view->session) || view->state == GW_VIEW_BEHIND)
            continue;
        bool served = serve(hub, feed, window, view, truth, &last);
        if (served && view->page && view->state == GW_VIEW_LIVE)
            served = deliver_page(hub, feed, window, view, &last);
        all = all && served;
    }
    hub->port->frame_unref_fn(last.frame);
    return all;
}

/* The notices of one delivery as items. Most sessions get all of them in the same messages; those are kept, one for
 * each run of changes of the same kind, at the run's first item. */
struct batch {
    struct gw_item items[GW_BACKLOG_NOTICES_MAX];
    enum gw_change changes[GW_BACKLOG_NOTICES_MAX];
    struct feed_frame *frames[GW_BACKLOG_NOTICES_MAX];
    uint32_t count;
    bool hidden[GW_BACKLOG_NOTICES_MAX]; /* added, and all sessions have it from an outbox */
    struct feed_position first, last;    /* after the first, after the last; `seen` of whom the frames are for */
};

static struct feed_position position_after(const struct batch *batch, uint32_t item)
{
    struct feed_position position = batch->last;
    position.seq = batch->first.seq + item;
    return position;
}

static uint32_t run_end(const struct batch *batch, uint32_t from)
{
    uint32_t end = from + 1;
    while (end < batch->count && batch->changes[end] == batch->changes[from])
        end++;
    return end;
}

/* A message about these items, which are some or all of the run that ends before `end`. */
static struct feed_frame *run_frame(struct gw_hub *hub, const struct gw_feed *feed, const struct batch *batch,
                                    uint32_t end, const struct gw_item *items, size_t count)
{
    enum gw_change change = batch->changes[end - 1];
    struct feed_position position = position_after(batch, end - 1);
    feed_buf_reset(&hub->scratch);
    if (change == GW_CHANGE_ADDED) {
        size_t unreadable = gw_encode_push(&hub->scratch, feed->timeline, items, count, &position);
        feed_metrics_add(hub->metrics, GW_M_ENTRIES_UNREADABLE, 0, unreadable);
    } else {
        gw_encode_remove(&hub->scratch, feed->timeline, items, count, change == GW_CHANGE_REMOVED_FOR_GOOD, &position);
    }
    return gw_hub_frame(hub);
}

/* Entries below the floor are left out: the client has nothing there, and would show them as its oldest. */
static void push_some(struct gw_hub *hub, struct gw_view *view, const struct batch *batch, uint32_t from, uint32_t end)
{
    struct gw_item items[GW_BACKLOG_NOTICES_MAX];
    size_t count = 0;
    for (uint32_t i = from; i < end; i++) {
        if (!batch->hidden[i] && !gw_view_below_floor(view, &batch->items[i]))
            items[count++] = batch->items[i];
    }
    struct feed_frame *frame = run_frame(hub, view->feed, batch, end, items, count);
    gw_session_send(view->session, frame, GW_OUTBOX_CHANGE);
    hub->port->frame_unref_fn(frame);
}

static bool any_left_out(const struct gw_view *view, const struct batch *batch, uint32_t from, uint32_t end)
{
    for (uint32_t i = from; i < end; i++) {
        if (batch->hidden[i] || (batch->changes[i] == GW_CHANGE_ADDED && gw_view_below_floor(view, &batch->items[i])))
            return true;
    }
    return false;
}

static void push_run(struct gw_hub *hub, struct gw_view *view, struct batch *batch, uint32_t from, uint32_t end)
{
    if (any_left_out(view, batch, from, end)) {
        push_some(hub, view, batch, from, end);
        return;
    }
    if (!batch->frames[from])
        batch->frames[from] = run_frame(hub, view->feed, batch, end, batch->items + from, end - from);
    gw_session_send(view->session, batch->frames[from], GW_OUTBOX_CHANGE);
}

static void drop_frames(struct gw_hub *hub, struct batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        hub->port->frame_unref_fn(batch->frames[i]);
        batch->frames[i] = NULL;
    }
}

static void push(struct gw_hub *hub, struct gw_view *view, struct batch *batch)
{
    uint64_t next = view->position.seq + 1;
    feed_assert(next >= batch->first.seq); /* it is LIVE, so nothing before the backlog is missing */
    if (next - batch->first.seq >= batch->count)
        return; /* it has them from a window */
    if (!feed_seen_eq(&batch->last.seen, &view->position.seen)) {
        drop_frames(hub, batch);
        batch->last.seen = view->position.seen;
    }
    view->position = batch->last;
    uint32_t end;
    for (uint32_t from = (uint32_t)(next - batch->first.seq); from < batch->count; from = end) {
        end = run_end(batch, from);
        push_run(hub, view, batch, from, end);
    }
}

static void fill(struct gw_hub *hub, struct batch *batch, struct gw_feed *feed)
{
    batch->count = feed->ready;
    batch->last = batch->first = feed->position;
    batch->first.seq = gw_backlog_at(feed->backlog, 0).seq;
    for (uint32_t i = 0; i < feed->ready; i++) {
        struct feed_notice notice = gw_backlog_at(feed->backlog, i);
        batch->items[i] = (struct gw_item){notice.published_ms, notice.entry};
        batch->changes[i] = gw_change_of(&notice);
        batch->frames[i] = NULL;
        batch->hidden[i] =
            feed->sources && batch->changes[i] == GW_CHANGE_ADDED && gw_sources_have(hub, feed, &batch->items[i]);
    }
}

void gw_deliver_backlog(struct gw_hub *hub, struct gw_feed *feed)
{
    if (feed->source && feed->ready > 0)
        gw_source_backlog(hub, feed->source);
    if (feed->ready > 0 && !gw_link_alone(&feed->views)) {
        struct batch batch;
        fill(hub, &batch, feed);
        for (struct gw_link *l = feed->views.next; l != &feed->views; l = l->next) {
            struct gw_view *view = GW_OF(l, struct gw_view, by_feed);
            if (view->state == GW_VIEW_LIVE && !gw_session_ending(view->session))
                push(hub, view, &batch);
        }
        drop_frames(hub, &batch);
    }
    gw_feed_delivered(feed);
}
