/* The steps that make the graph durable: what the record has changed is read as Redis has it now, and goes to the topic
 * graph. Not what the activity said: it may have been the older one, and changed nothing.
 *
 * The topic keeps what comes last for a key, so each key has one writer: whoever has the acts of the user in it in
 * hand. That is why a block, which ends the edge from the other too, says so in its own settings. */
#include "fanout/steps.h"

#include "shared/base/assert.h"

/* In one of the steps of this file. */
static bool relates(const struct fan_job *job)
{
    return job->step >= FAN_STEP_GRAPH_OTHER && job->step <= FAN_STEP_GRAPH;
}

static bool changes_settings(const struct fan_job *job)
{
    switch (job->act) {
    case FEED_ACT_MUTE:
    case FEED_ACT_UNMUTE:
    case FEED_ACT_BLOCK:
    case FEED_ACT_UNBLOCK:
        return true;
    case FEED_ACT_UNFOLLOW:
        return job->kept;
    default:
        return false;
    }
}

static bool changes_edge(const struct fan_job *job)
{
    return job->act == FEED_ACT_FOLLOW || job->act == FEED_ACT_UNFOLLOW || job->act == FEED_ACT_BLOCK ||
           (job->act == FEED_ACT_IMPORT && !job->related && !job->fills_alone);
}

/* Which of the steps the record has, in their order. */
static bool has_step(const struct fan_job *job, int step)
{
    switch (step) {
    case FAN_STEP_GRAPH_OTHER:
        return job->act == FEED_ACT_BLOCK;
    case FAN_STEP_GRAPH_SETTINGS:
        return changes_settings(job);
    case FAN_STEP_GRAPH_FILTER:
        return job->act == FEED_ACT_FILTER;
    default:
        return changes_edge(job);
    }
}

/* What comes once more as a command may be worked off beside a younger act of the same user, by another member: what it
 * read would come into the topic after the truth. And the topic has it, from when it came first. */
enum fan_step fan_relation_next(struct fan_job *job)
{
    if (job->applies)
        return FAN_STEP_DONE;
    for (int step = relates(job) ? (int)job->step + 1 : FAN_STEP_GRAPH_OTHER; step <= FAN_STEP_GRAPH; step++) {
        if (!has_step(job, step))
            continue;
        if (job->act == FEED_ACT_BLOCK)
            fan_place_reset(&job->edge_place); /* it was that of another edge */
        return (enum fan_step)step;
    }
    return FAN_STEP_DONE;
}

struct feed_relation fan_job_relation(const struct fan_job *job)
{
    struct feed_relation relation = {.tenant = job->activity.tenant,
                                     .user = job->activity.actor,
                                     .subject = job->activity.object_id,
                                     .kind = FEED_RELATION_FOLLOW};
    if (job->step != FAN_STEP_GRAPH_SETTINGS && job->step != FAN_STEP_GRAPH_FILTER) {
        relation.since_ms = job->relation_since_ms;
        relation.ended_ms = job->relation_ended_ms;
        relation.latest_ms = job->relation_latest_ms;
        return relation;
    }
    bool filter = job->step == FAN_STEP_GRAPH_FILTER;
    relation.kind = filter ? FEED_RELATION_FILTER : FEED_RELATION_SETTINGS;
    if (filter)
        relation.subject = relation.user; /* no other name: who erases that other user takes out all that names them */
    const char *texts = job->relation_text.data;
    size_t first = job->relation_text_len;
    relation.texts[0] = (struct feed_str){texts, first};
    relation.texts[1] = (struct feed_str){texts + first, job->relation_text.len - first};
    return relation;
}

void fan_job_relate_again(struct fan_job *job, int64_t retry_at_ms)
{
    job->retry_at_ms = retry_at_ms;
    job->related = false; /* of an import: GRAPH is the next step then */
    if (relates(job))
        fan_todo_fill(&job->todo, job->count);
}

/* ---- edges ---- */

static void build_edge(const struct fan_job *job, struct feed_str followed, struct feed_str follower,
                       struct fan_call *call)
{
    fan_call_function(call, "FCALL_RO", "feedwire_v1_edge", "4");
    fan_place_keys(job->edge_place.page, job->activity.tenant, followed, call);
    fan_call_arg(call, follower);
    fan_place_args(&job->edge_place, call);
}

