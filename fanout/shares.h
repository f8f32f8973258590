/* Shares: jobs that wait for something scarce, taken in turn from each tenant, so that a tenant with a thousand records
 * in hand takes no more of it than one with a single record. Within a tenant the order of arrival holds.
 *
 * A share is a hash of the tenant: tenants that have one in common share it, which costs them fairness towards each
 * other only. */
#ifndef FANOUT_SHARES_H
#define FANOUT_SHARES_H

#include "fanout/queue.h"

enum { FAN_SHARES = 256 };

struct fan_shares {
    struct fan_queue queues[FAN_SHARES];
    size_t count;  /* jobs in all */
    unsigned last; /* the share that was served last */
};

/* The share of a tenant. */
uint32_t fan_share_of(struct feed_str tenant);
/* By job->share. */
void fan_shares_push(struct fan_shares *shares, struct fan_job *job);
void fan_shares_remove(struct fan_shares *shares, struct fan_job *job);
/* The first job of the next share that has one; NULL when there is none. */
struct fan_job *fan_shares_pop(struct fan_shares *shares);

#endif
