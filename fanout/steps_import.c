/* The steps of an import: an edge that was made elsewhere, of which nobody is told. It comes into the graph on both
 * sides like any follow, but nothing goes into outboxes or notifications, and no feed is filled for one edge: the last
 * edge of a follower says that the home feed is to be filled now, once for all of them, by the steps of a wake.
 *
 * It costs three commands: the edge at the followed, joined with what is known of it (so an import may come late, early
 * or again), whose answer is what the topic graph gets; the edge at the follower, where settings have the last word;
 * and a look at how the followed stands, after both, as every follow looks after it has written. */
#include "fanout/steps.h"

static bool merged(const struct fan_crossing *crossing)
{
    return crossing->state == FAN_BROADCAST_UP || crossing->state == FAN_BROADCAST_ON;
}

enum fan_step fan_import_after_edge(const struct fan_job *job)
{
    return job->fills ? FAN_STEP_IMPORT_FILL : FAN_STEP_DONE;
}

/* ---- the side of the followed ---- */

static void build_import(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    (void)i;
    fan_call_function(call, "FCALL", "feedwire_v1_edge_load", "4");
    fan_place_keys(job->edge_place.page, job->activity.tenant, job->activity.object_id, call);
    fan_call_arg(call, job->activity.actor);
    fan_call_arg(call, feed_str_of(job->published_text)); /* a state of the edge: it began then, and never ended */
    fan_call_arg(call, FEED_STR("0"));
    fan_call_arg(call, FEED_STR("0"));
    fan_place_args(&job->edge_place, call);
    fan_call_arg(call, feed_str_of(texts->page_followers));
}

/* {since, ended, latest, followers, todo, level} */
static bool take_import(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    enum { PARTS = 6 };
    (void)writes;
    if (!fan_place_take(&job->edge_place, answer, PARTS))
        return false;
    if (job->edge_place.elsewhere)
        return true;
    int64_t followers = answer->items[3].number;
    job->edge_time_ms = answer->items[0].number;
    job->ended_ms = answer->items[1].number;
    job->edge_latest_ms = answer->items[2].number;
    if (!fan_relation_plausible(job->edge_time_ms, job->ended_ms, job->edge_latest_ms))
        return false;
    job->edge_state = job->ended_ms < job->activity.published_ms;
    job->crossing.followers = followers > 0 ? (uint64_t)followers : 0;
    fan_split_begin(&job->split, job->edge_place.page, answer->items[4].number, answer->items[5].number);
    return true;
}

static enum fan_step after_import(struct fan_job *job)
{
    if (fan_place_sent_on(&job->edge_place))
        return FAN_STEP_IMPORT;
    return job->edge_state ? FAN_STEP_FOLLOWEE_ADD : fan_import_after_edge(job);
}

/* ---- how the followed stands ---- */

static void build_author(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    (void)texts, (void)i;
    fan_call_arg(call, FEED_STR("HMGET"));
    fan_call_key(call, feed_key_author(job->activity.tenant, job->activity.object_id));
    fan_call_arg(call, FEED_STR("gen"));
    fan_call_arg(call, FEED_STR("broadcast"));
}

static bool take_author(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    (void)writes;
    enum { PARTS = 2 };
    if (answer->kind != FAN_ANSWER_LIST || answer->count != PARTS ||
        !fan_crossing_read(&job->crossing, answer->items[1].text))
        return false;
    job->crossing.number = answer->items[0].number;
    /* Where nothing more is done to the edge, it stands as IMPORT left it. What comes once more as a command sends
     * nothing: see fan_relation_next. */
    job->related = !job->applies && !merged(&job->crossing) && !job->fills && job->split.state == FAN_SPLIT_OFF;
    if (job->related)
        fan_job_relate(job, job->edge_time_ms, job->ended_ms, job->edge_latest_ms);
    return true;
}

static enum fan_step after_author(struct fan_job *job)
{
    return merged(&job->crossing) ? FAN_STEP_SOURCE : fan_import_after_edge(job);
}

/* ---- the feed of the follower ---- */

/* Where feeds sleep, one that is not there is filled when it is woken, from the same outboxes. Where they do not, it is
 * made. */
static void build_fill(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    struct feed_key home = feed_key_timeline(FEED_TIMELINE_HOME, job->activity.tenant, job->activity.actor);
    (void)i;
    if (job->sleeps) {
        fan_call_arg(call, FEED_STR("EXISTS"));
        fan_call_key(call, home);
        return;
    }
    fan_call_function(call, "FCALL", "feedwire_v1_wake", "1");
    fan_call_key(call, home);
    fan_call_arg(call, (struct feed_str){(const char *)job->epoch, sizeof job->epoch});
    fan_call_arg(call, feed_str_of(texts->ttl));
}

static bool take_fill(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    (void)writes;
    job->asleep = job->sleeps && answer->integer == 0;
    return answer->kind == FAN_ANSWER_INTEGER && answer->integer >= 0;
}

static enum fan_step after_fill(struct fan_job *job)
{
    return job->asleep ? FAN_STEP_DONE : FAN_STEP_WAKE_SOURCES;
}

/* ---- rows ---- */

const struct fan_step_row fan_row_import = {
    .name = "import", .window = 1, .build = build_import, .take = take_import, .next = after_import};

const struct fan_step_row fan_row_import_author = {
    .name = "import_author", .window = 1, .build = build_author, .take = take_author, .next = after_author};

const struct fan_step_row fan_row_import_fill = {
    .name = "import_fill", .window = 1, .build = build_fill, .take = take_fill, .next = after_fill};
