/* The world of world.h. Redis answers in two steps, execute and answer, so that a test can put a publish, a lost
 * connection or anything else between the moment that an answer shows and the moment of its arrival. */
#include "tests/unit/gateway/world.h"

#include "gateway/metrics.h"
#include "shared/base/assert.h"
#include "shared/codec/entry.h"
#include "shared/codec/msgpack_write.h"

#include <stdlib.h>
#include <string.h>

const char world_secret[] = "0123456789abcdef0123456789abcdef";

struct feed_frame {
    struct world *world;
    unsigned refs;
    size_t len;
    char data[];
};

/* feed_frame_new has no argument for a world of its own. */
static struct world *frame_world;

uint64_t world_random(struct world *world, uint64_t below)
{
    world->random += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
    uint64_t z = world->random;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return below ? (z ^ (z >> 31)) % below : 0;
}

bool world_chance(struct world *world, unsigned percent)
{
    return world_random(world, 100) < percent;
}

/* ---- the port ---- */

static int64_t mono_ms(void *arg)
{
    return ((struct world *)arg)->mono_ms;
}

static int64_t wall_ms(void *arg)
{
    return ((struct world *)arg)->wall_ms;
}

static void random_bytes(void *arg, void *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)out)[i] = (uint8_t)world_random(arg, 256);
}

static struct feed_frame *frame_new(struct feed_str payload)
{
    struct feed_frame *frame = malloc(sizeof *frame + payload.len + 1);
    *frame = (struct feed_frame){.world = frame_world, .refs = 1, .len = payload.len};
    memcpy(frame->data, payload.data, payload.len);
    frame_world->frames++;
    return frame;
}

static struct feed_frame *frame_ref(struct feed_frame *frame)
{
    frame->refs++;
    return frame;
}

static void frame_unref(struct feed_frame *frame)
{
    if (!frame || --frame->refs > 0)
        return;
    frame->world->frames--;
    free(frame);
}

static struct feed_str frame_payload(const struct feed_frame *frame)
{
    return (struct feed_str){frame->data, frame->len};
}

static void known(struct feed_ws *ws)
{
    (void)ws;
}

static void want_write(struct feed_ws *ws)
{
    struct feed_frame *frame;
    while (!ws->stalled && ws->session && (frame = gw_session_next_frame(ws->session))) {
        if (ws->frame_fn)
            ws->frame_fn(ws->arg, frame_payload(frame));
        frame_unref(frame);
    }
}

static void close_ws(struct feed_ws *ws, unsigned code, const char *reason)
{
    feed_assert(ws->close_code == 0 && reason[0]);
    ws->close_code = code;
}

static struct timeline *find(struct world *world, struct feed_str key)
{
    for (size_t i = 0; i < WORLD_TIMELINES; i++) {
        if (feed_str_eq(feed_key_str(&world->timelines[i].key), key))
            return &world->timelines[i];
    }
    feed_assert(!"a timeline of this world");
    return NULL;
}

static void push_event(struct world *world, enum world_event_kind kind, struct timeline *timeline,
                       const struct feed_notice *notice)
{
    feed_assert(world->event_count < WORLD_QUEUE_MAX);
    struct world_event *event = calloc(1, sizeof *event);
    event->kind = kind;
    event->timeline = timeline;
    feed_buf_init(&event->bytes, FEED_NOTICE_MAX);
    if (notice)
        feed_notice_encode(notice, &event->bytes);
    world->events[world->event_count++] = event;
}

static enum feed_error subscribe(void *arg, struct feed_str key)
{
    struct world *world = arg;
    struct timeline *timeline = find(world, key);
    feed_assert(!timeline->wanted);
    timeline->wanted = true;
    if (world->up) {
        timeline->confirmed = true;
        push_event(world, WORLD_CONFIRM, timeline, NULL);
    }
    return FEED_OK;
}

static void unsubscribe(void *arg, struct feed_str key)
{
    struct timeline *timeline = find(arg, key);
    feed_assert(timeline->wanted);
    timeline->wanted = timeline->confirmed = false;
}

