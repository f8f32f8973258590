#include "redis_model_inside.h"

#include "shared/base/assert.h"
#include "shared/codec/msgpack_read.h"

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

struct model_zset *model_zset_of(struct model *model, struct feed_str key)
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

void model_zrem(struct model_zset *zset, struct feed_str bytes)
{
    struct model_member *member = member_of(zset, bytes);
    if (!member)
        return;
    free(member->bytes);
    size_t i = (size_t)(member - zset->members);
    memmove(member, member + 1, (--zset->count - i) * sizeof *member);
}

void model_zadd(struct model_zset *zset, struct feed_str bytes, int64_t score)
{
    model_zrem(zset, bytes);
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

void model_answer_int(struct world_command *command, int64_t integer)
{
    command->answer = (struct fan_answer){.kind = FAN_ANSWER_INTEGER, .integer = integer};
}

void model_begin_list(struct world_command *command)
{
    command->answer = (struct fan_answer){.kind = FAN_ANSWER_LIST};
}

void model_add_item(struct world_command *command, struct feed_str text, int64_t number)
{
    command->items = realloc(command->items, (command->answer.count + 1) * sizeof *command->items);
    /* Views point into the model or the command; the answer is handed over before either changes, or copied below. */
    command->items[command->answer.count++] = (struct fan_value){text, number};
    command->answer.items = command->items;
}

/* The model may change before the answer arrives, so texts move into the command. */
void model_keep_texts(struct world_command *command)
{
    for (size_t i = 0; i < command->answer.count; i++)
        feed_buf_str(&command->items_memory, command->items[i].text);
    size_t at = 0;
    for (size_t i = 0; i < command->answer.count; i++) {
        command->items[i].text.data = command->items_memory.data + at;
        at += command->items[i].text.len;
    }
}

int64_t model_number_of(struct feed_str text)
{
    char copy[32];
    if (feed_str_eq(text, FEED_STR("inf")))
        return INT64_MAX;
    snprintf(copy, sizeof copy, "%.*s", (int)text.len, text.data);
    return strtoll(copy, NULL, 10);
}

/* FCALL function keys key.. epoch cap slack ..: the arguments behind the keys. */
static size_t keys_of(const struct world_command *command)
{
    return (size_t)model_number_of(command->argv[2]);
}

/* ---- settings ---- */

struct model_registers *model_registers_of(struct model *model, struct feed_str key, struct feed_str field, bool make)
{
    for (size_t i = 0; i < model->register_count; i++) {
        struct model_registers *r = &model->registers[i];
        if (feed_str_eq(feed_str_of(r->key), key) && feed_str_eq(feed_str_of(r->field), field))
            return r;
    }
    if (!make)
        return NULL;
    feed_assert(model->register_count < MODEL_REGISTERS_MAX);
    struct model_registers *r = &model->registers[model->register_count++];
    *r = (struct model_registers){.key = ""};
    snprintf(r->key, sizeof r->key, "%.*s", (int)key.len, key.data);
    snprintf(r->field, sizeof r->field, "%.*s", (int)field.len, field.data);
    return r;
}

static bool is_on(int64_t on, int64_t off)
{
    return on && off <= on;
}

enum model_letter model_first_end_of(enum model_letter on)
{
    return MODEL_V + (on - MODEL_M) / 2;
}

static bool hides(const struct model_registers *r, enum model_letter on, enum model_letter off, int64_t time_ms)
{
    int64_t first = r->at[model_first_end_of(on)];
    return r->at[on] && (is_on(r->at[on], r->at[off]) || time_ms < (first ? first : r->at[off]));
}

/* The rules of `left_out` in the library. settings: empty when the call has no such key. */
static bool left_out(struct model *model, struct feed_str timeline, struct feed_str settings, int64_t score,
                     struct feed_str member, bool followed)
{
    struct feed_entry entry;
    if (settings.len == 0 || feed_entry_decode(member, &entry) != FEED_OK)
        return false;
    bool home = timeline.data[0] == 'f';
    const struct model_registers *r = model_registers_of(model, settings, entry.actor, false);
    if (r && (hides(r, MODEL_M, MODEL_N, score) || hides(r, MODEL_B, MODEL_C, score) ||
              hides(r, MODEL_OTHER_B, MODEL_OTHER_C, score)))
        return true;
    if (r && home && !followed && r->at[MODEL_U] && (!r->at[MODEL_F] || score < r->at[MODEL_F]))
        return true;
    char word[FEED_VERB_MAX + 2];
    snprintf(word, sizeof word, "#%.*s", (int)entry.verb.len, entry.verb.data);
    const struct model_registers *w = model_registers_of(model, settings, feed_str_of(word), false);
    return w && home && score >= w->at[MODEL_X] &&
           !(w->at[MODEL_I] && w->at[MODEL_I] >= w->at[MODEL_X] && score >= w->at[MODEL_I]);
}

/* ---- broadcast authors ---- */

static struct model_author *author_at(const struct model *model, struct feed_str key)
{
    for (size_t i = 0; i < model->author_count; i++) {
        if (feed_str_eq(feed_str_of(model->authors[i].key), key))
            return (struct model_author *)&model->authors[i];
    }
    return NULL;
}

static void answer_with_author(struct model *model, struct world_command *command, int64_t answer, struct feed_str key)
{
    const struct model_author *author = author_at(model, key);
    model_answer_int(command, answer);
    if (!author || !author->state[0])
        return;
    model_begin_list(command);
    model_add_item(command, (struct feed_str){"", 0}, answer);
    model_add_item(command, feed_str_of(author->state), 0);
    model_add_item(command, (struct feed_str){"", 0}, author->on_since_ms);
    model_keep_texts(command);
}

/* The home feed's seq, where there is one, or one may be made. */
static void announce_sources(struct model *model, struct feed_str home, bool may_make)
{
    struct model_zset *zset = model_zset_of(model, home);
    if (zset->seq == 0 && !may_make)
        return;
    zset->seq++;
    model->notices++;
}

static void end_source(struct model *model, struct feed_str sources, struct feed_str author, struct feed_str home,
                       bool may_make)
{
    struct model_zset *zset = model_zset_of(model, sources);
    if (!member_of(zset, author))
        return;
    model_zrem(zset, author);
    announce_sources(model, home, may_make);
}

static bool reached(struct model *model, struct feed_str key, struct feed_str author, int64_t number)
{
    struct model_crossing *c = model->crossings, *end = c + model->crossing_count;
    while (c < end && !(feed_str_eq(feed_str_of(c->key), key) && feed_str_eq(feed_str_of(c->author), author)))
        c++;
    if (c == end) {
        feed_assert(model->crossing_count < MODEL_CROSSINGS_MAX);
        model->crossing_count++;
        snprintf(c->key, sizeof c->key, "%.*s", (int)key.len, key.data);
        snprintf(c->author, sizeof c->author, "%.*s", (int)author.len, author.data);
        c->number = 0;
    }
    if (number < c->number)
        return false;
    c->number = number;
    return true;
}

/* ---- functions ---- */

/* Something with the id of this entry, at this time. */
static bool stands(const struct model_zset *zset, int64_t score, struct feed_str entry)
{
    for (size_t i = 0; i < zset->count; i++) {
        if (zset->members[i].score == score && memcmp(zset->members[i].bytes, entry.data, FEED_ID_BYTES) == 0)
            return true;
    }
    return false;
}

static int64_t add(struct model *model, struct model_zset *zset, int64_t cap, int64_t slack, int64_t score,
                   struct feed_str entry)
{
    if (stands(zset, score, entry))
        return 0;
    if ((int64_t)zset->count >= cap) {
        const struct model_member *last = &zset->members[zset->count - (size_t)cap];
        if (score < last->score ||
            (score == last->score && feed_str_cmp(entry, (struct feed_str){last->bytes, last->len}) < 0))
            return -1;
    }
    model_zadd(zset, entry, score);
    if ((int64_t)zset->count > cap + slack) {
        while ((int64_t)zset->count > cap)
            model_zrem(zset, (struct feed_str){zset->members[0].bytes, zset->members[0].len});
    }
    model->notices++;
    return (int64_t)++zset->seq;
}

static void call_add(struct model *model, struct world_command *command)
{
    size_t keys = keys_of(command);
    const struct feed_str *argv = command->argv + keys - 1;
    struct feed_str key = command->argv[3], settings = keys > 1 ? command->argv[4] : (struct feed_str){"", 0};
    struct model_zset *zset = model_zset_of(model, key);
    size_t count = (command->argc - 6 - keys) / 2;
    if (count > 1)
        model_begin_list(command);
    bool asleep = argv[4].len == 0 && zset->life == MODEL_ABSENT;
    if (!asleep && zset->life == MODEL_ABSENT)
        zset->life = MODEL_AWAKE;
    for (size_t i = 0; i < count; i++) {
        int64_t score = model_number_of(argv[7 + 2 * i]), answer;
        if (asleep)
            answer = FAN_ANSWER_ASLEEP;
        else if (left_out(model, key, settings, score, argv[8 + 2 * i], false) && !stands(zset, score, argv[8 + 2 * i]))
            answer = -2;
        else
            answer = add(model, zset, model_number_of(argv[5]), model_number_of(argv[6]), score, argv[8 + 2 * i]);
        if (count > 1)
            model_add_item(command, (struct feed_str){"", 0}, answer);
        else
            model_answer_int(command, answer);
    }
}

static bool is_mark(const struct model_member *m)
{
    return feed_mark_is((struct feed_str){m->bytes, m->len});
}

static bool has_id(const struct model_member *m, struct feed_str id)
{
    return m->len >= FEED_ID_BYTES && memcmp(m->bytes, id.data, FEED_ID_BYTES) == 0;
}

static void put_mark(struct model_zset *zset, struct feed_str id, int64_t score)
{
    char mark[FEED_MARK_BYTES];
    memcpy(mark, id.data, FEED_ID_BYTES);
    mark[FEED_ID_BYTES] = '\0';
    model_zadd(zset, (struct feed_str){mark, sizeof mark}, score);
}

static void leave_mark(struct model_zset *zset, int64_t cap, int64_t slack, struct feed_str id, int64_t score)
{
    if ((int64_t)zset->count >= cap) {
        const struct model_member *last = &zset->members[zset->count - (size_t)cap];
        if (score < last->score || (score == last->score && memcmp(id.data, last->bytes, FEED_ID_BYTES) < 0))
            return;
    }
    put_mark(zset, id, score);
    if ((int64_t)zset->count > cap + slack) {
        while ((int64_t)zset->count > cap)
            model_zrem(zset, (struct feed_str){zset->members[0].bytes, zset->members[0].len});
    }
}

/* look, leave: 0 stands for ''. */
static int64_t remove_id(struct model *model, struct model_zset *zset, int64_t cap, int64_t slack, struct feed_str id,
                         int64_t look, int64_t leave)
{
    bool marked = false, changed = false;
    for (size_t i = 0; i < zset->count; i++) {
        struct model_member *m = &zset->members[i];
        if (!has_id(m, id) || (look && m->score != look))
            continue;
        int64_t score = m->score;
        marked |= score == leave;
        if (is_mark(m))
            continue;
        changed = true;
        zset->seq++;
        model->notices++;
        model_zrem(zset, (struct feed_str){m->bytes, m->len});
        put_mark(zset, id, score);
    }
    if (leave && !marked && !changed)
        leave_mark(zset, cap, slack, id, leave);
    return changed ? (int64_t)zset->seq : 0;
}

/* timeline or outbox, author; cap slack id look leave */
static void call_remove(struct model *model, struct world_command *command)
{
    const struct feed_str *argv = command->argv + keys_of(command) - 1;
    bool may_sleep = (size_t)(argv - command->argv) + 9 < command->argc;
    struct model_zset *zset = model_zset_of(model, command->argv[3]);
    if (may_sleep && zset->life == MODEL_ABSENT) {
        model_answer_int(command, 0);
        return;
    }
    int64_t seq = remove_id(model, zset, model_number_of(argv[4]), model_number_of(argv[5]), argv[6],
                            model_number_of(argv[7]), model_number_of(argv[8]));
    if (keys_of(command) == 2)
        answer_with_author(model, command, seq, command->argv[4]);
    else
        model_answer_int(command, seq);
}

static void call_find(struct model *model, struct world_command *command)
{
    const struct model_zset *zset = model_zset_of(model, command->argv[3]);
    const struct model_member *found = NULL;
    int64_t count = 0;
    for (size_t i = 0; i < zset->count; i++) {
        const struct model_member *m = &zset->members[i];
        if (has_id(m, command->argv[4]) && (!is_mark(m) || count == 0)) {
            found = m;
            count += !is_mark(m);
        }
    }
    char time[24] = "";
    if (found)
        snprintf(time, sizeof time, "%lld", (long long)found->score);
    model_begin_list(command);
    model_add_item(command, (struct feed_str){"", 0}, count);
    model_add_item(command, feed_str_of(time), 0);
    model_add_item(command, count ? (struct feed_str){found->bytes, found->len} : (struct feed_str){"", 0}, 0);
    model_keep_texts(command);
}

static void call_post(struct model *model, struct world_command *command)
{
    const struct feed_str *argv = command->argv + 1;
    struct model_zset *zset = model_zset_of(model, command->argv[3]);
    int64_t score = model_number_of(argv[7]);
    int64_t answer = add(model, zset, model_number_of(argv[5]), model_number_of(argv[6]), score, argv[8]);
    for (size_t i = 0; answer == 0 && i < zset->count; i++) {
        if (zset->members[i].score == score && has_id(&zset->members[i], argv[8]) && is_mark(&zset->members[i]))
            answer = -3;
    }
    answer_with_author(model, command, answer, command->argv[4]);
}

/* home settings epoch cap slack edge, then times and members */
static void call_backfill(struct model *model, struct world_command *command)
{
    const struct feed_str *argv = command->argv;
    struct model_zset *zset = model_zset_of(model, argv[3]);
    int64_t cap = model_number_of(argv[6]), slack = model_number_of(argv[7]), edge = model_number_of(argv[8]);
    bool asleep = argv[5].len == 0 && zset->life == MODEL_ABSENT;
    model_begin_list(command);
    for (size_t i = 9; i + 1 < command->argc; i += 2) {
        int64_t score = model_number_of(argv[i]), answer = 0;
        struct feed_entry entry;
        if (feed_mark_is(argv[i + 1])) {
            if (!asleep)
                remove_id(model, zset, cap, slack, argv[i + 1], score, score);
        } else {
            enum feed_error error = feed_entry_decode(argv[i + 1], &entry);
            feed_assert(error == FEED_OK);
            const struct model_registers *r = model_registers_of(model, argv[4], entry.actor, false);
            bool gone = r && r->at[MODEL_U] && (!r->at[MODEL_F] || r->at[MODEL_F] > edge);
            if (gone || left_out(model, argv[3], argv[4], score, argv[i + 1], true))
                answer = -2;
            else
                answer = asleep ? FAN_ANSWER_ASLEEP : add(model, zset, cap, slack, score, argv[i + 1]);
        }
        model_add_item(command, (struct feed_str){"", 0}, answer);
    }
}

int64_t model_fill(struct model *model, const struct model_fill *fill, int64_t cap, int64_t slack)
{
    struct model_zset *zset = model_zset_of(model, fill->home);
    const struct model_registers *r = model_registers_of(model, fill->settings, fill->author, false);
    if (zset->life == MODEL_ABSENT)
        return FAN_ANSWER_ASLEEP;
    if (feed_mark_is(fill->member)) {
        remove_id(model, zset, cap, slack, fill->member, fill->score, fill->score);
        return 0;
    }
    if (r && r->at[MODEL_U] && (!r->at[MODEL_F] || r->at[MODEL_F] > fill->since_ms))
        return -2;
    if (left_out(model, fill->home, fill->settings, fill->score, fill->member, true))
        return -2;
    return add(model, zset, cap, slack, fill->score, fill->member);
}

/* Entries of the actor from before the time; 0: all. */
static int64_t take_out(struct model *model, struct model_zset *zset, struct feed_str actor, int64_t before_ms,
                        int64_t cap)
{
    int64_t count = 0;
    if (zset->seq == 0)
        return 0;
    while ((int64_t)zset->count > cap)
        model_zrem(zset, (struct feed_str){zset->members[0].bytes, zset->members[0].len});
    for (size_t i = 0; i < zset->count;) {
        struct feed_str member = {zset->members[i].bytes, zset->members[i].len};
        struct feed_entry entry;
        if (feed_mark_is(member) || (before_ms && zset->members[i].score >= before_ms) ||
            feed_entry_decode(member, &entry) != FEED_OK || !feed_str_eq(entry.actor, actor)) {
            i++;
            continue;
        }
        model_zrem(zset, member);
        zset->seq++;
        model->notices++;
        count++;
    }
    return count;
}

int64_t model_score_of(const struct model_zset *zset, struct feed_str member)
{
    const struct model_member *m = member_of(zset, member);
    return m ? m->score : 0;
}

/* followees, settings; followee, time, edge, ended */
static void call_join(struct model *model, struct world_command *command)
{
    const struct feed_str *argv = command->argv;
    struct model_zset *followees = model_zset_of(model, argv[3]);
    int64_t time_ms = model_number_of(argv[6]), edge = model_number_of(argv[7]), ended = model_number_of(argv[8]);
    struct model_registers *r = model_registers_of(model, argv[4], argv[5], false);
    if (r && (hides(r, MODEL_B, MODEL_C, time_ms) || hides(r, MODEL_OTHER_B, MODEL_OTHER_C, time_ms))) {
        model_answer_int(command, 2);
        return;
    }
    int64_t u = r ? r->at[MODEL_U] : 0, at = model_score_of(followees, argv[5]);
    u = ended > u ? ended : u;
    if (u && u >= time_ms) {
        model_answer_int(command, 0);
        return;
    }
    if (at && at > u && at < edge)
        edge = at;
    model_zadd(followees, argv[5], edge);
    if (u) {
        r = model_registers_of(model, argv[4], argv[5], true);
        r->at[MODEL_U] = u;
        r->at[MODEL_F] = edge;
    }
    model_answer_int(command, 1);
}

/* followees, settings, home, sources; followee, time, cap, how */
static void call_leave(struct model *model, struct world_command *command)
{
    const struct feed_str *keys = command->argv, *argv = keys + 1;
    struct model_zset *followees = model_zset_of(model, keys[3]);
    struct model_registers *r = model_registers_of(model, keys[4], argv[6], false);
    int64_t time_ms = model_number_of(argv[7]);
    if (model_score_of(followees, argv[6]) > time_ms || (r && r->at[MODEL_U] > time_ms)) {
        model_answer_int(command, -1);
        return;
    }
    model_zrem(followees, argv[6]);
    r = model_registers_of(model, keys[4], argv[6], true);
    r->at[MODEL_U] = time_ms;
    r->at[MODEL_F] = 0;
    end_source(model, keys[6], argv[6], keys[5], false);
    bool purge = feed_str_eq(argv[9], FEED_STR("purge"));
    model_answer_int(command,
                     purge ? take_out(model, model_zset_of(model, keys[5]), argv[6], 0, model_number_of(argv[8])) : 0);
}

enum model_letter model_letter_of(char letter)
{
    static const char letters[] = "ufmnbcBCxivdDe";
    const char *at = strchr(letters, letter);
    feed_assert(at && letter);
    return (enum model_letter)(at - letters);
}

/* settings, followees, home, notifications, sources; letter, other, time, cap. The letters come in pairs: on, off. */
static void call_settle(struct model *model, struct world_command *command)
{
    const struct feed_str *keys = command->argv, *argv = keys + 1;
    struct model_zset *followees = model_zset_of(model, keys[4]);
    enum model_letter letter = model_letter_of(argv[7].data[0]), on = letter - (letter % 2), off = on + 1;
    struct model_registers *r = model_registers_of(model, keys[3], argv[8], true);
    int64_t time_ms = model_number_of(argv[9]), edge = model_score_of(followees, argv[8]);
    if (r->at[letter] < time_ms)
        r->at[letter] = time_ms;
    bool active = is_on(r->at[on], r->at[off]);
    int64_t *first = &r->at[model_first_end_of(on)];
    if (letter == off && time_ms > r->at[on] && (!*first || time_ms < *first))
        *first = time_ms;
    if (*first <= r->at[on])
        *first = 0;
    for (size_t k = 5; letter == on && k <= 6; k++)
        take_out(model, model_zset_of(model, keys[k]), argv[8],
                 active   ? 0
                 : *first ? *first
                          : r->at[off],
                 model_number_of(argv[10]));
    if (active && letter == on && on != MODEL_M) {
        int64_t ended = edge > time_ms ? edge : time_ms;
        model_zrem(followees, argv[8]);
        r->at[MODEL_U] = r->at[MODEL_U] > ended ? r->at[MODEL_U] : ended;
        r->at[MODEL_F] = edge = 0;
        end_source(model, keys[7], argv[8], keys[5], false);
    } else if (member_of(model_zset_of(model, keys[7]), argv[8])) {
        announce_sources(model, keys[5], false);
    }
    model_begin_list(command);
    model_add_item(command, (struct feed_str){"", 0}, active);
    model_add_item(command, (struct feed_str){"", 0}, edge);
}

/* settings, home, sources; time, verbs. The list itself is the letter X of each verb that is on it, later than I. */
static void call_filter(struct model *model, struct world_command *command)
{
    const struct feed_str *argv = command->argv;
    int64_t time_ms = model_number_of(argv[6]);
    struct model_registers *newest = model_registers_of(model, argv[3], FEED_STR("#"), true);
    /* Two lists of one moment are told apart by their bytes in the library; the logs here have no such pairs. */
    model_answer_int(command, newest->at[MODEL_X] < time_ms);
    if (newest->at[MODEL_X] >= time_ms)
        return;
    newest->at[MODEL_X] = time_ms;
    bool listed[MODEL_REGISTERS_MAX] = {false};
    if (model_zset_of(model, argv[5])->count)
        announce_sources(model, argv[4], false);
    for (size_t i = 7; i < command->argc; i++) {
        char word[FEED_VERB_MAX + 2];
        snprintf(word, sizeof word, "#%.*s", (int)argv[i].len, argv[i].data);
        struct model_registers *w = model_registers_of(model, argv[3], feed_str_of(word), true);
        listed[w - model->registers] = true;
        if (!w->at[MODEL_X] || w->at[MODEL_I]) {
            w->at[MODEL_X] = time_ms;
            w->at[MODEL_I] = 0;
        }
    }
    for (size_t i = 0; i < model->register_count; i++) {
        struct model_registers *w = &model->registers[i];
        if (feed_str_eq(feed_str_of(w->key), argv[3]) && w->field[0] == '#' && w->field[1] && !listed[i] &&
            !w->at[MODEL_I])
            w->at[MODEL_I] = time_ms;
    }
}

/* The newest `count` from before the time, and all since then. */
static void add_since(struct model *model, struct world_command *command, int64_t time_ms, size_t count)
{
    const struct model_zset *zset = model_zset_of(model, command->argv[3]);
    size_t older = 0, used = 0;
    while (older < zset->count && zset->members[older].score < time_ms)
        older++;
    static char times[4096][24];
    for (size_t i = older > count ? older - count : 0; i < zset->count; i++) {
        const struct model_member *m = &zset->members[i];
        int len = snprintf(times[used], sizeof times[used], "%lld", (long long)m->score);
        model_add_item(command, (struct feed_str){times[used++], (size_t)len}, m->score);
        model_add_item(command, (struct feed_str){m->bytes, m->len}, 0);
    }
    model_keep_texts(command);
}

static void call_since(struct model *model, struct world_command *command)
{
    const struct feed_str *argv = command->argv + keys_of(command) - 1;
    const struct model_author *author = keys_of(command) == 2 ? author_at(model, command->argv[4]) : NULL;
    model_begin_list(command);
    if (author) {
        model_add_item(command, FEED_STR("number"), author->number);
        model_add_item(command, feed_str_of(author->state), 0);
    }
    add_since(model, command, model_number_of(argv[4]), (size_t)model_number_of(argv[5]));
}

/* outbox; a word, time, count */
static void call_part(struct model *model, struct world_command *command)
{
    const struct feed_str *argv = command->argv;
    model_begin_list(command);
    model_add_item(command, argv[4], model_number_of(argv[4]));
    add_since(model, command, model_number_of(argv[5]), (size_t)model_number_of(argv[6]));
}

/* author; followers, above, below, cause, take over after */
static void call_cross(struct model *model, struct world_command *command)
{
    const struct feed_str *argv = command->argv;
    struct model_author *author = author_at(model, argv[3]);
    int64_t count = model_number_of(argv[4]);
    if (!author && count > model_number_of(argv[5])) {
        feed_assert(model->author_count < MODEL_AUTHORS_MAX);
        author = &model->authors[model->author_count++];
        *author = (struct model_author){.number = 0};
        snprintf(author->key, sizeof author->key, "%.*s", (int)argv[3].len, argv[3].data);
    }
    const char *state = author ? author->state : "";
    const char *begins = state[0] == '\0' && count > model_number_of(argv[5])           ? "up"
                         : strcmp(state, "on") == 0 && count < model_number_of(argv[6]) ? "down"
                                                                                        : NULL;
    bool under_way = strcmp(state, "up") == 0 || strcmp(state, "down") == 0;
    model->now_ms++;
    bool ours = begins || (under_way && (memcmp(author->cause, argv[7].data, FEED_ID_BYTES) == 0 ||
                                         model->now_ms - author->begun_ms >= model_number_of(argv[8])));
    if (begins) {
        snprintf(author->state, sizeof author->state, "%s", begins);
        author->number = author->number + 1 > model->now_ms ? author->number + 1 : model->now_ms;
    }
    if (ours) {
        memcpy(author->cause, argv[7].data, FEED_ID_BYTES);
        author->begun_ms = model->now_ms;
    }
    model_begin_list(command);
    model_add_item(command, feed_str_of(author ? author->state : ""), 0);
    model_add_item(command, (struct feed_str){"", 0}, author ? author->number : 0);
    model_add_item(command, (struct feed_str){"", 0}, ours);
    model_keep_texts(command);
}

static void call_cross_end(struct model *model, struct world_command *command)
{
    struct model_author *author = author_at(model, command->argv[3]);
    bool up = author && strcmp(author->state, "up") == 0, down = author && strcmp(author->state, "down") == 0;
    bool ends = (up || down) && author->number == model_number_of(command->argv[5]);
    if (ends) {
        snprintf(author->state, sizeof author->state, "%s", up ? "on" : "");
        const struct model_zset *outbox = model_zset_of(model, command->argv[4]);
        int64_t newest_ms = outbox->count ? outbox->members[outbox->count - 1].score : 0;
        author->on_since_ms = newest_ms > model->now_ms ? newest_ms : model->now_ms;
    }
    model_answer_int(command, ends);
}

/* home, sources, crossings, followees; author, number, on or off, epoch */
static void call_source(struct model *model, struct world_command *command)
{
    const struct feed_str *argv = command->argv;
    struct model_zset *sources = model_zset_of(model, argv[4]);
    int64_t edge = model_score_of(model_zset_of(model, argv[6]), argv[7]), at = model_score_of(sources, argv[7]);
    if (!reached(model, argv[5], argv[7], model_number_of(argv[8]))) {
        model_answer_int(command, -1);
        return;
    }
    bool on = feed_str_eq(argv[9], FEED_STR("on")), changes = on ? edge && at != edge : at != 0;
    if (on && changes) {
        model_zadd(sources, argv[7], edge);
        announce_sources(model, argv[3], argv[10].len > 0);
    }
    if (!on)
        end_source(model, argv[4], argv[7], argv[3], argv[10].len > 0);
    model_answer_int(command, changes);
}

static void call_source_since(struct model *model, struct world_command *command)
{
    model_answer_int(command, model_score_of(model_zset_of(model, command->argv[3]), command->argv[4]));
}

/* The next text of a packed outbox: two heads of msgpack and a length are all that it has. */
static struct feed_str unpack(struct feed_str *packed)
{
    struct feed_msgpack_item item;
    enum feed_error error = feed_msgpack_next(packed, &item);
    feed_assert(error == FEED_OK && item.type == FEED_MSGPACK_STR);
    return item.bytes;
}

/* home, settings, followees, sources, crossings; epoch, cap, slack, author, number, backfill, outbox */
static void call_copy(struct model *model, struct world_command *command)
{
    const struct feed_str *keys = command->argv + 3, *argv = command->argv + 8;
    struct model_zset *zset = model_zset_of(model, keys[0]);
    int64_t cap = model_number_of(argv[1]), slack = model_number_of(argv[2]), added = 0;
    int64_t edge = model_score_of(model_zset_of(model, keys[2]), argv[3]);
    if (!reached(model, keys[4], argv[3], model_number_of(argv[4]))) {
        model_answer_int(command, -1);
        return;
    }
    struct feed_str rest = argv[6], counted;
    struct feed_msgpack_item head;
    enum feed_error error = feed_msgpack_next(&rest, &head);
    feed_assert(error == FEED_OK && head.type == FEED_MSGPACK_ARRAY);
    size_t older = 0, skip;
    counted = rest;
    for (size_t i = 0; i < head.count / 2; i++, unpack(&counted))
        older += model_number_of(unpack(&counted)) < edge;
    skip = older > (size_t)model_number_of(argv[5]) ? older - (size_t)model_number_of(argv[5]) : 0;
    for (size_t i = 0; edge && i < head.count / 2; i++) {
        int64_t score = model_number_of(unpack(&rest));
        struct feed_str member = unpack(&rest);
        if (i < skip)
            continue;
        if (feed_mark_is(member))
            remove_id(model, zset, cap, slack, member, score, score);
        else if (!left_out(model, keys[0], keys[1], score, member, true))
            added += add(model, zset, cap, slack, score, member) > 0;
    }
    end_source(model, keys[3], argv[3], keys[0], argv[0].len > 0);
    model_answer_int(command, added);
}

/* HMGET of the number of an author's last crossing, and how the author stands. */
static void look_at_author(struct model *model, struct world_command *command)
{
    const struct model_author *author = author_at(model, command->argv[1]);
    model_begin_list(command);
    model_add_item(command, (struct feed_str){"", 0}, author ? author->number : 0);
    model_add_item(command, feed_str_of(author ? author->state : ""), 0);
    model_keep_texts(command);
}

void model_execute(struct model *model, struct world_command *command)
{
    static const struct model_function functions[] = {
        {"feedwire_v1_add", call_add},       {"feedwire_v1_post", call_post},
        {"feedwire_v1_since", call_since},   {"feedwire_v1_backfill", call_backfill},
        {"feedwire_v1_remove", call_remove}, {"feedwire_v1_find", call_find},
        {"feedwire_v1_join", call_join},     {"feedwire_v1_leave", call_leave},
        {"feedwire_v1_settle", call_settle}, {"feedwire_v1_filter", call_filter},
        {"feedwire_v1_cross", call_cross},   {"feedwire_v1_cross_end", call_cross_end},
        {"feedwire_v1_source", call_source}, {"feedwire_v1_source_since", call_source_since},
        {"feedwire_v1_copy", call_copy},     {"feedwire_v1_part", call_part},
    };
    command->executed = true;
    if (feed_str_eq(command->argv[0], FEED_STR("HMGET"))) {
        look_at_author(model, command);
        return;
    }
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (feed_str_eq(command->argv[1], feed_str_of(functions[i].name))) {
            functions[i].call(model, command);
            return;
        }
    }
    if (model_execute_page(model, command) || model_execute_relation(model, command) ||
        model_execute_sleep(model, command))
        return;
    feed_assert(!"a function of the library");
}

