/* The steps of broadcast authors, who have so many followers that nothing is copied to them: the gateways merge the
 * outbox into the feeds of those who have the author in b:.
 *
 * The difficulty is to change over while activities, follows and undos go on, in this process and in others, and
 * although any step may be the last of this process. Up: the state says so first, so that every follow from here on
 * puts the author into b: by itself; then all followers get the row while copies go on; only then copies stop. Down:
 * copies go on again first; then each follower is given what the outbox has, and loses the row. In between feed and
 * outbox overlap, and whoever reads both sees each entry once. That every side reads the state after it has written its
 * own part is what lets no follower slip through: see job.h.
 *
 * Each follower's slot keeps the number of the newest crossing that has been there, so a worker that was replaced in an
 * older one changes nothing any more. A crossing belongs to the record that caused it: its offset is not committed
 * before, and when it comes again, after a crash, it is what finds the crossing under way to be its own, and carries it
 * out from the beginning. */
#include "fanout/steps.h"

#include "shared/base/assert.h"
#include "shared/codec/msgpack_write.h"

#include <stdio.h>

enum {
    MERGE_WINDOW = FAN_FOLLOWERS_PAGE,
    COPY_WINDOW = 16, /* each copies a whole outbox: half a millisecond of Redis' time */
};

/* A crossing that takes longer than this is taken over by another record of the author: its own may never come again,
 * if Redis or Kafka has lost some of the past. If it is only slow, it is done twice. */
#define TAKE_OVER_MS "600000"

/* Copies of what was published so long before copies stopped, or later, cannot be: clocks may be apart by this much. */
enum { CLOCKS_APART_MS = 60000 };

/* ---- what is known of the author ---- */

bool fan_crossing_read(struct fan_crossing *crossing, struct feed_str state)
{
    static const char *const words[] = {"", "up", "on", "down"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (feed_str_eq(state, feed_str_of(words[i]))) {
            crossing->state = (enum fan_broadcast)i;
            crossing->known = true;
            return true;
        }
    }
    return false;
}

bool fan_author_take(struct fan_job *job, const struct fan_answer *answer, int64_t *result)
{
    struct fan_crossing author = {.state = FAN_BROADCAST_NOT};
    *result = answer->integer;
    if (answer->kind == FAN_ANSWER_LIST && answer->count >= 3) {
        *result = answer->items[0].number;
        if (!fan_crossing_read(&author, answer->items[1].text))
            return false;
        job->on_since_ms = answer->items[2].number;
    } else if (answer->kind != FAN_ANSWER_INTEGER) {
        return false;
    }
    job->own_state = author.state;
    if (job->act == FEED_ACT_ENTRY) {
        job->crossing.state = author.state;
        job->crossing.known = true;
    }
    return true;
}

static bool changes_followers(const struct fan_job *job)
{
    return job->act == FEED_ACT_FOLLOW || job->act == FEED_ACT_UNFOLLOW ||
           (job->act == FEED_ACT_IMPORT && !job->fills_alone);
}

/* The author whose number of followers this record may have changed, or has seen. */
static struct feed_str author_of(const struct fan_job *job)
{
    return changes_followers(job) ? job->activity.object_id : job->activity.actor;
}

/* Nothing can come of it, as far as is known. */
static bool settled(const struct fan_crossing *crossing)
{
    if (crossing->state == FAN_BROADCAST_NOT)
        return crossing->followers <= crossing->above;
    return crossing->state == FAN_BROADCAST_ON && crossing->followers >= crossing->below;
}

/* What an import has read of the page that it came into is near enough, far from a threshold. */
static bool far_from_crossing(const struct fan_job *job)
{
    const struct fan_crossing *crossing = &job->crossing;
    if (job->act != FEED_ACT_IMPORT || !crossing->known || crossing->followers == 0)
        return false;
    if (crossing->state == FAN_BROADCAST_NOT)
        return crossing->followers < crossing->above / 2;
    return crossing->state == FAN_BROADCAST_ON && crossing->followers / 2 > crossing->below;
}

