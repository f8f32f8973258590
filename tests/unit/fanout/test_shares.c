/* Shares: a tenant that floods the fan-out delays itself, and others by no more than its turn. */
#include "fanout/shares.h"

#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FLOOD = 50 };

static const int32_t partition_0[] = {0};

static void start(struct world *world, unsigned commands_max)
{
    const struct fan_settings settings = {
        .records_max = 200, .bytes_max = 1024 * 1024, .commands_max = commands_max, .cap = 100, .backfill = 20};
    world_init(world, &settings);
    world_start(world, partition_0, 1);
}

static void post_of(struct world *world, const char *tenant, unsigned number)
{
    char actor[16];
    snprintf(actor, sizeof actor, "user%u", number);
    struct sample sample = {.offset = number,
                            .id = number,
                            .published_ms = 1000,
                            .actor = actor,
                            .verb = "post",
                            .object = "n1",
                            .tenant = tenant};
    world_record(world, &sample);
}

static bool is_for(const struct world *world, const char *tenant)
{
    return strstr(world->first->text, tenant) != NULL;
}

/* Good weather: nobody has followers. */
static void answer(struct world *world)
{
    if (strstr(world->first->text, "followers"))
        world_answer_list(world, NULL, 0);
    else
        world_answer_int(world, 1);
}

static void a_single_record_does_not_wait_for_a_flood(void **state)
{
    (void)state;
    struct world world;
    start(&world, 1);
    for (unsigned i = 0; i < FLOOD; i++)
        post_of(&world, "flood", i);
    post_of(&world, "quiet", FLOOD);
    /* One of the flood is under way. From then on every second command is for the other one: two, and it is done. */
    unsigned before = 0, commands = 0;
    while (commands < 2) {
        assert_non_null(world.first);
        if (is_for(&world, "{quiet/"))
            commands++;
        else
            before++;
        answer(&world);
    }
    assert_true(before <= 3);
    while (world.first)
        answer(&world);
    assert_int_equal(fan_engine_records(world.engine), 0);
    world_fini(&world);
}

/* Of many commands at a time a tenant has its share under way, and no more; what is left is for others at once. */
static void a_share_has_a_bound(void **state)
{
    (void)state;
    struct world world;
    start(&world, 20);
    world.share = 5;
    for (unsigned i = 0; i < FLOOD; i++)
        post_of(&world, "flood", i);
    assert_int_equal(fan_engine_commands(world.engine), 5);
    post_of(&world, "quiet", FLOOD);
    assert_int_equal(fan_engine_commands(world.engine), 6); /* it does not wait for any answer */
    while (world.first) {
        answer(&world);
        assert_true(fan_engine_commands(world.engine) <= 6);
    }
    assert_int_equal(fan_engine_records(world.engine), 0); /* the bound keeps nothing back for ever */
    world_fini(&world);
}

static void within_a_tenant_the_order_of_arrival_holds(void **state)
{
    (void)state;
    struct world world;
    start(&world, 1);
    for (unsigned i = 0; i < 5; i++)
        post_of(&world, "flood", i);
    for (unsigned i = 0; i < 5; i++) {
        char expected[64];
        snprintf(expected, sizeof expected, "post o:{flood/user%u} 1000 #%u", i, i);
        assert_string_equal(world.first->text, expected);
        world_answer_int(&world, 1);
    }
    while (world.first)
        answer(&world);
    world_fini(&world);
}

static void jobs_leave_from_anywhere(void **state)
{
    (void)state;
    struct world world;
    start(&world, 1);
    post_of(&world, "one", 0);
    post_of(&world, "two", 1);
    post_of(&world, "three", 2);
    fan_engine_revoked(world.engine, partition_0, 1);
    answer(&world);
    assert_null(world.first);
    assert_int_equal(fan_engine_records(world.engine), 0);
    world_fini(&world);
}

static void everybody_comes_once_in_a_round(void **state)
{
    (void)state;
    enum { TENANTS = 40, EACH = 3 };
    static struct fan_shares shares;
    static struct fan_job jobs[TENANTS * EACH];
    memset(&shares, 0, sizeof shares);
    bool taken[FAN_SHARES] = {false};
    size_t distinct = 0;
    for (unsigned i = 0; i < TENANTS * EACH; i++) {
        char name[16];
        snprintf(name, sizeof name, "tenant-%u", i % TENANTS);
        jobs[i].share = fan_share_of(feed_str_of(name));
        jobs[i].share_max = 1;
        distinct += !taken[jobs[i].share];
        taken[jobs[i].share] = true;
        fan_shares_push(&shares, &jobs[i]);
    }
    assert_true(distinct > TENANTS / 2);
    memset(taken, 0, sizeof taken);
    for (size_t i = 0; i < distinct; i++) {
        struct fan_job *job = fan_shares_pop(&shares);
        assert_false(taken[job->share]);
        taken[job->share] = true;
    }
    while (fan_shares_pop(&shares))
        distinct++;
    assert_int_equal(distinct, TENANTS * EACH);
    assert_int_equal(shares.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_single_record_does_not_wait_for_a_flood),
        cmocka_unit_test(a_share_has_a_bound),
        cmocka_unit_test(within_a_tenant_the_order_of_arrival_holds),
        cmocka_unit_test(jobs_leave_from_anywhere),
        cmocka_unit_test(everybody_comes_once_in_a_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
