/* The rows of the table of steps, for the files that fill it: steps_timeline.c (entries), steps_graph.c (edges),
 * steps_relation.c (edges to Kafka). */
#ifndef FANOUT_STEPS_H
#define FANOUT_STEPS_H

#include "fanout/job.h"

struct fan_step_row {
    const char *name;
    size_t window; /* commands that may be under way at once */
    bool needs_page;
    size_t (*commands)(const struct fan_job *job); /* NULL: one */
    void (*build)(const struct fan_job *job, const struct fan_step_texts *texts, size_t i, struct fan_call *call);
    bool (*take)(struct fan_job *job, const struct fan_answer *answer, struct fan_writes *writes);
    enum fan_step then;                         /* the step after this one, */
    enum fan_step (*next)(struct fan_job *job); /* unless this is set and says another */
};

extern const struct fan_step_row fan_row_outbox, fan_row_notify, fan_row_followers, fan_row_home, fan_row_backfill_read,
    fan_row_backfill_write;
extern const struct fan_step_row fan_row_follow, fan_row_followee_add, fan_row_unfollow, fan_row_followee_remove;

extern const struct fan_step_row fan_row_graph;
bool fan_job_changes_graph(const struct fan_job *job);

/* Building blocks of a command. */
void fan_call_arg(struct fan_call *call, struct feed_str arg);
void fan_call_key(struct fan_call *call, struct feed_key key); /* copied into the call */
void fan_call_number(struct fan_call *call, int64_t number);   /* as text, once a call */
void fan_call_function(struct fan_call *call, const char *command, const char *function, const char *keys);

#endif
