/* Events from outside are turned into moves of feeds here, and what the feeds then want into calls of the port: windows
 * are asked for at the end of a turn, with a limit on how many are on their way, and failed ones after a pause. */
#include "gateway/hub.h"

#include "gateway/await.h"
#include "gateway/deliver.h"
#include "gateway/hub_parts.h"
#include "gateway/metrics.h"
#include "gateway/page.h"
#include "gateway/session.h"
#include "gateway/source.h"
#include "shared/base/assert.h"
#include "shared/codec/entry.h"
#include "shared/observe/log.h"

#include <string.h>

enum { SCRATCH_MAX = 16 * 1024 * 1024 /* far above 100 entries at their longest, each byte escaped */ };

int64_t gw_hub_now(const struct gw_hub *hub)
{
    return hub->port->mono_ms_fn(hub->port->arg);
}

uint64_t gw_hub_random(const struct gw_hub *hub, uint64_t below)
{
    uint64_t value = 0;
    hub->port->random_fn(hub->port->arg, &value, sizeof value);
    return below ? value % below : 0;
}

struct feed_frame *gw_hub_frame(struct gw_hub *hub)
{
    return hub->scratch.error == FEED_OK ? hub->port->frame_new_fn(feed_buf_view(&hub->scratch)) : NULL;
}

enum feed_error gw_hub_init(struct gw_hub *hub, const struct gw_port *port, const struct gw_hub_settings *settings,
                            struct feed_metrics *metrics, struct feed_log *log)
{
    memset(hub, 0, sizeof *hub);
    hub->port = port;
    hub->settings = *settings;
    hub->metrics = metrics;
    hub->log = log;
    hub->quota = (struct gw_quota){.tiers = settings->tiers, .address_connections = settings->address_connections};
    gw_link_init(&hub->checks);
    gw_turns_init(&hub->reads);
    gw_link_init(&hub->retries);
    gw_link_init(&hub->doubts);
    gw_link_init(&hub->deliveries);
    gw_link_init(&hub->sessions);
    gw_link_init(&hub->writes);
    gw_link_init(&hub->closings);
    gw_link_init(&hub->awaits);
    feed_buf_init(&hub->scratch, SCRATCH_MAX);
    feed_buf_init(&hub->texts, SCRATCH_MAX);
    feed_buf_init(&hub->entry, FEED_ENTRY_MAX);
    gw_progress_init(&hub->progress, settings->stale_after_ms, gw_hub_now(hub));
    uint64_t seed = 0;
    port->random_fn(port->arg, &seed, sizeof seed);
    return gw_feed_map_init(&hub->feeds, seed);
}

/* ---- feeds come and go ---- */

void gw_hub_subscribe(struct gw_hub *hub, struct gw_feed *feed)
{
    feed->subscribed = hub->port->subscribe_fn(hub->port->arg, gw_feed_key(feed)) == FEED_OK;
}

bool gw_hub_wants(const struct gw_feed *feed)
{
    return !gw_link_alone(&feed->views) || (feed->source && !gw_source_idle(feed->source));
}

void gw_hub_release(struct gw_hub *hub, struct gw_feed *feed)
{
    feed_assert(!gw_hub_wants(feed));
    gw_sources_drop(hub, feed);
    gw_source_free(feed->source);
    feed->source = NULL;
    if (feed->subscribed)
        hub->port->unsubscribe_fn(hub->port->arg, gw_feed_key(feed));
    gw_link_remove(&feed->by_check);
    gw_link_remove(&feed->by_read);
    gw_link_remove(&feed->by_doubt);
    gw_link_remove(&feed->by_delivery);
    gw_feed_map_remove(&hub->feeds, feed);
    gw_feed_free(feed);
}

void gw_hub_fini(struct gw_hub *hub)
{
    feed_assert(hub->session_count == 0);
    struct gw_link *link;
    for (link = hub->checks.next; link != &hub->checks; link = link->next)
        gw_sources_drop(hub, GW_OF(link, struct gw_feed, by_check)); /* after that nobody wants an outbox */
    while ((link = gw_list_first(&hub->checks))) {
        struct gw_feed *feed = GW_OF(link, struct gw_feed, by_check);
        feed_assert(feed->read != GW_READ_ASKED && !feed->checking);
        feed->subscribed = false; /* the subscriber is gone already */
        gw_hub_release(hub, feed);
    }
    gw_feed_map_fini(&hub->feeds);
    gw_quota_fini(&hub->quota);
    gw_progress_fini(&hub->progress);
    feed_buf_fini(&hub->scratch);
    feed_buf_fini(&hub->texts);
    feed_buf_fini(&hub->entry);
}

