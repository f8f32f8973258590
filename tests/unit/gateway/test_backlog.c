/* The bounds of the backlog. */
#include "gateway/backlog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct feed_notice notice(uint64_t seq, char *entry, size_t len)
{
    memset(entry, 'a' + (int)(seq % 26), len);
    return (struct feed_notice){.kind = FEED_NOTICE_ADD, .seq = seq, .published_ms = 1, .entry = {entry, len}};
}

static void backlog_is_bounded_by_count(void **state)
{
    (void)state;
    struct gw_backlog *backlog = NULL;
    char entry[20];
    assert_int_equal(gw_backlog_count(backlog), 0);
    for (uint64_t seq = 0; seq < GW_BACKLOG_NOTICES_MAX; seq++) {
        struct feed_notice n = notice(seq, entry, sizeof entry);
        assert_int_equal(gw_backlog_append(&backlog, &n), FEED_OK);
    }
    struct feed_notice more = notice(500, entry, sizeof entry);
    assert_int_equal(gw_backlog_append(&backlog, &more), FEED_E_FULL);
    assert_int_equal(gw_backlog_count(backlog), GW_BACKLOG_NOTICES_MAX);
    for (uint32_t i = 0; i < GW_BACKLOG_NOTICES_MAX; i++) {
        struct feed_notice n = gw_backlog_at(backlog, i);
        assert_int_equal(n.seq, i);
        assert_int_equal(n.entry.len, sizeof entry);
        assert_int_equal(n.entry.data[19], 'a' + (int)(i % 26));
    }
    gw_backlog_free(backlog);
}

static void backlog_is_bounded_by_bytes(void **state)
{
    (void)state;
    struct gw_backlog *backlog = NULL;
    char entry[FEED_ENTRY_MAX];
    uint32_t taken = 0;
    struct feed_notice n = notice(1, entry, sizeof entry);
    while (gw_backlog_append(&backlog, &n) == FEED_OK)
        taken++;
    assert_int_equal(taken, GW_BACKLOG_BYTES_MAX / FEED_ENTRY_MAX);
    n.entry.len = GW_BACKLOG_BYTES_MAX % FEED_ENTRY_MAX; /* still fits */
    assert_int_equal(gw_backlog_append(&backlog, &n), FEED_OK);
    gw_backlog_free(backlog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backlog_is_bounded_by_count),
        cmocka_unit_test(backlog_is_bounded_by_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
