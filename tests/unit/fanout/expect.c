#include "expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

const int32_t partition_0[1] = {0};

void start(struct world *world)
{
    world_init(world, NULL);
    world_start(world, partition_0, 1);
}

void expect(const struct world *world, const char *text)
{
    assert_non_null(world->first);
    assert_string_equal(world->first->text, text);
}

void expect_int(struct world *world, const char *text, int64_t answer)
{
    expect(world, text);
    world_answer_int(world, answer);
}

void expect_list(struct world *world, const char *text, const char *const *answer, size_t count)
{
    expect(world, text);
    world_answer_list(world, answer, count);
}

void done(struct world *world)
{
    assert_null(world->first);
    assert_int_equal(fan_engine_records(world->engine), 0);
    assert_int_equal(fan_engine_commands(world->engine), 0);
    assert_int_equal(world->relation_count, 0);
    world_fini(world);
}
