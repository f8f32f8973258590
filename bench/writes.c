/* The limit that fan-out is compared with: writes activities into the home feeds of their authors' followers, and into
 * the authors' outboxes, as fast as one pipelined connection can, and does nothing else. Either by the same function as
 * fan-out (--how=function) or by plain commands (--how=plain), which neither notice a repetition nor number the notices
 * truly.
 *
 * Everything that is to be written is worked out before the first write; bench/fanout looks at Redis meanwhile. */
#include "shared/base/assert.h"
#include "shared/codec/notice.h"
#include "shared/model/activity.h"
#include "shared/model/keys.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COMMANDS_MAX = 4, ARGS_MAX = 10, LINE_MAX_BYTES = 8192, PACKED_MAX = 1 << 30 };

enum { EPOCH_AT = 1, RESERVED_BYTES = EPOCH_AT + FEED_EPOCH_BYTES };

struct options {
    int port, depth;
    bool plain;
    const char *activities, *tenant;
    /* Of all the population's timelines: they have one epoch, so that plain commands know it. */
    char reserved[RESERVED_BYTES];
};

struct item {
    char published[24];
    int64_t published_ms;
    size_t entry, entry_len; /* in bytes */
};

struct target {
    size_t key;      /* in bytes */
    uint32_t item;   /* the activity that is written there */
    uint16_t length; /* of the key */
};

struct work {
    struct feed_buf bytes;
    struct item *items;
    struct target *targets;
    size_t item_count, item_room, target_count, target_room;
};

struct command {
    const char *words[ARGS_MAX];
    size_t lengths[ARGS_MAX];
    int count;
    char settings[FEED_KEY_MAX]; /* the key m:{..} beside f:{..} */
};

static _Noreturn void fail(const char *what, const char *why)
{
    fprintf(stderr, "feedwire-bench-writes: %s: %s\n", what, why);
    exit(1);
}

/* ---- what is to be written ---- */

static void *grow(void *list, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return list;
    *room = *room ? 2 * *room : 1024;
    list = realloc(list, *room * size);
    feed_assert(list);
    return list;
}

static redisReply *ask(redisContext *redis, const char *command, const struct feed_key *key)
{
    const char *words[] = {command, key->text, "0", "-1"};
    redisReply *reply = redisCommandArgv(redis, 4, words, NULL);
    if (!reply)
        fail("Redis", redis->errstr);
    if (reply->type != REDIS_REPLY_ARRAY)
        fail("Redis", reply->type == REDIS_REPLY_ERROR ? reply->str : "an unexpected answer");
    return reply;
}

static void add_target(struct work *work, struct feed_key key)
{
    work->targets = grow(work->targets, work->target_count, &work->target_room, sizeof *work->targets);
    work->targets[work->target_count++] =
        (struct target){.key = work->bytes.len, .item = (uint32_t)(work->item_count - 1), .length = (uint16_t)key.len};
    feed_buf_str(&work->bytes, feed_key_str(&key));
}

static void add_activity(struct work *work, redisContext *redis, const struct feed_activity *activity)
{
    work->items = grow(work->items, work->item_count, &work->item_room, sizeof *work->items);
    struct item *item = &work->items[work->item_count++];
    struct feed_entry entry = feed_activity_entry(activity);
    *item = (struct item){.published_ms = activity->published_ms, .entry = work->bytes.len};
    snprintf(item->published, sizeof item->published, "%lld", (long long)activity->published_ms);
    feed_entry_encode(&entry, &work->bytes);
    item->entry_len = work->bytes.len - item->entry;

    add_target(work, feed_key_timeline(FEED_TIMELINE_OUTBOX, activity->tenant, activity->actor));
    struct feed_key page = feed_key_followers(activity->tenant, activity->actor, 0);
    redisReply *followers = ask(redis, "ZRANGE", &page);
    for (size_t i = 0; i < followers->elements; i++) {
        struct feed_str user = {followers->element[i]->str, followers->element[i]->len};
        add_target(work, feed_key_timeline(FEED_TIMELINE_HOME, activity->tenant, user));
    }
    freeReplyObject(followers);
}

