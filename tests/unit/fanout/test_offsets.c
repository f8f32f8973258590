/* Offsets: the committable position under finishing in any order, gaps, growth. */
#include "fanout/offsets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void nothing_seen_has_no_position(void **state)
{
    (void)state;
    struct fan_offsets offsets;
    fan_offsets_init(&offsets);
    assert_int_equal(fan_offsets_committable(&offsets), -1);
    fan_offsets_fini(&offsets);
}

static void position_waits_for_the_oldest(void **state)
{
    (void)state;
    struct fan_offsets offsets;
    fan_offsets_init(&offsets);
    uint64_t a = fan_offsets_begin(&offsets, 10, 1010), b = fan_offsets_begin(&offsets, 11, 1011),
             c = fan_offsets_begin(&offsets, 12, 1012);
    assert_int_equal(fan_offsets_committable(&offsets), 10);
    fan_offsets_finish(&offsets, c);
    fan_offsets_finish(&offsets, b);
    assert_int_equal(fan_offsets_committable(&offsets), 10);
    assert_int_equal(offsets.finished_ms, 0);
    fan_offsets_finish(&offsets, a);
    assert_int_equal(fan_offsets_committable(&offsets), 13);
    assert_int_equal(offsets.finished_ms, 1012);
    fan_offsets_fini(&offsets);
}

static void gaps_are_passed_over(void **state)
{
    (void)state;
    struct fan_offsets offsets;
    fan_offsets_init(&offsets);
    uint64_t a = fan_offsets_begin(&offsets, 5, 1005), b = fan_offsets_begin(&offsets, 900, 1900);
    fan_offsets_finish(&offsets, a);
    assert_int_equal(fan_offsets_committable(&offsets), 900);
    fan_offsets_finish(&offsets, b);
    assert_int_equal(fan_offsets_committable(&offsets), 901);
    fan_offsets_fini(&offsets);
}

static void is_full_at_its_limit(void **state)
{
    (void)state;
    struct fan_offsets offsets;
    fan_offsets_init(&offsets);
    uint64_t first = fan_offsets_begin(&offsets, 0, 1000);
    for (int64_t i = 1; i < FAN_OFFSETS_MAX; i++) {
        assert_false(fan_offsets_full(&offsets));
        fan_offsets_finish(&offsets, fan_offsets_begin(&offsets, i, 1000 + i));
    }
    assert_true(fan_offsets_full(&offsets));
    fan_offsets_finish(&offsets, first);
    assert_false(fan_offsets_full(&offsets));
    assert_int_equal(fan_offsets_committable(&offsets), FAN_OFFSETS_MAX);
    fan_offsets_fini(&offsets);
}

/* Against the plain meaning: the smallest offset that is not finished. */
static void agrees_with_the_plain_meaning(void **state)
{
    (void)state;
    enum { RECORDS = 5000, WINDOW = 300 };
    static uint64_t tickets[RECORDS];
    static bool finished[RECORDS];
    struct fan_offsets offsets;
    fan_offsets_init(&offsets);
    srand(3);
    int begun = 0, oldest = 0;
    while (oldest < RECORDS) {
        if (begun < RECORDS && begun - oldest < WINDOW && rand() % 2) {
            tickets[begun] = fan_offsets_begin(&offsets, begun, 1000 + begun);
            begun++;
        } else if (begun > oldest) {
            int i = oldest + rand() % (begun - oldest);
            if (!finished[i])
                fan_offsets_finish(&offsets, tickets[i]);
            finished[i] = true;
        }
        while (oldest < begun && finished[oldest])
            oldest++;
        assert_int_equal(fan_offsets_committable(&offsets), begun ? oldest : -1);
        assert_int_equal(fan_offsets_count(&offsets), begun - oldest);
        assert_int_equal(offsets.finished_ms, oldest ? 1000 + oldest - 1 : 0);
    }
    fan_offsets_fini(&offsets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_seen_has_no_position),  cmocka_unit_test(position_waits_for_the_oldest),
        cmocka_unit_test(gaps_are_passed_over),          cmocka_unit_test(is_full_at_its_limit),
        cmocka_unit_test(agrees_with_the_plain_meaning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
