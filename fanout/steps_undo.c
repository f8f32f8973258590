/* The steps of an undo: a mark wherever the activity is, or where an add that is late could still put it.
 *
 * The difficulty is to be complete although any step may be the last of this process. The outbox is the only place that
 * tells who was notified, and the mark in it deletes that; so the notifications come first. From the mark in the outbox
 * on the activity reaches nobody any more: neither by its own record, if that comes again, nor by a backfill. Only then
 * are the followers read. Those who follow get a mark in any case, since a page that another worker has read may still
 * be written; those who once did have nothing but what they kept, for a write to them is refused. */
#include "fanout/steps.h"

#include "shared/base/assert.h"
#include "shared/model/names.h"

#include <stdio.h>
#include <string.h>

/* ---- what the outbox knows ---- */

static struct feed_str undone_id(const struct fan_job *job)
{
    return (struct feed_str){(const char *)job->undone.bytes, FEED_ID_BYTES};
}

static struct feed_key outbox_of(const struct fan_job *job)
{
    return feed_key_timeline(FEED_TIMELINE_OUTBOX, job->activity.tenant, job->activity.actor);
}

static void build_find(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    (void)texts, (void)i;
    fan_call_function(call, "FCALL_RO", "feedwire_v1_find", "1");
    fan_call_key(call, outbox_of(job));
    fan_call_arg(call, undone_id(job));
}

/* What is in Redis becomes part of a key: it must be a name, whoever wrote it there. */
static void add_if_valid(struct fan_job *job, struct feed_str user)
{
    if (user.data && feed_user_valid(user))
        fan_job_add_recipient(job, user);
}

static void take_recipients(struct fan_job *job, struct feed_str bytes)
{
    struct feed_entry entry;
    struct feed_str to[FEED_TO_MAX];
    size_t to_count;
    feed_buf_reset(&job->outbox_entry);
    feed_buf_str(&job->outbox_entry, bytes);
    if (job->outbox_entry.error != FEED_OK ||
        feed_entry_decode_outbox(feed_buf_view(&job->outbox_entry), &entry, to, &to_count) != FEED_OK)
        return;
    job->recipient_count = 0;
    for (size_t i = 0; i < to_count; i++)
        add_if_valid(job, to[i]);
    add_if_valid(job, entry.owner);
    if (feed_str_eq(entry.verb, FEED_STR("follow")))
        add_if_valid(job, entry.object_id);
}

/* {how many entries have this id, published ms of the newest or of a mark, that entry} */
static bool take_find(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    (void)writes;
    if (answer->kind != FAN_ANSWER_LIST || answer->count < 3)
        return false;
    int64_t count = answer->items[0].number;
    struct feed_str time = answer->items[1].text;
    if (time.len && feed_str_copy(time, job->undone_text, sizeof job->undone_text) != FEED_OK)
        return false;
    /* With two of that id, or with a mark whose time somebody may have guessed, it is to be searched for. */
    job->undone_certain = count == 1;
    if (count > 0)
        take_recipients(job, answer->items[2].text);
    return true;
}

/* ---- removing ---- */

static void add_remove(const struct fan_job *job, const struct fan_step_texts *texts, bool leave, struct fan_call *call)
{
    fan_call_arg(call, feed_str_of(texts->cap));
    fan_call_arg(call, feed_str_of(texts->slack));
    fan_call_arg(call, undone_id(job));
    fan_call_arg(call, feed_str_of(job->undone_certain ? job->undone_text : ""));
    fan_call_arg(call, feed_str_of(leave ? job->undone_text : ""));
}

static void build_remove(const struct fan_job *job, const struct fan_step_texts *texts, enum feed_timeline timeline,
                         struct feed_str user, bool leave, struct fan_call *call)
{
    fan_call_function(call, "FCALL", "feedwire_v1_remove", "1");
    fan_call_key(call, feed_key_timeline(timeline, job->activity.tenant, user));
    add_remove(job, texts, leave, call);
    if (timeline == FEED_TIMELINE_HOME && texts->sleeps)
        fan_call_arg(call, FEED_STR("sleeps"));
}

static bool count_remove(int64_t answer, struct fan_writes *writes)
{
    if (answer > 0)
        writes->removed++;
    return answer >= 0;
}

static bool take_remove(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    (void)job;
    return answer->kind == FAN_ANSWER_INTEGER && count_remove(answer->integer, writes);
}

static void build_notify(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    build_remove(job, texts, fan_recipient_timeline(job, i), fan_recipient(job, i),
                 i < job->recipient_count || job->own_marked, call);
}

