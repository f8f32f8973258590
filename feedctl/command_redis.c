/* feed show, followers: what Redis holds of a user. */
#include "feedctl/commands.h"
#include "feedctl/redis_call.h"
#include "feedctl/report.h"
#include "shared/base/assert.h"
#include "shared/model/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPORT_MAX = 64 * 1024 * 1024, FOLLOWERS_PAGE = 1000 };

static int failed(const char *problem)
{
    fprintf(stderr, "feedctl: %s\n", problem);
    return CTL_EXIT_FAILED;
}

static int print(struct feed_buf *out)
{
    int code = CTL_EXIT_OK;
    if (out->error != FEED_OK) {
        code = failed("the report does not fit into memory; use a smaller --limit");
    } else if (fwrite(out->data, 1, out->len, stdout) != out->len || fflush(stdout) != 0) {
        code = failed("writing to stdout failed");
    }
    feed_buf_fini(out);
    return code;
}

static bool timeline_of(const struct ctl_options *options, enum feed_timeline *out)
{
    struct feed_str name = feed_str_of(options->feed);
    if (feed_str_eq(name, FEED_STR("outbox"))) {
        *out = FEED_TIMELINE_OUTBOX;
        return true;
    }
    return feed_timeline_from_name(name, out) == FEED_OK;
}

struct show {
    struct ctl_feed feed;
    struct ctl_feed_report report;
    bool malformed;
};

static void on_window(void *arg, const struct feed_reply *reply)
{
    struct show *show = arg;
    struct feed_str epoch = feed_reply_str(feed_reply_at(reply, 0));
    const struct feed_reply *list = feed_reply_count(reply) == 3 ? feed_reply_at(reply, 2) : NULL;
    if (!list || (epoch.len != 0 && epoch.len != FEED_EPOCH_BYTES)) {
        show->malformed = true;
        return;
    }
    if (epoch.len) {
        memcpy(show->feed.position.epoch, epoch.data, FEED_EPOCH_BYTES);
    }
    show->feed.position.seq = (uint64_t)feed_reply_int(feed_reply_at(reply, 1));
    ctl_feed_open(&show->report, &show->feed);
    for (size_t i = 0; i + 1 < feed_reply_count(list); i += 2) {
        ctl_feed_entry(&show->report, feed_reply_str(feed_reply_at(list, i)),
                       feed_reply_int(feed_reply_at(list, i + 1)));
    }
    ctl_feed_close(&show->report);
}

int ctl_command_feed_show(const struct ctl_options *options, struct feed_str user)
{
    enum feed_timeline timeline;
    if (!timeline_of(options, &timeline)) {
        fprintf(stderr, "feedctl: --feed must be home, notifications or outbox\n");
        return CTL_EXIT_USAGE;
    }
    char problem[256];
    struct ctl_redis *redis;
    if (ctl_redis_open(options, &redis, problem, sizeof problem) != FEED_OK) {
        return failed(problem);
    }
    struct feed_buf out;
    feed_buf_init(&out, REPORT_MAX);
    struct show show = {
        .feed = {.tenant = feed_str_of(options->tenant), .user = user, .feed = feed_str_of(options->feed)},
        .report = {.json = options->json, .out = &out},
    };
    struct feed_key key = feed_key_timeline(timeline, show.feed.tenant, user);
    char limit[24];
    snprintf(limit, sizeof limit, "%lld", (long long)(options->limit < FEED_CAP ? options->limit : FEED_CAP));
    const struct feed_str argv[] = {FEED_STR("FCALL_RO"), FEED_STR("feedwire_v1_window"), FEED_STR("1"),
                                    feed_key_str(&key), feed_str_of(limit)};
    enum feed_error error =
        ctl_redis_call(redis, argv, sizeof argv / sizeof *argv, on_window, &show, problem, sizeof problem);
    ctl_redis_close(redis);
    if (error != FEED_OK || show.malformed) {
        feed_buf_fini(&out);
        return failed(error != FEED_OK
                          ? problem
                          : "Redis gave an answer that is not a window; is another library loaded as feedwire_v1?");
    }
    return print(&out);
}

struct follower_list {
    struct ctl_follower *rows; /* user texts are owned */
    size_t count, room;
    size_t last_page;
    uint64_t total;
};

static void on_total(void *arg, const struct feed_reply *reply)
{
    struct follower_list *list = arg;
    list->total += (uint64_t)feed_reply_int(reply);
}

static void on_followers(void *arg, const struct feed_reply *reply)
{
    struct follower_list *list = arg;
    list->last_page = feed_reply_count(reply) / 2;
    for (size_t i = 0; i < list->last_page && list->count < list->room; i++) {
        struct feed_str user = feed_reply_str(feed_reply_at(reply, 2 * i));
        char *copy = malloc(user.len + 1);
        feed_assert(copy);
        memcpy(copy, user.data, user.len);
        list->rows[list->count++] = (struct ctl_follower){.user = {copy, user.len},
                                                          .since_ms = feed_reply_int(feed_reply_at(reply, 2 * i + 1))};
    }
}

