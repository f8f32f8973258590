/* A short list: a member has tens of partitions, and they change with rebalances only. */
#include "fanout/starts.h"

#include "shared/base/assert.h"

#include <stdlib.h>

void fan_starts_init(struct fan_starts *starts)
{
    *starts = (struct fan_starts){.list = NULL};
}

void fan_starts_fini(struct fan_starts *starts)
{
    free(starts->list);
    fan_starts_init(starts);
}

static struct fan_start *find(struct fan_starts *starts, int32_t partition)
{
    for (size_t i = 0; i < starts->count; i++) {
        if (starts->list[i].partition == partition)
            return &starts->list[i];
    }
    return NULL;
}

void fan_starts_assigned(struct fan_starts *starts, const int32_t *partitions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (find(starts, partitions[i]))
            continue;
        if (starts->count == starts->capacity) {
            starts->capacity = starts->capacity ? starts->capacity * 2 : 16;
            starts->list = realloc(starts->list, starts->capacity * sizeof *starts->list);
            feed_assert(starts->list);
        }
        starts->list[starts->count++] = (struct fan_start){partitions[i], FAN_START_ASK, FAN_START_COMMITTED};
    }
}

void fan_starts_revoked(struct fan_starts *starts, const int32_t *partitions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct fan_start *start = find(starts, partitions[i]);
        if (start)
            *start = starts->list[--starts->count];
    }
}

static void replace(struct fan_starts *starts, enum fan_start_state from, enum fan_start_state to)
{
    for (size_t i = 0; i < starts->count; i++) {
        if (starts->list[i].state == from)
            starts->list[i].state = to;
    }
}

void fan_starts_another_life(struct fan_starts *starts)
{
    for (size_t i = 0; i < starts->count; i++)
        fan_starts_replay(starts, starts->list[i].partition, FAN_START_ANEW);
    fan_starts_doubt(starts);
}

void fan_starts_doubt(struct fan_starts *starts)
{
    replace(starts, FAN_START_ASKED, FAN_START_ASK);
}

bool fan_starts_replay(struct fan_starts *starts, int32_t partition, int64_t from)
{
    struct fan_start *start = find(starts, partition);
    if (!start || (start->state != FAN_START_SETTLED && start->state != FAN_START_REWIND))
        return false;
    if (start->state == FAN_START_SETTLED || from < start->from)
        start->from = from;
    start->state = FAN_START_REWIND;
    return true;
}

size_t fan_starts_take(struct fan_starts *starts, enum fan_start_state state, int32_t *out, size_t max)
{
    size_t taken = 0;
    for (size_t i = 0; i < starts->count && taken < max; i++) {
        if (starts->list[i].state != state)
            continue;
        out[taken++] = starts->list[i].partition;
        if (state == FAN_START_ASK)
            starts->list[i].state = FAN_START_ASKED;
    }
    return taken;
}

void fan_starts_answer(struct fan_starts *starts, int32_t partition, int64_t from)
{
    struct fan_start *start = find(starts, partition);
    if (!start || start->state != FAN_START_ASKED)
        return;
    start->from = from;
    start->state = from == FAN_START_COMMITTED ? FAN_START_SETTLED : FAN_START_REWIND;
}

void fan_starts_unanswered(struct fan_starts *starts)
{
    replace(starts, FAN_START_ASKED, FAN_START_ASK);
}

void fan_starts_rewound(struct fan_starts *starts, int32_t partition)
{
    struct fan_start *start = find(starts, partition);
    if (start && start->state == FAN_START_REWIND)
        start->state = FAN_START_SETTLED;
}

int64_t fan_starts_from(const struct fan_starts *starts, int32_t partition)
{
    const struct fan_start *start = find((struct fan_starts *)starts, partition);
    return start ? start->from : FAN_START_COMMITTED;
}

bool fan_starts_settled(const struct fan_starts *starts)
{
    for (size_t i = 0; i < starts->count; i++) {
        if (starts->list[i].state != FAN_START_SETTLED)
            return false;
    }
    return true;
}
