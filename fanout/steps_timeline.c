/* The steps that deal with entries: outbox, notifications, home feeds, backfill. The entry is encoded once, commands
 * are built on the stack from views: a push allocates nothing here. */
#include "fanout/steps.h"

#include "shared/base/assert.h"
#include "shared/model/names.h"

/* ---- writes to timelines ---- */

/* A home feed that sleeps is not made: no epoch for it. */
static void add_limits(const struct fan_job *job, const struct fan_step_texts *texts, bool may_make,
                       struct fan_call *call)
{
    fan_call_arg(call, (struct feed_str){(const char *)job->epoch, may_make ? sizeof job->epoch : 0});
    fan_call_arg(call, feed_str_of(texts->cap));
    fan_call_arg(call, feed_str_of(texts->slack));
}

static void begin_add(const struct fan_job *job, const struct fan_step_texts *texts, const char *function,
                      enum feed_timeline timeline, struct feed_str user, struct fan_call *call)
{
    fan_call_function(call, "FCALL", function, "2");
    fan_call_key(call, feed_key_timeline(timeline, job->activity.tenant, user));
    fan_call_key(call, feed_key_settings(job->activity.tenant, user));
    add_limits(job, texts, timeline != FEED_TIMELINE_HOME || !texts->sleeps, call);
}

static void build_push(const struct fan_job *job, const struct fan_step_texts *texts, enum feed_timeline timeline,
                       struct feed_str user, struct fan_call *call)
{
    begin_add(job, texts, "feedwire_v1_add", timeline, user, call);
    fan_call_arg(call, feed_str_of(job->published_text));
    fan_call_arg(call, feed_buf_view(&job->entry));
}

enum { ANSWER_BEYOND_CAP = -1, ANSWER_LEFT_OUT = -2, ANSWER_REMOVED = -3 };

bool fan_count_write(int64_t answer, struct fan_writes *writes)
{
    if (answer > 0)
        writes->added++;
    else if (answer == 0 || answer == ANSWER_REMOVED)
        writes->present++;
    else if (answer == ANSWER_BEYOND_CAP)
        writes->beyond_cap++;
    else if (answer == ANSWER_LEFT_OUT)
        writes->left_out++;
    else if (answer == FAN_ANSWER_ASLEEP)
        writes->asleep++;
    else
        return false;
    return true;
}

bool fan_take_add(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    (void)job;
    bool good =
        answer->kind == FAN_ANSWER_INTEGER ? fan_count_write(answer->integer, writes) : answer->kind == FAN_ANSWER_LIST;
    for (size_t i = 0; good && answer->kind == FAN_ANSWER_LIST && i < answer->count; i++)
        good = fan_count_write(answer->items[i].number, writes);
    return good;
}

static void build_outbox(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    (void)i;
    struct feed_str tenant = job->activity.tenant, actor = job->activity.actor;
    fan_call_function(call, "FCALL", "feedwire_v1_post", "2");
    fan_call_key(call, feed_key_timeline(FEED_TIMELINE_OUTBOX, tenant, actor));
    fan_call_key(call, feed_key_author(tenant, actor));
    add_limits(job, texts, true, call);
    fan_call_arg(call, feed_str_of(job->published_text));
    fan_call_arg(call, feed_buf_view(job->outbox_entry.len ? &job->outbox_entry : &job->entry));
}

static bool take_outbox(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    /* There already, and not by our own first try: it came once more. The rest is done all the same, because the first
     * time may have been cut off right here. */
    int64_t result;
    if (!fan_author_take(job, answer, &result))
        return false;
    job->removed = result == ANSWER_REMOVED;
    if ((result == 0 || job->removed) && !job->redone)
        job->repeat = true;
    return fan_count_write(result, writes);
}

static enum fan_step after_outbox(struct fan_job *job)
{
    return job->removed ? FAN_STEP_DONE : FAN_STEP_NOTIFY;
}

static enum fan_step after_notify(struct fan_job *job)
{
    return fan_crossing_is_on(job) ? FAN_STEP_DONE : FAN_STEP_FOLLOWERS;
}

/* Before the followers, so that a mention by somebody with many of them is not late. */
size_t fan_recipients_commands(const struct fan_job *job)
{
    return job->recipient_count + job->own;
}

enum feed_timeline fan_recipient_timeline(const struct fan_job *job, size_t i)
{
    return i < job->recipient_count ? FEED_TIMELINE_NOTIFICATIONS : FEED_TIMELINE_HOME;
}

struct feed_str fan_recipient(const struct fan_job *job, size_t i)
{
    return i < job->recipient_count ? job->recipients[i] : job->activity.actor;
}

static void build_notify(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    build_push(job, texts, fan_recipient_timeline(job, i), fan_recipient(job, i), call);
}

/* ---- followers ---- */

size_t fan_users_reads(const struct fan_job *job)
{
    return job->walk.open_count;
}

