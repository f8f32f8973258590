/* The gateway's metrics, a row each. */
#include "gateway/metrics.h"

#include "gateway/await.h"
#include "gateway/close.h"
#include "gateway/feed.h"
#include "shared/auth/metrics.h"
#include "shared/http/admin_access.h"
#include "shared/tenant/tiers_file.h"

static const char *const wakes[] = {"asked", "refused", "failed", NULL};
static const char *const told[] = {"stale", "fresh", NULL};
static const char *const refusals[] = {
    "origin", "full", "request", "address", "unauthenticated", "address_unauthenticated", NULL};

const struct feed_metric gw_metrics_table[] = {
    {"websocket_messages_sent_total", FEED_METRIC_COUNTER, "Messages handed to sockets.", "tenant",
     feed_metric_by_tenant, NULL},
    {"websocket_connections", FEED_METRIC_GAUGE, "WebSocket connections that are open.", NULL, NULL, NULL},
    {"websocket_closes_total", FEED_METRIC_COUNTER,
     "WebSocket connections that ended, by reason (schemas/close-codes.json).", "reason", gw_close_names, NULL},
    {"tenant_refused_total", FEED_METRIC_COUNTER, "Connections beyond what the tenant's tier allows, by tenant.",
     "tenant", feed_metric_by_tenant, NULL},
    {"websocket_handshakes_refused_total", FEED_METRIC_COUNTER,
     "Connections refused before they became WebSockets: origin = not an allowed one, full = too many connections, "
     "request = no handshake, or one that breaks a rule, address = too many of one address, unauthenticated = too many "
     "that have not said hello, in all or of one address.",
     "reason", refusals, NULL},
    {"websocket_queue_bytes", FEED_METRIC_GAUGE, "Bytes of messages that wait for sockets, in all connections.", NULL,
     NULL, NULL},
    {"gateway_sessions", FEED_METRIC_GAUGE, "Connections that said hello with a good token.", "tenant",
     feed_metric_by_tenant, NULL},
    {"gateway_feeds", FEED_METRIC_GAUGE, "Feeds that sessions here follow, by state.", "state", gw_feed_state_names,
     NULL},
    {"gateway_sources", FEED_METRIC_GAUGE, "Outboxes of broadcast authors that are kept to be merged into home feeds.",
     NULL, NULL, NULL},
    {"gateway_sources_awaited_total", FEED_METRIC_COUNTER,
     "Windows of home feeds that were read again because an outbox to be merged in was not known yet.", NULL, NULL,
     NULL},
    {"gateway_sources_refused_total", FEED_METRIC_COUNTER,
     "Outboxes that were not taken in because too many are kept already; the home feeds that need them are "
     "unavailable.",
     NULL, NULL, NULL},
    {"gateway_sources_left_out_total", FEED_METRIC_COUNTER,
     "Broadcast authors left out of a window because its user follows too many; those followed last are merged.", NULL,
     NULL, NULL},
    {"gateway_windows_read_total", FEED_METRIC_COUNTER, "Windows asked of Redis.", NULL, NULL, NULL},
    {"gateway_read_failures_total", FEED_METRIC_COUNTER, "Windows and checks that Redis did not answer properly.", NULL,
     NULL, NULL},
    {"gateway_slices_total", FEED_METRIC_COUNTER, "Slices sent, by outcome.", "outcome", gw_outcome_names, NULL},
    {"gateway_pages_total", FEED_METRIC_COUNTER, "Pages of older entries sent.", NULL, NULL, NULL},
    {"gateway_fell_behind_total", FEED_METRIC_COUNTER,
     "Connections whose queue was full, so that what it held of feeds was dropped for a window later.", NULL, NULL,
     NULL},
    {"gateway_notices_total", FEED_METRIC_COUNTER, "Notices of changes, by what became of them.", "result",
     gw_notice_result_names, NULL},
    {"gateway_seq_gaps_total", FEED_METRIC_COUNTER,
     "Times that a change of a feed was missed (found by its number, or by a check), each answered by reading again.",
     NULL, NULL, NULL},
    {"gateway_checks_total", FEED_METRIC_COUNTER, "Positions compared with Redis in the periodic check.", NULL, NULL,
     NULL},
    {"gateway_entries_unreadable_total", FEED_METRIC_COUNTER,
     "Entries and notices from Redis that could not be decoded; unreadable entries are left out of messages.", NULL,
     NULL, NULL},
    {"gateway_wakes_total", FEED_METRIC_COUNTER,
     "Wakes of feeds that sleep: asked = sent to Kafka, refused = not, because too many are on their way, failed = not "
     "taken by Kafka. What was not sent is tried again.",
     "result", wakes, NULL},
    {"gateway_touches_total", FEED_METRIC_COUNTER, "Times that the time to live of a feed with a reader was looked at.",
     NULL, NULL, NULL},
    {"gateway_fanout_lag_seconds", FEED_METRIC_GAUGE,
     "How far the fan-out is behind in its worst partition: what its worker last said, and the time since then.", NULL,
     NULL, NULL},
    {"gateway_progress_unreadable_total", FEED_METRIC_COUNTER,
     "Messages about the progress of the fan-out that could not be decoded, or kept for want of memory.", NULL, NULL,
     NULL},
    {"gateway_stale_told_total", FEED_METRIC_COUNTER,
     "Messages to clients that a feed is behind (stale), and that it is not any more (fresh).", "said", told, NULL},
    {"gateway_awaits_total", FEED_METRIC_COUNTER, "Awaits of clients, by how they ended.", "end", gw_await_names, NULL},
    {"redis_command_seconds", FEED_METRIC_HISTOGRAM, "Time from a command to its answer.", NULL, NULL,
     feed_metric_latency_buckets},
    {"redis_shards", FEED_METRIC_GAUGE, "Masters of the Redis Cluster; 1 for a single server, 0 while unknown.", NULL,
     NULL, NULL},
    {"redis_shards_ready", FEED_METRIC_GAUGE, "Of these, those to which there is a connection for commands.", NULL,
     NULL, NULL},
    FEED_AUTH_METRIC_REFUSED,
    FEED_AUTH_METRIC_RELOADS,
    FEED_AUTH_METRIC_KEYS,
    FEED_TIERS_METRIC_RELOADS,
    FEED_ADMIN_METRIC_REFUSED,
    {"loop_lag_seconds", FEED_METRIC_GAUGE, "How late the event loop's timers were at most since the last scrape.",
     NULL, NULL, NULL},
    {"process_start_time_seconds", FEED_METRIC_GAUGE, "When the process started, seconds since the Unix epoch.", NULL,
     NULL, NULL},
    {0},
};
