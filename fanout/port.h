/* Port: what the engine asks of the world. The shell implements it with hiredis and librdkafka, the simulations of the
 * tests with a model. None of these calls the engine back inline. */
#ifndef FANOUT_PORT_H
#define FANOUT_PORT_H

#include "fanout/letter.h"
#include "fanout/trouble.h"

struct fan_job;
struct fan_seat;

/* What became of a command that was to be sent. */
enum fan_sent {
    FAN_SENT,
    FAN_SENT_FULL, /* not sent: no room for more at present */
    FAN_SENT_AWAY, /* not sent: the shard that owns its key cannot be worked with; others may be */
    FAN_SENT_HELD  /* not sent: it was sent before, and its shard has had enough that was; a little later */
};

struct fan_port_ops {
    /* Sends one Redis command; the arguments are copied. FAN_SENT: its answer comes later, exactly once, by
     * fan_engine_answer with this seat. There is no order among answers: commands may go to several shards. again: it
     * was sent before, and what came of it is not known, or was an error that may pass. */
    enum fan_sent (*send)(void *arg, const struct feed_str *argv, size_t argc, struct fan_seat *seat, bool again);
    /* Sends a dead letter to Kafka; everything is copied. FEED_OK: fan_engine_letter_done comes later, exactly once.
     * Otherwise it will not come; FEED_E_TOO_LARGE means that this letter will never be taken as it is. */
    enum feed_error (*post)(void *arg, const struct fan_letter *letter, const struct fan_record *record);
    /* Sends the job's relation (fan_job_relation) to the topic graph; copied. FEED_OK: fan_engine_relation_done comes
     * later, exactly once. Otherwise it will not come. */
    enum feed_error (*relate)(void *arg, struct fan_job *job);
    /* Whether records are wanted now; called on changes. */
    void (*consume)(void *arg, bool on);
    /* The shard whose answer is being handed over cannot be worked with for this reason: FAN_SENT_AWAY for what
     * belongs to it, until fan_engine_redis_ready says that it can. Called for each such answer. False: no shard is
     * left, and nothing more is sent until then. */
    bool (*halted)(void *arg, enum fan_trouble trouble, struct feed_str text);
    /* A command failed for an unknown reason and will be tried again; for the log. */
    void (*failing)(void *arg, const char *step, struct feed_str text);
    /* The job is a purge: erases its user, then calls fan_engine_purge_done, later. */
    void (*purge)(void *arg, struct fan_job *job);
    /* The job is not ours any more: it is let go of before this returns. */
    void (*purge_drop)(void *arg, struct fan_job *job);
    void (*random)(void *arg, uint8_t *out, size_t len);
    /* An activity of this tenant stands in every feed that it belongs to; for figures. */
    void (*succeeded)(void *arg, struct feed_str tenant);
    /* How many of the commands under way may be this tenant's; above 0. Asked once for each record. */
    unsigned (*share)(void *arg, struct feed_str tenant);
};

struct fan_port {
    const struct fan_port_ops *ops;
    void *arg;
    const struct fan_step_texts *texts;
    unsigned readies; /* how often a shard became ready */
};

#endif
