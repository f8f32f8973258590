#include "fanout/split.h"

#include "fanout/steps.h"
#include "shared/base/assert.h"
#include "shared/model/names.h"

#include <stdio.h>

enum { TEXTS = 4 }; /* of an edge in the page: user, since, ended, latest */

static unsigned top_bit(unsigned page)
{
    unsigned bit = 1;
    while (page >> 1 >= bit)
        bit <<= 1;
    return bit;
}

void fan_split_begin(struct fan_split *split, unsigned page, int64_t todo, int64_t level)
{
    *split = (struct fan_split){.state = FAN_SPLIT_OFF};
    if (level < 0 || level > FEED_PAGE_LEVEL_MAX)
        return;
    switch (todo) {
    case FAN_PAGE_SPLIT:
        if (level == FEED_PAGE_LEVEL_MAX)
            return;
        split->state = FAN_SPLIT_ANNOUNCE;
        split->parent = page;
        split->child = page | 1u << level;
        split->level = (unsigned)level;
        break;
    case FAN_PAGE_MOVE:
        if (level == 0 || page >> (level - 1))
            return; /* no child has been born */
        split->state = FAN_SPLIT_TAKE;
        split->parent = page;
        split->child = page | 1u << (level - 1);
        break;
    case FAN_PAGE_FILL:
        if (page == 0)
            return;
        split->state = FAN_SPLIT_TAKE;
        split->parent = page & ~top_bit(page);
        split->child = page;
        break;
    default:
        break;
    }
}

/* ---- commands ---- */

static void build_fill(const struct fan_split *split, struct feed_str tenant, struct feed_str author, const char *on,
                       struct fan_call *call)
{
    fan_call_function(call, "FCALL", "feedwire_v1_page_fill", "1");
    fan_call_key(call, feed_key_page(tenant, author, split->child));
    fan_call_arg(call, feed_str_of(on));
}

static void build_raise(const struct fan_split *split, struct feed_str tenant, struct feed_str author,
                        const char *limit, struct fan_call *call)
{
    fan_call_function(call, "FCALL", "feedwire_v1_page_split", "4");
    fan_place_keys(split->parent, tenant, author, call);
    fan_call_number(call, split->parent);
    fan_call_number(call, split->level);
    fan_call_arg(call, feed_str_of(limit));
}

static void build_take(const struct fan_split *split, const struct fan_page *page, struct feed_str tenant,
                       struct feed_str author, struct fan_call *call)
{
    fan_call_function(call, "FCALL", "feedwire_v1_page_take", "4");
    fan_place_keys(split->parent, tenant, author, call);
    fan_call_number(call, split->child);
    fan_call_number(call, FAN_SPLIT_PART);
    fan_call_arg(call, feed_str_of(split->set));
    fan_call_arg(call, feed_str_of(split->after));
    for (size_t i = 0; i < page->count / TEXTS; i++) {
        if (split->joined[i])
            fan_call_arg(call, fan_page_at(page, TEXTS * i));
    }
}

static void build_join(const struct fan_split *split, const struct fan_page *page, struct feed_str tenant,
                       struct feed_str author, struct fan_call *call)
{
    fan_call_function(call, "FCALL", "feedwire_v1_page_join", "4");
    fan_place_keys(split->child, tenant, author, call);
    fan_call_number(call, split->child);
    for (size_t i = 0; i < page->count; i++)
        fan_call_arg(call, fan_page_at(page, i));
}

void fan_split_build(const struct fan_split *split, const struct fan_page *page, struct feed_str tenant,
                     struct feed_str author, const char *limit, struct fan_call *call)
{
    switch (split->state) {
    case FAN_SPLIT_ANNOUNCE:
        build_fill(split, tenant, author, "1", call);
        break;
    case FAN_SPLIT_RAISE:
        build_raise(split, tenant, author, limit, call);
        break;
    case FAN_SPLIT_TAKE:
        build_take(split, page, tenant, author, call);
        break;
    case FAN_SPLIT_JOIN:
        build_join(split, page, tenant, author, call);
        break;
    case FAN_SPLIT_CLOSE:
        build_fill(split, tenant, author, "0", call);
        break;
    case FAN_SPLIT_OFF:
        feed_assert(!"a split that is on");
    }
}

/* ---- answers ---- */

/* {set, user, then user, since, ended, latest of each edge} */
static bool part_valid(const struct fan_answer *answer)
{
    if (answer->kind != FAN_ANSWER_LIST || answer->count < 2 || (answer->count - 2) % TEXTS ||
        answer->count > 2 + TEXTS * FAN_SPLIT_PART || answer->items[0].text.len > 1 ||
        answer->items[1].text.len > FEED_USER_MAX)
        return false;
    for (size_t i = 2; i < answer->count; i += TEXTS) {
        if (!feed_user_valid(answer->items[i].text))
            return false;
        for (size_t n = 1; n < TEXTS; n++) {
            if (answer->items[i + n].number < 0 || answer->items[i + n].number > FEED_TIME_MAX_MS)
                return false;
        }
    }
    return true;
}

static void keep_part(struct fan_page *page, const struct fan_answer *answer)
{
    fan_page_reset(page);
    for (size_t i = 2; i < answer->count; i++) {
        char time[24];
        bool is_user = (i - 2) % TEXTS == 0;
        snprintf(time, sizeof time, "%lld", (long long)answer->items[i].number);
        bool added = fan_page_add(page, is_user ? answer->items[i].text : feed_str_of(time));
        feed_assert(added); /* far below what a page holds */
    }
}

static bool take_part(struct fan_split *split, struct fan_page *page, const struct fan_answer *answer)
{
    if (!part_valid(answer))
        return false;
    bool begins = split->set[0] == '\0';
    if (begins)
        split->moved = false;
    snprintf(split->set, sizeof split->set, "%.*s", (int)answer->items[0].text.len, answer->items[0].text.data);
    snprintf(split->after, sizeof split->after, "%.*s", (int)answer->items[1].text.len, answer->items[1].text.data);
    keep_part(page, answer);
    if (page->count)
        split->state = FAN_SPLIT_JOIN;
    else if (split->set[0] == '\0')
        split->state = FAN_SPLIT_CLOSE;
    return true;
}

/* What the child did not take belongs further down and stays where it is; when nothing else is left, this is the end.
 */
static bool take_joined(struct fan_split *split, const struct fan_page *page, const struct fan_answer *answer)
{
    if (answer->kind != FAN_ANSWER_LIST || answer->count != page->count / TEXTS)
        return false;
    for (size_t i = 0; i < answer->count; i++) {
        split->joined[i] = answer->items[i].number == 1;
        split->moved |= split->joined[i];
    }
    bool through = split->set[0] == '\0' && !split->moved;
    split->state = through ? FAN_SPLIT_CLOSE : FAN_SPLIT_TAKE;
    return true;
}

bool fan_split_take(struct fan_split *split, struct fan_page *page, const struct fan_answer *answer)
{
    if (split->state == FAN_SPLIT_TAKE)
        return take_part(split, page, answer);
    if (split->state == FAN_SPLIT_JOIN)
        return take_joined(split, page, answer);
    if (answer->kind != FAN_ANSWER_INTEGER)
        return false;
    if (split->state == FAN_SPLIT_ANNOUNCE)
        split->state = FAN_SPLIT_RAISE;
    else if (split->state == FAN_SPLIT_RAISE)
        split->state = answer->integer > split->level ? FAN_SPLIT_TAKE : FAN_SPLIT_CLOSE;
    else
        split->state = FAN_SPLIT_OFF;
    return true;
}
