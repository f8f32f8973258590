/* The step that makes the graph durable: a follow or an unfollow reads the edge as Redis has it now, and sends that to
 * the topic graph. Not what the activity said: it may have been the older one, and changed nothing. */
#include "fanout/steps.h"

bool fan_job_changes_graph(const struct fan_job *job)
{
    return job->act == FEED_ACT_FOLLOW || job->act == FEED_ACT_UNFOLLOW || job->act == FEED_ACT_IMPORT;
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
    job->retry_at_ms = retry_at_ms;
    job->related = false; /* of an import: GRAPH is the next step then */
    if (job->step == FAN_STEP_GRAPH)
        fan_todo_fill(&job->todo, job->count);
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

/* After a follow or an unfollow there is always one of the two: if not, Redis has lost it, as the life will tell. */
bool fan_relation_plausible(int64_t since_ms, int64_t ended_ms, int64_t latest_ms)
{
    return time_valid(since_ms) && time_valid(ended_ms) && time_valid(latest_ms) && (since_ms > 0 || ended_ms > 0);
}

void fan_job_relate(struct fan_job *job, int64_t since_ms, int64_t ended_ms, int64_t latest_ms)
{
    bool holds = ended_ms < since_ms; /* as the functions see it: what was ended since does not */
    job->relation_since_ms = holds ? since_ms : 0;
    job->relation_ended_ms = ended_ms;
    job->relation_latest_ms = holds ? latest_ms : 0;
    job->relation_due = true;
}

static bool take_graph(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    (void)writes;
    enum { PARTS = 3 };
    if (!fan_place_take(&job->edge_place, answer, PARTS))
        return false;
    if (job->edge_place.elsewhere)
        return true;
    if (!fan_relation_plausible(answer->items[0].number, answer->items[1].number, answer->items[2].number))
        return false;
    fan_job_relate(job, answer->items[0].number, answer->items[1].number, answer->items[2].number);
    return true;
}

static enum fan_step after_graph(struct fan_job *job)
{
    return fan_place_sent_on(&job->edge_place) ? FAN_STEP_GRAPH : FAN_STEP_DONE;
}

const struct fan_step_row fan_row_graph = {
    .name = "graph", .window = 1, .build = build_graph, .take = take_graph, .next = after_graph};