enum fan_step fan_crossing_begin(const struct fan_job *job)
{
    const struct fan_crossing *crossing = &job->crossing;
    if (changes_followers(job)) {
        bool possible = crossing->above < UINT64_MAX || (crossing->known && crossing->state);
        return possible && !far_from_crossing(job) ? FAN_STEP_CROSS_COUNT : FAN_STEP_DONE;
    }
    if (job->act != FEED_ACT_ENTRY)
        return FAN_STEP_DONE;
    switch (crossing->state) {
    case FAN_BROADCAST_NOT: /* it has just walked the followers: of an author loaded from the graph, nobody follows */
        return settled(crossing) ? FAN_STEP_DONE : FAN_STEP_CROSS;
    case FAN_BROADCAST_ON: /* only where nobody is to be one any more */
        return crossing->below == UINT64_MAX ? FAN_STEP_CROSS_COUNT : FAN_STEP_DONE;
    default:
        return FAN_STEP_CROSS_COUNT;
    }
}

bool fan_crossing_is_on(const struct fan_job *job)
{
    if (job->act != FEED_ACT_UNDO)
        return job->own_state == FAN_BROADCAST_ON;
    /* What is from before may have been copied then. When that was, only the outbox can say: the time of a mark, or one
     * that the undo gives, may be any. */
    if (!job->undone_certain)
        return false;
    int64_t at_ms = 0;
    struct feed_str text = feed_str_of(job->undone_text);
    for (size_t i = 0; i < text.len; i++)
        at_ms = at_ms * 10 + (text.data[i] - '0');
    return job->own_state == FAN_BROADCAST_ON && at_ms >= job->on_since_ms + CLOCKS_APART_MS;
}

/* ---- one follower ---- */

static void build_keep_since(const struct fan_job *job, const struct fan_step_texts *texts, size_t i,
                             struct fan_call *call)
{
    (void)texts, (void)i;
    fan_call_function(call, "FCALL_RO", "feedwire_v1_source_since", "1");
    fan_call_key(call, feed_key_sources(job->activity.tenant, job->activity.actor));
    fan_call_arg(call, job->activity.object_id);
}

static bool take_keep_since(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    (void)writes;
    job->edge_time_ms = answer->integer;
    return answer->kind == FAN_ANSWER_INTEGER && answer->integer >= 0;
}

static enum fan_step after_keep_since(struct fan_job *job)
{
    return job->edge_time_ms ? FAN_STEP_BACKFILL_READ : FAN_STEP_FOLLOWEE_REMOVE;
}

static void build_source_of(const struct fan_job *job, const struct fan_step_texts *texts, struct feed_str user,
                            bool on, struct fan_call *call)
{
    struct feed_str tenant = job->activity.tenant;
    fan_call_function(call, "FCALL", "feedwire_v1_source", "4");
    fan_call_key(call, feed_key_timeline(FEED_TIMELINE_HOME, tenant, user));
    fan_call_key(call, feed_key_sources(tenant, user));
    fan_call_key(call, feed_key_crossings(tenant, user));
    fan_call_key(call, feed_key_followees(tenant, user));
    fan_call_arg(call, author_of(job));
    fan_call_number(call, job->crossing.number);
    fan_call_arg(call, on ? FEED_STR("on") : FEED_STR("off"));
    fan_call_arg(call, (struct feed_str){(const char *)job->epoch, texts->sleeps ? 0 : sizeof job->epoch});
}

static void build_source(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    (void)i;
    enum fan_broadcast state = job->crossing.state;
    build_source_of(job, texts, job->activity.actor, state == FAN_BROADCAST_UP || state == FAN_BROADCAST_ON, call);
}

static bool take_source(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    (void)job, (void)writes;
    return answer->kind == FAN_ANSWER_INTEGER;
}

static enum fan_step after_source(struct fan_job *job)
{
    if (job->act == FEED_ACT_IMPORT)
        return fan_import_after_edge(job);
    return job->renewed ? FAN_STEP_DONE : FAN_STEP_OUTBOX;
}

/* ---- whether to cross ---- */

static void build_count(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    (void)texts, (void)i;
    struct feed_str tenant = job->activity.tenant, author = author_of(job);
    fan_call_function(call, "FCALL_RO", "feedwire_v1_follower_count", "2");
    fan_call_key(call, feed_key_followers(tenant, author, 0));
    fan_call_key(call, feed_key_page(tenant, author, 0));
    fan_call_arg(call, FEED_STR("0"));
}

static bool take_count(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    (void)writes;
    if (answer->kind != FAN_ANSWER_INTEGER || answer->integer < -1)
        return false;
    job->crossing.uncounted = answer->integer < 0;
    job->crossing.followers = job->crossing.uncounted ? 0 : (uint64_t)answer->integer;
    return true;
}

