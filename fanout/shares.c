/* One queue a share, served round robin. Empty ones are skipped one by one: that is 256 looks at worst, once for up to
 * a hundred commands. */
#include "fanout/shares.h"

#include <xxhash.h>

uint32_t fan_share_of(struct feed_str tenant)
{
    return (uint32_t)(XXH3_64bits(tenant.data, tenant.len) % FAN_SHARES);
}

void fan_shares_push(struct fan_shares *shares, struct fan_job *job)
{
    fan_queue_push(&shares->queues[job->share], job);
    shares->count++;
}

void fan_shares_remove(struct fan_shares *shares, struct fan_job *job)
{
    fan_queue_remove(&shares->queues[job->share], job);
    shares->count--;
}

size_t fan_shares_room(const struct fan_shares *shares, const struct fan_job *job)
{
    unsigned has = shares->under_way[job->share];
    return has < job->share_max ? job->share_max - has : 0;
}

struct fan_job *fan_shares_pop(struct fan_shares *shares)
{
    for (unsigned looked = 0; shares->count > 0 && looked < FAN_SHARES; looked++) {
        shares->last = (shares->last + 1) % FAN_SHARES;
        struct fan_queue *queue = &shares->queues[shares->last];
        if (!queue->first || fan_shares_room(shares, queue->first) == 0)
            continue;
        shares->count--;
        return fan_queue_pop(queue);
    }
    return NULL;
}
