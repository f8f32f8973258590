/* Slots and two lists of them. An edge's second command is decided by the answer to its first, and both go through one
 * line, so for one edge they leave in the order of its records. */
#include "fanout/graph_load.h"

#include "fanout/steps.h"
#include "shared/base/assert.h"

#include <stdio.h>

/* A block: in the settings of both, and the end of the edge from the other. */
enum { SLOTS_OF_RECORD = 3 };

void fan_load_init(struct fan_load *load, unsigned page_followers)
{
    load->ready_first = load->ready_count = load->waiting_count = 0;
    load->counts = (struct fan_load_counts){.records = 0};
    load->split.state = FAN_SPLIT_OFF;
    load->split_page = fan_page_new();
    fan_purges_init(&load->purges);
    snprintf(load->page_followers, sizeof load->page_followers, "%u", page_followers);
    load->spare_count = FAN_LOAD_WINDOW;
    for (unsigned i = 0; i < FAN_LOAD_WINDOW; i++) {
        load->spare[i] = FAN_LOAD_WINDOW - 1 - i;
        feed_buf_init(&load->slots[i].text, FEED_RELATION_VALUE_MAX);
    }
}

void fan_load_fini(struct fan_load *load)
{
    fan_page_free(load->split_page);
    fan_purges_fini(&load->purges);
    for (unsigned i = 0; i < FAN_LOAD_WINDOW; i++)
        feed_buf_fini(&load->slots[i].text);
}

bool fan_load_has_room(const struct fan_load *load)
{
    return load->spare_count >= SLOTS_OF_RECORD;
}

bool fan_load_idle(const struct fan_load *load)
{
    return load->spare_count == FAN_LOAD_WINDOW;
}

static void make_ready(struct fan_load *load, unsigned slot)
{
    load->ready[(load->ready_first + load->ready_count++) % FAN_LOAD_WINDOW] = slot;
}

static void write_time(int64_t time_ms, char out[24])
{
    snprintf(out, 24, "%lld", (long long)time_ms);
}

static void copy(struct feed_str text, char *out, size_t size)
{
    enum feed_error error = feed_str_copy(text, out, size);
    feed_assert(error == FEED_OK); /* a valid name fits */
}

bool fan_load_purge(struct fan_load *load, struct feed_str key, struct feed_str value)
{
    struct feed_relation relation;
    struct feed_id id;
    if (feed_relation_read(key, value, &relation) != FEED_OK || relation.kind != FEED_RELATION_PURGE ||
        feed_purged_parse(relation.user, &id) != FEED_OK)
        return true;
    return fan_purges_add(&load->purges, &id, relation.since_ms);
}

void fan_load_purges_known(struct fan_load *load)
{
    fan_purges_sort(&load->purges);
}

static bool is_erased(const struct fan_load *load, const struct feed_relation *relation)
{
    int64_t newest_ms = feed_relation_newest_ms(relation);
    return relation->kind != FEED_RELATION_PURGE &&
           (fan_purges_cover(&load->purges, relation->tenant, relation->user, newest_ms) ||
            fan_purges_cover(&load->purges, relation->tenant, relation->subject, newest_ms));
}

static struct fan_load_slot *take_slot(struct fan_load *load, const struct feed_relation *relation,
                                       enum fan_load_what what)
{
    unsigned slot = load->spare[--load->spare_count];
    struct fan_load_slot *taken = &load->slots[slot];
    taken->what = what;
    copy(relation->tenant, taken->tenant, sizeof taken->tenant);
    copy(relation->user, taken->user, sizeof taken->user);
    copy(relation->subject, taken->subject, sizeof taken->subject);
    make_ready(load, slot);
    return taken;
}

static void put_edge(struct fan_load *load, const struct feed_relation *relation)
{
    struct fan_load_slot *edge = take_slot(load, relation, FAN_LOAD_EDGE);
    write_time(relation->since_ms, edge->since_text);
    write_time(relation->ended_ms, edge->ended_text);
    write_time(relation->latest_ms, edge->latest_text);
    fan_place_reset(&edge->place);
    edge->decided = false;
}

static void put_purge(struct fan_load *load, const struct feed_relation *relation)
{
    struct feed_id purged;
    if (feed_purged_parse(relation->user, &purged) != FEED_OK) {
        load->counts.bad++;
        return;
    }
    struct fan_load_slot *slot = take_slot(load, relation, FAN_LOAD_PURGE);
    write_time(relation->since_ms, slot->since_text);
    slot->purged = purged;
}

