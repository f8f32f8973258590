#include "world.h"

#include "shared/base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the port ---- */

static void describe(struct world_command *command)
{
    size_t at = 0, used = 0;
    bool function =
        feed_str_eq(command->argv[0], FEED_STR("FCALL")) || feed_str_eq(command->argv[0], FEED_STR("FCALL_RO"));
    bool add = function && feed_str_eq(command->argv[1], FEED_STR("feedwire_v1_add"));
    for (; at < command->argc && used + 300 < sizeof command->text; at++) {
        struct feed_str arg = command->argv[at];
        if (function && (at == 0 || at == 2))
            continue;
        if (function && at == 1)
            arg = (struct feed_str){arg.data + strlen("feedwire_v1_"), arg.len - strlen("feedwire_v1_")};
        if (add && at >= 4 && at <= 6)
            continue;
        used += (size_t)snprintf(command->text + used, sizeof command->text - used, "%s", used ? " " : "");
        const uint8_t *b = (const uint8_t *)arg.data;
        if (add && at >= 7 && at % 2 == 0)
            used += (size_t)snprintf(command->text + used, sizeof command->text - used, "#%u",
                                     (unsigned)b[0] << 24 | (unsigned)b[1] << 16 | (unsigned)b[2] << 8 | b[3]);
        else
            used += (size_t)snprintf(command->text + used, sizeof command->text - used, "%.*s", (int)arg.len, arg.data);
    }
}

static bool on_send(void *arg, const struct feed_str *argv, size_t argc, struct fan_job *job)
{
    struct world *world = arg;
    if (world->commands >= world->room)
        return false;
    struct world_command *command = calloc(1, sizeof *command);
    command->job = job;
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
    return true;
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
    struct feed_buf key;
    feed_buf_init(&key, FEED_RELATION_KEY_MAX);
    feed_relation_key(&relation, &key);
    kept->job = job;
    snprintf(kept->text, sizeof kept->text, "%.*s %lld %lld", (int)key.len, key.data, (long long)relation.since_ms,
             (long long)relation.ended_ms);
    feed_buf_fini(&key);
    return FEED_OK;
}

static void on_consume(void *arg, bool on)
{
    struct world *world = arg;
    world->consuming = on;
}

static void on_halted(void *arg, enum fan_trouble trouble, struct feed_str text)
{
    struct world *world = arg;
    (void)text;
    world->halts++;
    world->halted_for = trouble;
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

static const struct fan_port_ops ops = {on_send, on_post, on_relate, on_consume, on_halted, on_failing, on_random};

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
    *world = (struct world){.random = 88172645463325252u, .room = SIZE_MAX, .consuming = true, .now_ms = 1000};
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

static struct world_command *take(struct world *world)
{
    struct world_command *command = world->first;
    feed_assert(command);
    world->first = command->next;
    if (!world->first)
        world->last = NULL;
    world->commands--;
    return command;
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

void world_answer(struct world *world, const struct fan_answer *answer)
{
    struct world_command *command = take(world);
    fan_engine_answer(command->job, answer);
    command_free(command);
}

void world_answer_int(struct world *world, int64_t integer)
{
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

size_t world_take_commits(struct world *world, struct fan_position *out, size_t max)
{
    fan_engine_mark(world->engine);
    fan_engine_confirm(world->engine);
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