void fan_users_build(const struct fan_job *job, struct feed_str author, struct feed_key key, const char *time, size_t i,
                     struct fan_call *call)
{
    const struct fan_walk_page *page = &job->walk.open[i];
    fan_call_function(call, "FCALL_RO", "feedwire_v1_followers", "2");
    fan_call_key(call, key);
    fan_call_key(call, feed_key_page(job->activity.tenant, author, page->page));
    fan_call_arg(call, feed_str_of(time));
    fan_call_number(call, (int64_t)fan_walk_share(&job->walk, FAN_FOLLOWERS_PAGE));
    if (page->cursor[0]) {
        fan_call_arg(call, feed_str_of(page->cursor));
        fan_call_arg(call, feed_str_of(page->time_text));
    }
    fan_call_number(call, page->page);
}

static void build_followers(const struct fan_job *job, const struct fan_step_texts *texts, size_t i,
                            struct fan_call *call)
{
    (void)texts;
    struct feed_str tenant = job->activity.tenant, actor = job->activity.actor;
    fan_users_build(job, actor, feed_key_followers(tenant, actor, job->walk.open[i].page), job->published_text, i,
                    call);
}

bool fan_users_take(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    enum { BEFORE_USERS = 2 }; /* the level; the time of the last follow */
    (void)writes;
    size_t share = fan_walk_share(&job->walk, FAN_FOLLOWERS_PAGE);
    if (answer->kind != FAN_ANSWER_LIST || answer->count == 0 || answer->count > BEFORE_USERS + share)
        return false;
    for (size_t i = BEFORE_USERS; i < answer->count; i++) {
        /* What is in the set becomes part of a key: it must be a name, whoever wrote it there. */
        if (!feed_user_valid(answer->items[i].text))
            return false;
    }
    bool any = answer->count > BEFORE_USERS;
    struct feed_str last = any ? answer->items[answer->count - 1].text : (struct feed_str){"", 0};
    if (!fan_walk_take(&job->walk, job->answering, answer->items[0].number, answer->count == BEFORE_USERS + share, last,
                       any ? answer->items[1].number : 0))
        return false;
    for (size_t i = BEFORE_USERS; i < answer->count; i++) {
        bool added = fan_page_add(job->page, answer->items[i].text);
        feed_assert(added); /* 500 names are far below what a page holds */
    }
    job->walked += answer->count > BEFORE_USERS ? answer->count - BEFORE_USERS : 0;
    return true;
}

/* Whoever has walked the followers knows how many there are. */
static enum fan_step end_of_walk(struct fan_job *job)
{
    if (job->act == FEED_ACT_ENTRY)
        job->crossing.followers = job->walked;
    return FAN_STEP_DONE;
}

static enum fan_step after_followers(struct fan_job *job)
{
    if (job->page->count)
        return FAN_STEP_HOME;
    return fan_users_more(job) ? FAN_STEP_FOLLOWERS : end_of_walk(job);
}

size_t fan_users_commands(const struct fan_job *job)
{
    return job->page->count;
}

static void build_home(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call)
{
    build_push(job, texts, FEED_TIMELINE_HOME, fan_page_at(job->page, i), call);
}

bool fan_users_more(struct fan_job *job)
{
    fan_page_reset(job->page);
    return fan_walk_next(&job->walk);
}

static enum fan_step after_home(struct fan_job *job)
{
    return fan_users_more(job) ? FAN_STEP_FOLLOWERS : end_of_walk(job);
}

/* ---- backfill ---- */

/* The reading step leaves an empty page when it did not get one. */
static bool not_a_page(struct fan_job *job)
{
    fan_page_reset(job->page);
    return false;
}

/* By the time of the edge, not of this event: a second follow finds the older edge, and fills up what that one
 * promises. */
static void build_backfill_read(const struct fan_job *job, const struct fan_step_texts *texts, size_t i,
                                struct fan_call *call)
{
    (void)i;
    fan_call_function(call, "FCALL_RO", "feedwire_v1_since", "2");
    fan_call_key(call, feed_key_timeline(FEED_TIMELINE_OUTBOX, job->activity.tenant, job->activity.object_id));
    fan_call_key(call, feed_key_author(job->activity.tenant, job->activity.object_id));
    int64_t from_ms = job->edge_time_ms;
    if (job->backfill_only && job->activity.published_ms > from_ms)
        from_ms = job->activity.published_ms; /* what is from before the end of the mute stays away */
    fan_call_number(call, from_ms);
    fan_call_arg(call, job->backfill_only ? FEED_STR("0") : feed_str_of(texts->backfill));
}

bool fan_page_add_member(struct fan_page *page, struct feed_str before, struct feed_str time, struct feed_str member)
{
    struct feed_entry entry;
    struct feed_str to[FEED_TO_MAX];
    size_t to_count;
    if (feed_mark_is(member))
        return (!before.data || fan_page_add(page, before)) && fan_page_add(page, time) && fan_page_add(page, member);
    if (feed_entry_decode_outbox(member, &entry, to, &to_count) != FEED_OK)
        return true;
    struct feed_buf plain;
    feed_buf_init(&plain, FEED_ENTRY_MAX);
    feed_entry_encode(&entry, &plain);
    bool added = (!before.data || fan_page_add(page, before)) && fan_page_add(page, time) &&
                 fan_page_add(page, feed_buf_view(&plain));
    feed_buf_fini(&plain);
    return added;
}

