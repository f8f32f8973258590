/* A doubly linked list, because a job may leave from the middle when its partition is revoked. */
#include "fanout/queue.h"

void fan_queue_push(struct fan_queue *queue, struct fan_job *job)
{
    job->before = queue->last;
    job->after = NULL;
    if (queue->last)
        queue->last->after = job;
    else
        queue->first = job;
    queue->last = job;
    queue->count++;
}

void fan_queue_remove(struct fan_queue *queue, struct fan_job *job)
{
    if (job->before)
        job->before->after = job->after;
    else
        queue->first = job->after;
    if (job->after)
        job->after->before = job->before;
    else
        queue->last = job->before;
    job->before = job->after = NULL;
    queue->count--;
}

struct fan_job *fan_queue_pop(struct fan_queue *queue)
{
    struct fan_job *job = queue->first;
    if (job)
        fan_queue_remove(queue, job);
    return job;
}
