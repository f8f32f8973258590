/* purge: erases a user. The command goes to the fan-out through Kafka; how far it is, and that it is done, stands in
 * Redis. To stop waiting stops nothing. */
#include "feedctl/commands.h"
#include "feedctl/redis_call.h"
#include "feedctl/send.h"
#include "shared/base/assert.h"
#include "shared/loop/loop.h"
#include "shared/model/purged.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_MS = 250, LINE_MAX = 1024, STATE_MAX = 24, FIELDS = 5 };

/* What the fan-out says about a purge. */
struct report {
    char state[STATE_MAX]; /* "" nothing yet */
    int64_t until_ms, keys, removed, passes;
};

static bool confirmed(const struct ctl_options *options, struct feed_str user)
{
    char line[LINE_MAX];
    if (options->yes)
        return true;
    fprintf(stderr,
            "This erases %.*s of tenant %s: feeds, follows, settings, and what they did in the feeds of others.\n"
            "It cannot be undone. Type the name of the user to go on: ",
            (int)user.len, user.data, options->tenant);
    if (!fgets(line, sizeof line, stdin))
        line[0] = '\0';
    return feed_str_eq((struct feed_str){line, strcspn(line, "\r\n")}, user);
}

static void take_report(void *arg, const struct feed_reply *reply)
{
    struct report *report = arg;
    *report = (struct report){.state = ""};
    if (feed_reply_count(reply) != FIELDS ||
        feed_str_copy(feed_reply_str(feed_reply_at(reply, 0)), report->state, sizeof report->state) != FEED_OK)
        return;
    report->until_ms = feed_reply_int(feed_reply_at(reply, 1));
    report->keys = feed_reply_int(feed_reply_at(reply, 2));
    report->removed = feed_reply_int(feed_reply_at(reply, 3));
    report->passes = feed_reply_int(feed_reply_at(reply, 4));
}

static enum feed_error look(const struct ctl_options *options, struct ctl_redis *redis, struct feed_str user,
                            struct report *report, char *problem, size_t problem_size)
{
    char key[FEED_PURGE_REPORT_KEY_MAX + 1];
    struct feed_id id = feed_purged_id(feed_str_of(options->tenant), user);
    feed_purge_report_key(&id, key);
    const struct feed_str argv[] = {FEED_STR("HMGET"), feed_str_of(key),    FEED_STR("state"), FEED_STR("until"),
                                    FEED_STR("keys"),  FEED_STR("removed"), FEED_STR("passes")};
    return ctl_redis_call(redis, argv, sizeof argv / sizeof argv[0], take_report, report, problem, problem_size);
}

static bool is_done(const struct report *report, int64_t until_ms)
{
    return report->until_ms >= until_ms && strcmp(report->state, "done") == 0;
}

static void show(const struct report *report)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%s: %lld keys looked at, %lld things taken out \033[K",
                report->state[0] ? report->state : "sent", (long long)report->keys, (long long)report->removed);
}

static int print(const struct ctl_options *options, const struct report *report)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K");
    printf(options->json ? "{\"state\":\"%s\",\"keys\":%lld,\"removed\":%lld,\"passes\":%lld}\n"
                         : "%s: %lld keys looked at, %lld things taken out, %lld passes\n",
           report->state, (long long)report->keys, (long long)report->removed, (long long)report->passes);
    return CTL_EXIT_OK;
}

/* Gives up when nothing has moved for the time of the options. */
static int wait_until_done(const struct ctl_options *options, struct ctl_redis *redis, struct feed_str user,
                           int64_t until_ms)
{
    char problem[256] = "";
    struct report report, before = {.state = ""};
    int64_t still_ms = 0;
    while (still_ms < options->timeout_ms) {
        if (look(options, redis, user, &report, problem, sizeof problem) != FEED_OK) {
            fprintf(stderr, "feedctl: the command was sent, but not how far it is: %s\n", problem);
            return CTL_EXIT_FAILED;
        }
        if (is_done(&report, until_ms))
            return print(options, &report);
        show(&report);
        bool moved = report.until_ms != before.until_ms || report.keys != before.keys ||
                     report.removed != before.removed || strcmp(report.state, before.state) != 0;
        still_ms = moved ? 0 : still_ms + LOOK_MS;
        before = report;
        nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
    }
    fprintf(stderr,
            "feedctl: nothing has moved for %lld ms (%s); the purge goes on by itself: look again with --status\n",
            (long long)options->timeout_ms, before.state[0] ? before.state : "not begun");
    return CTL_EXIT_FAILED;
}

static int status(const struct ctl_options *options, struct ctl_redis *redis, struct feed_str user)
{
    char problem[256];
    struct report report;
    if (look(options, redis, user, &report, problem, sizeof problem) != FEED_OK) {
        fprintf(stderr, "feedctl: %s\n", problem);
        return CTL_EXIT_FAILED;
    }
    if (!report.state[0])
        snprintf(report.state, sizeof report.state, "unknown");
    return print(options, &report);
}

static int purge(const struct ctl_options *options, struct ctl_redis *redis, struct feed_str user)
{
    const struct feed_command command = {.kind = FEED_COMMAND_PURGE,
                                         .tenant = feed_str_of(options->tenant),
                                         .user = user,
                                         .until_ms = feed_clock_wall_ms()};
    if (!confirmed(options, user)) {
        fprintf(stderr, "feedctl: nothing was done\n");
        return CTL_EXIT_FAILED;
    }
    struct ctl_sender *sender = ctl_sender_open(options, 0);
    if (!sender)
        return CTL_EXIT_FAILED;
    ctl_sender_command(sender, &command);
    int code = ctl_sender_acknowledged(sender);
    ctl_sender_close(sender);
    return code == CTL_EXIT_OK ? wait_until_done(options, redis, user, command.until_ms) : code;
}

int ctl_command_purge(const struct ctl_options *options, struct feed_str user)
{
    char problem[256];
    struct ctl_redis *redis = NULL;
    if (ctl_redis_open(options, &redis, problem, sizeof problem) != FEED_OK) {
        fprintf(stderr, "feedctl: %s\n", problem);
        return CTL_EXIT_FAILED;
    }
    int code = options->status ? status(options, redis, user) : purge(options, redis, user);
    ctl_redis_close(redis);
    return code;
}
