#include "topic.h"

#include "fanout/graph_load.h"
#include "redis_model_inside.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void topic_append(struct topic *topic, const struct world_relation *relation)
{
    size_t i = 0;
    while (i < topic->count && strcmp(topic->records[i].key, relation->key) != 0)
        i++;
    assert_true(i < TOPIC_RECORDS_MAX);
    topic->records[i] = *relation;
    topic->count += i == topic->count;
}

/* ---- loading ---- */

struct loading {
    struct fan_load load;
    struct world *chance;
    struct model *model;
    struct world_command *late[2 * TOPIC_RECORDS_MAX]; /* to be carried out after all others */
    size_t late_count;
};

static struct world_command *command_of(const struct fan_call *call)
{
    struct world_command *command = calloc(1, sizeof *command);
    command->argc = call->argc;
    command->argv = calloc(call->argc, sizeof *command->argv);
    for (size_t i = 0; i < call->argc; i++) {
        char *copy = malloc(call->argv[i].len + 1);
        if (call->argv[i].len)
            memcpy(copy, call->argv[i].data, call->argv[i].len);
        command->argv[i] = (struct feed_str){copy, call->argv[i].len};
    }
    feed_buf_init(&command->items_memory, SIZE_MAX);
    return command;
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

/* To move edges between pages twice is another matter. */
static bool loads(const struct world_command *command)
{
    static const char end[] = "_load";
    struct feed_str name = command->argv[1];
    size_t len = sizeof end - 1;
    return name.len > len && memcmp(name.data + name.len - len, end, len) == 0;
}

static bool carry_out_one(struct loading *loading)
{
    struct fan_call call;
    unsigned slot;
    if (!fan_load_next(&loading->load, &call, &slot))
        return false;
    struct world_command *command = command_of(&call), *again = NULL;
    fan_load_sent(&loading->load);
    model_execute(loading->model, command);
    if (loads(command) && world_random(loading->chance, 4) == 0 && loading->late_count < 2 * TOPIC_RECORDS_MAX)
        again = loading->late[loading->late_count++] = command;
    assert_true(fan_load_answer(&loading->load, slot, &command->answer));
    if (!again)
        command_free(command);
    return true;
}

static void give(struct loading *loading, const struct world_relation *record)
{
    while (!fan_load_has_room(&loading->load) || world_random(loading->chance, 2)) {
        if (!carry_out_one(loading))
            break;
    }
    fan_load_record(&loading->load, feed_str_of(record->key), (struct feed_str){record->value, record->value_len});
}

static void carry_out_late(struct loading *loading)
{
    for (size_t i = 0; i < loading->late_count; i++) {
        struct world_command *command = loading->late[i];
        feed_buf_reset(&command->items_memory);
        model_execute(loading->model, command);
        command_free(command);
    }
}

void topic_load(const struct topic *topic, struct world *chance, unsigned page_followers, struct model *out)
{
    struct loading *loading = calloc(1, sizeof *loading);
    size_t order[2 * TOPIC_RECORDS_MAX], count = 0;
    model_init(out);
    loading->chance = chance;
    loading->model = out;
    fan_load_init(&loading->load, page_followers);
    for (size_t i = 0; i < topic->count; i++) {
        for (size_t n = 1 + world_random(chance, 2); n > 0; n--)
            order[count++] = i;
    }
    for (size_t i = count; i > 1; i--) {
        size_t j = world_random(chance, i), swap = order[j];
        order[j] = order[i - 1];
        order[i - 1] = swap;
    }
    for (size_t i = 0; i < count; i++)
        give(loading, &topic->records[order[i]]);
    while (carry_out_one(loading))
        ;
    assert_true(fan_load_idle(&loading->load));
    assert_int_equal(loading->load.counts.bad + loading->load.counts.unknown, 0);
    carry_out_late(loading);
    fan_load_fini(&loading->load);
    free(loading);
}

/* ---- comparing ---- */

/* Where it does not say more than the end itself, the first end may be there or not. */
static int64_t first_end(const struct model_registers *r, enum model_letter on)
{
    int64_t first = r->at[model_first_end_of(on)];
    return !r->at[on] ? 0 : first ? first : r->at[on + 1] > r->at[on] ? r->at[on + 1] : 0;
}

static bool same_registers(const struct model_registers *a, const struct model_registers *b)
{
    static const enum model_letter pairs[] = {MODEL_M, MODEL_B, MODEL_OTHER_B};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        enum model_letter on = pairs[i];
        if (a->at[on] != b->at[on] || a->at[on + 1] != b->at[on + 1] || first_end(a, on) != first_end(b, on))
            return false;
    }
    return a->at[MODEL_E] == b->at[MODEL_E] && a->at[MODEL_X] == b->at[MODEL_X] && a->at[MODEL_I] == b->at[MODEL_I];
}

static void registers_in(const struct model *a, const struct model *b)
{
    static const struct model_registers nothing;
    for (size_t i = 0; i < a->register_count; i++) {
        const struct model_registers *r = &a->registers[i];
        const struct model_registers *other =
            model_registers_of((struct model *)b, feed_str_of(r->key), feed_str_of(r->field), false);
        if (!same_registers(r, other ? other : &nothing))
            fail_msg("%s is not the same in %s", r->field, r->key);
    }
}

static void followees_in(const struct model *a, const struct model *b)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct model_zset *zset = &a->zsets[i], *other = model_find(b, zset->key);
        for (size_t n = 0; zset->key[0] == 'h' && n < zset->count; n++) {
            const struct model_member *m = &zset->members[n];
            if (!other || model_score_of(other, (struct feed_str){m->bytes, m->len}) != m->score)
                fail_msg("%.*s is not the same in %s", (int)m->len, m->bytes, zset->key);
        }
    }
}

void topic_expect_same(const struct model *expected, const struct model *loaded)
{
    registers_in(expected, loaded);
    registers_in(loaded, expected);
    followees_in(expected, loaded);
    followees_in(loaded, expected);
    if (!model_edges_in(expected, loaded) || !model_edges_in(loaded, expected))
        fail_msg("an edge is not the same");
}
