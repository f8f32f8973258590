/* The steps of a wake: the home feed of somebody who was away is made again from the outboxes of those whose activities
 * belong into it.
 *
 * What makes it complete although life goes on meanwhile: the feed is made first and the outboxes are read then, so
 * what is worked off in between is either in an outbox already or finds the feed. Who may be in it is looked at once
 * more by the call that writes, in the slot of the feed, so a source that has been read cannot overtake an unfollow.
 * Adds are by id, and marks travel like entries.
 *
 * One thing needs more: whose edge has ended gets no mark from an undo, only a removal of what is there. So what was
 * kept is read a second time after it was written: an undo either finds what was written, or its mark in the outbox is
 * seen then. */
#include "fanout/steps.h"

#include "shared/base/assert.h"
#include "shared/model/names.h"

#include <stdio.h>

enum { SOURCE_TEXTS = 3, MEMBER_TEXTS = 3 };

static size_t sources_of(const struct fan_job *job)
{
    return job->sources->count / SOURCE_TEXTS;
}

/* part: 0 the author, 1 since when, 2 until when. */
static struct feed_str source(const struct fan_job *job, size_t i, size_t part)
{
    return fan_page_at(job->sources, i * SOURCE_TEXTS + part);
}

static struct feed_key home_of(const struct fan_job *job)
{
    return feed_key_timeline(FEED_TIMELINE_HOME, job->activity.tenant, job->activity.actor);
}

/* ---- making ---- */

static void build_make(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    (void)i;
    fan_call_function(call, "FCALL", "feedwire_v1_wake", "1");
    fan_call_key(call, home_of(job));
    fan_call_arg(call, (struct feed_str){(const char *)job->epoch, sizeof job->epoch});
    fan_call_arg(call, feed_str_of(texts->ttl));
}

static bool take_state(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    (void)writes;
    job->edge_state = answer->integer;
    return answer->kind == FAN_ANSWER_INTEGER && answer->integer >= 0;
}

static enum fan_step after_make(struct fan_job *job)
{
    enum { AWAKE = 0 };
    return job->edge_state == AWAKE ? FAN_STEP_DONE : FAN_STEP_WAKE_SOURCES;
}

/* ---- sources ---- */

static void build_sources(const struct fan_job *job, const struct fan_step_texts *texts, size_t i,
                          struct fan_call *call)
{
    (void)i;
    fan_call_function(call, "FCALL_RO", "feedwire_v1_sources", "3");
    fan_call_key(call, feed_key_followees(job->activity.tenant, job->activity.actor));
    fan_call_key(call, feed_key_settings(job->activity.tenant, job->activity.actor));
    fan_call_key(call, feed_key_sources(job->activity.tenant, job->activity.actor));
    fan_call_arg(call, feed_str_of(texts->sources));
    if (job->source_name[0]) {
        fan_call_arg(call, feed_str_of(job->source_name));
        fan_call_arg(call, feed_str_of(job->source_since));
        fan_call_arg(call, feed_str_of(job->source_till));
    }
}

/* One's own activities are a source like any other, but no edge stands for them. */
static bool add_own(struct fan_job *job)
{
    return fan_page_add(job->sources, job->activity.actor) && fan_page_add(job->sources, FEED_STR("")) &&
           fan_page_add(job->sources, FEED_STR(""));
}

static bool not_sources(struct fan_job *job)
{
    fan_page_reset(job->sources);
    return false;
}

static bool take_sources(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    (void)writes;
    fan_page_reset(job->sources);
    fan_page_reset(job->page);
    if (answer->kind != FAN_ANSWER_LIST || answer->count % SOURCE_TEXTS ||
        answer->count > (size_t)FAN_SOURCES_MAX * SOURCE_TEXTS)
        return false;
    for (size_t i = 0; i < answer->count; i++) {
        bool name = i % SOURCE_TEXTS == 0;
        if ((name && !feed_user_valid(answer->items[i].text)) || !fan_page_add(job->sources, answer->items[i].text))
            return not_sources(job);
    }
    bool first = job->source_name[0] == '\0';
    job->more_sources = answer->count > 0;
    if (answer->count) {
        const struct fan_value *last = &answer->items[answer->count - SOURCE_TEXTS];
        if (feed_str_copy(last[1].text, job->source_since, sizeof job->source_since) != FEED_OK ||
            feed_str_copy(last[2].text, job->source_till, sizeof job->source_till) != FEED_OK ||
            feed_str_copy(last[0].text, job->source_name, sizeof job->source_name) != FEED_OK)
            return not_sources(job);
    }
    return !(first && job->own) || add_own(job);
}

static enum fan_step after_all(const struct fan_job *job)
{
    return job->command == FEED_COMMAND_WAKE && !job->asleep ? FAN_STEP_WAKE_READY : FAN_STEP_DONE;
}

static enum fan_step after_sources(struct fan_job *job)
{
    return job->sources->count ? FAN_STEP_WAKE_READ : after_all(job);
}

/* ---- reading ---- */

