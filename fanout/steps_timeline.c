/* The steps that deal with entries: outbox, notifications, home feeds, backfill. The entry is encoded once, commands
 * are built on the stack from views: a push allocates nothing here. */
#include "fanout/steps.h"

#include "shared/base/assert.h"
#include "shared/model/names.h"

#include <stdio.h>

/* ---- writes to timelines ---- */

static void begin_add(const struct fan_job *job, const struct fan_step_texts *texts, struct feed_key key,
                      struct fan_call *call)
{
    fan_call_function(call, "FCALL", "feedwire_v1_add", "1");
    fan_call_key(call, key);
    fan_call_arg(call, (struct feed_str){(const char *)job->epoch, sizeof job->epoch});
    fan_call_arg(call, feed_str_of(texts->cap));
    fan_call_arg(call, feed_str_of(texts->slack));
}

static void build_push(const struct fan_job *job, const struct fan_step_texts *texts, enum feed_timeline timeline,
                       struct feed_str user, struct fan_call *call)
{
    begin_add(job, texts, feed_key_timeline(timeline, job->activity.tenant, user), call);
    fan_call_arg(call, feed_str_of(job->published_text));
    fan_call_arg(call, feed_buf_view(&job->entry));
}

static bool count_write(int64_t answer, struct fan_writes *writes)
{
    if (answer > 0)
        writes->added++;
    else if (answer == 0)
        writes->present++;
    else if (answer == -1)
        writes->beyond_cap++;
    else
        return false;
    return true;
}

static bool take_add(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    (void)job;
    bool good =
        answer->kind == FAN_ANSWER_INTEGER ? count_write(answer->integer, writes) : answer->kind == FAN_ANSWER_LIST;
    for (size_t i = 0; good && answer->kind == FAN_ANSWER_LIST && i < answer->count; i++)
        good = count_write(answer->items[i].number, writes);
    return good;
}

static void build_outbox(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    (void)i;
    build_push(job, texts, FEED_TIMELINE_OUTBOX, job->activity.actor, call);
}

static bool take_outbox(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    /* There already, and not by our own first try: it came once more. The rest is done all the same, because the first
     * time may have been cut off right here. */
    if (answer->kind == FAN_ANSWER_INTEGER && answer->integer == 0 && !job->redone)
        job->repeat = true;
    return take_add(job, answer, writes);
}

/* Before the followers, so that a mention by somebody with many of them is not late. */
static size_t commands_notify(const struct fan_job *job)
{
    return job->recipient_count;
}

static void build_notify(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    build_push(job, texts, FEED_TIMELINE_NOTIFICATIONS, job->recipients[i], call);
}

/* ---- followers ---- */

/* The reading steps leave an empty page when they did not get one. */
static bool not_a_page(struct fan_job *job)
{
    fan_page_reset(job->page);
    return false;
}

static void build_followers(const struct fan_job *job, const struct fan_step_texts *texts, size_t i,
                            struct fan_call *call)
{
    (void)i;
    fan_call_function(call, "FCALL_RO", "feedwire_v1_followers", "1");
    fan_call_key(call, feed_key_followers(job->activity.tenant, job->activity.actor, 0));
    fan_call_arg(call, feed_str_of(job->published_text));
    fan_call_arg(call, feed_str_of(texts->page));
    if (job->cursor[0]) {
        fan_call_arg(call, feed_str_of(job->cursor));
        fan_call_arg(call, feed_str_of(job->cursor_time_text));
    }
}

static bool take_followers(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    (void)writes;
    fan_page_reset(job->page);
    if (answer->kind != FAN_ANSWER_LIST || answer->count > 1 + FAN_FOLLOWERS_PAGE)
        return false;
    for (size_t i = 1; i < answer->count; i++) {
        /* What is in the set becomes part of a key: it must be a name, whoever wrote it there. */
        if (!feed_user_valid(answer->items[i].text) || !fan_page_add(job->page, answer->items[i].text))
            return not_a_page(job);
    }
    job->page_full = job->page->count >= FAN_FOLLOWERS_PAGE;
    if (job->page->count == 0)
        return true;
    snprintf(job->cursor_time_text, sizeof job->cursor_time_text, "%lld", (long long)answer->items[0].number);
    enum feed_error error = feed_str_copy(answer->items[answer->count - 1].text, job->cursor, sizeof job->cursor);
    feed_assert(error == FEED_OK); /* a valid name fits */
    return true;
}

