/* Merge: the home feed of somebody who follows broadcast authors. What these do is not copied into the feeds of their
 * followers; it stays in their outboxes, and whoever reads a feed joins them with it. Pure; schemas/redis.md has the
 * rules. */
#ifndef FEED_MODEL_MERGE_H
#define FEED_MODEL_MERGE_H

#include "shared/base/id.h"
#include "shared/base/limits.h"
#include "shared/base/str.h"

/* An entry or a mark with its place in a timeline. */
struct feed_member {
    int64_t published_ms;
    struct feed_str bytes; /* borrowed; at least FEED_ID_BYTES, which are the id */
};

/* The verb is left out of what was published in from_ms <= time < until_ms. */
struct feed_verb_rule {
    struct feed_str verb; /* borrowed */
    int64_t from_ms, until_ms;
};

/* One outbox, and what its follower has settled about the author. */
struct feed_merge_source {
    const struct feed_member *members; /* newest first, marks among them; borrowed */
    size_t count;
    int64_t since_ms;        /* of the follow */
    int64_t visible_from_ms; /* what was published before is hidden by a mute or block; 0: nothing */
};

struct feed_merge_rules {
    const struct feed_verb_rule *verbs; /* borrowed */
    size_t verb_count;
};

enum feed_origin { FEED_ORIGIN_HOME = 1, FEED_ORIGIN_OUTBOX = 2 }; /* both: crossing the threshold leaves copies */

struct feed_merged {
    struct feed_member member;
    unsigned origin; /* of enum feed_origin */
};

/* >0 if a is newer. */
int feed_member_order(const struct feed_member *a, const struct feed_member *b);
/* Where the member stands, or, if it is not there, where it would be put. `found` says which; a mark counts as the
 * entry that it stands for. */
size_t feed_member_find(const struct feed_member *members, size_t count, int64_t published_ms, const uint8_t *id,
                        bool *found);

/* Whether the follower sees the i-th member of this outbox: an entry, published since the follow or among the
 * FEED_BACKFILL newest older ones (marks count among these), and not hidden. */
bool feed_merge_shows(const struct feed_merge_source *source, const struct feed_merge_rules *rules, size_t i);

/* The newest `limit` entries of the home feed (newest first, `home_count` of them) and of what is seen of the outboxes,
 * each once; a mark in an outbox hides the copy too. At most FEED_SOURCES_MAX sources (asserted). Returns how many
 * there are; `hidden` gets how many of the home feed's were left out because of marks. */
size_t feed_merge(const struct feed_member *home, size_t home_count, const struct feed_merge_source *sources,
                  size_t source_count, const struct feed_merge_rules *rules, size_t limit, struct feed_merged *out,
                  size_t *hidden);

#endif
