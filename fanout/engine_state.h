/* The inside of the engine, shared by its files: engine.c (the work), intake.c (what Kafka gives and takes), outlet.c
 * (what goes to Kafka), purging.c (who was erased), stock.c (spare jobs and pages). */
#ifndef FANOUT_ENGINE_STATE_H
#define FANOUT_ENGINE_STATE_H

#include "fanout/engine.h"
#include "fanout/partitions.h"
#include "fanout/shares.h"

enum {
    FAN_JOB_TAG = 0x6a6f6221,
    FAN_RECORD_MEMORY_KEPT = 4096,            /* what a spare job keeps of each of its buffers */
    FAN_PACKED_OUTBOX_MAX = 16 * 1024 * 1024, /* above a whole outbox of the largest entries: 1,020 x 2,560 */
    FAN_LETTER_RETRY_MS = 500                 /* letters and relations that Kafka did not take */
};

struct fan_engine {
    struct fan_settings settings;
    struct fan_step_texts texts;
    struct fan_port port;
    int64_t now_ms;

    struct fan_partitions partitions;
    struct fan_lanes lanes;
    struct fan_queue places[FAN_JOB_PLACES]; /* RUN and PAGES are elsewhere: */
    struct fan_shares run, pages_wanted;
    struct fan_queue spare_jobs;
    struct fan_page *spare_pages;
    size_t pages;

    struct fan_job *held_first, *held_last; /* with relations that wait for a check of Redis, in the order of reading */
    uint64_t checks;                        /* that have begun */

    struct fan_purges purges;
    uint64_t purges_version;   /* counts from 1 */
    size_t knowing, unknowing; /* records in hand that were looked at with this version; with those before */

    struct fan_letter *unsent; /* letters that Kafka did not take; again at letters_at_ms */
    int64_t letters_at_ms;

    size_t records, bytes, commands;
    bool redis_ready;
    bool full; /* too much in hand; until it is half of that */
    bool stopping;
    bool consuming; /* what the port was told last */
    struct fan_counts counts;
};

/* engine.c */

/* Puts a job that stands in no queue into one. */
void fan_engine_place(struct fan_job *job, enum fan_job_place to);
void fan_engine_move(struct fan_job *job, enum fan_job_place to);
/* Takes the next job that waits there out; NULL: none. */
struct fan_job *fan_engine_pop(struct fan_engine *engine, enum fan_job_place place);
/* All queues that jobs can stand in, one after the other; NULL after the last. */
struct fan_queue *fan_engine_queue(struct fan_engine *engine, size_t i);
/* Looks at everything that has changed and sends what may be sent; at the end of every event. */
void fan_engine_work(struct fan_engine *engine);

/* outlet.c */

/* Takes the letter. */
void fan_engine_post(struct fan_engine *engine, struct fan_letter *letter);
/* Posts again what Kafka did not take. */
void fan_engine_post_unsent(struct fan_engine *engine);

/* The job has just read its relation. */
void fan_engine_hold_relation(struct fan_engine *engine, struct fan_job *job);
/* The job has nothing to send any more. */
void fan_engine_drop_relation(struct fan_engine *engine, struct fan_job *job);

/* purging.c */

/* Gives a job that stands in no queue to the port, which erases the user. */
void fan_engine_purge(struct fan_engine *engine, struct fan_job *job);
void fan_engine_drop_purge(struct fan_engine *engine, struct fan_job *job);
/* The record is not in hand any more. */
void fan_engine_purges_finished(struct fan_engine *engine, const struct fan_job *job);

/* stock.c */

struct fan_job *fan_stock_job(struct fan_engine *engine); /* in no queue */
void fan_stock_put_job(struct fan_engine *engine, struct fan_job *job);
struct fan_page *fan_stock_page(struct fan_engine *engine); /* NULL: all are in use */
void fan_stock_put_page(struct fan_engine *engine, struct fan_page *page);
/* Frees the spare ones, and the jobs that stand in the queues. */
void fan_stock_fini(struct fan_engine *engine);

#endif
