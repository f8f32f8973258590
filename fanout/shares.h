/* Shares: jobs that wait for something scarce, taken in turn from each tenant, so that a tenant with a thousand records
 * in hand takes no more of it than one with a single record. Within a tenant the order of arrival holds.
 *
 * A tenant may be kept from having all of it, so that others need not wait for what it has to come back.
 *
 * A share is a hash of the tenant: tenants that have one in common share it, which costs them fairness towards each
 * other only. */
#ifndef FANOUT_SHARES_H
#define FANOUT_SHARES_H

#include "fanout/queue.h"

enum { FAN_SHARES = 256 };

struct fan_shares {
    struct fan_queue queues[FAN_SHARES];
    size_t count;                   /* jobs in all */
    unsigned last;                  /* the share that was served last */
    unsigned under_way[FAN_SHARES]; /* what each has of what is scarce; kept by the holder */
};

/* The share of a tenant. */
uint32_t fan_share_of(struct feed_str tenant);
/* By job->share. */
void fan_shares_push(struct fan_shares *shares, struct fan_job *job);
void fan_shares_remove(struct fan_shares *shares, struct fan_job *job);
/* The first job of the next share that has one and may have more of what is scarce (job->share_max); NULL when there is
 * none. */
struct fan_job *fan_shares_pop(struct fan_shares *shares);

/* How much more the job's tenant may have. */
size_t fan_shares_room(const struct fan_shares *shares, const struct fan_job *job);

#endif
