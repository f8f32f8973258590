/* What an outbox brings is taken over first and told to the home feeds then, run by run of changes of one kind. After
 * each run the sum in the position of each home feed is that of the new state, so whatever a client has seen when its
 * connection breaks, its position never claims more. */
#include "gateway/source.h"

#include "gateway/hub_parts.h"
#include "gateway/metrics.h"
#include "gateway/source_push.h"
#include "shared/base/assert.h"
#include "shared/codec/entry.h"
#include "shared/model/names.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* ---- life ---- */

/* The same on every gateway, so without a seed. */
static struct feed_seen term_of(const struct gw_feed *feed, const struct feed_position *position)
{
    char bytes[FEED_KEY_MAX + FEED_EPOCH_BYTES + sizeof position->seq];
    feed_assert(feed->key_len <= FEED_KEY_MAX);
    size_t len = feed->key_len;
    memcpy(bytes, feed->key, len);
    memcpy(bytes + len, position->epoch, FEED_EPOCH_BYTES);
    len += FEED_EPOCH_BYTES;
    for (unsigned shift = 0; shift < 64; shift += 8)
        bytes[len++] = (char)(uint8_t)(position->seq >> shift);
    XXH128_hash_t hash = XXH3_128bits(bytes, len);
    return (struct feed_seen){.low = hash.low64, .high = hash.high64};
}

static struct gw_feed *feed_of(const struct gw_hub *hub, struct feed_str tenant, struct feed_str author)
{
    struct feed_key key = feed_key_timeline(FEED_TIMELINE_OUTBOX, tenant, author);
    return gw_feed_map_find(&hub->feeds, feed_key_str(&key));
}

struct gw_source *gw_source_find(struct gw_hub *hub, struct feed_str tenant, struct feed_str author)
{
    if (!feed_user_valid(author))
        return NULL; /* an entry's actor, which nobody has checked since it was read from Redis */
    struct gw_feed *feed = feed_of(hub, tenant, author);
    return feed ? feed->source : NULL;
}

struct gw_source *gw_source_acquire(struct gw_hub *hub, struct feed_str tenant, struct feed_str author)
{
    struct gw_source *source = gw_source_find(hub, tenant, author);
    if (source)
        return source;
    if (hub->source_count >= GW_SOURCES_MAX) {
        feed_metrics_add(hub->metrics, GW_M_SOURCES_REFUSED, 0, 1);
        return NULL;
    }
    struct gw_feed *feed = gw_hub_feed(hub, FEED_TIMELINE_OUTBOX, tenant, author);
    source = feed ? calloc(1, sizeof *source) : NULL;
    if (!source)
        return NULL;
    source->feed = feed;
    source->term = term_of(feed, &source->position);
    gw_link_init(&source->edges);
    feed->source = source;
    hub->source_count++;
    gw_feed_joined(feed);
    gw_hub_file_read(hub, feed);
    return source;
}

bool gw_source_idle(const struct gw_source *source)
{
    return gw_link_alone(&source->edges);
}

static void clear(struct feed_member *members, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free((char *)members[i].bytes.data);
}

void gw_source_free(struct gw_source *source)
{
    if (!source)
        return;
    feed_assert(gw_source_idle(source));
    clear(source->members, source->count);
    source->feed->hub->source_count--;
    free(source);
}

void gw_source_look(struct gw_hub *hub, struct gw_source *source)
{
    bool ready = source->loaded && gw_feed_followed(source->feed);
    if (ready == source->ready)
        return;
    source->ready = ready;
    for (struct gw_link *l = source->edges.next; l != &source->edges; l = l->next) {
        struct gw_sources *set = GW_OF(l, struct gw_edge, by_source)->sources;
        set->unready += ready ? (size_t)-1 : 1;
        if (set->unready == 0)
            gw_hub_read_soon(hub, set->feed);
    }
}

/* ---- members ---- */