static void read_work(struct work *work, redisContext *redis, const struct options *options)
{
    FILE *file = fopen(options->activities, "r");
    if (!file)
        fail(options->activities, strerror(errno));
    char line[LINE_MAX_BYTES];
    struct feed_activity activity;
    struct feed_activity_problem problem;
    feed_buf_init(&work->bytes, PACKED_MAX);
    feed_activity_init(&activity);
    while (fgets(line, sizeof line, file)) {
        if (feed_activity_from_json(feed_str_of(line), &activity, &problem) != FEED_OK)
            fail(options->activities, problem.text);
        activity.tenant = feed_str_of(options->tenant);
        activity.source = FEED_STR(FEED_SOURCE_DEFAULT);
        add_activity(work, redis, &activity);
    }
    feed_activity_fini(&activity);
    fclose(file);
    feed_assert(work->bytes.error == FEED_OK);
}

static void forget_work(struct work *work)
{
    feed_buf_fini(&work->bytes);
    free(work->items);
    free(work->targets);
}

/* ---- commands ---- */

static void word(struct command *command, const void *bytes, size_t len)
{
    feed_assert(command->count < ARGS_MAX);
    command->words[command->count] = bytes;
    command->lengths[command->count++] = len;
}

static void text(struct command *command, const char *bytes)
{
    word(command, bytes, strlen(bytes));
}

static void begin(struct command *command, const char *name)
{
    command->count = 0;
    text(command, name);
}

static int build_function(const struct work *work, const struct target *target, struct command *command)
{
    const struct item *item = &work->items[target->item];
    const char *key = work->bytes.data + target->key;
    bool home = key[0] == 'f'; /* with the settings of its user; else an outbox */
    begin(command, "FCALL");
    text(command, home ? "feedwire_v1_add" : "feedwire_v1_post");
    text(command, home ? "2" : "1");
    word(command, key, target->length);
    if (home) {
        feed_assert(target->length <= sizeof command->settings);
        memcpy(command->settings, key, target->length);
        command->settings[0] = 'm';
        word(command, command->settings, target->length);
    }
    text(command, "bench000");
    text(command, "100");
    text(command, "20");
    text(command, item->published);
    word(command, work->bytes.data + item->entry, item->entry_len);
    return 1;
}

/* notice: lives until the commands are appended. */
static int build_plain(const struct work *work, const char reserved[RESERVED_BYTES], const struct target *target,
                       struct feed_buf *notice, struct command commands[COMMANDS_MAX])
{
    const struct item *item = &work->items[target->item];
    const char *key = work->bytes.data + target->key;
    struct feed_str entry = {work->bytes.data + item->entry, item->entry_len};
    struct feed_notice change = {
        .kind = FEED_NOTICE_ADD, .seq = 1000, .published_ms = item->published_ms, .entry = entry};
    memcpy(change.epoch, &reserved[EPOCH_AT], sizeof change.epoch);
    feed_buf_reset(notice);
    feed_notice_encode(&change, notice);

    begin(&commands[0], "ZADD");
    word(&commands[0], key, target->length);
    text(&commands[0], "NX");
    text(&commands[0], item->published);
    word(&commands[0], entry.data, entry.len);
    begin(&commands[1], "ZINCRBY");
    word(&commands[1], key, target->length);
    text(&commands[1], "-1");
    word(&commands[1], reserved, RESERVED_BYTES);
    begin(&commands[2], "ZREMRANGEBYRANK");
    word(&commands[2], key, target->length);
    text(&commands[2], "1");
    text(&commands[2], "-101"); /* the newest hundred stay, and rank 0 */
    begin(&commands[3], "SPUBLISH");
    word(&commands[3], key, target->length);
    word(&commands[3], notice->data, notice->len);
    return COMMANDS_MAX;
}

