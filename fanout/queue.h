/* A queue of jobs, linked through the jobs themselves: a job stands in at most one. */
#ifndef FANOUT_QUEUE_H
#define FANOUT_QUEUE_H

#include "fanout/job.h"

struct fan_queue {
    struct fan_job *first, *last;
    size_t count;
};

void fan_queue_push(struct fan_queue *queue, struct fan_job *job);
void fan_queue_remove(struct fan_queue *queue, struct fan_job *job);
struct fan_job *fan_queue_pop(struct fan_queue *queue); /* NULL when empty */

#endif
