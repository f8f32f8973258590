#include "redis_model.h"

#include "shared/base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- sorted sets ---- */

void model_init(struct model *model)
{
    memset(model, 0, sizeof *model);
}

void model_fini(struct model *model)
{
    for (size_t i = 0; i < model->count; i++) {
        for (size_t j = 0; j < model->zsets[i].count; j++)
            free(model->zsets[i].members[j].bytes);
        free(model->zsets[i].members);
    }
    model_init(model);
}

const struct model_zset *model_find(const struct model *model, const char *key)
{
    for (size_t i = 0; i < model->count; i++) {
        if (strcmp(model->zsets[i].key, key) == 0)
            return &model->zsets[i];
    }
    return NULL;
}

static struct model_zset *zset_of(struct model *model, struct feed_str key)
{
    char text[200];
    snprintf(text, sizeof text, "%.*s", (int)key.len, key.data);
    struct model_zset *zset = (struct model_zset *)model_find(model, text);
    if (zset)
        return zset;
    feed_assert(model->count < MODEL_ZSETS_MAX);
    zset = &model->zsets[model->count++];
    memcpy(zset->key, text, sizeof text);
    return zset;
}

static struct model_member *member_of(const struct model_zset *zset, struct feed_str bytes)
{
    for (size_t i = 0; i < zset->count; i++) {
        if (zset->members[i].len == bytes.len && memcmp(zset->members[i].bytes, bytes.data, bytes.len) == 0)
            return &zset->members[i];
    }
    return NULL;
}

static void zrem(struct model_zset *zset, struct feed_str bytes)
{
    struct model_member *member = member_of(zset, bytes);
    if (!member)
        return;
    free(member->bytes);
    size_t i = (size_t)(member - zset->members);
    memmove(member, member + 1, (--zset->count - i) * sizeof *member);
}

static void zadd(struct model_zset *zset, struct feed_str bytes, int64_t score)
{
    zrem(zset, bytes);
    size_t at = 0;
    while (at < zset->count) {
        const struct model_member *m = &zset->members[at];
        if (score < m->score || (score == m->score && feed_str_cmp(bytes, (struct feed_str){m->bytes, m->len}) < 0))
            break;
        at++;
    }
    zset->members = realloc(zset->members, (zset->count + 1) * sizeof *zset->members);
    memmove(zset->members + at + 1, zset->members + at, (zset->count++ - at) * sizeof *zset->members);
    struct model_member *m = &zset->members[at];
    *m = (struct model_member){.bytes = malloc(bytes.len), .len = bytes.len, .score = score};
    memcpy(m->bytes, bytes.data, bytes.len);
}

/* ---- answers ---- */

static void answer_int(struct world_command *command, int64_t integer)
{
    command->answer = (struct fan_answer){.kind = FAN_ANSWER_INTEGER, .integer = integer};
}

static void begin_list(struct world_command *command)
{
    command->answer = (struct fan_answer){.kind = FAN_ANSWER_LIST};
}

static void add_item(struct world_command *command, struct feed_str text, int64_t number)
{
    command->items = realloc(command->items, (command->answer.count + 1) * sizeof *command->items);
    /* Views point into the model or the command; the answer is handed over before either changes, or copied below. */
    command->items[command->answer.count++] = (struct fan_value){text, number};
    command->answer.items = command->items;
}

/* The model may change before the answer arrives, so texts move into the command. */
static void keep_texts(struct world_command *command)
{
    for (size_t i = 0; i < command->answer.count; i++)
        feed_buf_str(&command->items_memory, command->items[i].text);
    size_t at = 0;
    for (size_t i = 0; i < command->answer.count; i++) {
        command->items[i].text.data = command->items_memory.data + at;
        at += command->items[i].text.len;
    }
}

static int64_t number_of(struct feed_str text)
{
    char copy[32];
    snprintf(copy, sizeof copy, "%.*s", (int)text.len, text.data);
    return strtoll(copy, NULL, 10);
}

