/* What becomes of a command, by what was said of it. */
#include "shared/redis/route.h"

#include "tests/unit/support/check.h"

static enum feed_route_event event(const char *text)
{
    return feed_route_event_of(feed_str_of(text));
}

static void errors_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(event("MOVED 1 h:1"), FEED_ROUTE_MOVED);
    assert_int_equal(event("ASK 1 h:1"), FEED_ROUTE_ASKED);
    assert_int_equal(event("TRYAGAIN Multiple keys request during rehashing of slot"), FEED_ROUTE_TRYAGAIN);
    assert_int_equal(event("CLUSTERDOWN The cluster is down"), FEED_ROUTE_DOWN);
    assert_int_equal(event("WRONGTYPE Operation"), FEED_ROUTE_ANSWERED);
    assert_int_equal(event("MOVEDLY"), FEED_ROUTE_ANSWERED);
    assert_int_equal(event(""), FEED_ROUTE_ANSWERED);
}

static void expect(enum feed_route_event what, unsigned hops, unsigned waits, enum feed_route_act act, bool refresh)
{
    struct feed_route_step step = feed_route_next(what, hops, waits);
    assert_int_equal(step.act, act);
    assert_int_equal(step.refresh, refresh);
}

static void redirections_are_followed_a_bounded_number_of_times(void **state)
{
    (void)state;
    expect(FEED_ROUTE_MOVED, 0, 0, FEED_ROUTE_SEND, true);
    expect(FEED_ROUTE_ASKED, 1, 0, FEED_ROUTE_ASK, false);
    expect(FEED_ROUTE_MOVED, FEED_ROUTE_HOPS_MAX - 1, 99, FEED_ROUTE_SEND, true);
    expect(FEED_ROUTE_MOVED, FEED_ROUTE_HOPS_MAX, 0, FEED_ROUTE_DELIVER, true);
    expect(FEED_ROUTE_ASKED, FEED_ROUTE_HOPS_MAX, 0, FEED_ROUTE_DELIVER, true);
}

static void a_slot_on_its_way_is_waited_for_a_while(void **state)
{
    (void)state;
    expect(FEED_ROUTE_TRYAGAIN, FEED_ROUTE_HOPS_MAX, 0, FEED_ROUTE_WAIT, false);
    expect(FEED_ROUTE_TRYAGAIN, 0, FEED_ROUTE_WAITS_MAX, FEED_ROUTE_DELIVER, true);
}

static void what_is_lost_or_refused_is_the_callers(void **state)
{
    (void)state;
    expect(FEED_ROUTE_ANSWERED, 0, 0, FEED_ROUTE_DELIVER, false);
    expect(FEED_ROUTE_LOST, 0, 0, FEED_ROUTE_DELIVER, true);
    expect(FEED_ROUTE_DOWN, 0, 0, FEED_ROUTE_DELIVER, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_told_apart),
        cmocka_unit_test(redirections_are_followed_a_bounded_number_of_times),
        cmocka_unit_test(a_slot_on_its_way_is_waited_for_a_while),
        cmocka_unit_test(what_is_lost_or_refused_is_the_callers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
