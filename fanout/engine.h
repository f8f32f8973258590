/* Engine: the decisions of fan-out, without I/O. Takes events (records, answers, the state of Redis, partitions coming
 * and going, time) and acts through the port. It may act before the call returns; the port never calls back inline.
 * One thread.
 *
 *   record -> lanes (wait for one's turn) -> run queue -> commands -> answers -> .. -> finished -> offset committable
 *
 * A shard of Redis that is away holds up the records that have something for it, and those behind them in their lanes;
 * the others go on, until what waits for that shard fills the bounds below.
 *
 * Bounded by: records and bytes in hand (beyond them the port is asked to consume nothing; what still arrives is
 * taken), commands under way, pages, offsets of one partition behind its oldest unfinished record. */
#ifndef FANOUT_ENGINE_H
#define FANOUT_ENGINE_H

#include "fanout/job.h"
#include "fanout/port.h"

enum {
    FAN_PAGES_MAX = 512, /* jobs that hold followers or a backfill at the same time */
};

struct fan_settings {
    unsigned records_max;  /* records in hand */
    size_t bytes_max;      /* of records in hand */
    unsigned commands_max; /* commands without an answer */
    unsigned cap, backfill;
    unsigned page_followers;           /* a page of followers with more is split; 0: FEED_PAGE_FOLLOWERS */
    bool home_own;                     /* activities stand in the actor's own home feed too */
    int64_t replay_window_ms;          /* of good work, that are done again when Redis has lost the newest of it */
    unsigned broadcast_threshold;      /* with so many followers, an author's activities are not copied; 0: always */
    unsigned broadcast_return_percent; /* with fewer than this share of it, they are again */
    int64_t ttl_ms;                    /* of home feeds that nobody reads; 0: they do not sleep */
};

/* What has happened since the start; only ever added to. */
struct fan_counts {
    struct fan_writes writes;
    uint64_t done, repeat, dead_letter, imported, forgotten; /* finished records, each in one of the five */
    uint64_t purges;                                         /* users erased */
    uint64_t commands;  /* finished records of the topic of commands, dead ones too */
    uint64_t repeats;   /* outbox writes that found the activity there */
    uint64_t letters;   /* dead letters acknowledged */
    uint64_t retries;   /* letters that were not acknowledged and were sent again */
    uint64_t relations; /* acknowledged by Kafka */
};

/* A partition's position: everything before next_offset is finished. */
struct fan_position {
    int32_t partition;
    int64_t next_offset; /* -1: not known; neither a record nor the end has been seen since it was assigned */
    int64_t finished_ms; /* when Kafka got the last record before next_offset; 0: not known */
    int64_t waiting_ms;  /* when it got the oldest record in hand; 0: none is */
    int64_t idle_ms;     /* of fan_engine_idle; 0: never */
    int64_t replay_from; /* where to begin when the newest writes are lost; FAN_REPLAY_BEGINNING: at the beginning */
    bool replaying;      /* what stands before next_offset ends before what was done already, and was lost */
};

struct fan_engine *fan_engine_new(const struct fan_settings *settings, const struct fan_port_ops *ops, void *arg);
/* No answers, letters and relations are outstanding, or will never be reported (the clients were freed, which reported
 * them).
 */
void fan_engine_free(struct fan_engine *engine);

/* ---- Kafka ---- */

/* Before the first record of these partitions. A partition that is there already is left alone. */
void fan_engine_assigned(struct fan_engine *engine, const int32_t *partitions, size_t count);
/* They belong to somebody else: their records are dropped where they are, their positions forgotten. Commit before. */
void fan_engine_revoked(struct fan_engine *engine, const int32_t *partitions, size_t count);
/* The partition is read from a position of which the offsets before it are safe from replay_from on; until: what was
 * done of it already, and is done again; 0: nothing. Before its first record. */
void fan_engine_starts_at(struct fan_engine *engine, int32_t partition, int64_t replay_from, int64_t until);
/* All that was written may have been lost: what is in hand is dropped, positions are forgotten. The partitions stay;
 * their records will come again from the beginning. */