/* ---- functions ---- */

static int64_t add(struct model *model, struct model_zset *zset, int64_t cap, int64_t slack, int64_t score,
                   struct feed_str entry)
{
    for (size_t i = 0; i < zset->count; i++) {
        if (zset->members[i].score == score && memcmp(zset->members[i].bytes, entry.data, FEED_ID_BYTES) == 0)
            return 0;
    }
    if ((int64_t)zset->count >= cap) {
        const struct model_member *last = &zset->members[zset->count - (size_t)cap];
        if (score < last->score ||
            (score == last->score && feed_str_cmp(entry, (struct feed_str){last->bytes, last->len}) < 0))
            return -1;
    }
    zadd(zset, entry, score);
    if ((int64_t)zset->count > cap + slack) {
        while ((int64_t)zset->count > cap)
            zrem(zset, (struct feed_str){zset->members[0].bytes, zset->members[0].len});
    }
    model->notices++;
    return (int64_t)++zset->seq;
}

static void call_add(struct model *model, struct world_command *command)
{
    const struct feed_str *argv = command->argv;
    struct model_zset *zset = zset_of(model, argv[3]);
    size_t count = (command->argc - 7) / 2;
    if (count > 1)
        begin_list(command);
    for (size_t i = 0; i < count; i++) {
        int64_t answer =
            add(model, zset, number_of(argv[5]), number_of(argv[6]), number_of(argv[7 + 2 * i]), argv[8 + 2 * i]);
        if (count > 1)
            add_item(command, (struct feed_str){"", 0}, answer);
        else
            answer_int(command, answer);
    }
}

static void call_follow(struct model *model, struct world_command *command)
{
    struct model_zset *followers = zset_of(model, command->argv[3]);
    const struct model_member *ended = member_of(zset_of(model, command->argv[4]), command->argv[5]);
    int64_t time_ms = number_of(command->argv[6]), state = 1;
    const struct model_member *at = member_of(followers, command->argv[5]);
    if (ended && ended->score >= time_ms) {
        state = 0;
        time_ms = ended->score;
    } else if (at) {
        state = 2;
        time_ms = at->score < time_ms ? at->score : time_ms;
    }
    if (state)
        zadd(followers, command->argv[5], time_ms);
    begin_list(command);
    add_item(command, (struct feed_str){"", 0}, state);
    add_item(command, (struct feed_str){"", 0}, time_ms);
}

static void call_unfollow(struct model *model, struct world_command *command)
{
    struct model_zset *followers = zset_of(model, command->argv[3]), *ended = zset_of(model, command->argv[4]);
    int64_t time_ms = number_of(command->argv[6]);
    const struct model_member *old = member_of(ended, command->argv[5]);
    if (!old || old->score < time_ms)
        zadd(ended, command->argv[5], time_ms);
    const struct model_member *at = member_of(followers, command->argv[5]);
    answer_int(command, !at ? 2 : at->score > time_ms ? 0 : 1);
    if (at && at->score <= time_ms)
        zrem(followers, command->argv[5]);
}

static int64_t score_of(struct model *model, struct feed_str key, struct feed_str member)
{
    const struct model_member *at = member_of(zset_of(model, key), member);
    return at ? at->score : 0;
}

static void call_edge(struct model *model, struct world_command *command)
{
    begin_list(command);
    add_item(command, (struct feed_str){"", 0}, score_of(model, command->argv[3], command->argv[5]));
    add_item(command, (struct feed_str){"", 0}, score_of(model, command->argv[4], command->argv[5]));
}

