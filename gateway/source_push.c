/* This runs once for each connected follower of somebody who has very many, so everything that is the same for all is
 * done before: the entries' texts, and where they stand in the outbox. */
#include "gateway/source_push.h"

#include "gateway/await.h"
#include "gateway/deliver.h"
#include "gateway/hub_parts.h"
#include "gateway/session.h"
#include "gateway/source.h"
#include "shared/codec/entry.h"

#include <string.h>

struct push {
    struct gw_hub *hub;
    struct gw_source *source;
    const struct gw_source_run *run;
    struct feed_str texts[GW_SOURCE_RUN_MAX]; /* of added entries, as JSON; empty: not readable, or gone again */
    size_t ranks[GW_SOURCE_RUN_MAX];          /* of added entries in the outbox */
};

static void encode_texts(struct push *push)
{
    struct gw_hub *hub = push->hub;
    size_t ends[GW_SOURCE_RUN_MAX];
    feed_buf_reset(&hub->texts);
    for (size_t i = 0; i < push->run->count; i++) {
        const struct feed_member *member = &push->run->members[i];
        bool found;
        push->ranks[i] = feed_member_find(push->source->members, push->source->count, member->published_ms,
                                          (const uint8_t *)member->bytes.data, &found);
        if (found && !feed_mark_is(push->source->members[push->ranks[i]].bytes))
            gw_encode_entry(&hub->texts,
                            &(struct gw_item){member->published_ms, push->source->members[push->ranks[i]].bytes});
        ends[i] = hub->texts.len;
    }
    for (size_t i = 0; i < push->run->count; i++) {
        size_t begin = i ? ends[i - 1] : 0;
        push->texts[i] = (struct feed_str){hub->texts.data + begin, ends[i] - begin};
    }
}

/* Which of the added entries this follower sees. */
static void choose(const struct push *push, const struct gw_edge *edge, bool chosen[GW_SOURCE_RUN_MAX])
{
    struct feed_merge_source view = gw_edge_view(edge);
    struct feed_merge_rules rules = gw_sources_rules(edge->sources);
    for (size_t i = 0; i < push->run->count; i++) {
        chosen[i] = push->texts[i].len > 0 && feed_merge_shows(&view, &rules, push->ranks[i]);
    }
}

/* What came early is not told again. What is removed may be added again, and is told then. */
static void leave_out_early(const struct push *push, struct gw_sources *set, bool chosen[GW_SOURCE_RUN_MAX])
{
    for (size_t i = 0; i < push->run->count && set->early_count; i++) {
        if (gw_sources_take_early(set, &push->run->members[i]))
            chosen[i] = false;
    }
}

static struct feed_frame *make_frame(const struct push *push, const struct gw_view *view,
                                     const bool chosen[GW_SOURCE_RUN_MAX])
{
    struct gw_hub *hub = push->hub;
    const struct gw_source_run *run = push->run;
    feed_buf_reset(&hub->scratch);
    if (run->change != GW_CHANGE_ADDED) {
        struct gw_item items[GW_SOURCE_RUN_MAX];
        for (size_t i = 0; i < run->count; i++)
            items[i] = (struct gw_item){run->members[i].published_ms, run->members[i].bytes};
        gw_encode_remove(&hub->scratch, FEED_TIMELINE_HOME, items, run->count,
                         run->change == GW_CHANGE_REMOVED_FOR_GOOD, &view->position);
        return gw_hub_frame(hub);
    }
    struct feed_str texts[GW_SOURCE_RUN_MAX];
    size_t count = 0;
    for (size_t i = 0; i < run->count; i++) {
        const struct gw_item item = {run->members[i].published_ms, run->members[i].bytes};
        if (chosen[i] && !gw_view_below_floor(view, &item))
            texts[count++] = push->texts[i];
    }
    gw_encode_push_texts(&hub->scratch, FEED_TIMELINE_HOME, texts, count, &view->position);
    return gw_hub_frame(hub);
}

/* The user's devices mostly get the same. */
static void push_to_feed(const struct push *push, const struct gw_edge *edge)
{
    struct gw_sources *set = edge->sources;
    if (gw_link_alone(&set->feed->views) && set->early_count == 0)
        return;
    bool chosen[GW_SOURCE_RUN_MAX];
    if (push->run->change == GW_CHANGE_ADDED)
        choose(push, edge, chosen);
    leave_out_early(push, set, chosen);
    struct feed_frame *frame = NULL;
    const struct gw_view *last = NULL;
    for (struct gw_link *l = set->feed->views.next; l != &set->feed->views; l = l->next) {
        struct gw_view *view = GW_OF(l, struct gw_view, by_feed);
        if (view->state != GW_VIEW_LIVE || gw_session_ending(view->session))
            continue;
        view->position.seen = set->seen;
        if (!last || view->floored || last->floored || !feed_position_eq(&last->position, &view->position)) {
            push->hub->port->frame_unref_fn(frame);
            frame = make_frame(push, view, chosen);
        }
        last = view;
        gw_session_send(view->session, frame, GW_OUTBOX_CHANGE);
    }
    push->hub->port->frame_unref_fn(frame);
    gw_awaits_stir(set->feed);
}

void gw_source_push(struct gw_hub *hub, struct gw_source *source, const struct gw_source_run *run,
                    const struct feed_seen *after)
{
    struct feed_seen before = source->term;
    source->term = *after;
    if (gw_source_idle(source) || (run->count == 0 && feed_seen_eq(&before, after)))
        return;
    struct push push = {.hub = hub, .source = source, .run = run};
    if (run->change == GW_CHANGE_ADDED)
        encode_texts(&push);
    for (struct gw_link *l = source->edges.next; l != &source->edges; l = l->next) {
        struct gw_edge *edge = GW_OF(l, struct gw_edge, by_source);
        gw_seen_replace(&edge->sources->seen, &before, after);
        if (edge->sources == edge->sources->feed->sources)
            push_to_feed(&push, edge);
    }
}

void gw_source_distrust(struct gw_hub *hub, struct gw_source *source, const struct feed_seen *after)
{
    struct feed_seen before = source->term;
    source->term = *after;
    for (struct gw_link *l = source->edges.next; l != &source->edges; l = l->next) {
        struct gw_sources *set = GW_OF(l, struct gw_edge, by_source)->sources;
        gw_seen_replace(&set->seen, &before, after);
        if (set != set->feed->sources)
            continue;
        for (struct gw_link *v = set->feed->views.next; v != &set->feed->views; v = v->next) {
            struct gw_view *view = GW_OF(v, struct gw_view, by_feed);
            if (view->state == GW_VIEW_LIVE)
                view->state = GW_VIEW_STALE;
        }
        gw_feed_distrust(set->feed);
        gw_hub_file_read(hub, set->feed);
    }
}
