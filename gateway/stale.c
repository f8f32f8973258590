/* A client hears it once for each feed: a message for every change of the lag would say no more, and come when the
 * servers have other worries. */
#include "gateway/stale.h"

#include "gateway/encode.h"
#include "gateway/metrics.h"

/* Since when the feed has not been followed, in ms; 0 if it is. */
static int64_t away_ms(struct gw_feed *feed, int64_t now_ms)
{
    if (gw_feed_followed(feed))
        feed->away_since_ms = 0;
    else if (feed->away_since_ms == 0)
        feed->away_since_ms = now_ms;
    return feed->away_since_ms ? now_ms - feed->away_since_ms : 0;
}

static void tell(struct gw_session *session, struct gw_view *view, int64_t lag_ms)
{
    struct gw_hub *hub = session->hub;
    feed_buf_reset(&hub->scratch);
    if (view->told_stale)
        gw_encode_stale(&hub->scratch, view->feed->timeline, lag_ms);
    else
        gw_encode_fresh(&hub->scratch, view->feed->timeline);
    feed_metrics_add(hub->metrics, GW_M_STALE_TOLD, view->told_stale ? GW_TOLD_STALE : GW_TOLD_FRESH, 1);
    struct feed_frame *frame = gw_hub_frame(hub);
    gw_session_send(session, frame, GW_OUTBOX_ANSWER);
    hub->port->frame_unref_fn(frame);
}

void gw_stale_look(struct gw_session *session)
{
    const struct gw_hub *hub = session->hub;
    int64_t now_ms = gw_hub_now(hub), limit_ms = hub->settings.stale_after_ms;
    for (uint8_t i = 0; limit_ms && i < session->view_count; i++) {
        struct gw_view *view = &session->views[i];
        int64_t away = away_ms(view->feed, now_ms);
        bool stale = hub->progress.stale || away >= limit_ms;
        if (stale == view->told_stale || view->state == GW_VIEW_JOINING)
            continue;
        int64_t lag_ms = gw_progress_lag_ms(&hub->progress, now_ms);
        view->told_stale = stale;
        tell(session, view, lag_ms > away ? lag_ms : away);
    }
}
