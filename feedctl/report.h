/* Turns what feedctl has read into text or JSON. Pure: every function appends to a buffer.
 * Text that came from outside is printed with control characters escaped, so that it cannot drive the operator's
 * terminal. */
#ifndef CTL_REPORT_H
#define CTL_REPORT_H

#include "shared/base/str.h"
#include "shared/codec/entry.h"
#include "shared/codec/position.h"

struct ctl_feed {
    struct feed_str tenant, user, feed;
    struct feed_position position;
};

/* A feed is reported in order: open, each entry (newest first), close. `shown` counts them. */
struct ctl_feed_report {
    bool json;
    size_t shown;
    struct feed_buf *out;
};
void ctl_feed_open(struct ctl_feed_report *report, const struct ctl_feed *feed);
/* bytes: an entry as Redis holds it; one that cannot be decoded is shown as such. */
void ctl_feed_entry(struct ctl_feed_report *report, struct feed_str bytes, int64_t published_ms);
void ctl_feed_close(struct ctl_feed_report *report);

struct ctl_follower {
    struct feed_str user;
    int64_t since_ms;
};
/* broadcast: how the author stands, as schemas/redis.md says; empty: what they do is copied. */
void ctl_followers(bool json, struct feed_str tenant, struct feed_str user, struct feed_str broadcast,
                   const struct ctl_follower *followers, size_t count, uint64_t total, struct feed_buf *out);

struct ctl_partition {
    int32_t partition;
    int64_t begin, end;
    int64_t committed; /* -1: nothing committed yet, so everything from `begin` is waiting */
};
int64_t ctl_partition_lag(const struct ctl_partition *partition);
void ctl_lag(bool json, struct feed_str topic, struct feed_str group, const struct ctl_partition *partitions,
             size_t count, struct feed_buf *out);

/* One dead letter; fields are empty when the record has no such header. */
struct ctl_dead_letter {
    struct feed_str reason, detail, source, attempts, time, key;
    int32_t partition;
    int64_t offset;
    size_t value_bytes;
};
void ctl_dead_letter(bool json, const struct ctl_dead_letter *letter, struct feed_buf *out);

#endif
