/* What the gateway counts and measures. The enum names the rows of gw_metrics_table, in order. */
#ifndef GW_METRICS_H
#define GW_METRICS_H

#include "shared/observe/metrics.h"

enum gw_metric {
    GW_M_MESSAGES_SENT, /* label: feed_metrics_tenant */
    GW_M_CONNECTIONS,
    GW_M_CLOSES,             /* label: enum gw_close */
    GW_M_TENANT_REFUSED,     /* label: feed_metrics_tenant */
    GW_M_HANDSHAKES_REFUSED, /* label: enum gw_refusal */
    GW_M_QUEUE_BYTES,
    GW_M_SESSIONS, /* label: feed_metrics_tenant */
    GW_M_FEEDS,    /* label: enum gw_feed_state */
    GW_M_SOURCES,
    GW_M_SOURCES_AWAITED,
    GW_M_SOURCES_REFUSED,
    GW_M_SOURCES_LEFT_OUT,
    GW_M_WINDOWS_READ,
    GW_M_READ_FAILURES,
    GW_M_SLICES, /* label: enum gw_outcome */
    GW_M_PAGES,
    GW_M_FELL_BEHIND,
    GW_M_NOTICES, /* label: enum gw_notice_result */
    GW_M_SEQ_GAPS,
    GW_M_CHECKS,
    GW_M_ENTRIES_UNREADABLE,
    GW_M_WAKES, /* label: enum gw_wake_result */
    GW_M_TOUCHES,
    GW_M_PROGRESS_LAG,
    GW_M_PROGRESS_UNREADABLE,
    GW_M_STALE_TOLD, /* label: enum gw_told */
    GW_M_AWAITS,     /* label: enum gw_await_end */
    GW_M_REDIS_SECONDS,
    GW_M_REDIS_SHARDS,
    GW_M_REDIS_SHARDS_READY,
    GW_M_AUTH_REFUSED, /* label: feed_token_reason_index */
    GW_M_AUTH_RELOADS,
    GW_M_AUTH_KEYS,
    GW_M_TIERS_RELOADS,
    GW_M_ADMIN_REFUSED,
    GW_M_LOOP_LAG,
    GW_M_START_TIME
};

enum gw_wake_result { GW_WAKE_ASKED, GW_WAKE_REFUSED, GW_WAKE_FAILED };

enum gw_told { GW_TOLD_STALE, GW_TOLD_FRESH };

enum gw_refusal {
    GW_REFUSED_ORIGIN,
    GW_REFUSED_FULL,
    GW_REFUSED_REQUEST,
    GW_REFUSED_ADDRESS,
    GW_REFUSED_STRANGERS,
    GW_REFUSED_STRANGERS_ADDRESS
};

extern const struct feed_metric gw_metrics_table[];

#endif
