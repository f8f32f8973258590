/* A table by partition number, and a list of those that are ours. */
#include "fanout/partitions.h"

#include "shared/base/assert.h"

#include <stdlib.h>
#include <string.h>

void fan_partitions_init(struct fan_partitions *partitions)
{
    *partitions = (struct fan_partitions){.by_id = NULL};
}

void fan_partitions_fini(struct fan_partitions *partitions)
{
    while (partitions->count)
        fan_partitions_remove(partitions, partitions->list[0]);
    free(partitions->by_id);
    free(partitions->list);
    fan_partitions_init(partitions);
}

struct fan_partition *fan_partitions_find(const struct fan_partitions *partitions, int32_t id)
{
    return id >= 0 && (size_t)id < partitions->by_id_count ? partitions->by_id[id] : NULL;
}

static void make_room(struct fan_partitions *partitions, size_t id)
{
    if (id >= partitions->by_id_count) {
        size_t count = id + 1;
        partitions->by_id = realloc(partitions->by_id, count * sizeof(struct fan_partition *));
        feed_assert(partitions->by_id);
        memset(partitions->by_id + partitions->by_id_count, 0,
               (count - partitions->by_id_count) * sizeof(struct fan_partition *));
        partitions->by_id_count = count;
    }
    if (partitions->count == partitions->capacity) {
        partitions->capacity = partitions->capacity ? partitions->capacity * 2 : 16;
        partitions->list = realloc(partitions->list, partitions->capacity * sizeof(struct fan_partition *));
        feed_assert(partitions->list);
    }
}

void fan_partitions_add(struct fan_partitions *partitions, int32_t id)
{
    feed_assert(id >= 0 && id < FAN_COMMANDS_BASE + FAN_PARTITIONS_MAX);
    if (fan_partitions_find(partitions, id))
        return;
    make_room(partitions, (size_t)id);
    struct fan_partition *partition = calloc(1, sizeof *partition);
    feed_assert(partition);
    partition->id = id;
    partition->marked = partition->confirmed = partition->committed = partition->end_seen = -1;
    fan_offsets_init(&partition->offsets);
    partitions->by_id[id] = partition;
    partitions->list[partitions->count++] = partition;
}

static void set_crowded(struct fan_partitions *partitions, struct fan_partition *partition, bool crowded)
{
    if (partition->crowded == crowded)
        return;
    partition->crowded = crowded;
    if (crowded)
        partitions->crowded++;
    else
        partitions->crowded--;
}

void fan_partitions_remove(struct fan_partitions *partitions, struct fan_partition *partition)
{
    set_crowded(partitions, partition, false);
    size_t i = 0;
    while (partitions->list[i] != partition)
        i++;
    partitions->list[i] = partitions->list[--partitions->count];
    partitions->by_id[partition->id] = NULL;
    fan_offsets_fini(&partition->offsets);
    free(partition);
}

int64_t fan_partition_next_offset(const struct fan_partition *partition)
{
    int64_t next = fan_offsets_committable(&partition->offsets);
    /* The log may end with offsets that carry no record: marks of transactions. */
    bool through = fan_offsets_count(&partition->offsets) == 0 && partition->end_seen > next;
    return through ? partition->end_seen : next;
}

int64_t fan_partition_reached(const struct fan_partition *partition)
{
    int64_t reached = partition->offsets.last_seen + 1;
    return reached > partition->replay_until ? reached : partition->replay_until;
}

bool fan_partition_replaying(const struct fan_partition *partition)
{
    return partition->replay_until > 0 && fan_partition_next_offset(partition) < partition->replay_until;
}

void fan_partition_begin_anew(struct fan_partitions *partitions, struct fan_partition *partition)
{
    fan_offsets_fini(&partition->offsets);
    partition->life++;
    partition->marked = partition->confirmed = partition->committed = partition->end_seen = -1;
    partition->idle_ms = 0;
    set_crowded(partitions, partition, false);
}

uint64_t fan_partition_begin(struct fan_partitions *partitions, struct fan_partition *partition, int64_t offset,
                             int64_t time_ms)
{
    /* The topic was made anew, or the broker lost its end. What is under way goes on, but stands for no offset now. */
    if (offset <= partition->offsets.last_seen) {
        fan_partition_begin_anew(partitions, partition);
        partition->replay = (struct fan_replay){.count = 0};
        partition->replay_until = 0;
    }
    uint64_t ticket = fan_offsets_begin(&partition->offsets, offset, time_ms);
    if (fan_offsets_count(&partition->offsets) >= FAN_OFFSETS_MAX - FAN_OFFSETS_SPARE)
        set_crowded(partitions, partition, true);
    return ticket;
}

void fan_partition_finish(struct fan_partitions *partitions, struct fan_partition *partition, unsigned life,
                          uint64_t ticket)
{
    if (life != partition->life)
        return;
    fan_offsets_finish(&partition->offsets, ticket);
    if (fan_offsets_count(&partition->offsets) < FAN_OFFSETS_MAX / 2)
        set_crowded(partitions, partition, false);
}
