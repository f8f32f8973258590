/* The periodic look at the positions of all feeds. A notice that is lost is found by the next one, through its seq; if
 * no other comes it is found here. A position in Redis that is ahead of ours is no proof, because the notice may be on
 * its way over the other connection, so it gets a moment of grace. */
#include "gateway/hub_parts.h"
#include "gateway/metrics.h"

void gw_hub_checked(struct gw_hub *hub, struct gw_feed *feed, const struct feed_position *position)
{
    if (!gw_feed_checked(feed, position))
        return;
    feed->doubt_until_ms = gw_hub_now(hub) + GW_DOUBT_GRACE_MS;
    gw_link_remove(&feed->by_doubt);
    gw_list_append(&hub->doubts, &feed->by_doubt);
}

void gw_hub_check_failed(struct gw_hub *hub, struct gw_feed *feed)
{
    feed_metrics_add(hub->metrics, GW_M_READ_FAILURES, 0, 1);
    gw_feed_check_failed(feed);
}

void gw_hub_settle_doubts(struct gw_hub *hub, int64_t now_ms)
{
    struct gw_link *link;
    while ((link = gw_list_first(&hub->doubts))) {
        struct gw_feed *feed = GW_OF(link, struct gw_feed, by_doubt);
        if (feed->doubt_until_ms > now_ms)
            return;
        gw_link_remove(link);
        if (gw_feed_still_doubted(feed)) {
            gw_hub_count_gap(hub, feed, "check");
            gw_hub_file_read(hub, feed);
        }
    }
}

static void check(struct gw_hub *hub, struct gw_feed *feed)
{
    if (!feed->subscribed)
        gw_hub_subscribe(hub, feed); /* there was no memory for it */
    if (feed->state != GW_FEED_LIVE || feed->checking || feed->doubted)
        return;
    if (hub->port->check_fn(hub->port->arg, feed, &feed->position) == FEED_OK) {
        gw_feed_checking(feed);
        feed_metrics_add(hub->metrics, GW_M_CHECKS, 0, 1);
        gw_hub_touch(hub, feed);
    }
}

/* The interval is the same for all, so the list stays in order of time by appending. Feeds that came together would be
 * checked together for ever; a limit a tick spreads them. */
void gw_hub_run_checks(struct gw_hub *hub, int64_t now_ms)
{
    uint64_t interval_ms = (uint64_t)hub->settings.check_interval_ms;
    uint64_t most = 1 + 2 * hub->feeds.count * GW_TICK_MS / interval_ms;
    struct gw_link *link;
    while (most-- > 0 && (link = gw_list_first(&hub->checks))) {
        struct gw_feed *feed = GW_OF(link, struct gw_feed, by_check);
        if (feed->check_due_ms > now_ms)
            return;
        bool busy = feed->read == GW_READ_ASKED || feed->checking;
        if (!gw_hub_wants(feed) && !busy && now_ms - feed->empty_since_ms >= GW_LINGER_MS) {
            gw_hub_release(hub, feed);
            continue;
        }
        if (gw_hub_wants(feed))
            check(hub, feed);
        feed->check_due_ms = now_ms + hub->settings.check_interval_ms;
        gw_link_remove(link);
        gw_list_append(&hub->checks, link);
    }
}
