/* What the tests of the engine say to their world: what is expected of it next, and that nothing is left in the end. */
#ifndef TESTS_UNIT_FANOUT_EXPECT_H
#define TESTS_UNIT_FANOUT_EXPECT_H

#include "world.h"

extern const int32_t partition_0[1];

/* A world of partition 0. */
void start(struct world *world);
/* The oldest command is this one; it is answered with this. */
void expect(const struct world *world, const char *text);
void expect_int(struct world *world, const char *text, int64_t answer);
void expect_list(struct world *world, const char *text, const char *const *answer, size_t count);
/* Nothing is in hand or under way. Ends the world. */
void done(struct world *world);

#endif
