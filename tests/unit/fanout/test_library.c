/* The text of the functions with the generation in it. */
#include "fanout/library.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void the_generation_takes_its_place(void **state)
{
    (void)state;
    struct feed_buf library;
    fan_library_write(FEED_STR("#!lua\nlocal GENERATION = '' -- why\nrest"), "00ff27aa", &library);
    assert_true(
        feed_str_eq(feed_buf_view(&library), FEED_STR("#!lua\nlocal GENERATION = '\\000\\255\\039' -- why\nrest")));
    feed_buf_fini(&library);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_generation_takes_its_place)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