static void put_texts(struct fan_load *load, const struct feed_relation *relation, enum fan_load_what what)
{
    struct fan_load_slot *slot = take_slot(load, relation, what);
    feed_buf_reset(&slot->text);
    feed_buf_str(&slot->text, relation->texts[0]);
    slot->text_len = slot->text.len;
    feed_buf_str(&slot->text, relation->texts[1]);
    feed_assert(slot->text.error == FEED_OK); /* no longer than the record */
}

static void put_settings(struct fan_load *load, const struct feed_relation *relation)
{
    put_texts(load, relation, FAN_LOAD_SETTINGS);
    if (relation->blocks)
        put_texts(load, relation, FAN_LOAD_SETTINGS_OTHERS);
    if (relation->ended_ms > 0)
        put_edge(load, &(struct feed_relation){.tenant = relation->tenant,
                                               .user = relation->subject,
                                               .subject = relation->user,
                                               .ended_ms = relation->ended_ms});
}

void fan_load_record(struct fan_load *load, struct feed_str key, struct feed_str value)
{
    feed_assert(fan_load_has_room(load));
    struct feed_relation relation;
    enum feed_error error = feed_relation_read(key, value, &relation);
    load->counts.records++;
    load->counts.unknown += error == FEED_E_UNSUPPORTED;
    load->counts.bad += error == FEED_E_INVALID;
    if (error != FEED_OK)
        return; /* also a deleted one: nothing to put back */
    if (is_erased(load, &relation)) {
        load->counts.erased++;
        return;
    }
    switch (relation.kind) {
    case FEED_RELATION_PURGE:
        put_purge(load, &relation);
        break;
    case FEED_RELATION_SETTINGS:
        put_settings(load, &relation);
        break;
    case FEED_RELATION_FILTER:
        put_texts(load, &relation, FAN_LOAD_FILTER);
        break;
    default:
        put_edge(load, &relation);
    }
}

static void build_edge(const struct fan_load *load, const struct fan_load_slot *edge, struct fan_call *call)
{
    fan_call_function(call, "FCALL", "feedwire_v1_edge_load", "4");
    fan_place_keys(edge->place.page, feed_str_of(edge->tenant), feed_str_of(edge->subject), call);
    fan_call_arg(call, feed_str_of(edge->user));
    fan_call_arg(call, feed_str_of(edge->since_text));
    fan_call_arg(call, feed_str_of(edge->ended_text));
    fan_call_arg(call, feed_str_of(edge->latest_text));
    fan_place_args(&edge->place, call);
    fan_call_arg(call, feed_str_of(load->page_followers));
}

static void build_purge(const struct fan_load_slot *slot, struct fan_call *call)
{
    fan_call_function(call, "FCALL", "feedwire_v1_purge", "1");
    fan_call_arg(call, FEED_STR(FEED_PURGES_KEY));
    fan_call_arg(call, (struct feed_str){(const char *)slot->purged.bytes, sizeof slot->purged.bytes});
    fan_call_arg(call, feed_str_of(slot->since_text));
}

static void build_followee(const struct fan_load_slot *edge, struct fan_call *call)
{
    fan_call_function(call, "FCALL", "feedwire_v1_followee_load", "2");
    fan_call_key(call, feed_key_followees(feed_str_of(edge->tenant), feed_str_of(edge->user)));
    fan_call_key(call, feed_key_settings(feed_str_of(edge->tenant), feed_str_of(edge->user)));
    fan_call_arg(call, feed_str_of(edge->subject));
    fan_call_arg(call, feed_str_of(edge->since_text));
    fan_call_arg(call, feed_str_of(edge->ended_text));
}

static void build_texts(const struct fan_load_slot *slot, struct fan_call *call)
{
    bool others = slot->what == FAN_LOAD_SETTINGS_OTHERS, filter = slot->what == FAN_LOAD_FILTER;
    const char *user = others ? slot->subject : slot->user;
    fan_call_function(call, "FCALL", filter ? "feedwire_v1_filter_load" : "feedwire_v1_settings_load", "1");
    fan_call_key(call, feed_key_settings(feed_str_of(slot->tenant), feed_str_of(user)));
    if (!filter)
        fan_call_arg(call, feed_str_of(others ? slot->user : slot->subject));
    struct feed_str both = feed_buf_view(&slot->text);
    fan_call_arg(call, (struct feed_str){both.data, slot->text_len});
    fan_call_arg(call, (struct feed_str){both.data + slot->text_len, both.len - slot->text_len});
    if (!filter)
        fan_call_arg(call, feed_str_of(others ? "other" : "own"));
}

