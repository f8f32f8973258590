/* Waiting before another try. */
#include "shared/base/backoff.h"

#include "tests/unit/support/check.h"

static const struct feed_backoff backoff = {.first_ms = 100, .max_ms = 5000};

static void the_span_doubles_up_to_its_end(void **state)
{
    (void)state;
    static const uint64_t spans[] = {100, 200, 400, 800, 1600, 3200, 5000, 5000};
    for (unsigned attempt = 0; attempt < sizeof spans / sizeof spans[0]; attempt++) {
        uint64_t most = 0, least = UINT64_MAX;
        for (uint64_t random = 0; random < 6000; random++) {
            uint64_t ms = feed_backoff_ms(backoff, attempt, random);
            most = ms > most ? ms : most;
            least = ms < least ? ms : least;
        }
        assert_int_equal(most, spans[attempt]);
        assert_int_equal(least, 25);
    }
    assert_int_equal(feed_backoff_ms(backoff, UINT32_MAX, 4975), 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_span_doubles_up_to_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
