/* The step that makes the graph durable: a follow or an unfollow reads the edge as Redis has it now, and sends that to
 * the topic graph. Not what the activity said: it may have been the older one, and changed nothing. */
#include "fanout/steps.h"

bool fan_job_changes_graph(const struct fan_job *job)
{
    return job->act == FEED_ACT_FOLLOW || job->act == FEED_ACT_UNFOLLOW;
}

struct feed_relation fan_job_relation(const struct fan_job *job)
{
    return (struct feed_relation){.kind = FEED_RELATION_FOLLOW,
                                  .tenant = job->activity.tenant,
                                  .user = job->activity.actor,
                                  .subject = job->activity.object_id,
                                  .since_ms = job->relation_since_ms,
                                  .ended_ms = job->relation_ended_ms,
                                  .latest_ms = job->relation_latest_ms};
}

void fan_job_relate_again(struct fan_job *job, int64_t retry_at_ms)
{
    fan_todo_fill(&job->todo, job->count);
    job->retry_at_ms = retry_at_ms;
}

static void build_graph(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    (void)texts, (void)i;
    fan_call_function(call, "FCALL_RO", "feedwire_v1_edge", "4");
    fan_place_keys(job->edge_place.page, job->activity.tenant, job->activity.object_id, call);
    fan_call_arg(call, job->activity.actor);
    fan_place_args(&job->edge_place, call);
}

/* Times that are none would be a record that nobody can read. */
static bool time_valid(int64_t time_ms)
{
    return time_ms >= 0 && time_ms <= FEED_TIME_MAX_MS;
}

static bool take_graph(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    (void)writes;
    enum { PARTS = 3 };
    if (!fan_place_take(&job->edge_place, answer, PARTS))
        return false;
    if (job->edge_place.elsewhere)
        return true;
    if (!time_valid(answer->items[0].number) || !time_valid(answer->items[1].number) ||
        !time_valid(answer->items[2].number))
        return false;
    /* After a follow or an unfollow there is always one of the two: Redis has lost it, as the life will tell. */
    if (answer->items[0].number == 0 && answer->items[1].number == 0)
        return false;
    job->relation_since_ms = answer->items[0].number;
    job->relation_ended_ms = answer->items[1].number;
    job->relation_latest_ms = answer->items[2].number;
    if (job->relation_ended_ms >= job->relation_since_ms)
        job->relation_since_ms = job->relation_latest_ms =
            0; /* as the functions see it: what was ended since does not hold */
    job->relation_due = true;
    return true;
}

static enum fan_step after_graph(struct fan_job *job)
{
    return fan_place_sent_on(&job->edge_place) ? FAN_STEP_GRAPH : FAN_STEP_DONE;
}

const struct fan_step_row fan_row_graph = {
    .name = "graph", .window = 1, .build = build_graph, .take = take_graph, .next = after_graph};
