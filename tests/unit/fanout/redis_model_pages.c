/* Edges and their pages, as the library has them: all calls with the keys g:, k:, l:, q:. */
#include "redis_model_inside.h"

#include "shared/base/assert.h"

#include <stdio.h>
#include <string.h>

enum { NUMBERS_MAX = 6 };

/* ---- pages ---- */

static unsigned born(unsigned page)
{
    unsigned level = 0;
    while (page >> level)
        level++;
    return level;
}

static struct model_page *page_of(struct model *model, struct feed_str key)
{
    for (size_t i = 0; i < model->page_count; i++) {
        if (feed_str_eq(feed_str_of(model->pages[i].key), key))
            return &model->pages[i];
    }
    feed_assert(model->page_count < MODEL_PAGES_MAX);
    struct model_page *page = &model->pages[model->page_count++];
    snprintf(page->key, sizeof page->key, "%.*s", (int)key.len, key.data);
    const char *number = strrchr(page->key, '/') + 1;
    *page = (struct model_page){.level = born((unsigned)model_number_of(feed_str_of(number)))};
    snprintf(page->key, sizeof page->key, "%.*s", (int)key.len, key.data);
    return page;
}

static uint64_t hash_of(struct feed_str user)
{
    uint64_t hash = 1;
    for (size_t i = 0; i < user.len; i++)
        hash = (hash * 48271 + (unsigned char)user.data[i]) % 2147483647;
    return hash;
}

/* 0: to the page itself. */
static unsigned child_of(unsigned page, unsigned level, struct feed_str user)
{
    uint64_t off = (hash_of(user) ^ page) & ((1u << level) - 1);
    unsigned bit = 1;
    while (off && !(off & bit))
        bit <<= 1;
    return off ? page | bit : 0;
}

size_t model_splits(const struct model *model)
{
    size_t splits = 0;
    for (size_t i = 0; i < model->page_count; i++)
        splits +=
            model->pages[i].level > born((unsigned)model_number_of(feed_str_of(strrchr(model->pages[i].key, '/') + 1)));
    return splits;
}

/* ---- states of an edge ---- */

static struct model_edge join(struct model_edge a, struct model_edge b)
{
    int64_t times[] = {a.since, b.since, a.latest, b.latest};
    struct model_edge joined = {.ended = a.ended > b.ended ? a.ended : b.ended};
    for (size_t i = 0; i < 4; i++) {
        if (times[i] <= joined.ended)
            continue;
        if (!joined.since || times[i] < joined.since)
            joined.since = times[i];
        if (times[i] > joined.latest)
            joined.latest = times[i];
    }
    if (joined.latest == joined.since)
        joined.latest = 0;
    return joined;
}

static void put(struct model *model, struct feed_str key, struct feed_str user, int64_t time)
{
    if (time)
        model_zadd(model_zset_of(model, key), user, time);
    else
        model_zrem(model_zset_of(model, key), user);
}

/* keys: g:, k:, l: */
static struct model_edge edge_at(struct model *model, const struct feed_str *keys, struct feed_str user)
{
    return (struct model_edge){model_score_of(model_zset_of(model, keys[0]), user),
                               model_score_of(model_zset_of(model, keys[1]), user),
                               model_score_of(model_zset_of(model, keys[2]), user)};
}

static void put_edge(struct model *model, const struct feed_str *keys, struct feed_str user, struct model_edge edge)
{
    put(model, keys[0], user, edge.since);
    put(model, keys[1], user, edge.ended);
    put(model, keys[2], user, edge.latest);
}

static struct model_edge edge_in(const struct feed_str *args)
{
    return (struct model_edge){model_number_of(args[0]), model_number_of(args[1]), model_number_of(args[2])};
}

/* Answers with numbers; a text is needed only for users. */
static void answer_numbers(struct world_command *command, const int64_t *numbers, size_t count)
{
    model_begin_list(command);
    for (size_t i = 0; i < count; i++)
        model_add_item(command, (struct feed_str){"", 0}, numbers[i]);
}

/* at: where page and what was taken along stand in argv. True when the caller was sent on. */
static bool visit(struct model *model, struct world_command *command, size_t at, bool writes, struct model_edge *edge)
{
    const struct feed_str *argv = command->argv, *keys = argv + 3;
    unsigned number = (unsigned)model_number_of(argv[at]);
    struct feed_str user = argv[7];
    unsigned child = child_of(number, page_of(model, keys[3])->level, user);
    *edge = join(edge_at(model, keys, user), edge_in(argv + at + 1));
    if (child) {
        answer_numbers(command, (const int64_t[]){-1, child, edge->since, edge->ended, edge->latest}, 5);
        return true;
    }
    if (writes)
        put_edge(model, keys, user, *edge);
    return false;
}

