/* The step that splits a page of followers, or goes on with a split that somebody left: see split.h. */
#include "fanout/steps.h"

static void build_split(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    (void)i;
    fan_split_build(&job->split, job->page, job->activity.tenant, job->activity.object_id, texts->page_followers, call);
}

static bool take_split(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    (void)writes;
    if (!fan_split_take(&job->split, job->page, answer))
        return false;
    job->split_answered = true;
    return true;
}

/* Without an answer there is a dead letter. Who follows next takes it up again; until then the page is too large. */
static enum fan_step after_split(struct fan_job *job)
{
    if (!job->split_answered)
        job->split.state = FAN_SPLIT_OFF;
    job->split_answered = false;
    if (job->split.state == FAN_SPLIT_OFF)
        fan_page_reset(job->page);
    return FAN_STEP_DONE; /* or here again, as long as it is on: see fan_step_next */
}

const struct fan_step_row fan_row_split = {
    .name = "split", .window = 1, .needs_page = true, .build = build_split, .take = take_split, .next = after_split};
