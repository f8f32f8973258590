/* The steps of what a user settles about others: mutes, blocks and their ends, and the verbs that are left out. All are
 * private acts: no entry anywhere, no notification.
 *
 * A setting stands in the slot of the feeds that it rules, where every write to them looks at it. What it leaves out is
 * taken out of them in the same call, and cannot come back. When a mute ends, what was done since then may have been
 * worked off before this, and was left out; so it is fetched from the outbox, as after a follow. */
#include "fanout/steps.h"

/* ---- settings ---- */

static const char *letter_of(enum feed_act act, bool own)
{
    switch (act) {
    case FEED_ACT_MUTE:
        return "m";
    case FEED_ACT_UNMUTE:
        return "n";
    case FEED_ACT_BLOCK:
        return own ? "b" : "B";
    default:
        return own ? "c" : "C";
    }
}

/* In the slot of the user, about the other. */
static void build_settle(const struct fan_job *job, const struct fan_step_texts *texts, bool own, struct fan_call *call)
{
    struct feed_str tenant = job->activity.tenant;
    struct feed_str user = own ? job->activity.actor : job->activity.object_id;
    fan_call_function(call, "FCALL", "feedwire_v1_settle", "5");
    fan_call_key(call, feed_key_settings(tenant, user));
    fan_call_key(call, feed_key_followees(tenant, user));
    fan_call_key(call, feed_key_timeline(FEED_TIMELINE_HOME, tenant, user));
    fan_call_key(call, feed_key_timeline(FEED_TIMELINE_NOTIFICATIONS, tenant, user));
    fan_call_key(call, feed_key_sources(tenant, user));
    fan_call_arg(call, feed_str_of(letter_of(job->act, own)));
    fan_call_arg(call, own ? job->activity.object_id : job->activity.actor);
    fan_call_arg(call, feed_str_of(job->published_text));
    fan_call_arg(call, feed_str_of(texts->cap));
}

static void build_settle_own(const struct fan_job *job, const struct fan_step_texts *texts, size_t i,
                             struct fan_call *call)
{
    (void)i;
    build_settle(job, texts, true, call);
}

static void build_settle_other(const struct fan_job *job, const struct fan_step_texts *texts, size_t i,
                               struct fan_call *call)
{
    (void)i;
    build_settle(job, texts, false, call);
}

/* {1 if it is on now, time of the edge} */
static bool take_settle(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    (void)writes;
    if (answer->kind != FAN_ANSWER_LIST || answer->count < 2)
        return false;
    job->edge_state = answer->items[0].number;
    job->edge_time_ms = answer->items[1].number;
    return true;
}

static enum fan_step after_settle_own(struct fan_job *job)
{
    if (job->act == FEED_ACT_BLOCK || job->act == FEED_ACT_UNBLOCK)
        return FAN_STEP_SETTLE_OTHER;
    job->backfill_only = job->act == FEED_ACT_UNMUTE && !job->edge_state && job->edge_time_ms > 0;
    return job->backfill_only ? FAN_STEP_BACKFILL_READ : FAN_STEP_DONE;
}

static enum fan_step after_settle_other(struct fan_job *job)
{
    /* A block that was ended later ends no edges: they may be younger than its end. */
    return job->act == FEED_ACT_BLOCK && job->edge_state ? FAN_STEP_SEVER_OTHER : FAN_STEP_DONE;
}

/* ---- edges of a blocked pair ---- */

static void build_sever_other(const struct fan_job *job, const struct fan_step_texts *texts, size_t i,
                              struct fan_call *call)
{
    (void)i;
    fan_edge_build(job, texts, "feedwire_v1_sever", job->activity.object_id, job->activity.actor, call);
}

static void build_sever_own(const struct fan_job *job, const struct fan_step_texts *texts, size_t i,
                            struct fan_call *call)
{
    (void)i;
    fan_edge_build(job, texts, "feedwire_v1_sever", job->activity.actor, job->activity.object_id, call);
}

static enum fan_step after_sever_other(struct fan_job *job)
{
    if (fan_place_sent_on(&job->edge_place))
        return FAN_STEP_SEVER_OTHER;
    fan_place_reset(&job->edge_place);
    return FAN_STEP_SEVER_OWN;
}

static enum fan_step after_sever_own(struct fan_job *job)
{
    return fan_place_sent_on(&job->edge_place) ? FAN_STEP_SEVER_OWN : FAN_STEP_DONE;
}

static bool take_integer(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    (void)job, (void)writes;
    return answer->kind == FAN_ANSWER_INTEGER;
}

/* ---- verbs ---- */

static void build_filter(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    struct feed_str verbs[FEED_EXCLUDE_MAX];
    (void)texts, (void)i;
    struct feed_str tenant = job->activity.tenant, actor = job->activity.actor;
    fan_call_function(call, "FCALL", "feedwire_v1_filter", "3");
    fan_call_key(call, feed_key_settings(tenant, actor));
    fan_call_key(call, feed_key_timeline(FEED_TIMELINE_HOME, tenant, actor));
    fan_call_key(call, feed_key_sources(tenant, actor));
    fan_call_arg(call, feed_str_of(job->published_text));
    size_t count = feed_activity_excluded(&job->activity, verbs);
    for (size_t n = 0; n < count; n++)
        fan_call_arg(call, verbs[n]);
}

/* ---- rows ---- */

const struct fan_step_row fan_row_settle_own = {
    .name = "settle_own", .window = 1, .build = build_settle_own, .take = take_settle, .next = after_settle_own};

const struct fan_step_row fan_row_settle_other = {
    .name = "settle_other", .window = 1, .build = build_settle_other, .take = take_settle, .next = after_settle_other};

const struct fan_step_row fan_row_sever_other = {
    .name = "sever_other", .window = 1, .build = build_sever_other, .take = fan_edge_take, .next = after_sever_other};

const struct fan_step_row fan_row_sever_own = {
    .name = "sever_own", .window = 1, .build = build_sever_own, .take = fan_edge_take, .next = after_sever_own};

const struct fan_step_row fan_row_filter = {
    .name = "filter", .window = 1, .build = build_filter, .take = take_integer, .then = FAN_STEP_DONE};