static enum fan_step after_followers(struct fan_job *job)
{
    return job->page->count ? FAN_STEP_HOME : FAN_STEP_DONE;
}

static size_t commands_home(const struct fan_job *job)
{
    return job->page->count;
}

static void build_home(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    build_push(job, texts, FEED_TIMELINE_HOME, fan_page_at(job->page, i), call);
}

static enum fan_step after_home(struct fan_job *job)
{
    bool more = job->page_full;
    fan_page_reset(job->page);
    return more ? FAN_STEP_FOLLOWERS : FAN_STEP_DONE;
}

/* ---- backfill ---- */

/* By the time of the edge, not of this event: a second follow finds the older edge, and fills up what that one
 * promises. */
static void build_backfill_read(const struct fan_job *job, const struct fan_step_texts *texts, size_t i,
                                struct fan_call *call)
{
    (void)i;
    fan_call_function(call, "FCALL_RO", "feedwire_v1_since", "1");
    fan_call_key(call, feed_key_timeline(FEED_TIMELINE_OUTBOX, job->activity.tenant, job->activity.object_id));
    fan_call_number(call, job->edge_time_ms);
    fan_call_arg(call, feed_str_of(texts->backfill));
}

static bool take_backfill(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    (void)writes;
    fan_page_reset(job->page);
    if (answer->kind != FAN_ANSWER_LIST || answer->count % 2)
        return false;
    for (size_t i = 0; i < answer->count; i++) {
        if (!fan_page_add(job->page, answer->items[i].text))
            return not_a_page(job);
    }
    return true;
}

static size_t commands_backfill(const struct fan_job *job)
{
    return (job->page->count / 2 + FAN_BACKFILL_CHUNK - 1) / FAN_BACKFILL_CHUNK;
}

static void build_backfill_write(const struct fan_job *job, const struct fan_step_texts *texts, size_t i,
                                 struct fan_call *call)
{
    begin_add(job, texts, feed_key_timeline(FEED_TIMELINE_HOME, job->activity.tenant, job->activity.actor), call);
    size_t end = (i + 1) * 2 * FAN_BACKFILL_CHUNK;
    for (size_t at = i * 2 * FAN_BACKFILL_CHUNK; at < end && at < job->page->count; at++)
        fan_call_arg(call, fan_page_at(job->page, at));
}

static enum fan_step after_backfill_write(struct fan_job *job)
{
    fan_page_reset(job->page);
    return FAN_STEP_OUTBOX;
}

/* ---- rows ---- */

const struct fan_step_row fan_row_outbox = {
    .name = "outbox", .window = 1, .build = build_outbox, .take = take_outbox, .then = FAN_STEP_NOTIFY};

const struct fan_step_row fan_row_notify = {.name = "notify",
                                            .window = FAN_RECIPIENTS_MAX,
                                            .commands = commands_notify,
                                            .build = build_notify,
                                            .take = take_add,
                                            .then = FAN_STEP_FOLLOWERS};

const struct fan_step_row fan_row_followers = {.name = "followers",
                                               .window = 1,
                                               .needs_page = true,
                                               .build = build_followers,
                                               .take = take_followers,
                                               .next = after_followers};

const struct fan_step_row fan_row_home = {.name = "home",
                                          .window = FAN_FOLLOWERS_PAGE,
                                          .needs_page = true,
                                          .commands = commands_home,
                                          .build = build_home,
                                          .take = take_add,
                                          .next = after_home};

const struct fan_step_row fan_row_backfill_read = {.name = "backfill_read",
                                                   .window = 1,
                                                   .needs_page = true,
                                                   .build = build_backfill_read,
                                                   .take = take_backfill,
                                                   .then = FAN_STEP_BACKFILL_WRITE};

/* One at a time: they all go to one feed, so that one dead letter is enough when it cannot be written. */
const struct fan_step_row fan_row_backfill_write = {.name = "backfill_write",
                                                    .window = 1,
                                                    .needs_page = true,
                                                    .commands = commands_backfill,
                                                    .build = build_backfill_write,
                                                    .take = take_add,
                                                    .next = after_backfill_write};