static enum fan_step after_count(struct fan_job *job)
{
    return job->crossing.known && settled(&job->crossing) ? FAN_STEP_DONE : FAN_STEP_CROSS;
}

static int64_t threshold(uint64_t followers)
{
    return followers > INT64_MAX ? INT64_MAX : (int64_t)followers;
}

static void build_cross(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    (void)texts, (void)i;
    fan_call_function(call, "FCALL", "feedwire_v1_cross", "1");
    fan_call_key(call, feed_key_author(job->activity.tenant, author_of(job)));
    fan_call_number(call, (int64_t)job->crossing.followers);
    /* While a page is being split nobody knows how many there are: then nothing begins. */
    bool uncounted = job->crossing.uncounted;
    fan_call_number(call, uncounted ? INT64_MAX : threshold(job->crossing.above));
    fan_call_number(call, uncounted ? 0 : threshold(job->crossing.below));
    fan_call_arg(call, (struct feed_str){(const char *)job->crossing.cause.bytes, FEED_ID_BYTES});
    fan_call_arg(call, FEED_STR(TAKE_OVER_MS));
}

static bool take_cross(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    (void)writes;
    struct fan_crossing *crossing = &job->crossing;
    crossing->ours = false;
    if (answer->kind != FAN_ANSWER_LIST || answer->count < 3 || !fan_crossing_read(crossing, answer->items[0].text) ||
        answer->items[1].number < 0)
        return false;
    crossing->number = answer->items[1].number;
    crossing->ours = answer->items[2].number == 1;
    return true;
}

static enum fan_step after_cross(struct fan_job *job)
{
    struct fan_crossing *crossing = &job->crossing;
    bool ours = crossing->ours;
    crossing->ours = crossing->walked = crossing->complete = false;
    crossing->parts_read = 0;
    fan_walk_begin(&job->walk);
    if (!ours)
        return FAN_STEP_DONE;
    return crossing->state == FAN_BROADCAST_UP ? FAN_STEP_CROSS_FOLLOWERS : FAN_STEP_CROSS_OUTBOX;
}

/* ---- all followers ---- */

/* Once for all: what comes after this is copied by itself, and what is undone after this leaves a mark in the feeds. */
static void build_outbox(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    (void)texts, (void)i;
    fan_call_function(call, "FCALL_RO", "feedwire_v1_since", "1");
    fan_call_key(call, feed_key_timeline(FEED_TIMELINE_OUTBOX, job->activity.tenant, author_of(job)));
    fan_call_arg(call, FEED_STR("0"));
    fan_call_arg(call, FEED_STR("0"));
}

static bool take_outbox(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    (void)writes;
    struct feed_buf *packed = &job->crossing.outbox;
    if (!fan_members_take(job, answer, 0, INT64_MAX))
        return false;
    feed_buf_reset(packed);
    feed_msgpack_array(packed, job->page->count);
    for (size_t i = 0; i < job->page->count; i++)
        feed_msgpack_str(packed, fan_page_at(job->page, i));
    fan_page_reset(job->page);
    job->crossing.walked = packed->error == FEED_OK;
    return job->crossing.walked;
}

/* Without it there is nothing to copy, and nobody may lose the row. */
static enum fan_step after_outbox(struct fan_job *job)
{
    bool read = job->crossing.walked;
    job->crossing.walked = false;
    return read ? FAN_STEP_CROSS_FOLLOWERS : FAN_STEP_DONE;
}

static void build_followers(const struct fan_job *job, const struct fan_step_texts *texts, size_t i,
                            struct fan_call *call)
{
    (void)texts;
    unsigned page = job->walk.open[i].page;
    fan_users_build(job, author_of(job), feed_key_followers(job->activity.tenant, author_of(job), page), "inf", i,
                    call);
}

static bool take_followers(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    bool read = fan_users_take(job, answer, writes);
    job->crossing.parts_read += read;
    return read;
}

static enum fan_step after_page(struct fan_job *job)
{
    return fan_users_more(job) ? FAN_STEP_CROSS_FOLLOWERS : FAN_STEP_CROSS_END;
}

/* A page that could not be read has its dead letter, and the crossing stays as it is, where each entry is seen. */
static enum fan_step after_followers(struct fan_job *job)
{
    bool read = job->crossing.parts_read == job->count;
    job->crossing.parts_read = 0;
    if (!read)
        return FAN_STEP_DONE;
    if (job->page->count == 0)
        return after_page(job);
    return job->crossing.state == FAN_BROADCAST_UP ? FAN_STEP_CROSS_MERGE : FAN_STEP_CROSS_COPY;
}