static void build_outbox(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    (void)i;
    fan_call_function(call, "FCALL", "feedwire_v1_remove", "2");
    fan_call_key(call, outbox_of(job));
    fan_call_key(call, feed_key_author(job->activity.tenant, job->activity.actor));
    add_remove(job, texts, true, call);
}

static bool take_outbox(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    int64_t result;
    return fan_author_take(job, answer, &result) && count_remove(result, writes);
}

/* ---- followers, and those who were ---- */

static void build_followers(const struct fan_job *job, const struct fan_step_texts *texts, size_t i,
                            struct fan_call *call)
{
    (void)texts; /* all of them: a younger one may have it from a backfill */
    struct feed_str tenant = job->activity.tenant, actor = job->activity.actor;
    fan_users_build(job, actor, feed_key_followers(tenant, actor, job->walk.open[i].page), "inf", i, call);
}

static void begin_ended(struct fan_job *job)
{
    fan_walk_begin(&job->walk);
}

static enum fan_step after_followers_part(struct fan_job *job)
{
    if (fan_users_more(job))
        return FAN_STEP_UNDO_FOLLOWERS;
    begin_ended(job);
    return FAN_STEP_UNDO_ENDED;
}

/* Nothing of it was copied, but to those who kept it when they left. */
static enum fan_step after_outbox(struct fan_job *job)
{
    return fan_crossing_is_on(job) ? FAN_STEP_UNDO_ENDED : FAN_STEP_UNDO_FOLLOWERS;
}

static enum fan_step after_followers(struct fan_job *job)
{
    return job->page->count ? FAN_STEP_UNDO_HOME : after_followers_part(job);
}

static void build_home(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    build_remove(job, texts, FEED_TIMELINE_HOME, fan_page_at(job->page, i), true, call);
}

static void build_ended(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    (void)texts;
    struct feed_str tenant = job->activity.tenant, actor = job->activity.actor;
    fan_users_build(job, actor, feed_key_ended(tenant, actor, job->walk.open[i].page), "inf", i, call);
}

static enum fan_step after_ended_part(struct fan_job *job)
{
    return fan_users_more(job) ? FAN_STEP_UNDO_ENDED : FAN_STEP_DONE;
}

static enum fan_step after_ended(struct fan_job *job)
{
    return job->page->count ? FAN_STEP_UNDO_KEPT : after_ended_part(job);
}

static void build_kept(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    build_remove(job, texts, FEED_TIMELINE_HOME, fan_page_at(job->page, i), false, call);
}

/* ---- rows ---- */

const struct fan_step_row fan_row_undo_find = {
    .name = "undo_find", .window = 1, .build = build_find, .take = take_find, .then = FAN_STEP_UNDO_NOTIFY};

const struct fan_step_row fan_row_undo_notify = {.name = "undo_notify",
                                                 .window = FAN_RECIPIENTS_MAX + 1,
                                                 .commands = fan_recipients_commands,
                                                 .build = build_notify,
                                                 .take = take_remove,
                                                 .then = FAN_STEP_UNDO_OUTBOX};

const struct fan_step_row fan_row_undo_outbox = {
    .name = "undo_outbox", .window = 1, .build = build_outbox, .take = take_outbox, .next = after_outbox};

const struct fan_step_row fan_row_undo_followers = {.name = "undo_followers",
                                                    .window = FAN_WALK_OPEN,
                                                    .needs_page = true,
                                                    .commands = fan_users_reads,
                                                    .build = build_followers,
                                                    .take = fan_users_take,
                                                    .next = after_followers};

const struct fan_step_row fan_row_undo_home = {.name = "undo_home",
                                               .window = FAN_TURN_COMMANDS,
                                               .needs_page = true,
                                               .commands = fan_users_commands,
                                               .build = build_home,
                                               .take = take_remove,
                                               .next = after_followers_part};

const struct fan_step_row fan_row_undo_ended = {.name = "undo_ended",
                                                .window = FAN_WALK_OPEN,
                                                .needs_page = true,
                                                .commands = fan_users_reads,
                                                .build = build_ended,
                                                .take = fan_users_take,
                                                .next = after_ended};

const struct fan_step_row fan_row_undo_kept = {.name = "undo_kept",
                                               .window = FAN_TURN_COMMANDS,
                                               .needs_page = true,
                                               .commands = fan_users_commands,
                                               .build = build_kept,
                                               .take = take_remove,
                                               .next = after_ended_part};