static enum feed_error read_page(struct ctl_redis *redis, const struct feed_key *key, struct follower_list *list,
                                 char *problem, size_t problem_size)
{
    const struct feed_str card[] = {FEED_STR("ZCARD"), feed_key_str(key)};
    enum feed_error error = ctl_redis_call(redis, card, 2, on_total, list, problem, problem_size);
    size_t first = list->count;
    do {
        if (error != FEED_OK || list->count == list->room) {
            return error;
        }
        char start[24], stop[24];
        size_t page = list->room - list->count < FOLLOWERS_PAGE ? list->room - list->count : FOLLOWERS_PAGE;
        snprintf(start, sizeof start, "%zu", list->count - first);
        snprintf(stop, sizeof stop, "%zu", list->count - first + page - 1);
        const struct feed_str range[] = {FEED_STR("ZRANGE"), feed_key_str(key), feed_str_of(start), feed_str_of(stop),
                                         FEED_STR("WITHSCORES")};
        error = ctl_redis_call(redis, range, sizeof range / sizeof *range, on_followers, list, problem, problem_size);
    } while (list->last_page > 0);
    return error;
}

static void on_level(void *arg, const struct feed_reply *reply)
{
    int64_t level = feed_reply_int(reply);
    *(unsigned *)arg = level > 0 && level <= FEED_PAGE_LEVEL_MAX ? (unsigned)level : 0;
}

/* The pages of an author are a tree, as schemas/redis.md says: page 0, and behind each page its children. */
static enum feed_error read_followers(struct ctl_redis *redis, struct feed_str tenant, struct feed_str user,
                                      struct follower_list *list, char *problem, size_t problem_size)
{
    unsigned waiting[FEED_PAGE_LEVEL_MAX * (FEED_PAGE_LEVEL_MAX + 1) / 2 + 1] = {0};
    size_t count = 1;
    while (count > 0) {
        unsigned page = waiting[--count], level = 0, born = 0;
        struct feed_key followers = feed_key_followers(tenant, user, page), state = feed_key_page(tenant, user, page);
        enum feed_error error = read_page(redis, &followers, list, problem, problem_size);
        const struct feed_str get[] = {FEED_STR("HGET"), feed_key_str(&state), FEED_STR("level")};
        if (error == FEED_OK) {
            error = ctl_redis_call(redis, get, sizeof get / sizeof *get, on_level, &level, problem, problem_size);
        }
        if (error != FEED_OK) {
            return error;
        }
        while (page >> born) {
            born++;
        }
        for (; level > born; level--) {
            waiting[count++] = page | 1u << (level - 1);
        }
    }
    return FEED_OK;
}

/* The word for how the author stands; "" for all who were never a broadcast author. */
enum { BROADCAST_SIZE = 16 };

static void on_broadcast(void *arg, const struct feed_reply *reply)
{
    if (feed_reply_type(reply) != FEED_REPLY_STRING ||
        feed_str_copy(feed_reply_str(reply), arg, BROADCAST_SIZE) != FEED_OK) {
        *(char *)arg = '\0';
    }
}

static enum feed_error read_broadcast(struct ctl_redis *redis, struct feed_str tenant, struct feed_str user,
                                      char out[BROADCAST_SIZE], char *problem, size_t problem_size)
{
    struct feed_key key = feed_key_author(tenant, user);
    const struct feed_str get[] = {FEED_STR("HGET"), feed_key_str(&key), FEED_STR("broadcast")};
    return ctl_redis_call(redis, get, sizeof get / sizeof *get, on_broadcast, out, problem, problem_size);
}

int ctl_command_followers(const struct ctl_options *options, struct feed_str user)
{
    char problem[256];
    struct ctl_redis *redis;
    if (ctl_redis_open(options, &redis, problem, sizeof problem) != FEED_OK) {
        return failed(problem);
    }
    struct feed_str tenant = feed_str_of(options->tenant);
    struct follower_list list = {.room = (size_t)options->limit};
    list.rows = calloc(list.room, sizeof *list.rows);
    feed_assert(list.rows);
    char broadcast[BROADCAST_SIZE] = "";
    enum feed_error error = read_followers(redis, tenant, user, &list, problem, sizeof problem);
    if (error == FEED_OK) {
        error = read_broadcast(redis, tenant, user, broadcast, problem, sizeof problem);
    }
    ctl_redis_close(redis);
    struct feed_buf out;
    feed_buf_init(&out, REPORT_MAX);
    if (error == FEED_OK) {
        ctl_followers(options->json, tenant, user, feed_str_of(broadcast), list.rows, list.count, list.total, &out);
    }
    for (size_t i = 0; i < list.count; i++) {
        free((char *)list.rows[i].user.data);
    }
    free(list.rows);
    if (error != FEED_OK) {
        feed_buf_fini(&out);
        return failed(problem);
    }
    return print(&out);
}