static enum feed_error push_read(struct world *world, struct gw_feed *feed, bool check, unsigned limit,
                                 const struct feed_position *known)
{
    if (!world->up)
        return FEED_E_UNAVAILABLE;
    if (world->busy)
        return FEED_E_FULL;
    feed_assert(world->read_count < WORLD_QUEUE_MAX && limit <= FEED_CAP);
    struct world_read *read = calloc(1, sizeof *read);
    *read = (struct world_read){.feed = feed, .check = check, .limit = limit, .has_known = known != NULL};
    read->timeline = find(world, gw_feed_key(feed));
    read->with_marks = feed->source != NULL;
    if (known)
        read->known = *known;
    feed_buf_init(&read->bytes, FEED_CAP * FEED_OUTBOX_ENTRY_MAX);
    world->reads[world->read_count++] = read;
    return FEED_OK;
}

static enum feed_error read_window(void *arg, struct gw_feed *feed, unsigned limit, const struct feed_position *known)
{
    return push_read(arg, feed, false, limit, known);
}

static enum feed_error check_position(void *arg, struct gw_feed *feed, const struct feed_position *known)
{
    return push_read(arg, feed, true, 0, known);
}

/* ---- Redis ---- */

static const char *const actors[] = {"cy", "eve", "fay"};

static void encode_entry(const struct feed_id *id, unsigned actor, bool post, bool outbox, struct feed_buf *out)
{
    struct feed_entry entry = {.id = *id,
                               .verb = post ? FEED_STR("post") : FEED_STR("like"),
                               .actor = feed_str_of(actors[actor]),
                               .object_type = FEED_STR("post"),
                               .object_id = FEED_STR("7")};
    const struct feed_str to = FEED_STR("gus");
    if (outbox)
        feed_entry_encode_outbox(&entry, &to, 1, out);
    else
        feed_entry_encode(&entry, out);
}

static void announce(struct world *world, struct timeline *timeline, enum feed_notice_kind kind, int64_t published_ms,
                     struct feed_str member)
{
    if (!timeline->confirmed)
        return;
    struct feed_notice notice = {
        .kind = kind, .seq = timeline->position.seq, .published_ms = published_ms, .entry = member};
    memcpy(notice.epoch, timeline->position.epoch, FEED_EPOCH_BYTES);
    push_event(world, WORLD_NOTICE, timeline, &notice);
}

static unsigned author_of(const struct world *world, const struct timeline *timeline)
{
    size_t i = (size_t)(timeline - world->timelines);
    return i < WORLD_OUTBOX ? 0 : (unsigned)(i - WORLD_OUTBOX + 1);
}

static uint64_t add(struct world *world, struct timeline *timeline, int64_t published_ms, struct feed_id id,
                    unsigned actor, bool post)
{
    size_t rank = 0;
    while (rank < timeline->count &&
           feed_entry_order(timeline->entries[rank].published_ms, &timeline->entries[rank].id, published_ms, &id) > 0)
        rank++;
    if (rank >= FEED_CAP)
        return 0;
    memmove(&timeline->entries[rank + 1], &timeline->entries[rank],
            (timeline->count - rank) * sizeof timeline->entries[0]);
    timeline->entries[rank].published_ms = published_ms;
    timeline->entries[rank].id = id;
    timeline->entries[rank].actor = actor;
    timeline->entries[rank].post = post;
    timeline->entries[rank].mark = false;
    if (++timeline->count > WORLD_ENTRIES_MAX)
        timeline->count = FEED_CAP;
    if (gw_position_none(&timeline->position))
        random_bytes(world, timeline->position.epoch, FEED_EPOCH_BYTES);
    timeline->position.seq++;
    struct feed_buf entry;
    feed_buf_init(&entry, FEED_OUTBOX_ENTRY_MAX);
    encode_entry(&id, actor, post, author_of(world, timeline) > 0, &entry);
    announce(world, timeline, FEED_NOTICE_ADD, published_ms, feed_buf_view(&entry));
    feed_buf_fini(&entry);
    return timeline->position.seq;
}

uint64_t world_publish(struct world *world, struct timeline *timeline, int64_t published_ms)
{
    struct feed_id id = {{0}};
    uint64_t number = ++world->ids;
    for (unsigned i = 0; i < 8; i++)
        id.bytes[15 - i] = (uint8_t)(number >> (8 * i));
    return add(world, timeline, published_ms, id, author_of(world, timeline), world_chance(world, 50));
}