static size_t commands_read(const struct fan_job *job)
{
    return sources_of(job);
}

static void build_read(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    bool own = source(job, i, 1).len == 0;
    fan_call_function(call, "FCALL_RO", "feedwire_v1_part", "1");
    fan_call_key(call, feed_key_timeline(FEED_TIMELINE_OUTBOX, job->activity.tenant, source(job, i, 0)));
    fan_call_number(call, (int64_t)i);
    fan_call_arg(call, own ? FEED_STR("1") : source(job, i, 1)); /* times are 1 or more */
    fan_call_arg(call, own ? FEED_STR("0") : feed_str_of(texts->backfill));
}

/* {number of the source, published ms, member, ..} */
static bool take_read(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    (void)writes;
    if (answer->kind != FAN_ANSWER_LIST || answer->count % 2 != 1)
        return false;
    int64_t number = answer->items[0].number;
    size_t held = job->page->count / MEMBER_TEXTS, most = (size_t)FAN_TODO_MAX * FAN_FILL_CHUNK;
    if (number < 0 || (size_t)number >= sources_of(job) || held + answer->count / 2 > most)
        return false;
    for (size_t i = 1; i < answer->count; i += 2) {
        if (!fan_page_add_member(job->page, answer->items[0].text, answer->items[i].text, answer->items[i + 1].text))
            return false;
    }
    return true;
}

/* ---- writing ---- */

static size_t commands_write(const struct fan_job *job)
{
    return (job->page->count / MEMBER_TEXTS + FAN_FILL_CHUNK - 1) / FAN_FILL_CHUNK;
}

static size_t number_in(struct feed_str text)
{
    size_t number = 0;
    for (size_t i = 0; i < text.len; i++)
        number = number * 10 + (size_t)(text.data[i] - '0');
    return number;
}

static void build_write(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    fan_call_function(call, "FCALL", "feedwire_v1_fill", "2");
    fan_call_key(call, home_of(job));
    fan_call_key(call, feed_key_settings(job->activity.tenant, job->activity.actor));
    fan_call_arg(call, feed_str_of(texts->cap));
    fan_call_arg(call, feed_str_of(texts->slack));
    size_t end = (i + 1) * FAN_FILL_CHUNK, count = job->page->count / MEMBER_TEXTS;
    for (size_t at = i * FAN_FILL_CHUNK; at < end && at < count; at++) {
        size_t from = number_in(fan_page_at(job->page, at * MEMBER_TEXTS));
        for (size_t part = 0; part < SOURCE_TEXTS; part++)
            fan_call_arg(call, source(job, from, part));
        fan_call_arg(call, fan_page_at(job->page, at * MEMBER_TEXTS + 1));
        fan_call_arg(call, fan_page_at(job->page, at * MEMBER_TEXTS + 2));
    }
}

static bool take_write(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    if (answer->kind != FAN_ANSWER_LIST)
        return false;
    for (size_t i = 0; i < answer->count; i++)
        job->asleep = job->asleep || answer->items[i].number == FAN_ANSWER_ASLEEP;
    return fan_take_add(job, answer, writes);
}

static bool any_kept(const struct fan_job *job)
{
    for (size_t i = 0; i < sources_of(job); i++) {
        if (source(job, i, 2).len)
            return true;
    }
    return false;
}

static enum fan_step after_write(struct fan_job *job)
{
    fan_page_reset(job->page);
    if (job->asleep)
        return FAN_STEP_DONE;
    job->kept_again = !job->kept_again && any_kept(job);
    if (job->kept_again)
        return FAN_STEP_WAKE_READ;
    return job->more_sources ? FAN_STEP_WAKE_SOURCES : after_all(job);
}

/* ---- ready ---- */

static void build_ready(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    (void)texts, (void)i;
    fan_call_function(call, "FCALL", "feedwire_v1_awake", "1");
    fan_call_key(call, home_of(job));
}

/* ---- rows ---- */

const struct fan_step_row fan_row_wake_make = {
    .name = "wake_make", .window = 1, .build = build_make, .take = take_state, .next = after_make};

const struct fan_step_row fan_row_wake_sources = {.name = "wake_sources",
                                                  .window = 1,
                                                  .needs_page = true,
                                                  .build = build_sources,
                                                  .take = take_sources,
                                                  .next = after_sources};

const struct fan_step_row fan_row_wake_read = {.name = "wake_read",
                                               .window = FAN_SOURCES_MAX + 1,
                                               .needs_page = true,
                                               .commands = commands_read,
                                               .build = build_read,
                                               .take = take_read,
                                               .then = FAN_STEP_WAKE_WRITE};

const struct fan_step_row fan_row_wake_write = {.name = "wake_write",
                                                .window = FAN_SOURCES_MAX,
                                                .needs_page = true,
                                                .commands = commands_write,
                                                .build = build_write,
                                                .take = take_write,
                                                .next = after_write};

const struct fan_step_row fan_row_wake_ready = {
    .name = "wake_ready", .window = 1, .build = build_ready, .take = take_state, .then = FAN_STEP_DONE};