void fan_engine_begin_anew(struct fan_engine *engine);
/* The same for the newest of what was written: records will come again from each partition's replay_from. */
void fan_engine_replay(struct fan_engine *engine);
/* A record of an assigned partition (of another one it is ignored). Copied. An offset below the one before it means
 * that the log was begun anew: positions follow it. */
void fan_engine_record(struct fan_engine *engine, const struct fan_record *record);
/* Positions may be committed only once it is sure that what was finished has not been lost since. mark notes how far
 * everything is; confirm says that whatever had been finished then was still there afterwards, and, if it is safe, that
 * a replica has it too where there are any. Marks of partitions that were revoked in between are gone. */
void fan_engine_mark(struct fan_engine *engine);
void fan_engine_confirm(struct fan_engine *engine, bool safe);
/* A question begins whether Redis still has all that it had, in the order of what is sent to it; and its answer: it
 * has. One at a time. Relations are handed to the port only after they were read before a question with that answer. */
void fan_engine_check(struct fan_engine *engine);
void fan_engine_checked(struct fan_engine *engine);
/* Everything that is finished is confirmed. */
bool fan_engine_confirmed(const struct fan_engine *engine);
/* Writes the confirmed positions that have moved since they were last taken, at most max; returns how many. They count
 * as committed from now on, unless fan_engine_commit_failed says otherwise: then all are given again. */
size_t fan_engine_take_commits(struct fan_engine *engine, struct fan_position *out, size_t max);
void fan_engine_commit_failed(struct fan_engine *engine);
/* The i-th assigned partition's position; false when there are not so many. */
bool fan_engine_position(const struct fan_engine *engine, size_t i, struct fan_position *out);
/* The partition's log ends here at the moment, and everything before it was handed over, or had been committed before
 * the partition was assigned. */
void fan_engine_reached_end(struct fan_engine *engine, int32_t partition, int64_t end);
/* Nothing waits in the partition at this moment, in ms since the Unix epoch. */
void fan_engine_idle(struct fan_engine *engine, int32_t partition, int64_t now_ms);
/* The answer of Kafka to a letter, and to a relation. */
void fan_engine_letter_done(struct fan_engine *engine, struct fan_letter *letter, enum feed_error error);
void fan_engine_relation_done(struct fan_job *job, enum feed_error error);

/* ---- Redis ---- */

/* Commands may be sent to a shard to which none could be before: connected, and the functions are loaded. Or keys now
 * belong to other shards. */
void fan_engine_redis_ready(struct fan_engine *engine);
/* To no shard at all any more; halted is not called for it. Commands under way are answered as lost, before or after
 * this. */
void fan_engine_redis_gone(struct fan_engine *engine);
void fan_engine_answer(struct fan_seat *seat, const struct fan_answer *answer);
/* The port's arg, for callbacks that get only the job. */
void *fan_engine_port_arg(const struct fan_job *job);

/* ---- purges ---- */

/* Who was erased, all of them; copied. Records that come from now on are looked at with this, and `version`, which is
 * above 0, stands for it. */
void fan_engine_know_purges(struct fan_engine *engine, const struct fan_purges *purges, uint64_t version);
/* The version that all records in hand were looked at with, so that nothing of those who were erased until then is
 * written any more; 0: none. */
uint64_t fan_engine_knows_purges(const struct fan_engine *engine);
/* The user is erased: the job is finished. */
void fan_engine_purge_done(struct fan_job *job);

/* ---- time, end, figures ---- */

/* A few times a second. now_ms is monotonic and > 0. */
void fan_engine_tick(struct fan_engine *engine, int64_t now_ms);
/* Nothing more is wanted from Kafka, whatever room there is; what is in hand goes on. */
void fan_engine_stop_consuming(struct fan_engine *engine);
size_t fan_engine_records(const struct fan_engine *engine);  /* in hand */
size_t fan_engine_commands(const struct fan_engine *engine); /* under way */
const struct fan_counts *fan_engine_counts(const struct fan_engine *engine);

#endif
