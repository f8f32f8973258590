/* The tables of metrics. */
#include "gateway/metrics.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void metrics_enum_names_its_rows(void **state)
{
    (void)state;
    assert_string_equal(gw_metrics_table[GW_M_MESSAGES_SENT].name, "websocket_messages_sent_total");
    assert_string_equal(gw_metrics_table[GW_M_CLOSES].name, "websocket_closes_total");
    assert_string_equal(gw_metrics_table[GW_M_QUEUE_BYTES].name, "websocket_queue_bytes");
    assert_string_equal(gw_metrics_table[GW_M_SESSIONS].name, "gateway_sessions");
    assert_string_equal(gw_metrics_table[GW_M_FEEDS].name, "gateway_feeds");
    assert_string_equal(gw_metrics_table[GW_M_READ_FAILURES].name, "gateway_read_failures_total");
    assert_string_equal(gw_metrics_table[GW_M_NOTICES].name, "gateway_notices_total");
    assert_string_equal(gw_metrics_table[GW_M_SEQ_GAPS].name, "gateway_seq_gaps_total");
    assert_string_equal(gw_metrics_table[GW_M_ENTRIES_UNREADABLE].name, "gateway_entries_unreadable_total");
    assert_string_equal(gw_metrics_table[GW_M_REDIS_SHARDS_READY].name, "redis_shards_ready");
    assert_string_equal(gw_metrics_table[GW_M_START_TIME].name, "process_start_time_seconds");
    assert_null(gw_metrics_table[GW_M_START_TIME + 1].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metrics_enum_names_its_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
