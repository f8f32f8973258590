#include "world.h"

#include "shared/base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the port ---- */

static bool is_function(const struct world_command *command, const char *name)
{
    return feed_str_eq(command->argv[1], feed_str_of(name));
}

/* Where the arguments are: behind the keys. */
static size_t arguments_at(const struct world_command *command)
{
    return 3 + (size_t)(command->argv[2].data[0] - '0');
}

/* Which are left out: what is the same in all commands, or random. */
static bool dull(const struct world_command *command, size_t at, bool adds, bool removes)
{
    size_t first = arguments_at(command);
    /* How the author stands, and b:, go along with commands that are about something else. */
    bool aside = !is_function(command, "feedwire_v1_cross") && !is_function(command, "feedwire_v1_cross_end") &&
                 !is_function(command, "feedwire_v1_source") && !is_function(command, "feedwire_v1_source_since") &&
                 !is_function(command, "feedwire_v1_copy") && at > 2 && at < first &&
                 (command->argv[at].data[0] == 'a' || command->argv[at].data[0] == 'b');
    return at == 0 || at == 2 || aside || (adds && at >= 4 && at < first + 3) ||
           (removes && (at == first || at == first + 1));
}

static bool is_member(const struct world_command *command, size_t at, bool adds, bool backfills)
{
    size_t first = arguments_at(command) + 4 + backfills;
    return adds && at >= first && (at - first) % 2 == 0;
}

/* Of calls about edges and their pages: q:, the page and what was taken along to it, when it is page 0 and nothing; and
 * the limit of a page. */
static bool dull_page(const struct world_command *command, size_t at)
{
    bool followers = is_function(command, "feedwire_v1_followers"), graph = is_function(command, "feedwire_v1_edge");
    bool edge = graph || is_function(command, "feedwire_v1_follow") || is_function(command, "feedwire_v1_unfollow") ||
                is_function(command, "feedwire_v1_sever");
    size_t page = followers ? command->argc - 1 : graph ? 8 : 9, q = followers ? 4 : 6;
    if ((!followers && !edge) || !feed_str_eq(command->argv[page], FEED_STR("0")))
        return edge && !graph && at == command->argc - 1;
    return at == q || at >= page;
}

static bool is_command_of_library(const struct world_command *command)
{
    return command->argc > 2 && command->argv[0].data[0] == 'F';
}

static void describe(struct world_command *command)
{
    size_t used = 0;
    bool backfills = is_function(command, "feedwire_v1_backfill");
    bool adds = backfills || is_function(command, "feedwire_v1_add") || is_function(command, "feedwire_v1_post");
    bool removes = is_function(command, "feedwire_v1_remove");
    bool finds = is_function(command, "feedwire_v1_find");
    if (!is_command_of_library(command)) {
        for (size_t at = 0; at < command->argc; at++)
            used += (size_t)snprintf(command->text + used, sizeof command->text - used, "%s%.*s", at ? " " : "",
                                     (int)command->argv[at].len, command->argv[at].data);
        return;
    }
    for (size_t at = 0; at < command->argc && used + 300 < sizeof command->text; at++) {
        struct feed_str arg = command->argv[at];
        if (dull(command, at, adds, removes) || dull_page(command, at))
            continue;
        if (at == 1)
            arg = (struct feed_str){arg.data + strlen("feedwire_v1_"), arg.len - strlen("feedwire_v1_")};
        used += (size_t)snprintf(command->text + used, sizeof command->text - used, "%s", used ? " " : "");
        const uint8_t *b = (const uint8_t *)arg.data;
        if (is_member(command, at, adds, backfills) || (removes && at == arguments_at(command) + 2) ||
            (finds && at == 4))
            used += (size_t)snprintf(command->text + used, sizeof command->text - used, "#%u%s",
                                     (unsigned)b[0] << 24 | (unsigned)b[1] << 16 | (unsigned)b[2] << 8 | b[3],
                                     feed_mark_is(arg) ? "!" : "");
        else if (removes && arg.len == 0)
            used += (size_t)snprintf(command->text + used, sizeof command->text - used, "-");
        else
            used += (size_t)snprintf(command->text + used, sizeof command->text - used, "%.*s", (int)arg.len, arg.data);
    }
}

