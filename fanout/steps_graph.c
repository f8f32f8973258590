/* The steps that deal with edges: each stands in the graph on both sides, g: of the followed and h: of the follower.
 * The side of the followed decides, because only it is read when an activity is fanned out; it remembers ended edges
 * too. */
#include "fanout/steps.h"

/* ---- follow ---- */

static void build_edge(const struct fan_job *job, const char *function, struct fan_call *call)
{
    fan_call_function(call, "FCALL", function, "2");
    fan_call_key(call, feed_key_followers(job->activity.tenant, job->activity.object_id, 0));
    fan_call_key(call, feed_key_ended(job->activity.tenant, job->activity.object_id, 0));
    fan_call_arg(call, job->activity.actor);
    fan_call_arg(call, feed_str_of(job->published_text));
}

static void build_follow(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    (void)texts, (void)i;
    build_edge(job, "feedwire_v1_follow", call);
}

static bool take_follow(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    (void)writes;
    if (answer->kind != FAN_ANSWER_LIST || answer->count < 2)
        return false;
    job->edge_state = answer->items[0].number;
    job->edge_time_ms = answer->items[1].number;
    return true;
}

static enum fan_step after_follow(struct fan_job *job)
{
    return job->edge_state ? FAN_STEP_FOLLOWEE_ADD : FAN_STEP_OUTBOX;
}

static void build_followee(const struct fan_job *job, const char *command, struct fan_call *call)
{
    fan_call_arg(call, feed_str_of(command));
    fan_call_key(call, feed_key_followees(job->activity.tenant, job->activity.actor));
}

static void build_followee_add(const struct fan_job *job, const struct fan_step_texts *texts, size_t i,
                               struct fan_call *call)
{
    (void)texts, (void)i;
    build_followee(job, "ZADD", call);
    fan_call_arg(call, FEED_STR("LT"));
    fan_call_number(call, job->edge_time_ms);
    fan_call_arg(call, job->activity.object_id);
}

static bool take_integer(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    (void)job, (void)writes;
    return answer->kind == FAN_ANSWER_INTEGER;
}

/* ---- unfollow ---- */

static void build_unfollow(const struct fan_job *job, const struct fan_step_texts *texts, size_t i,
                           struct fan_call *call)
{
    (void)texts, (void)i;
    build_edge(job, "feedwire_v1_unfollow", call);
}

static bool take_unfollow(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    job->edge_state = answer->integer;
    return take_integer(job, answer, writes);
}

static enum fan_step after_unfollow(struct fan_job *job)
{
    /* Also when there was nothing to end (2): the first time may have been cut off between the two sides. */
    return job->edge_state ? FAN_STEP_FOLLOWEE_REMOVE : FAN_STEP_DONE;
}

static void build_followee_remove(const struct fan_job *job, const struct fan_step_texts *texts, size_t i,
                                  struct fan_call *call)
{
    (void)texts, (void)i;
    build_followee(job, "ZREM", call);
    fan_call_arg(call, job->activity.object_id);
}

/* ---- rows ---- */

const struct fan_step_row fan_row_follow = {
    .name = "follow", .window = 1, .build = build_follow, .take = take_follow, .next = after_follow};

const struct fan_step_row fan_row_followee_add = {.name = "followee_add",
                                                  .window = 1,
                                                  .build = build_followee_add,
                                                  .take = take_integer,
                                                  .then = FAN_STEP_BACKFILL_READ};

const struct fan_step_row fan_row_unfollow = {
    .name = "unfollow", .window = 1, .build = build_unfollow, .take = take_unfollow, .next = after_unfollow};

const struct fan_step_row fan_row_followee_remove = {.name = "followee_remove",
                                                     .window = 1,
                                                     .build = build_followee_remove,
                                                     .take = take_integer,
                                                     .then = FAN_STEP_DONE};
