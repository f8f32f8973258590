/* Positions, by the golden vectors. */
#include "shared/codec/position.h"

#include "tests/unit/support/check.h"
#include "tests/unit/support/random.h"
#include "tests/unit/support/vectors.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int load(void **state)
{
    *state = vectors_load("schemas/vectors/position.json");
    return 0;
}

static int unload(void **state)
{
    yyjson_doc_free(*state);
    return 0;
}

static struct feed_seen seen_of(const char *text)
{
    struct feed_seen seen;
    assert_int_equal(sscanf(text, "%16" SCNx64 "%16" SCNx64, &seen.high, &seen.low), 2);
    return seen;
}

static void vectors_go_both_ways(void **state)
{
    size_t i, max;
    yyjson_val *vector;
    yyjson_arr_foreach(vectors_list(*state, "valid"), i, max, vector)
    {
        struct feed_position expected = {.seq = 0}, position;
        char text[FEED_POSITION_TEXT_MAX + 1];
        assert_int_equal(feed_unhex(vector_text(vector, "epoch"), expected.epoch, FEED_EPOCH_BYTES), FEED_OK);
        assert_int_equal(feed_str_to_u64(vector_text(vector, "seq"), UINT64_MAX, &expected.seq), FEED_OK);
        yyjson_val *seen = yyjson_obj_get(vector, "seen");
        if (seen)
            expected.seen = seen_of(yyjson_get_str(seen));
        struct feed_str given = exact_copy(vector_text(vector, "text"));
        assert_int_equal(feed_position_parse(given, &position), FEED_OK);
        assert_true(feed_position_eq(&position, &expected));
        feed_position_format(&expected, text);
        assert_true(feed_str_eq(feed_str_of(text), given));
        free_copy(given);
    }
}

static void everything_else_is_refused(void **state)
{
    size_t i, max;
    yyjson_val *value;
    yyjson_arr_foreach(vectors_list(*state, "invalid"), i, max, value)
    {
        struct feed_position position;
        struct feed_str text = vector_value(value);
        if (feed_position_parse(text, &position) != FEED_E_INVALID)
            fail_msg("accepted: %.*s", (int)text.len, text.data);
        free_copy(text);
    }
}

static void random_positions_come_back(void **state)
{
    (void)state;
    struct test_random random = {11};
    for (int round = 0; round < 5000; round++) {
        struct feed_position position = {.seq = test_random_next(&random) >> test_random_below(&random, 64)};
        struct feed_position back;
        char text[FEED_POSITION_TEXT_MAX + 1];
        uint64_t epoch = test_random_next(&random);
        memcpy(position.epoch, &epoch, FEED_EPOCH_BYTES);
        if (round % 2)
            position.seen = (struct feed_seen){test_random_next(&random), test_random_next(&random)};
        feed_position_format(&position, text);
        assert_int_equal(feed_position_parse(feed_str_of(text), &back), FEED_OK);
        assert_true(feed_position_eq(&back, &position));
        back.epoch[round % FEED_EPOCH_BYTES] ^= 1;
        assert_false(feed_position_eq(&back, &position));
        back = position;
        back.seq++;
        assert_false(feed_position_eq(&back, &position));
        back = position;
        back.seen.low ^= 1;
        assert_false(feed_position_eq(&back, &position));
        back = position;
        back.seen.high ^= 1;
        assert_false(feed_position_eq(&back, &position));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_go_both_ways),
        cmocka_unit_test(everything_else_is_refused),
        cmocka_unit_test(random_positions_come_back),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
