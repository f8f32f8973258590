/* Turns: nobody waits for another's thousand. */
#include "gateway/turns.h"

#include "tests/unit/support/check.h"

enum { MANY = 1000 };

static struct gw_link many[MANY], few[3];

/* Takes what is next; which of `few`, or -1 for one of `many`. */
static int take(struct gw_turns *turns)
{
    struct gw_link *link = gw_turns_next(turns);
    assert_non_null(link);
    gw_link_remove(link);
    return link >= few && link < few + 3 ? (int)(link - few) : -1;
}

static void test_in_turn(void **state)
{
    (void)state;
    struct gw_turns turns;
    gw_turns_init(&turns);
    assert_null(gw_turns_next(&turns));
    for (int i = 0; i < MANY; i++) {
        gw_link_init(&many[i]);
        gw_turns_append(&turns, 7, &many[i]);
    }
    assert_int_equal(take(&turns), -1);
    for (int i = 0; i < 3; i++) {
        gw_link_init(&few[i]);
        gw_turns_append(&turns, 5, &few[i]);
    }
    for (int i = 0; i < 3; i++) { /* every second one */
        assert_int_equal(take(&turns), i);
        assert_int_equal(take(&turns), -1);
    }
    gw_link_remove(&many[500]); /* one that has gone meanwhile */
    for (int left = MANY - 5; left > 0; left--) {
        struct gw_link *link = gw_turns_next(&turns);
        assert_ptr_equal(link, gw_turns_next(&turns)); /* it stays until it is taken out */
        assert_int_equal(take(&turns), -1);
    }
    assert_null(gw_turns_next(&turns));
    assert_true(turns.some == 0);
    gw_turns_append(&turns, 0, &few[0]);
    gw_turns_append(&turns, 63, &few[1]);
    assert_int_equal(take(&turns) + take(&turns), 1);
    assert_null(gw_turns_next(&turns));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_in_turn)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
