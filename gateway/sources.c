/* The set of sources of a home feed is replaced as a whole when a window says another one, and stays as it is
 * otherwise, because most windows are read for other reasons. A set whose outboxes are not all known waits beside the
 * present one: nobody is shown a feed without something that belongs into it. */
#include "gateway/sources.h"

#include "gateway/hub_parts.h"
#include "gateway/metrics.h"
#include "gateway/source.h"
#include "shared/base/assert.h"
#include "shared/codec/entry.h"

#include <stdlib.h>
#include <string.h>

/* Of f:{tenant/user} and o:{tenant/author}. */
static struct feed_str tenant_of(const struct gw_feed *feed)
{
    const char *begin = feed->key + 3;
    return (struct feed_str){begin, (size_t)(strchr(begin, '/') - begin)};
}

struct feed_merge_rules gw_sources_rules(const struct gw_sources *sources)
{
    return (struct feed_merge_rules){sources->verbs, sources->verb_count};
}

struct feed_merge_source gw_edge_view(const struct gw_edge *edge)
{
    return (struct feed_merge_source){edge->source->members, edge->source->count, edge->since_ms,
                                      edge->visible_from_ms};
}

void gw_seen_replace(struct feed_seen *sum, const struct feed_seen *old, const struct feed_seen *by)
{
    sum->low += by->low - old->low;
    sum->high += by->high - old->high;
}

/* ---- sets come and go ---- */

static void free_set(struct gw_hub *hub, struct gw_sources *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->count; i++) {
        struct gw_source *source = set->edges[i].source;
        gw_link_remove(&set->edges[i].by_source);
        if (gw_source_idle(source))
            source->feed->empty_since_ms = gw_hub_now(hub);
    }
    for (size_t i = 0; i < set->verb_count; i++)
        free((char *)set->verbs[i].verb.data);
    free(set->verbs);
    free(set->early);
    free(set);
}

static bool copy_verbs(struct gw_sources *set, const struct gw_window *window)
{
    set->verbs = calloc(window->verb_count ? window->verb_count : 1, sizeof *set->verbs);
    if (!set->verbs)
        return false;
    for (size_t i = 0; i < window->verb_count; i++) {
        const struct feed_verb_rule *rule = &window->verbs[i];
        char *verb = malloc(rule->verb.len + 1);
        if (!verb)
            return false;
        memcpy(verb, rule->verb.data, rule->verb.len);
        set->verbs[set->verb_count++] = (struct feed_verb_rule){{verb, rule->verb.len}, rule->from_ms, rule->until_ms};
    }
    return true;
}

/* NULL: no memory, or too many sources. */
static struct gw_sources *make_set(struct gw_hub *hub, struct gw_feed *feed, const struct gw_window *window)
{
    struct gw_sources *set = calloc(1, sizeof *set + window->followee_count * sizeof set->edges[0]);
    if (!set)
        return NULL;
    set->feed = feed;
    bool good = copy_verbs(set, window);
    for (size_t i = 0; good && i < window->followee_count; i++) {
        const struct gw_followee *followee = &window->followees[i];
        struct gw_source *source = gw_source_acquire(hub, tenant_of(feed), followee->author);
        good = source != NULL;
        if (!good)
            break;
        struct gw_edge *edge = &set->edges[set->count++];
        *edge = (struct gw_edge){.sources = set,
                                 .source = source,
                                 .since_ms = followee->since_ms,
                                 .visible_from_ms = followee->visible_from_ms};
        gw_list_append(&source->edges, &edge->by_source);
        set->unready += !source->ready;
        gw_seen_replace(&set->seen, &(struct feed_seen){0, 0}, &source->term);
    }
    if (good)
        return set;
    free_set(hub, set);
    return NULL;
}

static bool same_verbs(const struct gw_sources *set, const struct gw_window *window)
{
    if (set->verb_count != window->verb_count)
        return false;
    for (size_t i = 0; i < set->verb_count; i++) {
        const struct feed_verb_rule *a = &set->verbs[i], *b = &window->verbs[i];
        if (a->from_ms != b->from_ms || a->until_ms != b->until_ms || !feed_str_eq(a->verb, b->verb))
            return false;
    }
    return true;
}