static size_t rank_of(const struct timeline *timeline, const struct feed_id *id)
{
    size_t rank = 0;
    while (rank < timeline->count && feed_id_cmp(&timeline->entries[rank].id, id) != 0)
        rank++;
    return rank;
}

void world_copy(struct world *world, unsigned author, size_t rank, unsigned home)
{
    const struct timeline *outbox = &world->timelines[WORLD_OUTBOX + author];
    struct timeline *timeline = &world->timelines[home];
    if (rank >= outbox->count || rank >= FEED_CAP || outbox->entries[rank].mark ||
        rank_of(timeline, &outbox->entries[rank].id) < timeline->count)
        return;
    (void)add(world, timeline, outbox->entries[rank].published_ms, outbox->entries[rank].id, author + 1,
              outbox->entries[rank].post);
}

void world_sources_changed(struct world *world, unsigned home)
{
    struct timeline *timeline = &world->timelines[home];
    if (gw_position_none(&timeline->position))
        random_bytes(world, timeline->position.epoch, FEED_EPOCH_BYTES);
    timeline->position.seq++;
    announce(world, timeline, FEED_NOTICE_SOURCES, 0, FEED_STR(""));
}

/* A copy that has sunk below its window: whoever still has it is not told of its removal. */
static bool sunk_copy(const struct world *world, const struct feed_id *id)
{
    for (unsigned home = 0; home < WORLD_HOMES; home++) {
        size_t rank = rank_of(&world->timelines[home], id);
        if (rank >= FEED_CAP && rank < world->timelines[home].count)
            return true;
    }
    return false;
}

void world_undo(struct world *world, unsigned author, size_t rank)
{
    struct timeline *outbox = &world->timelines[WORLD_OUTBOX + author];
    if (rank >= outbox->count || rank >= FEED_CAP || outbox->entries[rank].mark)
        return;
    struct feed_id id = outbox->entries[rank].id;
    if (sunk_copy(world, &id))
        return;
    world_remove(world, outbox, rank, true);
    for (unsigned home = 0; home < WORLD_HOMES; home++)
        world_remove(world, &world->timelines[home], rank_of(&world->timelines[home], &id), true);
}

/* ---- the oracle: everything in one heap, looked at with each rule ---- */

static bool hidden_from(const struct world_followees *followees, unsigned author, int64_t published_ms, bool post)
{
    return published_ms < followees->authors[author].visible_from_ms ||
           (!post && published_ms >= followees->likes_out_from_ms && published_ms < followees->likes_out_until_ms);
}

static bool marked_somewhere(const struct world *world, const struct world_followees *followees,
                             const struct feed_id *id)
{
    for (unsigned a = 0; a < WORLD_AUTHORS; a++) {
        const struct timeline *outbox = &world->timelines[WORLD_OUTBOX + a];
        size_t rank = rank_of(outbox, id);
        if (followees->authors[a].follows && rank < outbox->count && rank < FEED_CAP && outbox->entries[rank].mark)
            return true;
    }
    return false;
}

static size_t put_once(struct world_entry *all, size_t count, int64_t published_ms, const struct feed_id *id)
{
    for (size_t i = 0; i < count; i++) {
        if (feed_id_cmp(&all[i].id, id) == 0)
            return count;
    }
    all[count] = (struct world_entry){published_ms, *id};
    return count + 1;
}

static int newest_first(const void *a, const void *b)
{
    const struct world_entry *x = a, *y = b;
    return -feed_entry_order(x->published_ms, &x->id, y->published_ms, &y->id);
}