static void answer_with_news(struct model *model, struct world_command *command, int64_t state, int64_t since,
                             int64_t ended)
{
    const struct feed_str *argv = command->argv;
    const struct model_page *page = page_of(model, argv[6]);
    int64_t count = (int64_t)model_zset_of(model, argv[3])->count, limit = model_number_of(argv[command->argc - 1]);
    int64_t todo = page->moving                        ? 1
                   : count <= limit                    ? 0
                   : page->filling                     ? 2
                   : page->level < FEED_PAGE_LEVEL_MAX ? 3
                                                       : 0;
    int64_t followers = page->moving || page->filling ? 0 : count << page->level;
    answer_numbers(command, (const int64_t[]){state, since, ended, followers, todo, page->level}, NUMBERS_MAX);
}

/* ---- calls about one edge: g k l q, follower time page since ended latest limit ---- */

static void call_follow(struct model *model, struct world_command *command)
{
    const struct feed_str *argv = command->argv;
    int64_t time = model_number_of(argv[8]);
    struct model_edge edge;
    if (visit(model, command, 9, true, &edge))
        return;
    if (edge.ended >= time) {
        answer_with_news(model, command, 0, edge.ended, edge.ended);
        return;
    }
    struct model_edge with = join(edge, (struct model_edge){.since = time});
    put_edge(model, argv + 3, argv[7], with);
    answer_with_news(model, command, edge.since ? 2 : 1, with.since, with.ended);
}

static void call_unfollow(struct model *model, struct world_command *command)
{
    const struct feed_str *argv = command->argv;
    int64_t time = model_number_of(argv[8]);
    struct model_edge edge;
    if (visit(model, command, 9, true, &edge))
        return;
    struct model_edge with = join(edge, (struct model_edge){.ended = time});
    put_edge(model, argv + 3, argv[7], with);
    answer_with_news(model, command, !edge.since ? 2 : with.since ? 0 : 1, with.since, time);
}

static void call_sever(struct model *model, struct world_command *command)
{
    const struct feed_str *argv = command->argv;
    int64_t time = model_number_of(argv[8]);
    struct model_edge edge;
    if (visit(model, command, 9, true, &edge))
        return;
    time = edge.since > time ? edge.since : time;
    time = edge.latest > time ? edge.latest : time;
    put_edge(model, argv + 3, argv[7], join(edge, (struct model_edge){.ended = time}));
    answer_with_news(model, command, edge.since > 0, 0, time);
}

/* since, ended, latest instead of the time */
static void call_edge_load(struct model *model, struct world_command *command)
{
    const struct feed_str *argv = command->argv;
    struct model_edge edge;
    if (visit(model, command, 11, true, &edge))
        return;
    struct model_edge with = join(edge, edge_in(argv + 8));
    put_edge(model, argv + 3, argv[7], with);
    answer_with_news(model, command, with.since, with.ended, with.latest);
}

static void call_edge(struct model *model, struct world_command *command)
{
    struct model_edge edge;
    if (!visit(model, command, 8, false, &edge))
        answer_numbers(command, (const int64_t[]){edge.since, edge.ended, edge.latest}, 3);
}

/* As edge, with the times that are loaded behind the follower. */
static void call_followee_load(struct model *model, struct world_command *command)
{
    const struct feed_str *argv = command->argv;
    struct model_zset *followees = model_zset_of(model, argv[3]);
    struct model_registers *r = model_registers_of(model, argv[4], argv[5], false);
    struct model_edge edge = join((struct model_edge){model_score_of(followees, argv[5]), r ? r->at[MODEL_U] : 0, 0},
                                  (struct model_edge){model_number_of(argv[6]), model_number_of(argv[7]), 0});
    put(model, argv[3], argv[5], edge.since);
    if (edge.ended) {
        r = model_registers_of(model, argv[4], argv[5], true);
        r->at[MODEL_U] = edge.ended;
        r->at[MODEL_F] = edge.since;
    }
    model_answer_int(command, 1);
}

/* ---- parts of pages ---- */

/* set q, time count [cursor time] page: a part is never full here. */
static void call_followers(struct model *model, struct world_command *command)
{
    const struct feed_str *argv = command->argv;
    const struct model_zset *zset = model_zset_of(model, argv[3]);
    int64_t time = model_number_of(argv[5]);
    feed_assert(command->argc == 8 && (int64_t)zset->count < model_number_of(argv[6]));
    model_begin_list(command);
    model_add_item(command, (struct feed_str){"", 0}, page_of(model, argv[4])->level);
    for (size_t i = 0; i < zset->count && zset->members[i].score <= time; i++) {
        if (i == 0)
            model_add_item(command, (struct feed_str){"", 0}, 0);
        command->items[1].number = zset->members[i].score;
        model_add_item(command, (struct feed_str){zset->members[i].bytes, zset->members[i].len}, 0);
    }
    model_keep_texts(command);
}

static void call_fill(struct model *model, struct world_command *command)
{
    page_of(model, command->argv[3])->filling = feed_str_eq(command->argv[4], FEED_STR("1"));
    model_answer_int(command, 1);
}

static void call_split(struct model *model, struct world_command *command)
{
    const struct feed_str *argv = command->argv;
    struct model_page *page = page_of(model, argv[6]);
    bool wanted = (int64_t)page->level == model_number_of(argv[8]) && !page->moving && !page->filling &&
                  (int64_t)model_zset_of(model, argv[3])->count > model_number_of(argv[9]);
    page->level += wanted;
    page->moving |= wanted;
    model_answer_int(command, page->level);
}