void gw_hub_file_read(struct gw_hub *hub, struct gw_feed *feed)
{
    if (feed->source)
        gw_source_look(hub, feed->source);
    if (feed->read != GW_READ_WANTED)
        gw_link_remove(&feed->by_read);
    else if (gw_link_alone(&feed->by_read))
        gw_turns_append(&hub->reads, feed->share, &feed->by_read);
}

void gw_hub_file_retry(struct gw_hub *hub, struct gw_feed *feed)
{
    gw_link_remove(&feed->by_read);
    if (feed->read != GW_READ_WANTED)
        return;
    feed->retry_due_ms = gw_hub_now(hub) + GW_READ_RETRY_MS;
    gw_list_append(&hub->retries, &feed->by_read);
}

void gw_hub_read_soon(struct gw_hub *hub, struct gw_feed *feed)
{
    if (feed->read != GW_READ_WANTED)
        return;
    gw_link_remove(&feed->by_read);
    gw_turns_append(&hub->reads, feed->share, &feed->by_read);
}

struct gw_feed *gw_hub_feed(struct gw_hub *hub, enum feed_timeline timeline, struct feed_str tenant,
                            struct feed_str user)
{
    struct feed_key key = feed_key_timeline(timeline, tenant, user);
    struct gw_feed *feed = gw_feed_map_find(&hub->feeds, feed_key_str(&key));
    if (feed)
        return feed;
    feed = gw_feed_new(timeline, feed_key_str(&key));
    if (!feed)
        return NULL;
    feed->hub = hub;
    gw_feed_map_add(&hub->feeds, feed);
    feed->check_due_ms = gw_hub_now(hub) + hub->settings.check_interval_ms;
    feed->empty_since_ms = gw_hub_now(hub);
    gw_list_append(&hub->checks, &feed->by_check);
    gw_hub_subscribe(hub, feed);
    return feed;
}

enum feed_error gw_hub_join(struct gw_hub *hub, struct gw_view *view, enum feed_timeline timeline,
                            struct feed_str tenant, struct feed_str user)
{
    struct gw_feed *feed = gw_hub_feed(hub, timeline, tenant, user);
    if (!feed)
        return FEED_E_MEMORY;
    view->feed = feed;
    view->state = GW_VIEW_JOINING;
    gw_link_init(&view->by_feed);
    gw_list_append(&feed->views, &view->by_feed);
    gw_feed_joined(feed);
    gw_hub_file_read(hub, feed);
    return FEED_OK;
}

void gw_hub_page(struct gw_hub *hub, struct gw_view *view, struct gw_page *page)
{
    feed_assert(!view->page);
    view->page = page;
    gw_page_follow(page, view);
    gw_hub_want_window(hub, view->feed);
}

void gw_hub_want_window(struct gw_hub *hub, struct gw_feed *feed)
{
    gw_feed_joined(feed);
    gw_hub_file_read(hub, feed);
}

void gw_hub_leave(struct gw_hub *hub, struct gw_view *view)
{
    gw_page_free(view->page);
    view->page = NULL;
    gw_awaits_drop(view);
    gw_link_remove(&view->by_feed);
    if (gw_link_alone(&view->feed->views))
        view->feed->empty_since_ms = gw_hub_now(hub);
}

/* ---- notices ---- */

static void deliver(struct gw_hub *hub, struct gw_feed *feed)
{
    gw_link_remove(&feed->by_delivery);
    bool changed = feed->ready > 0;
    gw_deliver_backlog(hub, feed);
    if (changed)
        gw_awaits_stir(feed);
}

/* Before something drops the backlog. */
static void deliver_waiting(struct gw_hub *hub, struct gw_feed *feed)
{
    if (!gw_link_alone(&feed->by_delivery))
        deliver(hub, feed);
}

void gw_hub_confirmed(struct gw_hub *hub, struct feed_str key)
{
    struct gw_feed *feed = gw_feed_map_find(&hub->feeds, key);
    if (!feed)
        return;
    deliver_waiting(hub, feed);
    gw_feed_confirmed(feed);
    gw_hub_file_read(hub, feed);
}

