/* rebuild from the log: the activities that Kafka got between two times are worked off once more. They go through the
 * topic of commands, so they are neither kept longer nor read by anybody else, and hold up nothing that is new. */
#include "feedctl/commands.h"
#include "feedctl/redis_call.h"
#include "feedctl/send.h"
#include "shared/base/assert.h"
#include "shared/base/time_text.h"
#include "shared/kafka/inspect.h"
#include "shared/loop/loop.h"
#include "shared/model/activity.h"
#include "shared/model/keys.h"
#include "shared/model/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REPORT_EVERY = 1000 };

/* Sorted names, each ended by a NUL in memory. */
struct names {
    struct feed_buf memory;
    const char **list;
    size_t count, capacity;
};

struct span {
    const struct ctl_options *options;
    struct ctl_sender *sender;
    char key_prefix[FEED_TENANT_MAX + 2];
    struct names users;   /* whose feeds are meant; none: all */
    struct names authors; /* whom they follow, and themselves */
    uint64_t read;
    bool stopped;
};

/* ---- names ---- */

static void names_init(struct names *names)
{
    *names = (struct names){.list = NULL};
    feed_buf_init(&names->memory, SIZE_MAX);
}

static void names_fini(struct names *names)
{
    feed_buf_fini(&names->memory);
    free(names->list);
}