static bool is_author(const struct gw_edge *edge, struct feed_str author)
{
    const struct gw_feed *outbox = edge->source->feed; /* o:{tenant/author} */
    size_t begin = 3 + tenant_of(outbox).len + 1;
    return feed_str_eq((struct feed_str){outbox->key + begin, outbox->key_len - begin - 1}, author);
}

static bool same(const struct gw_sources *set, const struct gw_window *window)
{
    if (!set)
        return window->followee_count == 0;
    if (set->count != window->followee_count || !same_verbs(set, window))
        return false;
    for (size_t i = 0; i < set->count; i++) {
        const struct gw_followee *b = &window->followees[i];
        if (set->edges[i].since_ms != b->since_ms || set->edges[i].visible_from_ms != b->visible_from_ms ||
            !is_author(&set->edges[i], b->author))
            return false;
    }
    return true;
}

static void drop_next(struct gw_hub *hub, struct gw_feed *feed)
{
    free_set(hub, feed->next_sources);
    feed->next_sources = NULL;
    feed->sources_change = false;
}

enum gw_sources_result gw_sources_prepare(struct gw_hub *hub, struct gw_feed *feed, const struct gw_window *window)
{
    bool said = feed->asked_sources && !(window->unchanged && feed->asked_merged);
    if (said && !same(feed->sources, window)) {
        /* A set that waits keeps its outboxes while the new one takes them. */
        struct gw_sources *set = window->followee_count ? make_set(hub, feed, window) : NULL;
        bool failed = window->followee_count && !set;
        drop_next(hub, feed);
        feed->next_sources = set;
        feed->sources_change = true;
        return failed || (set && set->unready) ? GW_SOURCES_WAITING : GW_SOURCES_READY;
    }
    drop_next(hub, feed);
    return feed->sources && feed->sources->unready ? GW_SOURCES_WAITING : GW_SOURCES_READY;
}

bool gw_sources_changed(const struct gw_feed *feed)
{
    return feed->sources_change;
}

void gw_sources_accept(struct gw_feed *feed)
{
    if (!feed->sources_change)
        return;
    free_set(feed->hub, feed->sources);
    feed->sources = feed->next_sources;
    feed->next_sources = NULL;
    feed->sources_change = false;
}

void gw_sources_drop(struct gw_hub *hub, struct gw_feed *feed)
{
    drop_next(hub, feed);
    free_set(hub, feed->sources);
    feed->sources = NULL;
}

/* ---- what is seen ---- */

static struct gw_early *find_early(struct gw_sources *set, const struct feed_member *member)
{
    for (size_t i = 0; i < set->early_count; i++) {
        if (set->early[i].published_ms == member->published_ms &&
            memcmp(set->early[i].id.bytes, member->bytes.data, FEED_ID_BYTES) == 0)
            return &set->early[i];
    }
    return NULL;
}

bool gw_sources_take_early(struct gw_sources *set, const struct feed_member *member)
{
    struct gw_early *early = find_early(set, member);
    if (early)
        *early = set->early[--set->early_count];
    return early != NULL;
}

static void remember_early(struct gw_sources *set, const struct feed_member *member)
{
    if (find_early(set, member))
        return;
    if (!set->early)
        set->early = calloc(GW_EARLY_MAX, sizeof *set->early);
    if (!set->early)
        return;
    if (set->early_count == GW_EARLY_MAX)
        memmove(&set->early[0], &set->early[1], --set->early_count * sizeof set->early[0]);
    struct gw_early *early = &set->early[set->early_count++];
    early->published_ms = member->published_ms;
    memcpy(early->id.bytes, member->bytes.data, FEED_ID_BYTES);
}

static struct gw_edge *edge_to(struct gw_sources *set, const struct gw_source *source)
{
    for (size_t i = 0; source && i < set->count; i++) {
        if (set->edges[i].source == source)
            return &set->edges[i];
    }
    return NULL;
}