size_t world_union(const struct world *world, unsigned home, struct world_entry out[FEED_CAP])
{
    struct world_entry all[(1 + WORLD_AUTHORS) * FEED_CAP];
    const struct world_followees *followees = &world->followees[home];
    size_t count = 0;
    const struct timeline *feed = &world->timelines[home];
    for (size_t i = 0; i < feed->count && i < FEED_CAP; i++) {
        if (!feed->entries[i].mark && !marked_somewhere(world, followees, &feed->entries[i].id))
            count = put_once(all, count, feed->entries[i].published_ms, &feed->entries[i].id);
    }
    for (unsigned a = 0; a < WORLD_AUTHORS; a++) {
        const struct timeline *outbox = &world->timelines[WORLD_OUTBOX + a];
        size_t older = 0;
        for (size_t i = 0; followees->authors[a].follows && i < outbox->count && i < FEED_CAP; i++) {
            int64_t at = outbox->entries[i].published_ms;
            older += at < followees->authors[a].since_ms;
            if (older <= FEED_BACKFILL && !outbox->entries[i].mark &&
                !hidden_from(followees, a, at, outbox->entries[i].post))
                count = put_once(all, count, at, &outbox->entries[i].id);
        }
    }
    qsort(all, count, sizeof all[0], newest_first);
    count = count < FEED_CAP ? count : FEED_CAP;
    memcpy(out, all, count * sizeof all[0]);
    return count;
}

static uint64_t number_of(const struct feed_id *id)
{
    uint64_t number = 0;
    for (unsigned i = 8; i < FEED_ID_BYTES; i++)
        number = number << 8 | id->bytes[i];
    return number;
}

static void note_removed(struct world *world, const struct feed_id *id)
{
    size_t number = (size_t)number_of(id);
    if (number >= world->removed_size) {
        size_t size = 2 * number + 1024;
        world->removed = realloc(world->removed, size);
        feed_assert(world->removed);
        memset(world->removed + world->removed_size, 0, size - world->removed_size);
        world->removed_size = size;
    }
    world->removed[number] = 1;
}

bool world_removed(const struct world *world, const char *id)
{
    struct feed_id parsed;
    enum feed_error error = feed_id_parse(feed_str_of(id), &parsed);
    feed_assert(error == FEED_OK);
    uint64_t number = number_of(&parsed);
    return number < world->removed_size && world->removed[number];
}

void world_remove(struct world *world, struct timeline *timeline, size_t rank, bool for_good)
{
    if (rank >= timeline->count || rank >= FEED_CAP || timeline->entries[rank].mark)
        return;
    struct feed_id id = timeline->entries[rank].id;
    for_good = for_good || timeline->entries[rank].actor; /* a purge of a broadcast author is no matter of one feed */
    int64_t published_ms = timeline->entries[rank].published_ms;
    char member[FEED_MARK_BYTES] = {0};
    memcpy(member, id.bytes, FEED_ID_BYTES);
    note_removed(world, &id);
    timeline->position.seq++;
    if (for_good) {
        timeline->entries[rank].mark = true;
    } else {
        /* What nobody sees must not come into view by it. */
        timeline->count = timeline->count < FEED_CAP ? timeline->count : FEED_CAP;
        timeline->count--;
        memmove(&timeline->entries[rank], &timeline->entries[rank + 1],
                (timeline->count - rank) * sizeof timeline->entries[0]);
        timeline->purged = true;
    }
    announce(world, timeline, FEED_NOTICE_REMOVE, published_ms,
             (struct feed_str){member, for_good ? FEED_MARK_BYTES : FEED_ID_BYTES});
}

void world_forget(struct world *world, struct timeline *timeline)
{
    (void)world;
    timeline->count = 0;
    timeline->purged = false;
    memset(&timeline->position, 0, sizeof timeline->position);
}

static void remove_event(struct world *world, size_t i)
{
    struct world_event *event = world->events[i];
    memmove(&world->events[i], &world->events[i + 1], (world->event_count - i - 1) * sizeof event);
    world->event_count--;
    feed_buf_fini(&event->bytes);
    free(event);
}

static void lose_subscriber(struct world *world)
{
    while (world->event_count)
        remove_event(world, 0);
    for (size_t i = 0; i < WORLD_TIMELINES; i++) {
        if (world->timelines[i].confirmed)
            gw_hub_unsubscribed(&world->hub, feed_key_str(&world->timelines[i].key));
        world->timelines[i].confirmed = false;
    }
}

void world_redis_down(struct world *world)
{
    if (!world->up)
        return;
    world->up = false;
    world_fail_reads(world);
    lose_subscriber(world);
}