void gw_hub_unsubscribed(struct gw_hub *hub, struct feed_str key)
{
    struct gw_feed *feed = gw_feed_map_find(&hub->feeds, key);
    if (!feed)
        return;
    deliver_waiting(hub, feed);
    gw_feed_lost(feed);
    gw_hub_file_read(hub, feed);
}

void gw_hub_count_gap(struct gw_hub *hub, const struct gw_feed *feed, const char *how)
{
    feed_metrics_add(hub->metrics, GW_M_SEQ_GAPS, 0, 1);
    FEED_LOG(hub->log, FEED_LOG_DEBUG, "seq_gap", NULL, FEED_LOG_TEXT("tenant", feed_key_tenant(gw_feed_key(feed))),
             FEED_LOG_TEXT("key", gw_feed_key(feed)), FEED_LOG_TEXT("found_by", feed_str_of(how)));
}

/* A change that this version cannot follow: read what became of it. */
static void unknown_notice(struct gw_hub *hub, struct gw_feed *feed, bool damaged)
{
    if (damaged)
        feed_metrics_add(hub->metrics, GW_M_ENTRIES_UNREADABLE, 0, 1);
    gw_hub_count_gap(hub, feed, "unknown_notice");
    gw_feed_distrust(feed);
    gw_hub_file_read(hub, feed);
}

/* The entry of an outbox's notice as it stands in other timelines: without the users that it is addressed to. */
static bool cut_addressed(struct gw_hub *hub, struct feed_notice *notice)
{
    struct feed_entry entry;
    struct feed_str to[FEED_TO_MAX];
    size_t to_count;
    if (notice->kind != FEED_NOTICE_ADD)
        return true;
    if (feed_entry_decode_outbox(notice->entry, &entry, to, &to_count) != FEED_OK)
        return false;
    feed_buf_reset(&hub->entry);
    feed_entry_encode(&entry, &hub->entry);
    notice->entry = feed_buf_view(&hub->entry);
    return hub->entry.error == FEED_OK;
}

void gw_hub_notice(struct gw_hub *hub, struct feed_str key, struct feed_str payload)
{
    struct gw_feed *feed = gw_feed_map_find(&hub->feeds, key);
    if (!feed)
        return; /* it was released just now */
    struct feed_notice notice;
    enum feed_error error = feed_notice_decode(payload, &notice);
    if (feed->asleep && gw_hub_slept_through(hub, feed, error == FEED_OK))
        return;
    bool fits = error == FEED_OK && (feed->timeline == FEED_TIMELINE_OUTBOX ? cut_addressed(hub, &notice)
                                                                            : notice.entry.len <= FEED_ENTRY_MAX);
    if (!fits) {
        unknown_notice(hub, feed, error != FEED_E_UNSUPPORTED);
        return;
    }
    enum gw_notice_result result = gw_feed_notice(feed, &notice);
    if (result == GW_NOTICE_FULL) {
        feed_metrics_add(hub->metrics, GW_M_NOTICES, result, 1);
        deliver(hub, feed);
        gw_feed_forget(feed);
        result = gw_feed_notice(feed, &notice);
    }
    feed_metrics_add(hub->metrics, GW_M_NOTICES, result, 1);
    if (result == GW_NOTICE_NEXT && gw_link_alone(&feed->by_delivery))
        gw_list_append(&hub->deliveries, &feed->by_delivery);
    if (result == GW_NOTICE_GAP)
        gw_hub_count_gap(hub, feed, "seq");
    if (result == GW_NOTICE_FULL) /* out of memory */
        gw_feed_distrust(feed);
    gw_hub_file_read(hub, feed);
}

void gw_hub_progress(struct gw_hub *hub, struct feed_str payload)
{
    struct feed_progress said;
    if (feed_progress_decode(payload, &said) != FEED_OK ||
        gw_progress_heard(&hub->progress, &said, gw_hub_now(hub)) != FEED_OK)
        feed_metrics_add(hub->metrics, GW_M_PROGRESS_UNREADABLE, 0, 1);
    else
        gw_awaits_progress(hub);
}

/* ---- windows ---- */

