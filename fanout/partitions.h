/* The partitions that this consumer has been assigned, by number, each with its offsets. */
#ifndef FANOUT_PARTITIONS_H
#define FANOUT_PARTITIONS_H

#include "fanout/offsets.h"
#include "fanout/replay.h"

enum {
    FAN_PARTITIONS_MAX = 65536, /* of one topic */
    /* The partitions of the topic of commands have their numbers from here on. */
    FAN_COMMANDS_BASE = FAN_PARTITIONS_MAX,
    /* Records that may still arrive after consumption was stopped: they were on their way through the client library.
     */
    FAN_OFFSETS_SPARE = 4096
};

struct fan_partition {
    int32_t id;
    struct fan_offsets offsets;
    unsigned life;     /* how often its log was begun anew under us */
    int64_t marked;    /* the position when it was marked last; -1: none */
    int64_t confirmed; /* the position that may be committed; -1: none */
    int64_t committed; /* the position that was taken last; -1: none */
    int64_t end_seen;  /* the end of the log when we had reached it last; -1: never */
    struct fan_replay replay;
    int64_t replay_until; /* until here the log is read again, because Redis has lost something; 0: it is not */
    int64_t idle_ms;      /* when nothing was waiting last, as somebody looked; 0: never */
    bool crowded;         /* too many records behind an unfinished one */
};

struct fan_partitions {
    struct fan_partition **by_id; /* owned; NULL where it is not ours */
    size_t by_id_count;
    struct fan_partition **list; /* owned; those that are ours, in no order */
    size_t count, capacity;
    size_t crowded;
};

static inline bool fan_is_of_commands(int32_t id)
{
    return id >= FAN_COMMANDS_BASE;
}

void fan_partitions_init(struct fan_partitions *partitions);
void fan_partitions_fini(struct fan_partitions *partitions);
/* NULL when it is not ours. */
struct fan_partition *fan_partitions_find(const struct fan_partitions *partitions, int32_t id);
void fan_partitions_add(struct fan_partitions *partitions, int32_t id); /* no effect when it is there */
void fan_partitions_remove(struct fan_partitions *partitions, struct fan_partition *partition); /* frees it */
/* The end of what was done of it, so far as it is known: what is read again goes until there. */
int64_t fan_partition_reached(const struct fan_partition *partition);
/* Everything before next_offset is finished, and it is behind what is read again. */
bool fan_partition_replaying(const struct fan_partition *partition);
/* Forgets its positions; what is under way stands for none of them. */
void fan_partition_begin_anew(struct fan_partitions *partitions, struct fan_partition *partition);
/* A record came; its ticket. */
uint64_t fan_partition_begin(struct fan_partitions *partitions, struct fan_partition *partition, int64_t offset,
                             int64_t time_ms);
/* Everything before it is finished; -1: not known yet. */
int64_t fan_partition_next_offset(const struct fan_partition *partition);
/* The record that came in that life of the log is finished. */
void fan_partition_finish(struct fan_partitions *partitions, struct fan_partition *partition, unsigned life,
                          uint64_t ticket);

#endif