static void build_merge(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    build_source_of(job, texts, fan_page_at(job->page, i), true, call);
}

static void build_copy(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    struct feed_str tenant = job->activity.tenant, user = fan_page_at(job->page, i);
    fan_call_function(call, "FCALL", "feedwire_v1_copy", "5");
    fan_call_key(call, feed_key_timeline(FEED_TIMELINE_HOME, tenant, user));
    fan_call_key(call, feed_key_settings(tenant, user));
    fan_call_key(call, feed_key_followees(tenant, user));
    fan_call_key(call, feed_key_sources(tenant, user));
    fan_call_key(call, feed_key_crossings(tenant, user));
    fan_call_arg(call, (struct feed_str){(const char *)job->epoch, texts->sleeps ? 0 : sizeof job->epoch});
    fan_call_arg(call, feed_str_of(texts->cap));
    fan_call_arg(call, feed_str_of(texts->slack));
    fan_call_arg(call, author_of(job));
    fan_call_number(call, job->crossing.number);
    fan_call_arg(call, feed_str_of(texts->backfill));
    fan_call_arg(call, feed_buf_view(&job->crossing.outbox));
}

static bool take_copy(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    (void)job;
    if (answer->kind != FAN_ANSWER_INTEGER || answer->integer < -1)
        return false;
    if (answer->integer > 0)
        writes->added += (uint64_t)answer->integer;
    return true;
}

static void build_end(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    (void)texts, (void)i;
    fan_call_function(call, "FCALL", "feedwire_v1_cross_end", "2");
    fan_call_key(call, feed_key_author(job->activity.tenant, author_of(job)));
    fan_call_key(call, feed_key_timeline(FEED_TIMELINE_OUTBOX, job->activity.tenant, author_of(job)));
    fan_call_number(call, job->crossing.number);
}

static bool take_end(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    if (answer->kind != FAN_ANSWER_INTEGER)
        return false;
    job->crossing.complete = true;
    if (answer->integer == 1)
        *(job->crossing.state == FAN_BROADCAST_UP ? &writes->crossed_up : &writes->crossed_down) += 1;
    job->crossing.known = false;
    return true;
}

/* Once more from the count: while this went on, others changed it and had to leave it at that. */
static enum fan_step after_end(struct fan_job *job)
{
    return job->crossing.complete ? FAN_STEP_CROSS_COUNT : FAN_STEP_DONE;
}

/* ---- rows ---- */

const struct fan_step_row fan_row_keep_since = {
    .name = "keep_since", .window = 1, .build = build_keep_since, .take = take_keep_since, .next = after_keep_since};

const struct fan_step_row fan_row_source = {
    .name = "source", .window = 1, .build = build_source, .take = take_source, .next = after_source};

const struct fan_step_row fan_row_cross_count = {
    .name = "cross_count", .window = 1, .build = build_count, .take = take_count, .next = after_count};

const struct fan_step_row fan_row_cross = {
    .name = "cross", .window = 1, .build = build_cross, .take = take_cross, .next = after_cross};

const struct fan_step_row fan_row_cross_outbox = {.name = "cross_outbox",
                                                  .window = 1,
                                                  .needs_page = true,
                                                  .build = build_outbox,
                                                  .take = take_outbox,
                                                  .next = after_outbox};

const struct fan_step_row fan_row_cross_followers = {.name = "cross_followers",
                                                     .window = FAN_WALK_OPEN,
                                                     .needs_page = true,
                                                     .commands = fan_users_reads,
                                                     .build = build_followers,
                                                     .take = take_followers,
                                                     .next = after_followers};

const struct fan_step_row fan_row_cross_merge = {.name = "cross_merge",
                                                 .window = MERGE_WINDOW,
                                                 .needs_page = true,
                                                 .commands = fan_users_commands,
                                                 .build = build_merge,
                                                 .take = take_source,
                                                 .next = after_page};

const struct fan_step_row fan_row_cross_copy = {.name = "cross_copy",
                                                .window = COPY_WINDOW,
                                                .needs_page = true,
                                                .commands = fan_users_commands,
                                                .build = build_copy,
                                                .take = take_copy,
                                                .next = after_page};

const struct fan_step_row fan_row_cross_end = {
    .name = "cross_end", .window = 1, .build = build_end, .take = take_end, .next = after_end};
