/* Starts: from where each assigned partition is to be read, once the life of Redis and its replication ids are known.
 * What Kafka has committed counts only if it was committed in that life; else the partition is read again from its
 * beginning. If ids have changed since, it is read again from where the note says. Records are wanted only while all
 * partitions are settled.
 *
 *   (assigned) --> ASK --(asked)--> ASKED --(nothing was lost)------------> SETTLED
 *                   ^                 | \                                    ^  |
 *                   '---(no answer)---'  '--(something was)--> REWIND -------'  | (something was lost)
 *                                                                ^              |
 *                                                                '--------------'
 * Pure. */
#ifndef FANOUT_STARTS_H
#define FANOUT_STARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fan_start_state { FAN_START_ASK, FAN_START_ASKED, FAN_START_REWIND, FAN_START_SETTLED };

/* From where a partition is read, if from no offset. */
enum {
    FAN_START_BEGINNING = -1,
    FAN_START_COMMITTED = -2,
    FAN_START_ANEW = -3 /* the beginning, because everything was lost */
};

struct fan_start {
    int32_t partition;
    enum fan_start_state state;
    int64_t from;
};

struct fan_starts {
    struct fan_start *list; /* owned; in no order */
    size_t count, capacity;
};

void fan_starts_init(struct fan_starts *starts);
void fan_starts_fini(struct fan_starts *starts);
/* A partition that is there already is left alone. Aborts when there is no memory. */
void fan_starts_assigned(struct fan_starts *starts, const int32_t *partitions, size_t count);
void fan_starts_revoked(struct fan_starts *starts, const int32_t *partitions, size_t count);
/* Another life has begun than the one in which the settled partitions were read. */
void fan_starts_another_life(struct fan_starts *starts);
/* Something was lost: answers to what was asked before say nothing any more. */
void fan_starts_doubt(struct fan_starts *starts);
/* A settled partition, or one that waits to be rewound, is to be read from there, or from before it. False: it is in
 * another state, and left alone. */
bool fan_starts_replay(struct fan_starts *starts, int32_t partition, int64_t from);
/* Takes up to max partitions of that state into out. Those to ask for count as asked from now on. */
size_t fan_starts_take(struct fan_starts *starts, enum fan_start_state state, int32_t *out, size_t max);
/* From where the partition is to be read after what Kafka has committed for it: FAN_START_COMMITTED, also when it has
 * nothing; ANEW, the BEGINNING, or an offset. Ignored for one that was not asked for. */
void fan_starts_answer(struct fan_starts *starts, int32_t partition, int64_t from);
/* There will be no answer: all that were asked for are to be asked for again. */
void fan_starts_unanswered(struct fan_starts *starts);
void fan_starts_rewound(struct fan_starts *starts, int32_t partition);
/* From where it is read, or is to be rewound to. */
int64_t fan_starts_from(const struct fan_starts *starts, int32_t partition);
bool fan_starts_settled(const struct fan_starts *starts);

#endif
