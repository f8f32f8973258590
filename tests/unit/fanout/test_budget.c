/* How much may be sent again. */
#include "fanout/budget.h"

#include "tests/unit/support/check.h"

enum { BURST = 50 };

static struct fan_budget full(void)
{
    struct fan_budget budget;
    fan_budget_init(&budget, 10, BURST, 1000);
    return budget;
}

/* How many are let through now. */
static unsigned take(struct fan_budget *budget, int64_t now_ms)
{
    unsigned taken = 0;
    for (; taken < 10 * BURST && fan_budget_allows(budget, now_ms); taken++)
        fan_budget_sent(budget, true);
    return taken;
}

static void a_full_one_is_a_window(void **state)
{
    (void)state;
    struct fan_budget budget = full();
    assert_int_equal(take(&budget, 1000), BURST);
    assert_int_equal(budget.sent, BURST);
    assert_int_equal(budget.held, 1);
    /* Asking takes nothing. */
    assert_false(fan_budget_allows(&budget, 1000));
    assert_int_equal(budget.held, 2);
}

static void first_sendings_add_their_share(void **state)
{
    (void)state;
    struct fan_budget budget = full();
    take(&budget, 1000);
    for (unsigned i = 0; i < 205; i++)
        fan_budget_sent(&budget, false);
    assert_int_equal(take(&budget, 1000), 20);
    for (unsigned i = 0; i < 5; i++)
        fan_budget_sent(&budget, false);
    assert_int_equal(take(&budget, 1000), 1);
}

static void a_few_come_with_time(void **state)
{
    (void)state;
    struct fan_budget budget = full();
    take(&budget, 1000);
    unsigned taken = 0;
    for (int64_t now_ms = 1000; now_ms <= 2000; now_ms++) /* however often it is asked */
        taken += take(&budget, now_ms);
    assert_int_equal(taken, FAN_BUDGET_PER_S);
}

static void never_more_than_a_window_is_saved(void **state)
{
    (void)state;
    struct fan_budget budget = full();
    for (unsigned i = 0; i < 100000; i++)
        fan_budget_sent(&budget, false);
    assert_int_equal(take(&budget, INT32_MAX), BURST);
}

/* The promise as a whole: whatever share of the commands fails. */
static void repetitions_stay_within_their_share(void **state)
{
    (void)state;
    for (unsigned failing = 5; failing <= 100; failing += 5) {
        struct fan_budget budget = full();
        uint64_t first = 0, waiting = 0;
        for (int64_t now_ms = 1000; now_ms < 61000; now_ms += 10) {
            for (unsigned i = 0; i < 100; i++, first++) {
                fan_budget_sent(&budget, false);
                waiting += i < failing;
            }
            for (; waiting && fan_budget_allows(&budget, now_ms); waiting--)
                fan_budget_sent(&budget, true);
        }
        assert_true(budget.sent <= first / 10 + 60 * FAN_BUDGET_PER_S + BURST);
        /* And where few fail, all are repeated. */
        assert_true(failing > 10 || waiting == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_one_is_a_window),
        cmocka_unit_test(first_sendings_add_their_share),
        cmocka_unit_test(a_few_come_with_time),
        cmocka_unit_test(never_more_than_a_window_is_saved),
        cmocka_unit_test(repetitions_stay_within_their_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