void world_cut_notices(struct world *world)
{
    if (!world->up)
        return;
    lose_subscriber(world);
    world->up = false; /* for a moment: all is subscribed anew */
    world_redis_up(world);
}

void world_redis_up(struct world *world)
{
    if (world->up)
        return;
    world->up = true;
    for (size_t i = 0; i < WORLD_TIMELINES; i++) {
        struct timeline *timeline = &world->timelines[i];
        timeline->confirmed = timeline->wanted;
        if (timeline->wanted)
            push_event(world, WORLD_CONFIRM, timeline, NULL);
    }
}

bool world_deliver_event(struct world *world)
{
    if (world->event_count == 0)
        return false;
    struct world_event *event = world->events[0];
    struct feed_str key = feed_key_str(&event->timeline->key);
    if (event->timeline->wanted) {
        if (event->kind == WORLD_CONFIRM)
            gw_hub_confirmed(&world->hub, key);
        else
            gw_hub_notice(&world->hub, key, feed_buf_view(&event->bytes));
    }
    remove_event(world, 0);
    return true;
}

void world_drop_event(struct world *world)
{
    if (world->event_count > 0 && world->events[0]->kind == WORLD_NOTICE)
        remove_event(world, 0);
}

void world_repeat_event(struct world *world)
{
    if (world->event_count == 0 || world->events[0]->kind != WORLD_NOTICE)
        return;
    struct world_event *event = world->events[0];
    gw_hub_notice(&world->hub, feed_key_str(&event->timeline->key), feed_buf_view(&event->bytes));
}

void world_swap_events(struct world *world)
{
    if (world->event_count < 2 || world->events[0]->kind != WORLD_NOTICE || world->events[1]->kind != WORLD_NOTICE)
        return;
    struct world_event *first = world->events[0];
    world->events[0] = world->events[1];
    world->events[1] = first;
}

static void say_followees(const struct world *world, struct world_read *read)
{
    size_t home = (size_t)(read->timeline - world->timelines);
    read->followee_count = 0;
    for (unsigned a = 0; home < WORLD_HOMES && read->limit > 0 && a < WORLD_AUTHORS; a++) {
        const struct world_followees *f = &world->followees[home];
        if (f->authors[a].follows)
            read->followees[read->followee_count++] =
                (struct gw_followee){feed_str_of(actors[a + 1]), f->authors[a].since_ms, f->authors[a].visible_from_ms};
        read->verb = (struct feed_verb_rule){FEED_STR("like"), f->likes_out_from_ms, f->likes_out_until_ms};
    }
}

static void execute(const struct world *world, struct world_read *read)
{
    const struct timeline *timeline = read->timeline;
    read->done = true;
    read->position = timeline->position;
    say_followees(world, read);
    struct feed_position known = read->known;
    known.seen = (struct feed_seen){0, 0};
    bool merged = !feed_position_eq(&known, &read->known);
    read->unchanged =
        read->has_known && feed_position_eq(&known, &timeline->position) && (merged || read->followee_count == 0);
    size_t ends[FEED_CAP];
    size_t limit = read->unchanged ? 0 : read->limit;
    read->count = 0;
    for (size_t i = 0; i < timeline->count && i < FEED_CAP && read->count < limit; i++) {
        if (timeline->entries[i].mark && !read->with_marks)
            continue;
        if (timeline->entries[i].mark)
            feed_mark_encode(&timeline->entries[i].id, &read->bytes);
        else
            encode_entry(&timeline->entries[i].id, timeline->entries[i].actor, timeline->entries[i].post,
                         author_of(world, timeline) > 0, &read->bytes);
        read->items[read->count].published_ms = timeline->entries[i].published_ms;
        ends[read->count++] = read->bytes.len;
    }
    for (size_t i = 0; i < read->count; i++) {
        size_t begin = i ? ends[i - 1] : 0;
        read->items[i].entry = (struct feed_str){read->bytes.data + begin, ends[i] - begin};
    }
}

void world_execute_reads(struct world *world)
{
    for (size_t i = 0; i < world->read_count; i++) {
        if (!world->reads[i]->done)
            execute(world, world->reads[i]);
    }
}

