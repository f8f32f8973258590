/* The map of slots: drafts from outside, and numbers that stay. */
#include "shared/redis/topology.h"

#include "tests/unit/support/check.h"
#include "tests/unit/support/random.h"

#include <stdio.h>
#include <string.h>

static struct feed_topology topology;
static struct feed_topology_draft draft;

static int setup(void **state)
{
    (void)state;
    feed_topology_init(&topology);
    feed_topology_draft_init(&draft);
    return 0;
}

static void master(const char *host, int64_t port, int64_t first, int64_t last)
{
    feed_topology_draft_master(&draft, feed_str_of(host), port, "asked");
    if (first <= last)
        feed_topology_draft_slots(&draft, first, last);
}

/* Applies the draft and begins another. */
static bool apply(void)
{
    bool changed = false;
    assert_int_equal(feed_topology_apply(&topology, &draft, &changed), FEED_OK);
    feed_topology_draft_init(&draft);
    return changed;
}

static int number_of(const char *host, int port)
{
    struct feed_endpoint endpoint;
    assert_true(feed_endpoint_set(&endpoint, feed_str_of(host), port, ""));
    return feed_topology_find(&topology, &endpoint);
}

static void three_masters(void)
{
    master("a", 1, 0, 5460);
    master("b", 1, 5461, 10922);
    master("c", 1, 10923, 16383);
    assert_true(apply());
}

static void nothing_is_known_at_first(void **state)
{
    (void)state;
    assert_int_equal(feed_topology_owner(&topology, 0), FEED_SHARD_NONE);
    assert_int_equal(topology.covered, 0);
}

static void a_map_gives_each_slot_its_owner(void **state)
{
    (void)state;
    three_masters();
    assert_int_equal(topology.covered, FEED_SLOTS);
    assert_int_equal(feed_topology_owner(&topology, 5460), number_of("a", 1));
    assert_int_equal(feed_topology_owner(&topology, 5461), number_of("b", 1));
    assert_int_equal(feed_topology_owner(&topology, 16383), number_of("c", 1));
    assert_int_equal(topology.shards[number_of("c", 1)].slots, 5461);
}

static void the_same_map_again_changes_nothing(void **state)
{
    (void)state;
    three_masters();
    master("c", 1, 10923, 16383);
    master("a", 1, 0, 5460);
    master("b", 1, 5461, 10922);
    assert_false(apply());
}

static void a_master_keeps_its_number(void **state)
{
    (void)state;
    three_masters();
    int c = number_of("c", 1);
    /* b failed over to d, and a master without slots joined. */
    master("d", 1, 5461, 10922);
    master("c", 1, 10923, 16383);
    master("e", 1, 1, 0);
    master("a", 1, 0, 5460);
    assert_true(apply());
    assert_int_equal(number_of("c", 1), c);
    assert_int_equal(feed_topology_owner(&topology, 5461), number_of("d", 1));
    assert_true(topology.shards[number_of("e", 1)].listed);
    int b = number_of("b", 1);
    assert_true(topology.shards[b].known && !topology.shards[b].listed);
    assert_int_equal(topology.shards[b].slots, 0);
    feed_topology_forget(&topology, b);
    assert_int_equal(number_of("b", 1), FEED_SHARD_NONE);
}

static void a_redirect_moves_one_slot(void **state)
{
    (void)state;
    three_masters();
    struct feed_endpoint to;
    assert_true(feed_endpoint_set(&to, FEED_STR("new"), 9, ""));
    int shard = feed_topology_moved(&topology, 100, &to);
    assert_int_equal(feed_topology_owner(&topology, 100), shard);
    assert_int_equal(feed_topology_owner(&topology, 101), number_of("a", 1));
    assert_false(topology.shards[shard].listed);
    assert_int_equal(topology.shards[shard].slots, 1);
    assert_int_equal(topology.covered, FEED_SLOTS);
    /* A map that does not have it yet takes it back. */
    master("a", 1, 0, 5460);
    master("b", 1, 5461, 10922);
    master("c", 1, 10923, 16383);
    assert_true(apply());
    assert_int_equal(feed_topology_owner(&topology, 100), number_of("a", 1));
    assert_int_equal(topology.shards[shard].slots, 0);
}

static void slots_may_be_without_owner(void **state)
{
    (void)state;
    three_masters();
    master("a", 1, 0, 5460);
    master("c", 1, 10923, 16383);
    assert_true(apply());
    assert_int_equal(feed_topology_owner(&topology, 6000), FEED_SHARD_NONE);
    assert_int_equal(topology.covered, FEED_SLOTS - 5462);
}

static void an_empty_host_is_the_one_that_was_asked(void **state)
{
    (void)state;
    master("", 7, 0, 16383);
    apply();
    assert_int_equal(number_of("asked", 7), feed_topology_owner(&topology, 0));
}

