/* A k-way merge over a heap of cursors, one for each outbox and one for the home feed. All that have the same activity
 * in front move on together, so a copy and a mark meet however many outboxes there are. */
#include "shared/model/merge.h"

#include "shared/base/assert.h"
#include "shared/codec/entry.h"

#include <string.h>

int feed_member_order(const struct feed_member *a, const struct feed_member *b)
{
    if (a->published_ms != b->published_ms)
        return a->published_ms > b->published_ms ? 1 : -1;
    return memcmp(a->bytes.data, b->bytes.data, FEED_ID_BYTES);
}

size_t feed_member_find(const struct feed_member *members, size_t count, int64_t published_ms, const uint8_t *id,
                        bool *found)
{
    const struct feed_member wanted = {published_ms, {(const char *)id, FEED_ID_BYTES}};
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (feed_member_order(&members[middle], &wanted) > 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = low < count && feed_member_order(&members[low], &wanted) == 0;
    return low;
}

/* How many members are not older than the time. */
static size_t not_older(const struct feed_merge_source *source, int64_t time_ms)
{
    size_t low = 0, high = source->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (source->members[middle].published_ms >= time_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool verb_left_out(const struct feed_merge_rules *rules, const struct feed_member *member)
{
    struct feed_entry entry;
    if (rules->verb_count == 0 || feed_entry_decode(member->bytes, &entry) != FEED_OK)
        return false;
    for (size_t i = 0; i < rules->verb_count; i++) {
        const struct feed_verb_rule *rule = &rules->verbs[i];
        if (member->published_ms >= rule->from_ms && member->published_ms < rule->until_ms &&
            feed_str_eq(rule->verb, entry.verb))
            return true;
    }
    return false;
}

bool feed_merge_shows(const struct feed_merge_source *source, const struct feed_merge_rules *rules, size_t i)
{
    const struct feed_member *member = &source->members[i];
    if (feed_mark_is(member->bytes) || member->published_ms < source->visible_from_ms)
        return false;
    if (member->published_ms < source->since_ms && i >= not_older(source, source->since_ms) + FEED_BACKFILL)
        return false;
    return !verb_left_out(rules, member);
}

struct cursor {
    const struct feed_merge_source *source; /* NULL: the home feed */
    const struct feed_member *at, *end;
};

struct heap {
    struct cursor cursors[FEED_SOURCES_MAX + 1]; /* the newest at 0 */
    size_t count;
    const struct feed_merge_rules *rules;
};

/* To the next member that says anything: one that is seen, or a mark. */
static void skip_unseen(const struct heap *heap, struct cursor *cursor)
{
    while (cursor->source && cursor->at < cursor->end && !feed_mark_is(cursor->at->bytes) &&
           !feed_merge_shows(cursor->source, heap->rules, (size_t)(cursor->at - cursor->source->members)))
        cursor->at++;
}

static bool newer(const struct heap *heap, size_t a, size_t b)
{
    return feed_member_order(heap->cursors[a].at, heap->cursors[b].at) > 0;
}

static void swap(struct heap *heap, size_t a, size_t b)
{
    struct cursor kept = heap->cursors[a];
    heap->cursors[a] = heap->cursors[b];
    heap->cursors[b] = kept;
}

static void sink(struct heap *heap, size_t i)
{
    for (;;) {
        size_t left = 2 * i + 1, right = left + 1, newest = i;
        if (left < heap->count && newer(heap, left, newest))
            newest = left;
        if (right < heap->count && newer(heap, right, newest))
            newest = right;
        if (newest == i)
            return;
        swap(heap, i, newest);
        i = newest;
    }
}

static void add(struct heap *heap, const struct feed_merge_source *source, const struct feed_member *members,
                size_t count)
{
    struct cursor cursor = {source, members, members + count};
    skip_unseen(heap, &cursor);
    if (cursor.at < cursor.end)
        heap->cursors[heap->count++] = cursor;
}

static void move_first_on(struct heap *heap)
{
    heap->cursors[0].at++;
    skip_unseen(heap, &heap->cursors[0]);
    if (heap->cursors[0].at == heap->cursors[0].end)
        heap->cursors[0] = heap->cursors[--heap->count];
    sink(heap, 0);
}

size_t feed_merge(const struct feed_member *home, size_t home_count, const struct feed_merge_source *sources,
                  size_t source_count, const struct feed_merge_rules *rules, size_t limit, struct feed_merged *out,
                  size_t *hidden)
{
    feed_assert(source_count <= FEED_SOURCES_MAX);
    struct heap heap;
    heap.count = 0;
    heap.rules = rules;
    add(&heap, NULL, home, home_count);
    for (size_t i = 0; i < source_count; i++)
        add(&heap, &sources[i], sources[i].members, sources[i].count);
    for (size_t i = heap.count / 2; i-- > 0;)
        sink(&heap, i);
    *hidden = 0;
    size_t count = 0;
    while (heap.count > 0 && count < limit) {
        struct feed_merged merged = {.member = *heap.cursors[0].at};
        bool marked = false;
        while (heap.count > 0 && feed_member_order(heap.cursors[0].at, &merged.member) == 0) {
            marked = marked || feed_mark_is(heap.cursors[0].at->bytes);
            merged.origin |= heap.cursors[0].source ? FEED_ORIGIN_OUTBOX : FEED_ORIGIN_HOME;
            move_first_on(&heap);
        }
        if (!marked)
            out[count++] = merged;
        else if (merged.origin & FEED_ORIGIN_HOME)
            ++*hidden;
    }
    return count;
}
