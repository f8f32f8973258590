/* The set of commands that are not done. */
#include "fanout/todo.h"

#include "tests/unit/support/check.h"

static void it_begins_full_and_is_emptied_in_any_order(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 63, 64, 65, 500, FAN_TODO_MAX};
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        struct fan_todo todo;
        fan_todo_fill(&todo, counts[c]);
        size_t seen = 0;
        for (size_t i = fan_todo_next(&todo, 0, counts[c]); i < counts[c]; i = fan_todo_next(&todo, i + 1, counts[c]))
            assert_int_equal(i, seen++);
        assert_int_equal(seen, counts[c]);
        for (size_t i = 0; i < counts[c]; i++)
            fan_todo_done(&todo, (i * 11 + 3) % counts[c]); /* 11 divides none of the counts: each once */
        assert_int_equal(fan_todo_next(&todo, 0, counts[c]), counts[c]);
    }
}

static void the_next_one_is_found_over_gaps(void **state)
{
    (void)state;
    struct fan_todo todo;
    fan_todo_fill(&todo, 300);
    for (size_t i = 0; i < 300; i++) {
        if (i != 5 && i != 64 && i != 299)
            fan_todo_done(&todo, i);
    }
    assert_int_equal(fan_todo_next(&todo, 0, 300), 5);
    assert_true(fan_todo_has(&todo, 5) && fan_todo_has(&todo, 64) && fan_todo_has(&todo, 299));
    assert_false(fan_todo_has(&todo, 4) || fan_todo_has(&todo, 63) || fan_todo_has(&todo, 298));
    assert_int_equal(fan_todo_next(&todo, 6, 300), 64);
    assert_int_equal(fan_todo_next(&todo, 65, 300), 299);
    assert_int_equal(fan_todo_next(&todo, 300, 300), 300);
    fan_todo_done(&todo, 299);
    assert_int_equal(fan_todo_next(&todo, 65, 300), 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_begins_full_and_is_emptied_in_any_order),
        cmocka_unit_test(the_next_one_is_found_over_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