/* g k l q, child count set after, users who go out: a part is one edge, and each call begins at the beginning. */
static void call_take(struct model *model, struct world_command *command)
{
    const struct feed_str *argv = command->argv, *keys = argv + 3;
    unsigned child = (unsigned)model_number_of(argv[7]), level = born(child);
    for (size_t i = 11; i < command->argc; i++)
        put_edge(model, keys, argv[i], (struct model_edge){0});
    struct model_zset *sets[] = {model_zset_of(model, keys[0]), model_zset_of(model, keys[1])};
    model_begin_list(command);
    for (size_t n = 0; n < 2; n++) {
        for (size_t i = 0; i < sets[n]->count; i++) {
            struct feed_str user = {sets[n]->members[i].bytes, sets[n]->members[i].len};
            if ((hash_of(user) ^ child) & ((1u << level) - 1))
                continue;
            struct model_edge edge = edge_at(model, keys, user);
            model_add_item(command, (struct feed_str){"", 0}, 0);
            model_add_item(command, (struct feed_str){"", 0}, 0);
            model_add_item(command, user, 0);
            model_add_item(command, (struct feed_str){"", 0}, edge.since);
            model_add_item(command, (struct feed_str){"", 0}, edge.ended);
            model_add_item(command, (struct feed_str){"", 0}, edge.latest);
            model_keep_texts(command);
            return;
        }
    }
    model_add_item(command, (struct feed_str){"", 0}, 0);
    model_add_item(command, (struct feed_str){"", 0}, 0);
    struct model_page *page = page_of(model, keys[3]);
    if (page->level == level)
        page->moving = false;
}

static void call_join(struct model *model, struct world_command *command)
{
    const struct feed_str *argv = command->argv;
    unsigned page = (unsigned)model_number_of(argv[7]), level = page_of(model, argv[6])->level;
    model_begin_list(command);
    for (size_t i = 8; i < command->argc; i += 4) {
        bool mine = !child_of(page, level, argv[i]);
        if (mine)
            put_edge(model, argv + 3, argv[i], join(edge_at(model, argv + 3, argv[i]), edge_in(argv + i + 1)));
        model_add_item(command, (struct feed_str){"", 0}, mine);
    }
}

static void call_follower_count(struct model *model, struct world_command *command)
{
    const struct model_page *page = page_of(model, command->argv[4]);
    int64_t count = (int64_t)model_zset_of(model, command->argv[3])->count << page->level;
    model_answer_int(command, page->moving || page->filling ? -1 : count);
}

bool model_execute_page(struct model *model, struct world_command *command)
{
    static const struct model_function functions[] = {
        {"feedwire_v1_follow", call_follow},       {"feedwire_v1_unfollow", call_unfollow},
        {"feedwire_v1_sever", call_sever},         {"feedwire_v1_edge", call_edge},
        {"feedwire_v1_followers", call_followers}, {"feedwire_v1_page_fill", call_fill},
        {"feedwire_v1_page_split", call_split},    {"feedwire_v1_page_take", call_take},
        {"feedwire_v1_page_join", call_join},      {"feedwire_v1_follower_count", call_follower_count},
        {"feedwire_v1_edge_load", call_edge_load}, {"feedwire_v1_followee_load", call_followee_load},
    };
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (feed_str_eq(command->argv[1], feed_str_of(functions[i].name))) {
            functions[i].call(model, command);
            return true;
        }
    }
    return false;
}

/* ---- comparing ---- */

/* "g:{demo/bob/3}" -> "bob"; empty when it is no set of edges. */
static struct feed_str author_of(const struct model_zset *zset)
{
    if (!strchr("gkl", zset->key[0]))
        return (struct feed_str){"", 0};
    const char *begin = strchr(zset->key, '/') + 1;
    return (struct feed_str){begin, (size_t)(strrchr(zset->key, '/') - begin)};
}

struct model_edge model_edge(const struct model *model, struct feed_str author, struct feed_str follower)
{
    struct model_edge edge = {0};
    for (size_t i = 0; i < model->count; i++) {
        const struct model_zset *zset = &model->zsets[i];
        if (!feed_str_eq(author_of(zset), author))
            continue;
        int64_t at = model_score_of(zset, follower);
        char letter = zset->key[0];
        edge = join(edge, (struct model_edge){letter == 'g' ? at : 0, letter == 'k' ? at : 0, letter == 'l' ? at : 0});
    }
    return edge;
}

bool model_edges_in(const struct model *a, const struct model *b)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct model_zset *zset = &a->zsets[i];
        struct feed_str author = author_of(zset);
        for (size_t n = 0; author.len && n < zset->count; n++) {
            struct feed_str follower = {zset->members[n].bytes, zset->members[n].len};
            struct model_edge x = model_edge(a, author, follower), y = model_edge(b, author, follower);
            if (x.since != y.since || x.ended != y.ended || x.latest != y.latest)
                return false;
        }
    }
    return true;
}
