/* The topic graph in tests: what compaction leaves of it, and an empty Redis that is filled from it. */
#ifndef TESTS_UNIT_FANOUT_TOPIC_H
#define TESTS_UNIT_FANOUT_TOPIC_H

#include "redis_model.h"

enum { TOPIC_RECORDS_MAX = 128 };

struct topic {
    struct world_relation records[TOPIC_RECORDS_MAX]; /* the newest of each key */
    size_t count;
};

void topic_append(struct topic *topic, const struct world_relation *relation);
/* Loads it into a model that is made by this: records in any order, each once or twice, in a window of chance. Some
 * commands are carried out only after all others, as of a member that slept. */
void topic_load(const struct topic *topic, struct world *chance, unsigned page_followers, struct model *out);
/* Fails when the edges, followees, mutes, blocks and left out verbs of the two are not the same. */
void topic_expect_same(const struct model *expected, const struct model *loaded);

#endif