static bool ask(struct gw_hub *hub, struct gw_feed *feed)
{
    feed_assert(gw_link_alone(&feed->by_delivery)); /* asking drops the backlog */
    struct gw_plan plan = gw_deliver_plan(feed);
    feed->asked_sources = feed->timeline == FEED_TIMELINE_HOME && plan.limit > 0;
    feed->asked_merged = plan.has_known && !feed_seen_none(&plan.known.seen);
    enum feed_error error = hub->port->read_fn(hub->port->arg, feed, plan.limit, plan.has_known ? &plan.known : NULL);
    if (error == FEED_OK) {
        gw_feed_asked(feed);
        gw_awaits_asked(feed);
        feed->asked_limit = plan.limit;
        hub->reads_in_flight++;
        feed_metrics_add(hub->metrics, GW_M_WINDOWS_READ, 0, 1);
        gw_link_remove(&feed->by_read);
        return true;
    }
    if (error == FEED_E_FULL)
        return false; /* stays first in its line */
    gw_hub_file_retry(hub, feed);
    return true;
}

static void ask_for_windows(struct gw_hub *hub)
{
    struct gw_link *link;
    while (hub->reads_in_flight < GW_READS_MAX && (link = gw_turns_next(&hub->reads))) {
        if (!ask(hub, GW_OF(link, struct gw_feed, by_read)))
            return;
    }
}

/* Whether the answer can be used: all outboxes that it is to be merged with are known, and those who are served by
 * notices have the same ones. If not, it is asked for again. */
static bool sources_known(struct gw_hub *hub, struct gw_feed *feed, const struct gw_window *window)
{
    if (gw_sources_prepare(hub, feed, window) == GW_SOURCES_WAITING) {
        feed_metrics_add(hub->metrics, GW_M_SOURCES_AWAITED, 0, 1);
        gw_feed_read_failed(feed);
        gw_hub_file_retry(hub, feed);
        return false;
    }
    /* The notice that says so is on its way, or lost. Or, where the window is ahead, an entry may be in it, its notice
     * on its way and that of the outbox too: which session has it already could not be told. So all get a window. */
    bool ahead = gw_position_reaches(&feed->position, &window->position) && window->position.seq > feed->position.seq;
    if (feed->state == GW_FEED_REFRESHING && (gw_sources_changed(feed) || (feed->sources && ahead)))
        gw_feed_distrust(feed);
    return true;
}

static void serve(struct gw_hub *hub, struct gw_feed *feed, const struct gw_window *window, bool truth)
{
    struct gw_item items[FEED_CAP];
    struct gw_window seen;
    gw_sources_accept(feed);
    gw_sources_merge(hub, feed, window, items, &seen);
    if (feed->source)
        gw_source_window(hub, feed->source, window, truth);
    bool all = gw_deliver_window(hub, feed, &seen, truth);
    deliver(hub, feed);
    if (!all)
        gw_feed_joined(feed);
    gw_awaits_window(feed, &seen);
    if (feed->state == GW_FEED_READING)
        gw_hub_count_gap(hub, feed, "seq");
}

void gw_hub_window(struct gw_hub *hub, struct gw_feed *feed, const struct gw_window *window)
{
    feed_assert(hub->reads_in_flight > 0);
    hub->reads_in_flight--;
    deliver_waiting(hub, feed);
    if (gw_hub_sleeps(hub, feed, &window->position)) {
        gw_hub_found_asleep(hub, feed);
        return;
    }
    feed->asleep = feed->woken = false;
    gw_hub_touch(hub, feed);
    if (feed->timeline == FEED_TIMELINE_HOME && !feed->stale && !sources_known(hub, feed, window))
        return;
    enum gw_answer answer = gw_feed_answered(feed, &window->position);
    if (answer == GW_ANSWER_TRUTH || answer == GW_ANSWER_JOIN)
        serve(hub, feed, window, answer == GW_ANSWER_TRUTH);
    gw_hub_file_read(hub, feed);
}

void gw_hub_window_failed(struct gw_hub *hub, struct gw_feed *feed)
{
    feed_assert(hub->reads_in_flight > 0);
    hub->reads_in_flight--;
    feed_metrics_add(hub->metrics, GW_M_READ_FAILURES, 0, 1);
    deliver_waiting(hub, feed);
    gw_feed_read_failed(feed);
    gw_hub_file_retry(hub, feed);
}

/* ---- time ---- */

