/* Life: whether Redis still holds what we have written into it. A marker in Redis names its life with random bytes; it
 * is written when the graph has been loaded, and is lost when everything is. Who finds no marker loads the graph from
 * Kafka, one member at a time (a lease in Redis), and then begins a new life.
 *
 *   DOWN --(up)--> LOOKING --(life)------------------------------.
 *    ^              ^  ^ \                                       v
 *    |              |  |  \--(lease is ours)--> LOADING --+--> KNOWN
 *    | (gone,       |  |                         |  ^     |      |
 *    |  from all)   |  '--(time)-- WAITING <-----'  |     |      | (check: no life, or another one)
 *    '              |   (lease is not ours, failed) |     |      |
 *                   |                      (loaded) v     |      |
 *                   |                             BEGINNING      |
 *                   '------------------(refused)----'-----<------'
 *
 * An offset is to be trusted only together with the life in which it was reached. So each commit carries the life's
 * name, and is made only for positions that were finished before a check found the life unchanged: commands and checks
 * go over one connection, and are done in the order of sending. Pure. */
#ifndef FANOUT_LIFE_H
#define FANOUT_LIFE_H

#include "shared/base/str.h"

enum { FAN_LIFE_BYTES = 8, FAN_LIFE_TEXT = 2 * FAN_LIFE_BYTES };

enum {
    FAN_LIFE_LEASE_MS = 10000, /* how long a member that is killed while it loads keeps others from it */
    FAN_LIFE_RENEW_MS = 2500,  /* of the lease */
    FAN_LIFE_LOOK_MS = 500,    /* between two looks at whether another member is through */
    FAN_LIFE_AGAIN_MS = 2000   /* before a load that failed is tried again */
};

enum fan_life_state {
    FAN_LIFE_DOWN,
    FAN_LIFE_LOOKING,
    FAN_LIFE_WAITING,
    FAN_LIFE_LOADING,
    FAN_LIFE_BEGINNING,
    FAN_LIFE_KNOWN
};

struct fan_life {
    enum fan_life_state state;
    char id[FAN_LIFE_TEXT + 1]; /* the life known last; "" none yet */
    bool asking;                /* a question to Redis is under way */
    bool loaded;                /* LOADING: it is through, and a renewal of the lease is still under way */
    int64_t at_ms;              /* WAITING, LOADING: when to look next */
};

/* What is to be done now. */
enum fan_life_do {
    FAN_LIFE_NOTHING,
    FAN_LIFE_LOOK,  /* ask feedwire_v1_life; a load that is under way goes on */
    FAN_LIFE_LOAD,  /* begin to load the graph; one that is under way is given up */
    FAN_LIFE_BEGIN, /* ask feedwire_v1_life_begin with a new random name */
    FAN_LIFE_CHECK, /* ask for the marker's value */
    FAN_LIFE_STOP,  /* nothing is written any more, a load that is under way is given up; then as for LOOK */
    FAN_LIFE_WAIT,  /* a load that is under way is given up */
    FAN_LIFE_GO     /* the life is known: id */
};

enum fan_life_lease { FAN_LIFE_LEASE_OTHERS, FAN_LIFE_LEASE_RENEWED, FAN_LIFE_LEASE_TAKEN };

/* Redis can be worked with. */
enum fan_life_do fan_life_up(struct fan_life *life);
/* Not any more: a load that is under way is given up, and answers that still come are to be dropped. */
void fan_life_gone(struct fan_life *life);
/* The answer of feedwire_v1_life; id is empty when there is no life. */
enum fan_life_do fan_life_looked(struct fan_life *life, struct feed_str id, enum fan_life_lease lease, int64_t now_ms);
/* The load that was begun last has ended. */
enum fan_life_do fan_life_loaded(struct fan_life *life, bool good, int64_t now_ms);
/* The answer of feedwire_v1_life_begin; empty when the lease was lost. */
enum fan_life_do fan_life_began(struct fan_life *life, struct feed_str id);
/* The answer to a check; empty when there is no marker. NOTHING when the life is unchanged. */
enum fan_life_do fan_life_checked(struct fan_life *life, struct feed_str id);
/* The question that was to be asked could not be sent: it is asked again soon. */
void fan_life_unasked(struct fan_life *life, int64_t now_ms);
/* A few times a second. */
enum fan_life_do fan_life_tick(struct fan_life *life, int64_t now_ms);

/* Redis is empty, and the graph is being loaded, by us or by another member. */
bool fan_life_recovering(const struct fan_life *life);

#endif