/* ---- writing ---- */

static void send_target(redisContext *redis, const struct work *work, const struct options *options, size_t i,
                        struct feed_buf *notice)
{
    struct command commands[COMMANDS_MAX];
    const struct target *target = &work->targets[i];
    int count = options->plain ? build_plain(work, options->reserved, target, notice, commands)
                               : build_function(work, target, commands);
    for (int n = 0; n < count; n++)
        redisAppendCommandArgv(redis, commands[n].count, commands[n].words, commands[n].lengths);
}

/* An answer to a function call, or to ZADD, says whether the entry was added. */
static size_t take_answers(redisContext *redis, int count)
{
    size_t added = 0;
    for (int n = 0; n < count; n++) {
        void *raw;
        if (redisGetReply(redis, &raw) != REDIS_OK)
            fail("Redis", redis->errstr);
        redisReply *reply = raw;
        if (reply->type == REDIS_REPLY_ERROR)
            fail("Redis", reply->str);
        if (n == 0)
            added = reply->type == REDIS_REPLY_INTEGER && reply->integer > 0;
        freeReplyObject(reply);
    }
    return added;
}

/* As many commands are under way as fan-out may have. hiredis sends what was appended when it has no more answers, so
 * each write holds as many commands as the read before it brought answers. */
static size_t write_all(redisContext *redis, const struct work *work, const struct options *options)
{
    int commands = options->plain ? COMMANDS_MAX : 1;
    size_t ahead = (size_t)(options->depth / commands), added = 0;
    struct feed_buf notice;
    feed_buf_init(&notice, FEED_NOTICE_MAX);
    for (size_t sent = 0, done = 0; done < work->target_count; done++) {
        for (; sent < work->target_count && sent - done < ahead; sent++)
            send_target(redis, work, options, sent, &notice);
        added += take_answers(redis, commands);
    }
    feed_buf_fini(&notice);
    return added;
}

static struct options parse(int argc, char **argv)
{
    struct options options = {.depth = 4096, .tenant = "demo"};
    bool epoch = false;
    for (int i = 1; i < argc; i++) {
        const char *value = strchr(argv[i], '=');
        size_t len = value ? (size_t)(value++ - argv[i]) : 0;
        struct feed_str name = {argv[i], len};
        if (feed_str_eq(name, FEED_STR("--port")))
            options.port = atoi(value);
        else if (feed_str_eq(name, FEED_STR("--depth")))
            options.depth = atoi(value);
        else if (feed_str_eq(name, FEED_STR("--tenant")))
            options.tenant = value;
        else if (feed_str_eq(name, FEED_STR("--activities")))
            options.activities = value;
        else if (feed_str_eq(name, FEED_STR("--epoch")))
            epoch = feed_unhex(feed_str_of(value), (uint8_t *)&options.reserved[EPOCH_AT], FEED_EPOCH_BYTES) == FEED_OK;
        else if (strcmp(argv[i], "--how=plain") == 0)
            options.plain = true;
        else if (strcmp(argv[i], "--how=function") != 0)
            fail(argv[i], "unknown option");
    }
    if (options.port <= 0 || options.depth < COMMANDS_MAX || !options.activities || !epoch)
        fail("usage", "--port=N --activities=FILE --epoch=HEX [--how=function|plain] [--depth=4096] [--tenant=demo]");
    return options;
}

int main(int argc, char **argv)
{
    struct options options = parse(argc, argv);
    redisContext *redis = redisConnect("127.0.0.1", options.port);
    if (!redis || redis->err)
        fail("Redis", redis ? redis->errstr : "no memory");
    struct work work = {0};
    read_work(&work, redis, &options);
    printf("{\"event\":\"ready\",\"writes\":%zu}\n", work.target_count);
    fflush(stdout);
    size_t added = write_all(redis, &work, &options);
    printf("{\"event\":\"done\",\"added\":%zu}\n", added);
    forget_work(&work);
    redisFree(redis);
    return 0;
}
