/* Replication: what a server of Redis says about itself and its replicas in the section `replication` of INFO, and what
 * follows for commits. Pure.
 *
 * A *replication id* names one history of writes. A replica that is promoted, and a server that starts again, begin a
 * new one; so as long as the id is the same, nothing that was answered has been lost, but for a FLUSHALL. Who meets an
 * id that is new must expect that the newest writes of the history before are gone.
 *
 * A *round* asks every shard whether what was answered before it is safe: the shard's offset at its first answer is the
 * target, and it is through when a replica has acknowledged that offset. Replicas acknowledge every second by
 * themselves. WAIT would ask for it at once, and hold up every write behind it on the connection. A shard that never
 * had a replica under its present id is through with its first answer. One whose replicas do not answer any more is
 * waited for a bounded time, and is *alone* from then on: it is not waited for until a replica has caught up, and
 * rounds say that they are not safe. */
#ifndef FANOUT_REPLICATION_H
#define FANOUT_REPLICATION_H

#include "shared/base/str.h"
#include "shared/redis/topology.h"

enum {
    FAN_REPLICATION_ID = 16,    /* of the 40 hex digits of a replication id: enough to tell them apart */
    FAN_REPLICATION_KNOWN = 512 /* ids that are remembered; the oldest are forgotten */
};

struct fan_replication {
    bool master;
    char id[FAN_REPLICATION_ID + 1];
    int64_t offset;    /* of all that was written */
    unsigned replicas; /* that are connected and have the data */
    int64_t seen;      /* the offset that one of them has acknowledged; -1: none has */
};

/* False: it is not what INFO says. */
bool fan_replication_parse(struct feed_str info, struct fan_replication *out) FEED_MUST_USE;

struct fan_witness_shard {
    char id[FAN_REPLICATION_ID + 1]; /* "": not asked yet */
    bool replicated;                 /* it had a replica under this id */
    bool alone;                      /* none of them answers any more */
    bool through;                    /* in this round */
    int64_t target;                  /* of this round; -1: not asked yet */
    int64_t catch_up;                /* alone: what a replica must have so that it is not */
};

struct fan_witness {
    struct fan_witness_shard shards[FEED_SHARDS_MAX];
    char known[FAN_REPLICATION_KNOWN][FAN_REPLICATION_ID + 1]; /* ids that were met */
    size_t known_next;
    int64_t wait_ms; /* for replicas; 0: they are not waited for */
    uint64_t round;  /* its number; answers to questions of an earlier one do not count for it */
    int64_t round_ms;
    bool under_way;
};

void fan_witness_init(struct fan_witness *witness, int64_t wait_ms);
/* Begins a round, in which no shard is through. */
void fan_witness_begin(struct fan_witness *witness, int64_t now_ms);
/* The round counts for nothing any more. */
void fan_witness_drop(struct fan_witness *witness);
enum fan_witness_said {
    FAN_WITNESS_SAME,    /* the id that it had, or one that was met before */
    FAN_WITNESS_STRANGE, /* an id that was never met */
    FAN_WITNESS_ALONE,   /* SAME, and no replica answers any more: said once */
    FAN_WITNESS_CAUGHT   /* SAME, and a replica has caught up again */
};
/* An answer of a master to a question that was asked in that round. */
enum fan_witness_said fan_witness_took(struct fan_witness *witness, int shard, const struct fan_replication *said,
                                       uint64_t round, int64_t now_ms);
/* The number has another server now, or none. */
void fan_witness_forget(struct fan_witness *witness, int shard);
bool fan_witness_knows(const struct fan_witness *witness, int shard);
bool fan_witness_through(const struct fan_witness *witness, int shard);
/* Shards that are alone. */
unsigned fan_witness_alone(const struct fan_witness *witness);

#endif