bool fan_members_take(struct fan_job *job, const struct fan_answer *answer, size_t from, int64_t until_ms)
{
    static const struct feed_str none = {NULL, 0};
    fan_page_reset(job->page);
    if (answer->kind != FAN_ANSWER_LIST || answer->count % 2)
        return false;
    for (size_t i = from; i < answer->count; i += 2) {
        if (answer->items[i].number <= until_ms &&
            !fan_page_add_member(job->page, none, answer->items[i].text, answer->items[i + 1].text))
            return not_a_page(job);
    }
    return true;
}

/* The first pair may be how the author stands: a word, shorter than any member. */
static bool take_backfill(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes)
{
    (void)writes;
    struct fan_crossing *crossing = &job->crossing;
    bool stands = answer->kind == FAN_ANSWER_LIST && answer->count >= 2 && answer->items[1].text.len < FEED_ID_BYTES;
    crossing->state = FAN_BROADCAST_NOT;
    crossing->known = true;
    crossing->number = 0;
    if (stands) {
        if (!fan_crossing_read(crossing, answer->items[1].text))
            return not_a_page(job);
        crossing->number = answer->items[0].number;
    }
    /* What an unfollow keeps is what was there until then. */
    bool keeps = job->act == FEED_ACT_UNFOLLOW && !job->renewed;
    return fan_members_take(job, answer, stands ? 2 : 0, keeps ? job->activity.published_ms : INT64_MAX);
}

/* Of an author who is merged nothing is copied: the row in b: is all that there is to do. */
static enum fan_step after_backfill_read(struct fan_job *job)
{
    bool merged = job->crossing.state == FAN_BROADCAST_UP || job->crossing.state == FAN_BROADCAST_ON;
    if (!merged || (job->act == FEED_ACT_UNFOLLOW && !job->renewed))
        return FAN_STEP_BACKFILL_WRITE;
    fan_page_reset(job->page);
    return job->backfill_only ? FAN_STEP_DONE : FAN_STEP_SOURCE;
}

static size_t commands_backfill(const struct fan_job *job)
{
    return (job->page->count / 2 + FAN_BACKFILL_CHUNK - 1) / FAN_BACKFILL_CHUNK;
}

static void build_backfill_write(const struct fan_job *job, const struct fan_step_texts *texts, size_t i,
                                 struct fan_call *call)
{
    struct feed_str user = job->activity.actor;
    begin_add(job, texts, "feedwire_v1_backfill", FEED_TIMELINE_HOME, user, call);
    fan_call_number(call, job->edge_time_ms);
    size_t end = (i + 1) * 2 * FAN_BACKFILL_CHUNK;
    for (size_t at = i * 2 * FAN_BACKFILL_CHUNK; at < end && at < job->page->count; at++)
        fan_call_arg(call, fan_page_at(job->page, at));
}

static enum fan_step after_backfill_write(struct fan_job *job)
{
    fan_page_reset(job->page);
    if (job->act == FEED_ACT_UNFOLLOW && !job->renewed)
        return FAN_STEP_FOLLOWEE_REMOVE;
    if (job->backfill_only)
        return FAN_STEP_DONE;
    if (job->crossing.number)
        return FAN_STEP_SOURCE; /* out of b:, if an older crossing left a row */
    return job->renewed ? FAN_STEP_DONE : FAN_STEP_OUTBOX;
}

/* ---- rows ---- */

const struct fan_step_row fan_row_outbox = {
    .name = "outbox", .window = 1, .build = build_outbox, .take = take_outbox, .next = after_outbox};

const struct fan_step_row fan_row_notify = {.name = "notify",
                                            .window = FAN_RECIPIENTS_MAX + 1,
                                            .commands = fan_recipients_commands,
                                            .build = build_notify,
                                            .take = fan_take_add,
                                            .next = after_notify};

const struct fan_step_row fan_row_followers = {.name = "followers",
                                               .window = FAN_WALK_OPEN,
                                               .needs_page = true,
                                               .commands = fan_users_reads,
                                               .build = build_followers,
                                               .take = fan_users_take,
                                               .next = after_followers};

const struct fan_step_row fan_row_home = {.name = "home",
                                          .window = FAN_TURN_COMMANDS,
                                          .needs_page = true,
                                          .commands = fan_users_commands,
                                          .build = build_home,
                                          .take = fan_take_add,
                                          .next = after_home};

const struct fan_step_row fan_row_backfill_read = {.name = "backfill_read",
                                                   .window = 1,
                                                   .needs_page = true,
                                                   .build = build_backfill_read,
                                                   .take = take_backfill,
                                                   .next = after_backfill_read};

/* One at a time: they all go to one feed, so that one dead letter is enough when it cannot be written. */
const struct fan_step_row fan_row_backfill_write = {.name = "backfill_write",
                                                    .window = 1,
                                                    .needs_page = true,
                                                    .commands = commands_backfill,
                                                    .build = build_backfill_write,
                                                    .take = fan_take_add,
                                                    .next = after_backfill_write};