/* The edge to the author of an entry, if it is a broadcast author whom this user follows. */
static struct gw_edge *edge_of_author(struct gw_hub *hub, struct gw_sources *set, struct feed_str entry)
{
    struct feed_entry decoded;
    if (feed_entry_decode(entry, &decoded) != FEED_OK)
        return NULL;
    return edge_to(set, gw_source_find(hub, tenant_of(set->feed), decoded.actor));
}

/* An outbox is written before the feeds are, so a copy of what the outbox does not have yet, and would have, is early.
 */
static bool is_early(const struct gw_source *source, const struct feed_member *member)
{
    return source->count < FEED_CAP || feed_member_order(member, &source->members[FEED_CAP - 1]) > 0;
}

bool gw_sources_have(struct gw_hub *hub, struct gw_feed *feed, const struct gw_item *item)
{
    struct gw_edge *edge = edge_of_author(hub, feed->sources, item->entry);
    if (!edge)
        return false;
    const struct feed_member member = {item->published_ms, item->entry};
    const struct gw_source *source = edge->source;
    bool found;
    size_t at = feed_member_find(source->members, source->count, member.published_ms,
                                 (const uint8_t *)member.bytes.data, &found);
    if (!found) {
        if (is_early(source, &member))
            remember_early(feed->sources, &member);
        return false;
    }
    struct feed_merge_source view = gw_edge_view(edge);
    struct feed_merge_rules rules = gw_sources_rules(feed->sources);
    return feed_mark_is(source->members[at].bytes) || feed_merge_shows(&view, &rules, at);
}

static void note_early_copies(struct gw_hub *hub, struct gw_sources *set, const struct feed_merged *merged,
                              size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (merged[i].origin != FEED_ORIGIN_HOME)
            continue;
        const struct gw_edge *edge = edge_of_author(hub, set, merged[i].member.bytes);
        bool found = true;
        if (edge)
            (void)feed_member_find(edge->source->members, edge->source->count, merged[i].member.published_ms,
                                   (const uint8_t *)merged[i].member.bytes.data, &found);
        if (!found && is_early(edge->source, &merged[i].member))
            remember_early(set, &merged[i].member);
    }
}

void gw_sources_merge(struct gw_hub *hub, struct gw_feed *feed, const struct gw_window *raw, struct gw_item *items,
                      struct gw_window *out)
{
    *out = *raw;
    out->raw_count = raw->count;
    struct gw_sources *set = feed->sources;
    if (!set)
        return;
    out->position.seen = set->seen;
    if (raw->unchanged)
        return;
    struct feed_member home[FEED_CAP];
    size_t home_count = 0;
    for (size_t i = 0; i < raw->count; i++) {
        if (raw->items[i].entry.len > FEED_ID_BYTES) /* what is no entry has no place in the order */
            home[home_count++] = (struct feed_member){raw->items[i].published_ms, raw->items[i].entry};
        else
            feed_metrics_add(hub->metrics, GW_M_ENTRIES_UNREADABLE, 0, 1);
    }
    struct feed_merge_source views[FEED_SOURCES_MAX];
    for (size_t i = 0; i < set->count; i++)
        views[i] = gw_edge_view(&set->edges[i]);
    struct feed_merged merged[FEED_CAP + 1]; /* one more tells whether there are more */
    struct feed_merge_rules rules = gw_sources_rules(set);
    out->count = feed_merge(home, home_count, views, set->count, &rules, FEED_CAP + 1, merged, &out->hidden);
    out->longer = out->count > FEED_CAP;
    out->count = out->longer ? FEED_CAP : out->count;
    out->items = items;
    for (size_t i = 0; i < out->count; i++)
        items[i] = (struct gw_item){merged[i].member.published_ms, merged[i].member.bytes};
    if (raw->position.seq <= feed->position.seq) /* else sessions that are not so far yet still wait for these */
        note_early_copies(hub, set, merged, out->count);
}
