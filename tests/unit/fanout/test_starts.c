/* From where partitions are read: what was committed counts only in the life in which it was. */
#include "fanout/starts.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const int32_t three[] = {4, 7, 9};

static size_t take(struct fan_starts *starts, enum fan_start_state state)
{
    int32_t out[8];
    return fan_starts_take(starts, state, out, 8);
}

static struct fan_starts settled(void)
{
    struct fan_starts starts;
    fan_starts_init(&starts);
    fan_starts_assigned(&starts, three, 3);
    assert_int_equal(take(&starts, FAN_START_ASK), 3);
    for (int i = 0; i < 3; i++)
        fan_starts_answer(&starts, three[i], FAN_START_COMMITTED);
    assert_true(fan_starts_settled(&starts));
    return starts;
}

static void nothing_assigned_is_settled(void **state)
{
    (void)state;
    struct fan_starts starts;
    fan_starts_init(&starts);
    assert_true(fan_starts_settled(&starts));
    fan_starts_fini(&starts);
}

static void new_partitions_are_asked_for_once(void **state)
{
    (void)state;
    struct fan_starts starts = settled();
    assert_int_equal(take(&starts, FAN_START_ASK), 0);
    fan_starts_assigned(&starts, (const int32_t[]){7, 11}, 2);
    assert_false(fan_starts_settled(&starts));
    int32_t out[8];
    assert_int_equal(fan_starts_take(&starts, FAN_START_ASK, out, 8), 1);
    assert_int_equal(out[0], 11);
    fan_starts_answer(&starts, 11, FAN_START_COMMITTED);
    assert_true(fan_starts_settled(&starts));
    fan_starts_fini(&starts);
}

static void what_was_committed_in_another_life_is_read_again(void **state)
{
    (void)state;
    struct fan_starts starts;
    fan_starts_init(&starts);
    fan_starts_assigned(&starts, three, 3);
    take(&starts, FAN_START_ASK);
    fan_starts_answer(&starts, 4, FAN_START_COMMITTED);
    fan_starts_answer(&starts, 7, FAN_START_ANEW);
    fan_starts_answer(&starts, 9, FAN_START_COMMITTED);
    int32_t out[8];
    for (int i = 0; i < 2; i++) { /* until it is done */
        assert_false(fan_starts_settled(&starts));
        assert_int_equal(fan_starts_take(&starts, FAN_START_REWIND, out, 8), 1);
        assert_int_equal(out[0], 7);
    }
    assert_int_equal(fan_starts_from(&starts, 7), FAN_START_ANEW);
    fan_starts_rewound(&starts, 7);
    assert_true(fan_starts_settled(&starts));
    assert_int_equal(fan_starts_from(&starts, 7), FAN_START_ANEW);
    assert_int_equal(fan_starts_from(&starts, 4), FAN_START_COMMITTED);
    fan_starts_fini(&starts);
}

static void another_life_sends_all_back_that_were_read(void **state)
{
    (void)state;
    struct fan_starts starts = settled();
    fan_starts_assigned(&starts, (const int32_t[]){11, 12}, 2);
    int32_t out[8];
    fan_starts_take(&starts, FAN_START_ASK, out, 1); /* one of them is asked for, the other not */
    fan_starts_another_life(&starts);
    assert_int_equal(take(&starts, FAN_START_REWIND), 3);
    fan_starts_answer(&starts, out[0], FAN_START_COMMITTED); /* it was about the life before */
    assert_int_equal(take(&starts, FAN_START_ASK), 2);
    fan_starts_fini(&starts);
}