static void answer(struct world *world, struct world_read *read)
{
    struct gw_window window = {
        .position = read->position, .unchanged = read->unchanged, .items = read->items, .count = read->count};
    if (!read->unchanged && read->followee_count) {
        window.followees = read->followees;
        window.followee_count = read->followee_count;
        window.verbs = &read->verb;
        window.verb_count = read->verb.until_ms > 0;
    }
    if (read->check && read->done)
        gw_hub_checked(&world->hub, read->feed, &read->position);
    else if (read->check)
        gw_hub_check_failed(&world->hub, read->feed);
    else if (read->done)
        gw_hub_window(&world->hub, read->feed, &window);
    else
        gw_hub_window_failed(&world->hub, read->feed);
}

static void pop_read(struct world *world)
{
    struct world_read *read = world->reads[0];
    memmove(&world->reads[0], &world->reads[1], (world->read_count - 1) * sizeof read);
    world->read_count--;
    answer(world, read);
    feed_buf_fini(&read->bytes);
    free(read);
}

bool world_answer_read(struct world *world)
{
    if (world->read_count == 0 || !world->reads[0]->done)
        return false;
    pop_read(world);
    return true;
}

void world_fail_reads(struct world *world)
{
    for (size_t n = world->read_count; n > 0; n--) {
        world->reads[0]->done = false;
        pop_read(world);
    }
}

void world_settle(struct world *world)
{
    for (bool more = true; more;) {
        gw_hub_turn(&world->hub);
        world_execute_reads(world);
        more = world_answer_read(world) || world_deliver_event(world);
    }
}

void world_pass(struct world *world, int64_t ms)
{
    for (int64_t passed = 0; passed < ms; passed += GW_TICK_MS) {
        world->mono_ms += GW_TICK_MS;
        world->wall_ms += GW_TICK_MS;
        gw_hub_tick(&world->hub);
        world_settle(world);
    }
}

/* ---- clients ---- */

struct feed_ws *world_connect(struct world *world, void (*frame_fn)(void *, struct feed_str), void *arg,
                              const char *authorization)
{
    struct feed_ws *ws = calloc(1, sizeof *ws);
    *ws = (struct feed_ws){.world = world, .frame_fn = frame_fn, .arg = arg};
    const struct feed_address address = {{0}};
    ws->session = gw_session_open(&world->hub, ws, &address, feed_str_of(authorization));
    feed_assert(ws->session);
    return ws;
}

void world_say(struct feed_ws *ws, const char *json)
{
    /* A copy of its exact size, so that reading beyond it is found by the sanitizer. */
    size_t len = strlen(json);
    char *copy = malloc(len ? len : 1);
    memcpy(copy, json, len);
    gw_session_message(ws->session, (struct feed_str){copy, len}, false);
    free(copy);
}

void world_disconnect(struct feed_ws *ws, unsigned code)
{
    struct gw_session *session = ws->session;
    ws->session = NULL;
    gw_session_closed(session, code);
    free(ws);
}

void world_resume_reading(struct feed_ws *ws)
{
    ws->stalled = false;
    want_write(ws);
}

void world_token(struct world *world, const char *user, int64_t ends_in_s, struct feed_buf *out)
{
    const struct feed_str secret = {world_secret, sizeof world_secret - 1};
    feed_buf_init(out, FEED_TOKEN_MAX);
    feed_token_sign(secret, FEED_STR("demo"), feed_str_of(user), world->wall_ms / 1000 + ends_in_s, FEED_STR(""), out);
    feed_buf_char(out, '\0');
}

/* ---- sleep ---- */

static enum feed_error wake(void *arg, struct feed_str key)
{
    struct world *world = arg;
    feed_assert(feed_str_eq(key, feed_key_str(&world->timelines[0].key)) ||
                feed_str_eq(key, feed_key_str(&world->timelines[1].key)));
    world->wakes++;
    return world->wakes_refused ? FEED_E_FULL : FEED_OK;
}

static void touch(void *arg, struct feed_str key)
{
    struct world *world = arg;
    feed_assert(key.len > 0);
    world->touches++;
}

void world_awake_unseen(struct world *world, struct timeline *timeline)
{
    if (gw_position_none(&timeline->position))
        random_bytes(world, timeline->position.epoch, FEED_EPOCH_BYTES);
    timeline->position.seq++;
}