/* A copy of its own, without the users that the activity is addressed to, who are nobody else's business. data NULL: it
 * cannot be read, or there is no memory. */
static struct feed_str copy_member(struct feed_str bytes)
{
    struct feed_entry entry;
    struct feed_str to[FEED_TO_MAX];
    size_t to_count;
    struct feed_buf out;
    feed_buf_init(&out, FEED_ENTRY_MAX);
    if (feed_mark_is(bytes))
        feed_buf_str(&out, bytes);
    else if (feed_entry_decode_outbox(bytes, &entry, to, &to_count) == FEED_OK)
        feed_entry_encode(&entry, &out);
    if (out.error == FEED_OK && out.len)
        return feed_buf_view(&out);
    feed_buf_fini(&out);
    return (struct feed_str){NULL, 0};
}

/* Puts a member where it belongs; takes its bytes. False: it ranks beyond the cap, or is there already. */
static bool put(struct gw_source *source, struct feed_member member)
{
    bool found;
    size_t at = feed_member_find(source->members, source->count, member.published_ms,
                                 (const uint8_t *)member.bytes.data, &found);
    if (found || at >= FEED_CAP) {
        free((char *)member.bytes.data);
        return false;
    }
    if (source->count == FEED_CAP)
        free((char *)source->members[--source->count].bytes.data);
    memmove(&source->members[at + 1], &source->members[at], (source->count - at) * sizeof source->members[0]);
    source->members[at] = member;
    source->count++;
    return true;
}

/* What was removed for good leaves a mark, else nothing. */
static void take(struct gw_source *source, const struct feed_notice *notice)
{
    bool found;
    size_t at = feed_member_find(source->members, source->count, notice->published_ms,
                                 (const uint8_t *)notice->entry.data, &found);
    struct feed_str mark = feed_mark_is(notice->entry) ? copy_member(notice->entry) : (struct feed_str){NULL, 0};
    if (found) {
        free((char *)source->members[at].bytes.data);
        memmove(&source->members[at], &source->members[at + 1], (source->count - at - 1) * sizeof source->members[0]);
        source->count--;
    }
    if (mark.data)
        (void)put(source, (struct feed_member){notice->published_ms, mark});
}

static void move_to(struct gw_source *source, const struct feed_position *position)
{
    source->position = *position;
    source->loaded = true;
}

/* ---- the window ---- */

/* The members of the answer, newest first; what cannot be read is left out, and counted. */
static size_t copy_window(struct gw_hub *hub, const struct gw_window *window, struct feed_member out[FEED_CAP])
{
    size_t count = 0;
    for (size_t i = 0; i < window->count && i < FEED_CAP; i++) {
        struct feed_member member = {window->items[i].published_ms, copy_member(window->items[i].entry)};
        if (member.bytes.data)
            out[count++] = member;
        else
            feed_metrics_add(hub->metrics, GW_M_ENTRIES_UNREADABLE, 0, 1);
    }
    return count;
}

static bool has_entry(const struct feed_member *members, size_t count, const struct feed_member *member, bool *marked)
{
    bool found;
    size_t at = feed_member_find(members, count, member->published_ms, (const uint8_t *)member->bytes.data, &found);
    *marked = found && feed_mark_is(members[at].bytes);
    return found && !*marked;
}

/* What is new in `now`, and what was removed from it. What is older than all of a full outbox has only been pushed out.
 * False: something has gone without a mark, so the outbox was lost. */
static bool compare(const struct feed_member *old, size_t old_count, const struct feed_member *now, size_t now_count,
                    struct gw_source_run *added, struct gw_source_run *gone)
{
    bool marked;
    for (size_t i = now_count; i-- > 0;) {
        if (!feed_mark_is(now[i].bytes) && !has_entry(old, old_count, &now[i], &marked))
            added->members[added->count++] = now[i];
    }
    for (size_t i = 0; i < old_count; i++) {
        if (feed_mark_is(old[i].bytes) || has_entry(now, now_count, &old[i], &marked))
            continue;
        bool pushed_out = now_count == FEED_CAP && feed_member_order(&old[i], &now[FEED_CAP - 1]) < 0;
        if (marked)
            gone->members[gone->count++] = old[i];
        else if (!pushed_out)
            return false;
    }
    return true;
}