static void what_may_be_lost_is_read_again_from_where_it_was_safe(void **state)
{
    (void)state;
    struct fan_starts starts = settled();
    fan_starts_assigned(&starts, (const int32_t[]){11}, 1);
    take(&starts, FAN_START_ASK);
    assert_true(fan_starts_replay(&starts, 4, 120));
    assert_true(fan_starts_replay(&starts, 7, 0));
    assert_false(fan_starts_replay(&starts, 11, 5)); /* what was committed for it is not known yet, and asked again */
    fan_starts_doubt(&starts);
    fan_starts_answer(&starts, 11, FAN_START_COMMITTED);
    assert_int_equal(take(&starts, FAN_START_REWIND), 2);
    assert_int_equal(fan_starts_from(&starts, 4), 120);
    assert_int_equal(take(&starts, FAN_START_ASK), 1);
    fan_starts_answer(&starts, 11, 77);
    assert_int_equal(fan_starts_from(&starts, 11), 77);
    assert_false(fan_starts_settled(&starts));
    fan_starts_fini(&starts);
}

static void the_earliest_of_two_losses_decides(void **state)
{
    (void)state;
    struct fan_starts starts = settled();
    assert_true(fan_starts_replay(&starts, 4, 120));
    assert_true(fan_starts_replay(&starts, 4, 130)); /* it was not rewound yet */
    assert_int_equal(fan_starts_from(&starts, 4), 120);
    assert_true(fan_starts_replay(&starts, 4, FAN_START_BEGINNING));
    fan_starts_another_life(&starts);
    assert_true(fan_starts_replay(&starts, 4, FAN_START_BEGINNING));
    assert_int_equal(fan_starts_from(&starts, 4), FAN_START_ANEW);
    fan_starts_rewound(&starts, 4);
    assert_true(fan_starts_replay(&starts, 4, 130)); /* after it: the new one alone */
    assert_int_equal(fan_starts_from(&starts, 4), 130);
    fan_starts_fini(&starts);
}

static void what_was_not_answered_is_asked_again(void **state)
{
    (void)state;
    struct fan_starts starts;
    fan_starts_init(&starts);
    fan_starts_assigned(&starts, three, 3);
    take(&starts, FAN_START_ASK);
    fan_starts_answer(&starts, 4, FAN_START_COMMITTED);
    fan_starts_unanswered(&starts);
    assert_int_equal(take(&starts, FAN_START_ASK), 2);
    fan_starts_fini(&starts);
}

static void revoked_partitions_are_nobodys_business(void **state)
{
    (void)state;
    struct fan_starts starts;
    fan_starts_init(&starts);
    fan_starts_assigned(&starts, three, 3);
    take(&starts, FAN_START_ASK);
    fan_starts_answer(&starts, 4, FAN_START_COMMITTED);
    fan_starts_revoked(&starts, (const int32_t[]){9, 7, 100}, 3);
    assert_true(fan_starts_settled(&starts));
    fan_starts_answer(&starts, 7, FAN_START_ANEW);
    fan_starts_rewound(&starts, 9);
    assert_true(fan_starts_settled(&starts));
    fan_starts_fini(&starts);
}

static void many_partitions_are_taken_in_parts(void **state)
{
    (void)state;
    struct fan_starts starts;
    fan_starts_init(&starts);
    for (int32_t i = 0; i < 100; i++)
        fan_starts_assigned(&starts, &i, 1);
    int32_t out[64];
    assert_int_equal(fan_starts_take(&starts, FAN_START_ASK, out, 64), 64);
    assert_int_equal(fan_starts_take(&starts, FAN_START_ASK, out, 64), 36);
    fan_starts_fini(&starts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_assigned_is_settled),
        cmocka_unit_test(new_partitions_are_asked_for_once),
        cmocka_unit_test(what_was_committed_in_another_life_is_read_again),
        cmocka_unit_test(another_life_sends_all_back_that_were_read),
        cmocka_unit_test(what_may_be_lost_is_read_again_from_where_it_was_safe),
        cmocka_unit_test(the_earliest_of_two_losses_decides),
        cmocka_unit_test(what_was_not_answered_is_asked_again),
        cmocka_unit_test(revoked_partitions_are_nobodys_business),
        cmocka_unit_test(many_partitions_are_taken_in_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
