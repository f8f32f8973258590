/* wake, rebuild: commands about the feeds of users, and the wait until they are worked off. */
#include "feedctl/commands.h"
#include "feedctl/redis_call.h"
#include "feedctl/send.h"
#include "shared/model/names.h"

#include <stdio.h>
#include <string.h>

enum { LINE_MAX = 4096 /* of the list on stdin; longer ones are refused */ };

struct sending {
    const struct ctl_options *options;
    enum feed_command_kind kind;
    struct ctl_sender *sender;
    uint64_t refused;
};

static bool send(struct sending *sending, struct feed_str user)
{
    const struct feed_command command = {
        .kind = sending->kind, .tenant = feed_str_of(sending->options->tenant), .user = user};
    return ctl_sender_command(sending->sender, &command);
}

/* One user a line; what is no name is told with its number, and the rest goes on. */
static void send_lines(struct sending *sending)
{
    char line[LINE_MAX];
    uint64_t number = 0;
    bool goes_on = true;
    while (goes_on && fgets(line, sizeof line, stdin)) {
        number++;
        size_t len = strcspn(line, "\r\n");
        bool whole = line[len] != '\0' || feof(stdin);
        struct feed_str user = {line, len};
        if (whole && len == 0) {
            continue;
        }
        if (whole && feed_user_valid(user)) {
            goes_on = send(sending, user);
            continue;
        }
        sending->refused++;
        fprintf(stderr, "feedctl: line %llu is not the name of a user\n", (unsigned long long)number);
        while (!whole && fgets(line, sizeof line, stdin)) {
            whole = strchr(line, '\n') != NULL;
        }
    }
}

int ctl_command_feeds(const struct ctl_options *options, enum feed_command_kind kind, char **users)
{
    struct sending sending = {.options = options, .kind = kind, .sender = ctl_sender_open(options, 0)};
    if (!sending.sender) {
        return CTL_EXIT_FAILED;
    }
    if (strcmp(users[0], "-") == 0) {
        send_lines(&sending);
    } else {
        for (char **user = users; *user && send(&sending, feed_str_of(*user)); user++) {
        }
    }
    int code = ctl_sender_done(sending.sender);
    ctl_sender_close(sending.sender);
    return sending.refused > 0 ? CTL_EXIT_FAILED : code;
}

/* ---- all feeds of a tenant ---- */

/* f:{tenant/user}, and nothing else: the tenant is that of the pattern. */
static bool send_key(void *arg, struct feed_str key)
{
    struct sending *sending = arg;
    size_t head = strlen("f:{/") + strlen(sending->options->tenant);
    struct feed_str user = {key.data + head, key.len > head ? key.len - head - 1 : 0};
    return !feed_user_valid(user) || send(sending, user);
}

int ctl_command_rebuild_tenant(const struct ctl_options *options)
{
    char problem[256] = "", pattern[FEED_TENANT_MAX + 8];
    struct ctl_redis *redis = NULL;
    struct sending sending = {.options = options, .kind = FEED_COMMAND_REBUILD};
    int code = CTL_EXIT_FAILED;
    if (ctl_redis_open(options, &redis, problem, sizeof problem) != FEED_OK) {
        fprintf(stderr, "feedctl: %s\n", problem);
        return CTL_EXIT_FAILED;
    }
    sending.sender = ctl_sender_open(options, (unsigned)options->rate);
    snprintf(pattern, sizeof pattern, "f:{%s/*}", options->tenant);
    if (sending.sender) {
        enum feed_error error = ctl_redis_scan(redis, pattern, send_key, &sending, problem, sizeof problem);
        if (problem[0]) {
            fprintf(stderr, "feedctl: %s\n", problem);
        }
        if (error == FEED_OK) {
            code = ctl_sender_done(sending.sender);
        }
    }
    ctl_sender_close(sending.sender);
    ctl_redis_close(redis);
    return code;
}