/* ---- what a gateway merges ---- */

const char *model_broadcast(const struct model *model, const char *author)
{
    char key[200];
    snprintf(key, sizeof key, "a:{demo/%s}", author);
    const struct model_author *found = author_at(model, feed_str_of(key));
    return found ? found->state : "";
}

static const struct model_zset *find_of(const struct model *model, char letter, const char *user)
{
    char key[200];
    snprintf(key, sizeof key, "%c:{demo/%s}", letter, user);
    return model_find(model, key);
}

static unsigned id_of(const struct model_member *m)
{
    const uint8_t *b = (const uint8_t *)m->bytes;
    return (unsigned)b[0] << 24 | (unsigned)b[1] << 16 | (unsigned)b[2] << 8 | b[3];
}

static int64_t source_since(const struct model *model, const char *user, const char *author)
{
    const struct model_zset *sources = find_of(model, 'b', user);
    return sources ? model_score_of(sources, feed_str_of(author)) : 0;
}

bool model_merges(const struct model *model, const char *user, const char *author, unsigned id, size_t backfill)
{
    const struct model_zset *outbox = find_of(model, 'o', author);
    int64_t since = source_since(model, user, author);
    char home[200], settings[200];
    snprintf(home, sizeof home, "f:{demo/%s}", user);
    snprintf(settings, sizeof settings, "m:{demo/%s}", user);
    size_t older = 0;
    for (size_t i = outbox && since ? outbox->count : 0; i-- > 0;) {
        const struct model_member *m = &outbox->members[i];
        bool old = m->score < since;
        if (old && older++ >= backfill)
            return false;
        /* The copy in the outbox may say whom it was addressed to, which the rules do not look at. */
        struct feed_str member = {m->bytes, m->len}, to[FEED_TO_MAX];
        struct feed_entry entry;
        size_t to_count;
        if (id_of(m) != id || feed_entry_decode_outbox(member, &entry, to, &to_count) != FEED_OK)
            continue;
        struct feed_buf plain;
        feed_buf_init(&plain, FEED_ENTRY_MAX);
        feed_entry_encode(&entry, &plain);
        bool out = left_out((struct model *)model, feed_str_of(home), feed_str_of(settings), m->score,
                            feed_buf_view(&plain), true);
        feed_buf_fini(&plain);
        if (!out)
            return true;
    }
    return false;
}

