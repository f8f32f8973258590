/* The steps that deal with edges: each stands in the graph on both sides, g: of the followed and h: of the follower.
 * The side of the followed decides, because only it is read when an activity is fanned out; it remembers ended edges
 * too. The side of the follower has the last word about its own feed: see steps_timeline.c. */
#include "fanout/steps.h"

/* ---- the side of the followed ---- */

void fan_edge_build(const struct fan_job *job, const struct fan_step_texts *texts, const char *function,
                    struct feed_str followed, struct feed_str follower, struct fan_call *call)
{
    fan_call_function(call, "FCALL", function, "4");
    fan_place_keys(job->edge_place.page, job->activity.tenant, followed, call);
    fan_call_arg(call, follower);
    fan_call_arg(call, feed_str_of(job->published_text));
    fan_place_args(&job->edge_place, call);
    fan_call_arg(call, feed_str_of(texts->page_followers));
}

bool fan_edge_take(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    enum { PARTS = 6 };
    (void)writes;
    if (!fan_place_take(&job->edge_place, answer, PARTS))
        return false;
    if (job->edge_place.elsewhere)
        return true;
    job->edge_state = answer->items[0].number;
    job->edge_time_ms = answer->items[1].number;
    job->ended_ms = answer->items[2].number;
    return true;
}

static void build_edge(const struct fan_job *job, const struct fan_step_texts *texts, const char *function,
                       struct fan_call *call)
{
    fan_edge_build(job, texts, function, job->activity.object_id, job->activity.actor, call);
}

static void build_follow(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    (void)i;
    build_edge(job, texts, "feedwire_v1_follow", call);
}

static bool take_follow(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    if (!fan_edge_take(job, answer, writes))
        return false;
    /* Only a follow can make a page too large; and who goes on with what somebody left is a follow as well. */
    if (!job->edge_place.elsewhere)
        fan_split_begin(&job->split, job->edge_place.page, answer->items[4].number, answer->items[5].number);
    return true;
}

static enum fan_step after_follow(struct fan_job *job)
{
    if (fan_place_sent_on(&job->edge_place))
        return FAN_STEP_FOLLOW;
    return job->edge_state ? FAN_STEP_FOLLOWEE_ADD : FAN_STEP_OUTBOX;
}

static void build_unfollow(const struct fan_job *job, const struct fan_step_texts *texts, size_t i,
                           struct fan_call *call)
{
    (void)i;
    build_edge(job, texts, "feedwire_v1_unfollow", call);
}

static bool take_edge_state(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    (void)writes;
    job->edge_state = answer->integer;
    return answer->kind == FAN_ANSWER_INTEGER;
}

static enum fan_step after_unfollow(struct fan_job *job)
{
    if (fan_place_sent_on(&job->edge_place))
        return FAN_STEP_UNFOLLOW;
    /* Also when there was nothing to end (2): the first time may have been cut off between the two sides. And when the
     * edge is one of a younger follow (0): the follower's side may have the one before, and entries of it. */
    job->renewed = job->edge_state == 0 && job->edge_time_ms > 0;
    bool keeps = job->edge_state && feed_activity_keeps_entries(&job->activity);
    return keeps ? FAN_STEP_KEEP_SINCE : FAN_STEP_FOLLOWEE_REMOVE;
}

/* It is an activity all the same: when it comes again after the block has ended, nobody knows any more that it was
 * refused, and what is done then must be the same. */
static void build_refused(const struct fan_job *job, const struct fan_step_texts *texts, size_t i,
                          struct fan_call *call)
{
    (void)i;
    build_edge(job, texts, "feedwire_v1_sever", call);
}

static enum fan_step after_refused(struct fan_job *job)
{
    if (fan_place_sent_on(&job->edge_place))
        return FAN_STEP_FOLLOW_REFUSED;
    return job->act == FEED_ACT_IMPORT ? fan_import_after_edge(job) : FAN_STEP_OUTBOX;
}

/* ---- the side of the follower ---- */

static void build_join(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    (void)texts, (void)i;
    fan_call_function(call, "FCALL", "feedwire_v1_join", "2");
    fan_call_key(call, feed_key_followees(job->activity.tenant, job->activity.actor));
    fan_call_key(call, feed_key_settings(job->activity.tenant, job->activity.actor));
    fan_call_arg(call, job->activity.object_id);
    if (job->renewed)
        fan_call_number(call, job->edge_time_ms);
    else
        fan_call_arg(call, feed_str_of(job->published_text));
    fan_call_number(call, job->edge_time_ms);
    fan_call_number(call, job->ended_ms);
}

static enum fan_step after_join(struct fan_job *job)
{
    enum { ENDED = 0, BLOCKED = 2 };
    if (job->renewed)
        return job->edge_state == ENDED || job->edge_state == BLOCKED ? FAN_STEP_DONE : FAN_STEP_BACKFILL_READ;
    if (job->edge_state == BLOCKED)
        return FAN_STEP_FOLLOW_REFUSED;
    if (job->act == FEED_ACT_IMPORT)
        return job->edge_state == ENDED ? fan_import_after_edge(job) : FAN_STEP_IMPORT_AUTHOR;
    return job->edge_state == ENDED ? FAN_STEP_OUTBOX : FAN_STEP_BACKFILL_READ;
}

static void build_leave(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    struct feed_str tenant = job->activity.tenant, actor = job->activity.actor;
    (void)i;
    fan_call_function(call, "FCALL", "feedwire_v1_leave", "4");
    fan_call_key(call, feed_key_followees(tenant, actor));
    fan_call_key(call, feed_key_settings(tenant, actor));
    fan_call_key(call, feed_key_timeline(FEED_TIMELINE_HOME, tenant, actor));
    fan_call_key(call, feed_key_sources(tenant, actor));
    fan_call_arg(call, job->activity.object_id);
    fan_call_arg(call, feed_str_of(job->published_text));
    fan_call_arg(call, feed_str_of(texts->cap));
    fan_call_arg(call, feed_str_of(feed_activity_keeps_entries(&job->activity) ? "keep" : "purge"));
    fan_call_arg(call, FEED_STR("kept"));
}

/* An integer; or {that, 'kept'}. */
static bool take_leave(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    enum { PARTS = 2 };
    job->kept = answer->kind == FAN_ANSWER_LIST && answer->count == PARTS;
    if (!job->kept && answer->kind != FAN_ANSWER_INTEGER)
        return false;
    int64_t purged = job->kept ? answer->items[0].number : answer->integer;
    if (purged < -1)
        return false;
    job->left = purged >= 0;
    if (purged > 0)
        writes->removed += (uint64_t)purged;
    return true;
}

static enum fan_step after_leave(struct fan_job *job)
{
    return job->renewed && job->left ? FAN_STEP_FOLLOWEE_ADD : FAN_STEP_DONE;
}

/* ---- rows ---- */

const struct fan_step_row fan_row_follow = {
    .name = "follow", .window = 1, .build = build_follow, .take = take_follow, .next = after_follow};

const struct fan_step_row fan_row_followee_add = {
    .name = "followee_add", .window = 1, .build = build_join, .take = take_edge_state, .next = after_join};

const struct fan_step_row fan_row_follow_refused = {
    .name = "follow_refused", .window = 1, .build = build_refused, .take = fan_edge_take, .next = after_refused};

const struct fan_step_row fan_row_unfollow = {
    .name = "unfollow", .window = 1, .build = build_unfollow, .take = fan_edge_take, .next = after_unfollow};

const struct fan_step_row fan_row_followee_remove = {
    .name = "followee_remove", .window = 1, .build = build_leave, .take = take_leave, .next = after_leave};
