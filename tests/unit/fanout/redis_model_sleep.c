/* The model's home feeds that sleep: what makes them again. Of kept spans it knows nothing, so simulations with sleep
 * have no unfollows that keep. */
#include "redis_model_inside.h"

#include <stdio.h>

enum { SOURCE_ARGS = 5 };

void model_sleep(struct model *model, const char *key)
{
    struct model_zset *zset = model_zset_of(model, feed_str_of(key));
    while (zset->count)
        model_zrem(zset, (struct feed_str){zset->members[0].bytes, zset->members[0].len});
    zset->seq = 0;
    zset->life = MODEL_ABSENT;
}

void model_wake(struct model *model, const char *key)
{
    model_zset_of(model, feed_str_of(key))->life = MODEL_AWAKE;
}

static void call_wake(struct model *model, struct world_command *command)
{
    enum { WAS_AWAKE, MADE, IS_BUILT };
    struct model_zset *zset = model_zset_of(model, command->argv[3]);
    int64_t answer = zset->life == MODEL_AWAKE ? WAS_AWAKE : zset->life == MODEL_BUILDING ? IS_BUILT : MADE;
    if (answer == MADE)
        zset->life = MODEL_BUILDING;
    model_answer_int(command, answer);
}

static void call_awake(struct model *model, struct world_command *command)
{
    struct model_zset *zset = model_zset_of(model, command->argv[3]);
    if (zset->life != MODEL_BUILDING) {
        model_answer_int(command, 0);
        return;
    }
    zset->life = MODEL_AWAKE;
    zset->seq++;
    model->notices++;
    model_answer_int(command, (int64_t)zset->seq);
}

/* followees settings b: count, then optionally the last author, since, till */
static void call_sources(struct model *model, struct world_command *command)
{
    const struct feed_str *argv = command->argv;
    const struct model_zset *followees = model_zset_of(model, argv[3]), *merged = model_zset_of(model, argv[5]);
    size_t most = (size_t)model_number_of(argv[6]), found = 0;
    int64_t after_ms = command->argc > 7 ? model_number_of(argv[8]) : -1;
    struct feed_str after = command->argc > 7 ? argv[7] : FEED_STR("");
    static char times[64][24];
    model_begin_list(command);
    for (size_t i = 0; i < followees->count && found < most; i++) {
        const struct model_member *m = &followees->members[i];
        struct feed_str author = {m->bytes, m->len};
        bool before = m->score < after_ms || (m->score == after_ms && feed_str_cmp(author, after) <= 0);
        if (before || model_score_of(merged, author))
            continue;
        int len = snprintf(times[found], sizeof times[found], "%lld", (long long)m->score);
        model_add_item(command, author, 0);
        model_add_item(command, (struct feed_str){times[found++], (size_t)len}, m->score);
        model_add_item(command, FEED_STR(""), 0);
    }
    model_keep_texts(command);
}

/* home settings cap slack, then author since till time member */
static void call_fill(struct model *model, struct world_command *command)
{
    const struct feed_str *argv = command->argv;
    int64_t cap = model_number_of(argv[5]), slack = model_number_of(argv[6]);
    model_begin_list(command);
    for (size_t i = 7; i + SOURCE_ARGS <= command->argc; i += SOURCE_ARGS) {
        const struct model_fill fill = {.home = argv[3],
                                        .settings = argv[4],
                                        .author = argv[i],
                                        .since_ms = model_number_of(argv[i + 1]),
                                        .score = model_number_of(argv[i + 3]),
                                        .member = argv[i + 4]};
        model_add_item(command, (struct feed_str){"", 0}, model_fill(model, &fill, cap, slack));
    }
}

bool model_execute_sleep(struct model *model, struct world_command *command)
{
    static const struct model_function functions[] = {
        {"feedwire_v1_wake", call_wake},
        {"feedwire_v1_awake", call_awake},
        {"feedwire_v1_sources", call_sources},
        {"feedwire_v1_fill", call_fill},
    };
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (feed_str_eq(command->argv[1], feed_str_of(functions[i].name))) {
            functions[i].call(model, command);
            return true;
        }
    }
    return false;
}