unsigned world_shard_of(const struct world *world, struct feed_str key)
{
    unsigned sum = 0;
    const char *tag = key.len ? memchr(key.data, '{', key.len) : NULL;
    for (const char *c = tag; c && c < key.data + key.len && *c != '}'; c++)
        sum = sum * 31 + (unsigned char)*c;
    return sum % world->shards;
}

static enum fan_sent on_send(void *arg, const struct feed_str *argv, size_t argc, struct fan_seat *seat, bool again)
{
    struct world *world = arg;
    bool function = argv[0].data[0] == 'F';
    unsigned shard = world_shard_of(world, argv[function ? 3 : 1]);
    if (world->away[shard])
        return FAN_SENT_AWAY;
    if (world->commands >= world->room)
        return FAN_SENT_FULL;
    if (again && world->held_percent && world_random(world, 100) < world->held_percent) {
        world->held++;
        return FAN_SENT_HELD;
    }
    world->again += again;
    struct world_command *command = calloc(1, sizeof *command);
    command->seat = seat;
    command->shard = shard;
    command->argc = argc;
    command->argv = calloc(argc, sizeof *command->argv);
    for (size_t i = 0; i < argc; i++) {
        char *copy = malloc(argv[i].len + 1);
        if (argv[i].len)
            memcpy(copy, argv[i].data, argv[i].len);
        command->argv[i] = (struct feed_str){copy, argv[i].len};
    }
    feed_buf_init(&command->items_memory, SIZE_MAX);
    describe(command);
    if (world->last)
        world->last->next = command;
    else
        world->first = command;
    world->last = command;
    world->commands++;
    return FAN_SENT;
}

static enum feed_error on_post(void *arg, const struct fan_letter *letter, const struct fan_record *record)
{
    struct world *world = arg;
    (void)record;
    if (world->letter_error == FEED_E_TOO_LARGE && letter->cut != FAN_LETTER_WHOLE)
        world->letter_error = FEED_OK;
    if (world->letter_error != FEED_OK)
        return world->letter_error;
    feed_assert(world->letter_count < WORLD_LETTERS_MAX);
    struct world_letter *kept = &world->letters[world->letter_count++];
    *kept = (struct world_letter){.letter = (struct fan_letter *)letter, .cut = letter->cut};
    snprintf(kept->reason, sizeof kept->reason, "%s", letter->reason);
    snprintf(kept->detail, sizeof kept->detail, "%s", letter->detail);
    return FEED_OK;
}

static enum feed_error on_relate(void *arg, struct fan_job *job)
{
    struct world *world = arg;
    if (world->relation_error != FEED_OK)
        return world->relation_error;
    feed_assert(world->relation_count < WORLD_RELATIONS_MAX);
    struct world_relation *kept = &world->relations[world->relation_count++];
    struct feed_relation relation = fan_job_relation(job);
    struct feed_buf key, value;
    feed_buf_init(&key, FEED_RELATION_KEY_MAX);
    feed_buf_init(&value, sizeof kept->value);
    feed_relation_key(&relation, &key);
    feed_relation_value(&relation, &value);
    feed_assert(value.error == FEED_OK);
    kept->job = job;
    snprintf(kept->key, sizeof kept->key, "%.*s", (int)key.len, key.data);
    memcpy(kept->value, value.data, value.len);
    kept->value_len = value.len;
    if (relation.kind == FEED_RELATION_FOLLOW)
        snprintf(kept->text, sizeof kept->text, "%.*s %lld %lld", (int)key.len, key.data, (long long)relation.since_ms,
                 (long long)relation.ended_ms);
    else
        snprintf(kept->text, sizeof kept->text, "%.*s %.*s|%.*s", (int)key.len, key.data, (int)relation.texts[0].len,
                 relation.texts[0].data, (int)relation.texts[1].len, relation.texts[1].data);
    feed_buf_fini(&key);
    feed_buf_fini(&value);
    return FEED_OK;
}

static void on_consume(void *arg, bool on)
{
    struct world *world = arg;
    world->consuming = on;
}

static bool on_halted(void *arg, enum fan_trouble trouble, struct feed_str text)
{
    struct world *world = arg;
    (void)text;
    world->halts++;
    world->halted_for = trouble;
    world->away[world->answering] = true;
    for (unsigned i = 0; i < world->shards; i++) {
        if (!world->away[i])
            return true;
    }
    return false;
}