bool model_marks(const struct model *model, const char *user, const char *author, unsigned id)
{
    const struct model_zset *outbox = find_of(model, 'o', author);
    for (size_t i = 0; outbox && source_since(model, user, author) && i < outbox->count; i++) {
        if (id_of(&outbox->members[i]) == id && is_mark(&outbox->members[i]))
            return true;
    }
    return false;
}

/* ---- comparing ---- */

/* The next member from i on that somebody can see; SIZE_MAX: none. Where a mark was left says only who came first. */
static size_t visible(const struct model_zset *zset, size_t i)
{
    while (zset && i < zset->count && is_mark(&zset->members[i]))
        i++;
    return zset && i < zset->count ? i : SIZE_MAX;
}

static bool zset_in(const struct model_zset *zset, const struct model *model)
{
    const struct model_zset *other = model_find(model, zset->key);
    size_t i = visible(zset, 0), j = visible(other, 0);
    while (i != SIZE_MAX && j != SIZE_MAX) {
        const struct model_member *a = &zset->members[i], *b = &other->members[j];
        if (a->score != b->score || a->len != b->len || memcmp(a->bytes, b->bytes, a->len) != 0)
            return false;
        i = visible(zset, i + 1);
        j = visible(other, j + 1);
    }
    return i == j && zset->seq == (other ? other->seq : 0);
}