static bool splits(const struct fan_load *load, unsigned slot)
{
    return load->split.state != FAN_SPLIT_OFF && load->split_slot == slot;
}

bool fan_load_next(const struct fan_load *load, struct fan_call *call, unsigned *slot)
{
    if (load->ready_count == 0)
        return false;
    *slot = load->ready[load->ready_first];
    const struct fan_load_slot *edge = &load->slots[*slot];
    call->argc = call->key_count = call->number_count = 0;
    if (splits(load, *slot))
        fan_split_build(&load->split, load->split_page, feed_str_of(edge->tenant), feed_str_of(edge->subject),
                        load->page_followers, call);
    else if (edge->what == FAN_LOAD_PURGE)
        build_purge(edge, call);
    else if (edge->what != FAN_LOAD_EDGE)
        build_texts(edge, call);
    else if (edge->decided)
        build_followee(edge, call);
    else
        build_edge(load, edge, call);
    return true;
}

void fan_load_sent(struct fan_load *load)
{
    feed_assert(load->ready_count > 0);
    load->ready_first = (load->ready_first + 1) % FAN_LOAD_WINDOW;
    load->ready_count--;
}

/* The slot has been through a split, or has waited for another's. */
static void end_split(struct fan_load *load, unsigned slot)
{
    load->split.state = FAN_SPLIT_OFF;
    fan_page_reset(load->split_page);
    make_ready(load, slot);
    while (load->waiting_count > 0)
        make_ready(load, load->waiting[--load->waiting_count]);
}

/* The edge is done. What its page wants comes before the follower's side. */
static void take_edge(struct fan_load *load, unsigned slot, const struct fan_answer *answer)
{
    struct fan_load_slot *edge = &load->slots[slot];
    int64_t todo = answer->items[4].number;
    edge->decided = true;
    write_time(answer->items[0].number, edge->since_text);
    write_time(answer->items[1].number, edge->ended_text);
    if (load->split.state != FAN_SPLIT_OFF && todo != FAN_PAGE_FINE) {
        load->waiting[load->waiting_count++] = slot;
        return;
    }
    if (load->split.state == FAN_SPLIT_OFF) {
        fan_split_begin(&load->split, edge->place.page, todo, answer->items[5].number);
        load->split_slot = slot;
    }
    make_ready(load, slot);
}

static void let_go(struct fan_load *load, unsigned slot)
{
    load->spare[load->spare_count++] = slot;
}

static bool take_split(struct fan_load *load, unsigned slot, const struct fan_answer *answer)
{
    bool good = fan_split_take(&load->split, load->split_page, answer);
    if (good && load->split.state != FAN_SPLIT_OFF)
        make_ready(load, slot);
    else
        end_split(load, slot); /* with a refusal, the page stays too large until somebody follows */
    return good;
}

static uint64_t *count_of(struct fan_load *load, enum fan_load_what what)
{
    switch (what) {
    case FAN_LOAD_EDGE:
        return &load->counts.edges;
    case FAN_LOAD_PURGE:
        return &load->counts.purges;
    default:
        return &load->counts.settings;
    }
}

bool fan_load_answer(struct fan_load *load, unsigned slot, const struct fan_answer *answer)
{
    enum { PARTS = 6 };
    struct fan_load_slot *edge = &load->slots[slot];
    if (splits(load, slot))
        return take_split(load, slot, answer);
    if (edge->what != FAN_LOAD_EDGE || edge->decided) {
        bool good = answer->kind == FAN_ANSWER_INTEGER;
        *count_of(load, edge->what) += good;
        let_go(load, slot);
        return good;
    }
    if (!fan_place_take(&edge->place, answer, PARTS)) {
        let_go(load, slot);
        return false;
    }
    if (fan_place_sent_on(&edge->place))
        make_ready(load, slot);
    else
        take_edge(load, slot, answer);
    return true;
}
