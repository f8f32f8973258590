/* Marks: whether a shard of a cluster still holds what was written into it. The life (life.h) is known by a key on one
 * shard; another one may lose everything alone. So each has a mark: a key in the lowest of its slots, whose value is
 * the name of the life. It moves with its slot. A list on the shard of the life says which slots have been marked in
 * which life: a mark that is listed and not there was lost with all the rest of its shard.
 *
 *   LISTED? --(the list's answer)--> LOOK --(it is there)-------------------> [listed?] --> MARKED --> (looked at again
 *                                     |  '--(not there, not listed)--> WRITE --> LIST ---------^        and again)
 *                                     '--(not there, but listed)--> lost                      |
 *                                                                                             '--(not there)--> lost
 * Pure. */
#ifndef FANOUT_MARKS_H
#define FANOUT_MARKS_H

#include "shared/base/str.h"

enum { FAN_MARK_KEY_MAX = 31, FAN_MARK_NONE = -1 };

enum fan_mark_state {
    FAN_MARK_LISTED, /* ask the list whether the slot is marked in this life */
    FAN_MARK_LOOK,   /* ask for the key's value */
    FAN_MARK_WRITE,  /* write it */
    FAN_MARK_LIST,   /* put it on the list */
    FAN_MARK_MARKED  /* ask for its value */
};

struct fan_mark {
    int slot; /* FAN_MARK_NONE: no mark is wanted */
    char key[FAN_MARK_KEY_MAX + 1];
    enum fan_mark_state state; /* also: what is to be asked next */
    bool listed;
    bool asking;         /* the question is under way */
    uint64_t good_check; /* the last check that found it */
};

/* The key of a slot's mark: life:{feedwire/N}, N the smallest number that leads to the slot. Takes a millisecond. */
void fan_mark_key(unsigned slot, char out[FAN_MARK_KEY_MAX + 1]);
/* From now on the mark of this slot, or of none, is wanted; no effect when it was. */
void fan_mark_want(struct fan_mark *mark, int slot);
/* Another life: nothing is known of the mark. */
void fan_mark_forget(struct fan_mark *mark);
/* The answer to the question of the present state that was asked in that check: the value, empty when there is none. Of
 * WRITE and LIST, any. False: the shard has lost everything. */
bool fan_mark_took(struct fan_mark *mark, struct feed_str value, const char *life, uint64_t check) FEED_MUST_USE;
/* The shard holds, as of that check, what was written into it in this life; or no mark is wanted. */
bool fan_mark_good(const struct fan_mark *mark, uint64_t check);

#endif
