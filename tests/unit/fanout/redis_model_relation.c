/* What users have settled, to the topic graph and back. What was kept is not modelled. */
#include "redis_model_inside.h"

#include "shared/base/assert.h"

#include <stdio.h>
#include <string.h>

static void answer_texts(struct world_command *command, struct feed_str first, struct feed_str second)
{
    model_begin_list(command);
    model_add_item(command, first, 0);
    model_add_item(command, second, 0);
    model_keep_texts(command);
}

/* settings; other, end of the edge from the other */
static void call_settings_state(struct model *model, struct world_command *command)
{
    static const char letters[] = "mnvbcde";
    const struct feed_str *argv = command->argv;
    int64_t ended = model_number_of(argv[5]);
    struct model_registers *r = model_registers_of(model, argv[3], argv[4], ended > 0);
    if (ended && r->at[MODEL_E] < ended)
        r->at[MODEL_E] = ended;
    struct feed_buf text;
    feed_buf_init(&text, SIZE_MAX);
    for (size_t i = 0; r && letters[i]; i++) {
        int64_t at = r->at[model_letter_of(letters[i])];
        if (at)
            feed_buf_printf(&text, "%s%c%lld", text.len ? " " : "", letters[i], (long long)at);
    }
    answer_texts(command, feed_buf_view(&text), FEED_STR(""));
    feed_buf_fini(&text);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The letters of one pair, as they were and as they are loaded. */
static void join_act(struct model_registers *r, enum model_letter on, const struct model_registers *loaded,
                     enum model_letter loaded_on)
{
    enum model_letter first = model_first_end_of(on);
    int64_t ends[] = {r->at[first], loaded->at[model_first_end_of(loaded_on)], r->at[on + 1],
                      loaded->at[loaded_on + 1]};
    r->at[on] = later(r->at[on], loaded->at[loaded_on]);
    r->at[on + 1] = later(r->at[on + 1], loaded->at[loaded_on + 1]);
    r->at[first] = 0;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (ends[i] > r->at[on] && (!r->at[first] || ends[i] < r->at[first]))
            r->at[first] = ends[i];
    }
}

/* settings; other, registers, kept, own or other */
static void call_settings_load(struct model *model, struct world_command *command)
{
    const struct feed_str *argv = command->argv;
    struct model_registers loaded = {.key = ""}, *r = model_registers_of(model, argv[3], argv[4], true);
    struct feed_str rest = argv[5];
    while (rest.len) {
        struct feed_str word = feed_str_cut(&rest, ' ');
        loaded.at[model_letter_of(word.data[0])] = model_number_of((struct feed_str){word.data + 1, word.len - 1});
    }
    if (feed_str_eq(argv[7], FEED_STR("own"))) {
        join_act(r, MODEL_M, &loaded, MODEL_M);
        join_act(r, MODEL_B, &loaded, MODEL_B);
        r->at[MODEL_E] = later(r->at[MODEL_E], loaded.at[MODEL_E]);
    } else {
        join_act(r, MODEL_OTHER_B, &loaded, MODEL_B);
    }
    model_answer_int(command, 1);
}

/* settings */
static void call_filter_state(struct model *model, struct world_command *command)
{
    const struct feed_str *argv = command->argv;
    const struct model_registers *newest = model_registers_of(model, argv[3], FEED_STR("#"), false);
    char time[24] = "";
    if (newest)
        snprintf(time, sizeof time, "%lld", (long long)newest->at[MODEL_X]);
    struct feed_buf rules;
    feed_buf_init(&rules, SIZE_MAX);
    for (size_t i = 0; i < model->register_count; i++) {
        const struct model_registers *r = &model->registers[i];
        if (feed_str_eq(feed_str_of(r->key), argv[3]) && r->field[0] == '#' && r->field[1])
            feed_buf_printf(&rules, "%s%s %lld %lld", rules.len ? " " : "", r->field + 1, (long long)r->at[MODEL_X],
                            (long long)r->at[MODEL_I]);
    }
    answer_texts(command, feed_str_of(time), feed_buf_view(&rules));
    feed_buf_fini(&rules);
}

/* settings; time, rules */
static void call_filter_load(struct model *model, struct world_command *command)
{
    const struct feed_str *argv = command->argv;
    struct model_registers *newest = model_registers_of(model, argv[3], FEED_STR("#"), true);
    bool loads = newest->at[MODEL_X] < model_number_of(argv[4]);
    model_answer_int(command, loads);
    if (!loads)
        return;
    newest->at[MODEL_X] = model_number_of(argv[4]);
    struct feed_str rest = argv[5];
    while (rest.len) {
        char field[FEED_VERB_MAX + 2];
        struct feed_str verb = feed_str_cut(&rest, ' ');
        snprintf(field, sizeof field, "#%.*s", (int)verb.len, verb.data);
        struct model_registers *r = model_registers_of(model, argv[3], feed_str_of(field), true);
        r->at[MODEL_X] = model_number_of(feed_str_cut(&rest, ' '));
        r->at[MODEL_I] = model_number_of(feed_str_cut(&rest, ' '));
    }
}

bool model_execute_relation(struct model *model, struct world_command *command)
{
    static const struct model_function functions[] = {
        {"feedwire_v1_settings_state", call_settings_state},
        {"feedwire_v1_settings_load", call_settings_load},
        {"feedwire_v1_filter_state", call_filter_state},
        {"feedwire_v1_filter_load", call_filter_load},
    };
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (feed_str_eq(command->argv[1], feed_str_of(functions[i].name))) {
            functions[i].call(model, command);
            return true;
        }
    }
    return false;
}