static void build_graph(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    (void)texts, (void)i;
    build_edge(job, job->activity.object_id, job->activity.actor, call);
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
    /* A block that was ended before it came has not touched the edge; else it would be missing after any of these acts
     * only if Redis has lost it, as the life will tell. */
    int64_t since_ms = answer->items[0].number, ended_ms = answer->items[1].number;
    if (job->act == FEED_ACT_BLOCK && since_ms == 0 && ended_ms == 0)
        return true;
    if (!fan_relation_plausible(since_ms, ended_ms, answer->items[2].number))
        return false;
    fan_job_relate(job, since_ms, ended_ms, answer->items[2].number);
    return true;
}

static enum fan_step after_graph(struct fan_job *job)
{
    return fan_place_sent_on(&job->edge_place) ? FAN_STEP_GRAPH : FAN_STEP_DONE;
}

static void build_other(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    (void)texts, (void)i;
    build_edge(job, job->activity.actor, job->activity.object_id, call);
}

static bool take_other(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    (void)writes;
    enum { PARTS = 3 };
    if (!fan_place_take(&job->edge_place, answer, PARTS))
        return false;
    if (!job->edge_place.elsewhere)
        job->other_ended_ms = answer->items[1].number;
    return time_valid(job->other_ended_ms);
}

static enum fan_step after_other(struct fan_job *job)
{
    return fan_place_sent_on(&job->edge_place) ? FAN_STEP_GRAPH_OTHER : FAN_STEP_DONE;
}

/* ---- settings ---- */

static void build_settings(const struct fan_job *job, const struct fan_step_texts *texts, size_t i,
                           struct fan_call *call)
{
    (void)texts, (void)i;
    fan_call_function(call, "FCALL", "feedwire_v1_settings_state", "1");
    fan_call_key(call, feed_key_settings(job->activity.tenant, job->activity.actor));
    fan_call_arg(call, job->activity.object_id);
    fan_call_number(call, job->other_ended_ms);
}

static void build_filter_state(const struct fan_job *job, const struct fan_step_texts *texts, size_t i,
                               struct fan_call *call)
{
    (void)texts, (void)i;
    fan_call_function(call, "FCALL_RO", "feedwire_v1_filter_state", "1");
    fan_call_key(call, feed_key_settings(job->activity.tenant, job->activity.actor));
}

/* What nobody could read must not become the newest record of its key. */
static bool readable(const struct fan_job *job)
{
    struct feed_relation relation = fan_job_relation(job), read;
    struct feed_buf key, value;
    feed_buf_init(&key, FEED_RELATION_KEY_MAX);
    feed_buf_init(&value, FEED_RELATION_VALUE_MAX);
    feed_relation_key(&relation, &key);
    feed_relation_value(&relation, &value);
    bool good = key.error == FEED_OK && value.error == FEED_OK &&
                feed_relation_read(feed_buf_view(&key), feed_buf_view(&value), &read) == FEED_OK;
    feed_buf_fini(&key);
    feed_buf_fini(&value);
    return good;
}

/* Two texts. Empty ones: Redis has lost it, as the life will tell. */
static bool take_texts(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    (void)writes;
    enum { TEXTS = 2 };
    if (answer->kind != FAN_ANSWER_LIST || answer->count != TEXTS ||
        answer->items[0].text.len + answer->items[1].text.len == 0)
        return false;
    feed_buf_reset(&job->relation_text);
    feed_buf_str(&job->relation_text, answer->items[0].text);
    job->relation_text_len = job->relation_text.len;
    feed_buf_str(&job->relation_text, answer->items[1].text);
    job->relation_due = job->relation_text.error == FEED_OK && readable(job);
    return job->relation_due;
}

/* ---- rows ---- */

const struct fan_step_row fan_row_graph_other = {
    .name = "graph_other", .window = 1, .build = build_other, .take = take_other, .next = after_other};

const struct fan_step_row fan_row_graph_settings = {
    .name = "graph_settings", .window = 1, .build = build_settings, .take = take_texts, .then = FAN_STEP_DONE};

const struct fan_step_row fan_row_graph_filter = {
    .name = "graph_filter", .window = 1, .build = build_filter_state, .take = take_texts, .then = FAN_STEP_DONE};

const struct fan_step_row fan_row_graph = {
    .name = "graph", .window = 1, .build = build_graph, .take = take_graph, .next = after_graph};
