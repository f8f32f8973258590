/* Starts: from where each assigned partition is to be read, once the life of Redis is known. What Kafka has committed
 * counts only if it was committed in that life; else the partition is read again from its beginning. Records are wanted
 * only while all partitions are settled.
 *
 *   (assigned) --> ASK --(asked)--> ASKED --(committed in this life, or never)--> SETTLED
 *                   ^                 | \                                          ^  |
 *                   '---(no answer)---'  '--(committed in another life)--> REWIND -'  | (another life begins)
 *                                                                            ^        |
 *                                                                            '--------'
 * Pure. */
#ifndef FANOUT_STARTS_H
#define FANOUT_STARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fan_start_state { FAN_START_ASK, FAN_START_ASKED, FAN_START_REWIND, FAN_START_SETTLED };

struct fan_start {
    int32_t partition;
    enum fan_start_state state;
    bool rewound;
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
/* Takes up to max partitions of that state into out. Those to ask for count as asked from now on. */
size_t fan_starts_take(struct fan_starts *starts, enum fan_start_state state, int32_t *out, size_t max);
/* What Kafka has committed for a partition holds (also when it has nothing), or is of another life. Ignored for one
 * that was not asked for. */
void fan_starts_answer(struct fan_starts *starts, int32_t partition, bool holds);
/* There will be no answer: all that were asked for are to be asked for again. */
void fan_starts_unanswered(struct fan_starts *starts);
void fan_starts_rewound(struct fan_starts *starts, int32_t partition);
/* It is read from its beginning, because what came of it was lost. */
bool fan_starts_from_beginning(const struct fan_starts *starts, int32_t partition);
bool fan_starts_settled(const struct fan_starts *starts);

#endif