/* Every change has a number. Where there were more changes than the two windows show, an entry may have been removed,
 * and its mark pushed out. */
static bool all_told(const struct gw_source *source, const struct feed_position *now, const struct gw_source_run *added,
                     const struct gw_source_run *gone)
{
    return !source->loaded || (gw_position_reaches(&source->position, now) &&
                               now->seq - source->position.seq == added->count + gone->count);
}

static void reload(struct gw_hub *hub, struct gw_source *source, const struct gw_window *window)
{
    struct feed_member old[FEED_CAP];
    size_t old_count = source->count;
    memcpy(old, source->members, old_count * sizeof old[0]);
    source->count = copy_window(hub, window, source->members);
    struct gw_source_run added = {.change = GW_CHANGE_ADDED}, gone = {.change = GW_CHANGE_REMOVED_FOR_GOOD};
    bool lost = !compare(old, old_count, source->members, source->count, &added, &gone) ||
                !all_told(source, &window->position, &added, &gone);
    struct feed_seen before = source->term;
    move_to(source, &window->position);
    struct feed_seen after = term_of(source->feed, &source->position);
    if (lost) {
        gw_source_distrust(hub, source, &after);
    } else {
        if (gone.count)
            gw_source_push(hub, source, &gone, &before);
        gw_source_push(hub, source, &added, &after);
    }
    clear(old, old_count);
}

void gw_source_window(struct gw_hub *hub, struct gw_source *source, const struct gw_window *window, bool truth)
{
    if (!source->loaded || (truth && !feed_position_eq(&source->position, &window->position)))
        reload(hub, source, window);
}

/* ---- notices ---- */

/* Into the run; false: nothing that anybody could see. */
static void apply(struct gw_hub *hub, struct gw_source *source, const struct feed_notice *notice,
                  struct gw_source_run *run)
{
    if (notice->kind == FEED_NOTICE_REMOVE) {
        take(source, notice);
        run->members[run->count++] = (struct feed_member){notice->published_ms, notice->entry};
        return;
    }
    struct feed_member member = {notice->published_ms, copy_member(notice->entry)};
    if (!member.bytes.data)
        feed_metrics_add(hub->metrics, GW_M_ENTRIES_UNREADABLE, 0, 1);
    else if (put(source, member))
        run->members[run->count++] = (struct feed_member){notice->published_ms, notice->entry};
}

void gw_source_backlog(struct gw_hub *hub, struct gw_source *source)
{
    struct gw_feed *feed = source->feed;
    if (!source->loaded)
        return;
    struct feed_position position = source->position;
    for (uint32_t i = 0; i < feed->ready;) {
        struct gw_source_run run = {.count = 0};
        for (; i < feed->ready && run.count < GW_SOURCE_RUN_MAX; i++) {
            struct feed_notice notice = gw_backlog_at(feed->backlog, i);
            if (!gw_position_next(&position, notice.epoch, notice.seq)) {
                feed_assert(notice.seq <= position.seq); /* the window had it */
                continue;
            }
            enum gw_change change = gw_change_of(&notice);
            if (run.count && change != run.change)
                break;
            run.change = change;
            apply(hub, source, &notice, &run);
            memcpy(position.epoch, notice.epoch, FEED_EPOCH_BYTES);
            position.seq = notice.seq;
        }
        if (feed_position_eq(&position, &source->position))
            continue;
        move_to(source, &position);
        struct feed_seen after = term_of(feed, &position);
        gw_source_push(hub, source, &run, &after);
    }
}
