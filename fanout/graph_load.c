/* Slots and two lists of them. An edge's second command is decided by the answer to its first, and both go through one
 * line, so for one edge they leave in the order of its records. */
#include "fanout/graph_load.h"

#include "fanout/steps.h"
#include "shared/base/assert.h"

#include <stdio.h>

void fan_load_init(struct fan_load *load)
{
    load->ready_first = load->ready_count = 0;
    load->counts = (struct fan_load_counts){.records = 0};
    load->spare_count = FAN_LOAD_WINDOW;
    for (unsigned i = 0; i < FAN_LOAD_WINDOW; i++)
        load->spare[i] = FAN_LOAD_WINDOW - 1 - i;
}

bool fan_load_has_room(const struct fan_load *load)
{
    return load->spare_count > 0;
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
    unsigned slot = load->spare[--load->spare_count];
    struct fan_load_slot *edge = &load->slots[slot];
    copy(relation.tenant, edge->tenant, sizeof edge->tenant);
    copy(relation.user, edge->user, sizeof edge->user);
    copy(relation.subject, edge->subject, sizeof edge->subject);
    write_time(relation.since_ms, edge->since_text);
    write_time(relation.ended_ms, edge->ended_text);
    edge->decided = false;
    make_ready(load, slot);
}

static void build_edge(const struct fan_load_slot *edge, struct fan_call *call)
{
    struct feed_str tenant = feed_str_of(edge->tenant), followed = feed_str_of(edge->subject);
    fan_call_function(call, "FCALL", "feedwire_v1_edge_load", "2");
    fan_call_key(call, feed_key_followers(tenant, followed, 0));
    fan_call_key(call, feed_key_ended(tenant, followed, 0));
    fan_call_arg(call, feed_str_of(edge->user));
    fan_call_arg(call, feed_str_of(edge->since_text));
    fan_call_arg(call, feed_str_of(edge->ended_text));
}

static void build_followee(const struct fan_load_slot *edge, struct fan_call *call)
{
    bool there = edge->since_text[0] != '0';
    fan_call_arg(call, feed_str_of(there ? "ZADD" : "ZREM"));
    fan_call_key(call, feed_key_followees(feed_str_of(edge->tenant), feed_str_of(edge->user)));
    if (there)
        fan_call_arg(call, feed_str_of(edge->since_text));
    fan_call_arg(call, feed_str_of(edge->subject));
}

bool fan_load_next(const struct fan_load *load, struct fan_call *call, unsigned *slot)
{
    if (load->ready_count == 0)
        return false;
    *slot = load->ready[load->ready_first];
    const struct fan_load_slot *edge = &load->slots[*slot];
    call->argc = call->key_count = 0;
    if (edge->decided)
        build_followee(edge, call);
    else
        build_edge(edge, call);
    return true;
}

void fan_load_sent(struct fan_load *load)
{
    feed_assert(load->ready_count > 0);
    load->ready_first = (load->ready_first + 1) % FAN_LOAD_WINDOW;
    load->ready_count--;
}

bool fan_load_answer(struct fan_load *load, unsigned slot, const struct fan_answer *answer)
{
    struct fan_load_slot *edge = &load->slots[slot];
    bool good = answer->kind == FAN_ANSWER_INTEGER;
    if (good && !edge->decided) {
        edge->decided = true;
        write_time(answer->integer, edge->since_text);
        make_ready(load, slot);
        return true;
    }
    load->counts.edges += good;
    load->spare[load->spare_count++] = slot;
    return good;
}