static void on_failing(void *arg, const char *step, struct feed_str text)
{
    struct world *world = arg;
    (void)step, (void)text;
    world->failings++;
}

static void on_random(void *arg, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)world_random(arg, 256);
}

static void on_purge(void *arg, struct fan_job *job)
{
    struct world *world = arg;
    feed_assert(!world->purge);
    world->purge = job;
}

static void on_purge_drop(void *arg, struct fan_job *job)
{
    struct world *world = arg;
    feed_assert(world->purge == job);
    world->purge = NULL;
}

static void on_succeeded(void *arg, struct feed_str tenant)
{
    (void)arg;
    feed_assert(tenant.len > 0);
}

static unsigned on_share(void *arg, struct feed_str tenant)
{
    const struct world *world = arg;
    feed_assert(tenant.len > 0);
    return world->share ? world->share : UINT32_MAX;
}

static const struct fan_port_ops ops = {on_send,  on_post,       on_relate, on_consume,   on_halted, on_failing,
                                        on_purge, on_purge_drop, on_random, on_succeeded, on_share};

/* ---- life ---- */

uint64_t world_random(struct world *world, uint64_t max)
{
    world->random ^= world->random << 13;
    world->random ^= world->random >> 7;
    world->random ^= world->random << 17;
    return world->random % max;
}

void world_init(struct world *world, const struct fan_settings *settings)
{
    static const struct fan_settings small = {
        .records_max = 8, .bytes_max = 1024 * 1024, .commands_max = 16, .cap = 100, .backfill = 20};
    *world =
        (struct world){.random = 88172645463325252u, .room = SIZE_MAX, .shards = 1, .consuming = true, .now_ms = 1000};
    world->engine = fan_engine_new(settings ? settings : &small, &ops, world);
    fan_engine_tick(world->engine, world->now_ms);
}

static void command_free(struct world_command *command)
{
    for (size_t i = 0; i < command->argc; i++)
        free((char *)command->argv[i].data);
    free(command->argv);
    free(command->items);
    feed_buf_fini(&command->items_memory);
    free(command);
}

struct world_command *world_oldest(const struct world *world, unsigned shard)
{
    struct world_command *command = world->first;
    while (command && command->shard != shard)
        command = command->next;
    return command;
}

static struct world_command *take_of(struct world *world, unsigned shard)
{
    struct world_command *command = world_oldest(world, shard), *before = NULL;
    feed_assert(command);
    for (struct world_command *c = world->first; c != command; c = c->next)
        before = c;
    *(before ? &before->next : &world->first) = command->next;
    if (world->last == command)
        world->last = before;
    world->commands--;
    return command;
}

static struct world_command *take(struct world *world)
{
    feed_assert(world->first);
    return take_of(world, world->first->shard);
}

void world_fini(struct world *world)
{
    while (world->first)
        command_free(take(world));
    for (size_t i = 0; i < world->letter_count; i++)
        free(world->letters[i].letter);
    fan_engine_free(world->engine);
}

void world_start(struct world *world, const int32_t *partitions, size_t count)
{
    fan_engine_assigned(world->engine, partitions, count);
    fan_engine_redis_ready(world->engine);
}

/* ---- events ---- */

void world_record(struct world *world, const struct sample *sample)
{
    struct sample_record made;
    sample_make(sample, &made);
    fan_engine_record(world->engine, &made.record);
}

void world_tick(struct world *world, int64_t ms)
{
    world->now_ms += ms;
    fan_engine_tick(world->engine, world->now_ms);
}

void world_answer_shard(struct world *world, unsigned shard, const struct fan_answer *answer)
{
    struct world_command *command = take_of(world, shard);
    world->answering = shard;
    fan_engine_answer(command->seat, answer);
    if (!world->unchecked)
        world_check(world);
    command_free(command);
}

void world_answer(struct world *world, const struct fan_answer *answer)
{
    feed_assert(world->first);
    world_answer_shard(world, world->first->shard, answer);
}

