/* Finding feeds by key. */
#include "gateway/feed_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void map_finds_what_is_in_it(void **state)
{
    (void)state;
    enum { FEEDS = 1000 };
    struct gw_feed_map map;
    struct gw_feed *feeds[FEEDS];
    assert_int_equal(gw_feed_map_init(&map, 7), FEED_OK);
    for (unsigned i = 0; i < FEEDS; i++) {
        char key[32];
        snprintf(key, sizeof key, "f:{demo/user%u}", i);
        assert_null(gw_feed_map_find(&map, feed_str_of(key)));
        feeds[i] = gw_feed_new(FEED_TIMELINE_HOME, feed_str_of(key));
        gw_feed_map_add(&map, feeds[i]);
    }
    assert_int_equal(map.count, FEEDS);
    for (unsigned i = 0; i < FEEDS; i += 2) {
        gw_feed_map_remove(&map, feeds[i]);
        assert_null(gw_feed_map_find(&map, gw_feed_key(feeds[i])));
    }
    for (unsigned i = 1; i < FEEDS; i += 2)
        assert_ptr_equal(gw_feed_map_find(&map, gw_feed_key(feeds[i])), feeds[i]);
    gw_feed_map_fini(&map);
    for (unsigned i = 0; i < FEEDS; i++)
        gw_feed_free(feeds[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_finds_what_is_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