void world_awake(struct world *world, struct timeline *timeline)
{
    /* as feedwire_v1_awake publishes it: kind 4, and no entry */
    world_awake_unseen(world, timeline);
    struct feed_buf bytes;
    feed_buf_init(&bytes, FEED_NOTICE_MAX);
    feed_msgpack_array(&bytes, 5);
    feed_msgpack_u64(&bytes, 4);
    feed_msgpack_str(&bytes, (struct feed_str){(const char *)timeline->position.epoch, FEED_EPOCH_BYTES});
    feed_msgpack_u64(&bytes, timeline->position.seq);
    feed_msgpack_u64(&bytes, 0);
    feed_msgpack_str(&bytes, FEED_STR(""));
    gw_hub_notice(&world->hub, feed_key_str(&timeline->key), feed_buf_view(&bytes));
    feed_buf_fini(&bytes);
}

/* ---- life ---- */

static void discard_log(void *arg, struct feed_str line)
{
    (void)arg;
    (void)line;
}

void world_init(struct world *world, uint64_t seed, size_t queue_bytes_max, int64_t check_interval_ms)
{
    memset(world, 0, sizeof *world);
    frame_world = world;
    world->random = seed;
    world->up = true;
    world->mono_ms = 1000000;
    world->wall_ms = INT64_C(1790000000000);
    world->port = (struct gw_port){world,       mono_ms,       wall_ms,        random_bytes, frame_new, frame_ref,
                                   frame_unref, frame_payload, want_write,     known,        close_ws,  subscribe,
                                   unsubscribe, read_window,   check_position, wake,         touch};
    world->timelines[0].key = feed_key_timeline(FEED_TIMELINE_HOME, FEED_STR("demo"), FEED_STR("ann"));
    world->timelines[1].key = feed_key_timeline(FEED_TIMELINE_HOME, FEED_STR("demo"), FEED_STR("bob"));
    world->timelines[2].key = feed_key_timeline(FEED_TIMELINE_NOTIFICATIONS, FEED_STR("demo"), FEED_STR("ann"));
    world->timelines[3].key = feed_key_timeline(FEED_TIMELINE_OUTBOX, FEED_STR("demo"), FEED_STR("eve"));
    world->timelines[4].key = feed_key_timeline(FEED_TIMELINE_OUTBOX, FEED_STR("demo"), FEED_STR("fay"));
    world->metrics = feed_metrics_new(gw_metrics_table);
    world->log = feed_log_new("test", FEED_LOG_ERROR, discard_log, NULL, NULL);
    const struct feed_auth_settings auth = {.secret = {world_secret, sizeof world_secret - 1}};
    world->auth = feed_auth_new(&auth);
    feed_assert(world->auth);
    struct gw_hub_settings settings = {.queue_bytes_max = queue_bytes_max,
                                       .heartbeat_ms = 25000,
                                       .check_interval_ms = check_interval_ms,
                                       .auth = world->auth};
    feed_assert(gw_hub_init(&world->hub, &world->port, &settings, world->metrics, world->log) == FEED_OK);
}

void world_stale_after(struct world *world, int64_t ms)
{
    world->hub.settings.stale_after_ms = world->hub.progress.stale_after_ms = ms;
}

void world_progress(struct world *world, const struct feed_progress *said)
{
    struct feed_buf bytes;
    feed_buf_init(&bytes, FEED_NOTICE_MAX);
    feed_progress_encode(said, &bytes);
    gw_hub_progress(&world->hub, feed_buf_view(&bytes));
    feed_buf_fini(&bytes);
}

void world_fini(struct world *world)
{
    struct gw_link *link;
    while ((link = gw_list_first(&world->hub.sessions)))
        world_disconnect(GW_OF(link, struct gw_session, by_hub)->ws, 1006);
    world_fail_reads(world);
    while (world->event_count)
        remove_event(world, 0);
    gw_hub_fini(&world->hub);
    feed_metrics_free(world->metrics);
    feed_log_free(world->log);
    feed_auth_free(world->auth);
    free(world->removed);
    feed_assert(world->frames == 0);
}
