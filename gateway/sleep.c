/* Home feeds that sleep. Who connects to one waits while fan-out makes it: the wake goes through Kafka, and the feed's
 * first notice says that it is there. Neither is certain to arrive, so the window is read again every now and then, and
 * the wake repeated; both as rarely as a feed that was woken long ago by somebody else allows. Nobody is shown an empty
 * feed meanwhile: who had entries keeps them. */
#include "gateway/hub_parts.h"
#include "gateway/metrics.h"

enum { TOUCHES_PER_LIFE = 10 };

bool gw_hub_sleeps(const struct gw_hub *hub, const struct gw_feed *feed, const struct feed_position *position)
{
    return hub->settings.ttl_ms > 0 && feed->timeline == FEED_TIMELINE_HOME && gw_position_none(position);
}

static void ask_for_wake(struct gw_hub *hub, struct gw_feed *feed)
{
    int64_t now_ms = gw_hub_now(hub);
    if (feed->wake_due_ms > now_ms)
        return;
    if (hub->port->wake_fn(hub->port->arg, gw_feed_key(feed)) != FEED_OK) {
        feed_metrics_add(hub->metrics, GW_M_WAKES, GW_WAKE_REFUSED, 1);
        return; /* tried again with the next window */
    }
    feed_metrics_add(hub->metrics, GW_M_WAKES, GW_WAKE_ASKED, 1);
    feed->wake_due_ms = now_ms + GW_WAKE_AGAIN_MS;
}

void gw_hub_found_asleep(struct gw_hub *hub, struct gw_feed *feed)
{
    bool woken = feed->woken;
    feed->asleep = true;
    feed->woken = false;
    gw_feed_read_failed(feed);
    if (gw_link_alone(&feed->views)) {
        gw_hub_file_retry(hub, feed);
        return; /* whoever wanted it has left */
    }
    ask_for_wake(hub, feed);
    if (woken)
        gw_hub_file_read(hub, feed);
    else
        gw_hub_file_retry(hub, feed);
}

/* Entries that land while it is being built say nothing; only a kind that is none of theirs may be the one. But a
 * window that is on its way may say that the feed is awake, so notices count beside it as always. */
bool gw_hub_slept_through(struct gw_hub *hub, struct gw_feed *feed, bool known)
{
    bool asked = feed->read == GW_READ_ASKED;
    if (known)
        return !asked;
    feed->woken = asked;
    if (!asked) {
        gw_link_remove(&feed->by_read); /* from among those that wait */
        gw_hub_file_read(hub, feed);
    }
    return true;
}

void gw_hub_touch(struct gw_hub *hub, struct gw_feed *feed)
{
    int64_t now_ms = gw_hub_now(hub);
    if (hub->settings.ttl_ms == 0 || feed->timeline != FEED_TIMELINE_HOME || feed->touch_due_ms > now_ms)
        return;
    feed->touch_due_ms = now_ms + hub->settings.ttl_ms / TOUCHES_PER_LIFE;
    feed_metrics_add(hub->metrics, GW_M_TOUCHES, 0, 1);
    hub->port->touch_fn(hub->port->arg, gw_feed_key(feed));
}