/* Pages of two, whatever was asked for, would end the paging early; so a page is what was asked for. */
static void call_followers(struct model *model, struct world_command *command)
{
    const struct model_zset *zset = zset_of(model, command->argv[3]);
    int64_t time_ms = number_of(command->argv[4]), count = number_of(command->argv[5]);
    begin_list(command);
    feed_assert(command->argc == 6 && (int64_t)zset->count < count);
    for (size_t i = 0; i < zset->count && zset->members[i].score <= time_ms; i++) {
        if (i == 0)
            add_item(command, (struct feed_str){"", 0}, 0);
        command->items[0].number = zset->members[i].score;
        add_item(command, (struct feed_str){zset->members[i].bytes, zset->members[i].len}, 0);
    }
    keep_texts(command);
}

static void call_since(struct model *model, struct world_command *command)
{
    const struct model_zset *zset = zset_of(model, command->argv[3]);
    int64_t time_ms = number_of(command->argv[4]);
    size_t count = (size_t)number_of(command->argv[5]), older = 0;
    while (older < zset->count && zset->members[older].score < time_ms)
        older++;
    begin_list(command);
    static char times[4096][24];
    size_t used = 0;
    for (size_t i = older > count ? older - count : 0; i < zset->count; i++) {
        const struct model_member *m = &zset->members[i];
        int len = snprintf(times[used], sizeof times[used], "%lld", (long long)m->score);
        add_item(command, (struct feed_str){times[used++], (size_t)len}, m->score);
        add_item(command, (struct feed_str){m->bytes, m->len}, 0);
    }
    keep_texts(command);
}

void model_execute(struct model *model, struct world_command *command)
{
    static const struct {
        const char *name;
        void (*call)(struct model *model, struct world_command *command);
    } functions[] = {
        {"feedwire_v1_add", call_add},           {"feedwire_v1_follow", call_follow},
        {"feedwire_v1_unfollow", call_unfollow}, {"feedwire_v1_followers", call_followers},
        {"feedwire_v1_since", call_since},       {"feedwire_v1_edge", call_edge},
    };
    command->executed = true;
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (feed_str_eq(command->argv[1], feed_str_of(functions[i].name))) {
            functions[i].call(model, command);
            return;
        }
    }
    if (feed_str_eq(command->argv[0], FEED_STR("ZADD"))) { /* key LT score member */
        struct model_zset *zset = zset_of(model, command->argv[1]);
        const struct model_member *at = member_of(zset, command->argv[4]);
        int64_t score = number_of(command->argv[3]);
        if (!at || score < at->score)
            zadd(zset, command->argv[4], score);
        answer_int(command, !at);
    } else {
        feed_assert(feed_str_eq(command->argv[0], FEED_STR("ZREM")));
        zrem(zset_of(model, command->argv[1]), command->argv[2]);
        answer_int(command, 1);
    }
}

/* ---- comparing ---- */

static bool zset_in(const struct model_zset *zset, const struct model *model)
{
    const struct model_zset *other = model_find(model, zset->key);
    if (!other || other->count != zset->count || other->seq != zset->seq)
        return zset->count == 0 && zset->seq == 0 && !other;
    for (size_t i = 0; i < zset->count; i++) {
        const struct model_member *a = &zset->members[i], *b = &other->members[i];
        if (a->score != b->score || a->len != b->len || memcmp(a->bytes, b->bytes, a->len) != 0)
            return false;
    }
    return true;
}

bool model_equal(const struct model *a, const struct model *b)
{
    for (size_t i = 0; i < a->count; i++) {
        if (!zset_in(&a->zsets[i], b))
            return false;
    }
    for (size_t i = 0; i < b->count; i++) {
        if (!zset_in(&b->zsets[i], a))
            return false;
    }
    return a->notices == b->notices;
}

void model_copy(const struct model *model, struct model *out)
{
    model_init(out);
    out->notices = model->notices;
    for (size_t i = 0; i < model->count; i++) {
        const struct model_zset *from = &model->zsets[i];
        struct model_zset *to = zset_of(out, feed_str_of(from->key));
        to->seq = from->seq;
        for (size_t j = 0; j < from->count; j++)
            zadd(to, (struct feed_str){from->members[j].bytes, from->members[j].len}, from->members[j].score);
    }
}