/* The answer in full: about a page of level 0 that wants nothing. */
static void answer_about_a_page(struct world *world, const struct fan_value *items, size_t count)
{
    enum { PARTS = 6 };
    bool followers = is_function(world->first, "feedwire_v1_followers");
    struct fan_value *all = calloc(count + PARTS, sizeof *all);
    memcpy(all + followers, items, count * sizeof *items);
    for (size_t i = followers ? count + 1 : count; i < count + PARTS; i++)
        all[i].text = FEED_STR("0");
    size_t full = followers ? count + 1 : count < PARTS ? PARTS : count;
    world_answer(world, &(struct fan_answer){.kind = FAN_ANSWER_LIST, .items = all, .count = full});
    free(all);
}

static bool about_a_page(const struct world_command *command)
{
    static const char *const names[] = {"feedwire_v1_follow", "feedwire_v1_unfollow",  "feedwire_v1_sever",
                                        "feedwire_v1_edge",   "feedwire_v1_edge_load", "feedwire_v1_followers"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (is_function(command, names[i]))
            return true;
    }
    return false;
}

void world_answer_int(struct world *world, int64_t integer)
{
    if (about_a_page(world->first)) {
        answer_about_a_page(world, &(struct fan_value){.text = FEED_STR(""), .number = integer}, 1);
        return;
    }
    world_answer(world, &(struct fan_answer){.kind = FAN_ANSWER_INTEGER, .integer = integer});
}

void world_answer_error(struct world *world, const char *text)
{
    world_answer(world, &(struct fan_answer){.kind = FAN_ANSWER_ERROR, .text = feed_str_of(text)});
}

void world_answer_list(struct world *world, const char *const *texts, size_t count)
{
    struct fan_value *items = calloc(count + 1, sizeof *items);
    for (size_t i = 0; i < count; i++)
        items[i] = (struct fan_value){.text = feed_str_of(texts[i]), .number = strtoll(texts[i], NULL, 10)};
    if (about_a_page(world->first))
        answer_about_a_page(world, items, count);
    else
        world_answer(world, &(struct fan_answer){.kind = FAN_ANSWER_LIST, .items = items, .count = count});
    free(items);
}

void world_lose(struct world *world)
{
    size_t count = world->commands;
    while (count--)
        world_answer(world, &(struct fan_answer){.kind = FAN_ANSWER_LOST});
    fan_engine_redis_gone(world->engine);
}

void world_lose_shard(struct world *world, unsigned shard)
{
    while (world_oldest(world, shard))
        world_answer_shard(world, shard, &(struct fan_answer){.kind = FAN_ANSWER_LOST});
    world->away[shard] = true;
    bool all = true;
    for (unsigned i = 0; i < world->shards; i++)
        all &= world->away[i];
    if (all)
        fan_engine_redis_gone(world->engine);
}

void world_ready_shard(struct world *world, unsigned shard)
{
    world->away[shard] = false;
    fan_engine_redis_ready(world->engine);
}

void world_ready(struct world *world)
{
    memset(world->away, 0, sizeof world->away);
    fan_engine_redis_ready(world->engine);
}

void world_letter_done(struct world *world, enum feed_error error)
{
    feed_assert(world->letter_count);
    struct fan_letter *letter = world->letters[0].letter;
    memmove(world->letters, world->letters + 1, --world->letter_count * sizeof world->letters[0]);
    fan_engine_letter_done(world->engine, letter, error);
}

void world_relation_done(struct world *world, enum feed_error error)
{
    feed_assert(world->relation_count);
    struct fan_job *job = world->relations[0].job;
    memmove(world->relations, world->relations + 1, --world->relation_count * sizeof world->relations[0]);
    fan_engine_relation_done(job, error);
}

void world_graph_done(struct world *world, const char *since, const char *ended)
{
    world_answer_list(world, (const char *const[]){since, ended}, 2);
    world_relation_done(world, FEED_OK);
}

void world_check(struct world *world)
{
    fan_engine_check(world->engine);
    fan_engine_checked(world->engine);
}

size_t world_take_commits(struct world *world, struct fan_position *out, size_t max)
{
    fan_engine_mark(world->engine);
    fan_engine_confirm(world->engine, true);
    return fan_engine_take_commits(world->engine, out, max);
}

int64_t world_position(const struct world *world, int32_t partition)
{
    struct fan_position position;
    for (size_t i = 0; fan_engine_position(world->engine, i, &position); i++) {
        if (position.partition == partition)
            return position.next_offset;
    }
    return -2;
}