static void a_faulty_map_changes_nothing(void **state)
{
    (void)state;
    static const int64_t ranges[][2] = {{-1, 5},           {0, 16384},   {7, 3},        {INT64_MIN, INT64_MAX},
                                        {5460, INT64_MAX}, {5460, 5461}, {16383, 16384}};
    three_masters();
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        feed_topology_draft_init(&draft);
        master("x", 1, 0, 5460);
        feed_topology_draft_slots(&draft, ranges[i][0], ranges[i][1]);
        bool changed;
        assert_int_equal(feed_topology_apply(&topology, &draft, &changed), FEED_E_INVALID);
    }
    const struct {
        const char *host;
        int64_t port;
    } masters[] = {{"a b", 1}, {"?", 1}, {"x", 0}, {"x", 65536}, {"x", -1}, {"y", 1}};
    for (size_t i = 0; i < sizeof masters / sizeof masters[0]; i++) {
        feed_topology_draft_init(&draft);
        master("y", 1, 0, 1); /* y itself is there twice in the last row */
        master(masters[i].host, masters[i].port, 2, 3);
        bool changed;
        assert_int_equal(feed_topology_apply(&topology, &draft, &changed), FEED_E_INVALID);
    }
    feed_topology_draft_init(&draft);
    bool changed;
    assert_int_equal(feed_topology_apply(&topology, &draft, &changed), FEED_E_INVALID); /* no master */
    feed_topology_draft_slots(&draft, 0, 1);                                            /* slots of nobody */
    master("x", 1, 2, 3);
    assert_int_equal(feed_topology_apply(&topology, &draft, &changed), FEED_E_INVALID);
    assert_int_equal(feed_topology_owner(&topology, 5460), number_of("a", 1));
    assert_int_equal(number_of("x", 1), FEED_SHARD_NONE);
}

static void masters_are_bounded(void **state)
{
    (void)state;
    for (int i = 0; i < FEED_SHARDS_MAX; i++)
        master("m", 1000 + i, i, i);
    assert_true(apply());
    struct feed_endpoint one_more;
    assert_true(feed_endpoint_set(&one_more, FEED_STR("z"), 1, ""));
    assert_int_equal(feed_topology_moved(&topology, 0, &one_more), FEED_SHARD_NONE);
    assert_int_equal(feed_topology_owner(&topology, 0), number_of("m", 1000));
    /* As many others do not fit before the old ones are forgotten; one more than the most never does. */
    for (int i = 0; i < FEED_SHARDS_MAX; i++)
        master("n", 1000 + i, i, i);
    bool changed;
    assert_int_equal(feed_topology_apply(&topology, &draft, &changed), FEED_E_FULL);
    master("n", 5000, 1, 0);
    assert_int_equal(feed_topology_apply(&topology, &draft, &changed), FEED_E_TOO_LARGE);
    assert_int_equal(feed_topology_owner(&topology, 5), number_of("m", 1005));
}

/* Whatever is applied, moved and forgotten: the counts are those of the slots. */
static void counts_hold_under_chance(void **state)
{
    (void)state;
    struct test_random random = {42};
    for (int round = 0; round < 3000; round++) {
        char host[2] = {(char)('a' + test_random_below(&random, 10)), 0};
        struct feed_endpoint endpoint;
        assert_true(feed_endpoint_set(&endpoint, feed_str_of(host), 1, ""));
        if (test_random_below(&random, 4)) {
            (void)feed_topology_moved(&topology, (unsigned)test_random_below(&random, FEED_SLOTS), &endpoint);
        } else {
            feed_topology_draft_init(&draft);
            for (int64_t first = 0; first < FEED_SLOTS && draft.count < 8; first += 2500) {
                host[0] = (char)('a' + test_random_below(&random, 10));
                master(host, 1, first, first + (int64_t)test_random_below(&random, 2500) % (FEED_SLOTS - first));
            }
            bool changed;
            (void)!feed_topology_apply(&topology, &draft, &changed);
        }
        for (int i = 0; i < FEED_SHARDS_MAX; i++) {
            if (topology.shards[i].known && !topology.shards[i].listed && topology.shards[i].slots == 0)
                feed_topology_forget(&topology, i);
        }
    }
    unsigned slots[FEED_SHARDS_MAX] = {0}, covered = 0;
    for (unsigned slot = 0; slot < FEED_SLOTS; slot++) {
        int owner = feed_topology_owner(&topology, slot);
        if (owner == FEED_SHARD_NONE)
            continue;
        assert_true(topology.shards[owner].known);
        slots[owner]++;
        covered++;
    }
    assert_int_equal(topology.covered, covered);
    for (int i = 0; i < FEED_SHARDS_MAX; i++)
        assert_int_equal(topology.shards[i].slots, slots[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_is_known_at_first, setup),
        cmocka_unit_test_setup(a_map_gives_each_slot_its_owner, setup),
        cmocka_unit_test_setup(the_same_map_again_changes_nothing, setup),
        cmocka_unit_test_setup(a_master_keeps_its_number, setup),
        cmocka_unit_test_setup(a_redirect_moves_one_slot, setup),
        cmocka_unit_test_setup(slots_may_be_without_owner, setup),
        cmocka_unit_test_setup(an_empty_host_is_the_one_that_was_asked, setup),
        cmocka_unit_test_setup(a_faulty_map_changes_nothing, setup),
        cmocka_unit_test_setup(masters_are_bounded, setup),
        cmocka_unit_test_setup(counts_hold_under_chance, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