static bool registers_in(const struct model *a, const struct model *b)
{
    for (size_t i = 0; i < a->register_count; i++) {
        const struct model_registers *r = &a->registers[i];
        const struct model_registers *other =
            model_registers_of((struct model *)b, feed_str_of(r->key), feed_str_of(r->field), false);
        /* The last letter may have an end by the other's own unfollow or not, whichever was worked off first. */
        if (!other || memcmp(r->at, other->at, MODEL_E * sizeof r->at[0]) != 0)
            return false;
    }
    return true;
}

bool model_equal(const struct model *a, const struct model *b)
{
    for (size_t i = 0; i < a->count; i++) {
        if (!strchr("gkl", a->zsets[i].key[0]) && !zset_in(&a->zsets[i], b))
            return false;
    }
    for (size_t i = 0; i < b->count; i++) {
        if (!strchr("gkl", b->zsets[i].key[0]) && !zset_in(&b->zsets[i], a))
            return false;
    }
    return a->notices == b->notices && registers_in(a, b) && registers_in(b, a) && model_edges_in(a, b) &&
           model_edges_in(b, a);
}

void model_copy(const struct model *model, struct model *out)
{
    model_init(out);
    out->notices = model->notices;
    out->now_ms = model->now_ms;
    out->author_count = model->author_count;
    memcpy(out->authors, model->authors, sizeof out->authors);
    out->crossing_count = model->crossing_count;
    memcpy(out->crossings, model->crossings, sizeof out->crossings);
    out->register_count = model->register_count;
    memcpy(out->registers, model->registers, sizeof out->registers);
    out->page_count = model->page_count;
    memcpy(out->pages, model->pages, sizeof out->pages);
    for (size_t i = 0; i < model->count; i++) {
        const struct model_zset *from = &model->zsets[i];
        struct model_zset *to = model_zset_of(out, feed_str_of(from->key));
        to->seq = from->seq;
        to->life = from->life;
        for (size_t j = 0; j < from->count; j++)
            model_zadd(to, (struct feed_str){from->members[j].bytes, from->members[j].len}, from->members[j].score);
    }
}