static void names_add(struct names *names, struct feed_str name)
{
    feed_buf_str(&names->memory, name);
    feed_buf_char(&names->memory, '\0');
    names->count++;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void names_sort(struct names *names)
{
    names->list = calloc(names->count ? names->count : 1, sizeof *names->list);
    feed_assert(names->list && names->memory.error == FEED_OK);
    const char *at = names->memory.data;
    for (size_t i = 0; i < names->count; i++, at += strlen(at) + 1) {
        names->list[i] = at;
    }
    qsort((void *)names->list, names->count, sizeof *names->list, by_text);
}

static bool names_have(const struct names *names, struct feed_str name)
{
    char text[FEED_USER_MAX + 1];
    const char *wanted = text;
    return name.data && feed_str_copy(name, text, sizeof text) == FEED_OK &&
           bsearch((void *)&wanted, (void *)names->list, names->count, sizeof *names->list, by_text);
}

/* ---- which activities ---- */

static bool concerns_users(const struct span *span, const struct feed_activity *activity)
{
    bool concerns = names_have(&span->authors, activity->actor) || names_have(&span->users, activity->object_owner) ||
                    (feed_act_on_user(feed_activity_act(activity)) && names_have(&span->users, activity->object_id));
    for (size_t i = 0; i < activity->to_count && !concerns; i++) {
        concerns = names_have(&span->users, activity->to[i]);
    }
    return concerns;
}

/* What cannot be read is left out: it has its dead letter. */
static bool wanted(const struct span *span, const struct feed_kafka_message *message)
{
    size_t prefix = strlen(span->key_prefix);
    if (message->key.len <= prefix || memcmp(message->key.data, span->key_prefix, prefix) != 0) {
        return false;
    }
    if (span->users.count == 0) {
        return true;
    }
    struct feed_record record = {.key = message->key, .value = message->value};
    size_t room = sizeof record.headers / sizeof record.headers[0];
    for (size_t i = 0; i < message->header_count && record.header_count < room; i++) {
        record.headers[record.header_count++] =
            (struct feed_record_header){message->headers[i].name, message->headers[i].value};
    }
    struct feed_activity activity;
    struct feed_activity_problem problem;
    feed_activity_init(&activity);
    bool concerns =
        feed_activity_from_record(&record, &activity, &problem) == FEED_OK && concerns_users(span, &activity);
    feed_activity_fini(&activity);
    return concerns;
}

static bool on_record(void *arg, const struct feed_kafka_message *message)
{
    struct span *span = arg;
    span->read++;
    if (isatty(STDERR_FILENO) && span->read % REPORT_EVERY == 0) {
        fprintf(stderr, "\r%llu records read, %llu sent \033[K", (unsigned long long)span->read,
                (unsigned long long)ctl_sender_sent(span->sender));
    }
    span->stopped = wanted(span, message) && !ctl_sender_apply(span->sender, message);
    return !span->stopped;
}

/* ---- whom they follow ---- */

static void take_followees(void *arg, const struct feed_reply *reply)
{
    struct span *span = arg;
    for (size_t i = 0; i < feed_reply_count(reply); i++) {
        names_add(&span->authors, feed_reply_str(feed_reply_at(reply, i)));
    }
}

static enum feed_error read_users(struct span *span, char **users, char *problem, size_t problem_size)
{
    struct ctl_redis *redis = NULL;
    enum feed_error error = users[0] ? ctl_redis_open(span->options, &redis, problem, problem_size) : FEED_OK;
    for (char **user = users; *user && error == FEED_OK; user++) {
        struct feed_key key = feed_key_followees(feed_str_of(span->options->tenant), feed_str_of(*user));
        const struct feed_str argv[] = {FEED_STR("ZRANGE"), feed_key_str(&key), FEED_STR("0"), FEED_STR("-1")};
        names_add(&span->users, feed_str_of(*user));
        names_add(&span->authors, feed_str_of(*user));
        error = ctl_redis_call(redis, argv, 4, take_followees, span, problem, problem_size);
    }
    ctl_redis_close(redis);
    names_sort(&span->users);
    names_sort(&span->authors);
    return error;
}

/* ---- the command ---- */

static bool read_times(const struct ctl_options *options, int64_t *from_ms, int64_t *to_ms)
{
    *to_ms = feed_clock_wall_ms();
    if (feed_time_parse(feed_str_of(options->from), from_ms) != FEED_OK ||
        (options->to[0] && feed_time_parse(feed_str_of(options->to), to_ms) != FEED_OK)) {
        fprintf(stderr, "feedctl: --from and --to must be times like 2026-01-31T12:00:00Z\n");
        return false;
    }
    if (*from_ms >= *to_ms) {
        fprintf(stderr, "feedctl: --from must be before --to\n");
        return false;
    }
    return true;
}

static int run(struct span *span, char **users, int64_t from_ms, int64_t to_ms)
{
    const struct ctl_options *options = span->options;
    const struct feed_kafka_settings kafka = {
        .brokers = options->kafka_brokers, .client_id = "feedctl", .properties = options->kafka_properties};
    char problem[256] = "";
    enum feed_error error = read_users(span, users, problem, sizeof problem);
    if (error == FEED_OK) {
        error = feed_kafka_span(&kafka, options->kafka_topic, from_ms, to_ms, (unsigned)options->timeout_ms, on_record,
                                span, problem, sizeof problem);
    }
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r\033[K");
    }
    if (error != FEED_OK) {
        fprintf(stderr, "feedctl: %s\n", problem);
        return CTL_EXIT_FAILED;
    }
    return span->stopped ? CTL_EXIT_FAILED : ctl_sender_done(span->sender);
}

int ctl_command_rebuild_span(const struct ctl_options *options, char **users)
{
    int64_t from_ms, to_ms;
    struct span span = {.options = options};
    if (!read_times(options, &from_ms, &to_ms)) {
        return CTL_EXIT_USAGE;
    }
    span.sender = ctl_sender_open(options, (unsigned)options->rate);
    if (!span.sender) {
        return CTL_EXIT_FAILED;
    }
    snprintf(span.key_prefix, sizeof span.key_prefix, "%s/", options->tenant);
    names_init(&span.users);
    names_init(&span.authors);
    int code = run(&span, users, from_ms, to_ms);
    names_fini(&span.users);
    names_fini(&span.authors);
    ctl_sender_close(span.sender);
    return code;
}