static void retry_reads(struct gw_hub *hub, int64_t now_ms)
{
    struct gw_link *link;
    while ((link = gw_list_first(&hub->retries))) {
        struct gw_feed *feed = GW_OF(link, struct gw_feed, by_read);
        if (feed->retry_due_ms > now_ms)
            return;
        gw_link_remove(link);
        gw_hub_file_read(hub, feed);
    }
}

static void look_at_sessions(struct gw_hub *hub)
{
    size_t most = (hub->session_count + GW_ROUND_TICKS - 1) / GW_ROUND_TICKS;
    while (most-- > 0) {
        struct gw_link *link = gw_list_first(&hub->sessions);
        gw_link_remove(link);
        gw_list_append(&hub->sessions, link);
        gw_session_look(GW_OF(link, struct gw_session, by_hub));
    }
}

void gw_hub_tick(struct gw_hub *hub)
{
    int64_t now_ms = gw_hub_now(hub);
    retry_reads(hub, now_ms);
    gw_hub_settle_doubts(hub, now_ms);
    gw_hub_run_checks(hub, now_ms);
    gw_progress_look(&hub->progress, now_ms);
    look_at_sessions(hub);
}

/* A socket may take its frames, and even break, before want_write returns, so nothing of the session is used after. */
static void write_all(struct gw_hub *hub)
{
    struct gw_link *link;
    while ((link = gw_list_first(&hub->writes))) {
        gw_link_remove(link);
        hub->port->want_write_fn(GW_OF(link, struct gw_session, by_write)->ws);
    }
}

static void close_all(struct gw_hub *hub)
{
    struct gw_link waiting;
    gw_link_init(&waiting);
    struct gw_link *link;
    while ((link = gw_list_first(&hub->closings))) {
        struct gw_session *session = GW_OF(link, struct gw_session, by_closing);
        if (gw_session_try_close(session))
            continue;
        gw_link_remove(link);
        gw_list_append(&waiting, link);
    }
    while ((link = gw_list_first(&waiting))) {
        gw_link_remove(link);
        gw_list_append(&hub->closings, link);
    }
}

void gw_hub_turn(struct gw_hub *hub)
{
    struct gw_link *link;
    while ((link = gw_list_first(&hub->deliveries)))
        deliver(hub, GW_OF(link, struct gw_feed, by_delivery));
    ask_for_windows(hub);
    write_all(hub);
    close_all(hub);
}

void gw_hub_drain(struct gw_hub *hub)
{
    hub->draining = true;
    for (struct gw_link *l = hub->sessions.next; l != &hub->sessions; l = l->next)
        gw_session_bye(GW_OF(l, struct gw_session, by_hub));
}

void gw_hub_measure(struct gw_hub *hub)
{
    size_t states[GW_FEED_STATES] = {0}, queue_bytes = 0, sessions[FEED_METRIC_TENANTS_MAX + 1] = {0};
    for (struct gw_link *l = hub->checks.next; l != &hub->checks; l = l->next)
        states[GW_OF(l, struct gw_feed, by_check)->state]++;
    for (struct gw_link *l = hub->sessions.next; l != &hub->sessions; l = l->next) {
        const struct gw_session *session = GW_OF(l, struct gw_session, by_hub);
        queue_bytes += session->outbox.bytes;
        sessions[session->tenant_label] += session->state == GW_SESSION_OPENING || session->state == GW_SESSION_LIVE;
    }
    for (unsigned i = 0; i < GW_FEED_STATES; i++)
        feed_metrics_set(hub->metrics, GW_M_FEEDS, i, (double)states[i]);
    feed_metrics_set(hub->metrics, GW_M_PROGRESS_LAG, 0,
                     (double)gw_progress_lag_ms(&hub->progress, gw_hub_now(hub)) / 1000);
    feed_metrics_set(hub->metrics, GW_M_SOURCES, 0, (double)hub->source_count);
    feed_metrics_set(hub->metrics, GW_M_CONNECTIONS, 0, (double)hub->session_count);
    for (unsigned label = 0; label <= FEED_METRIC_TENANTS_MAX; label++)
        feed_metrics_set(hub->metrics, GW_M_SESSIONS, label, (double)sessions[label]);
    feed_metrics_set(hub->metrics, GW_M_QUEUE_BYTES, 0, (double)queue_bytes);
}
