/* A request that cannot be met is an error that the connection survives: what it has is not worse for it. */
#include "gateway/request.h"

#include "gateway/await.h"
#include "gateway/encode.h"
#include "gateway/page.h"
#include "shared/base/assert.h"

static struct gw_view *view_of(struct gw_session *session, enum feed_timeline timeline)
{
    for (uint8_t i = 0; i < session->view_count; i++) {
        if (session->views[i].feed->timeline == timeline)
            return &session->views[i];
    }
    return NULL;
}

static void page(struct gw_session *session, const struct gw_message *message)
{
    struct feed_str id = feed_buf_view(&message->id);
    struct gw_view *view = view_of(session, message->page.timeline);
    if (!view) {
        gw_session_reproach(session, GW_FAULT_UNKNOWN_FEED, "feed must be one of hello's", id);
        return;
    }
    if (view->page) {
        gw_session_reproach(session, GW_FAULT_BUSY, "a page of this feed is under way", id);
        return;
    }
    struct gw_page *asked = gw_page_new(message, gw_hub_now(session->hub));
    if (asked)
        gw_hub_page(session->hub, view, asked);
    else
        gw_session_end(session, GW_CLOSE_INTERNAL);
}

static void await(struct gw_session *session, const struct gw_message *message)
{
    struct feed_str id = feed_buf_view(&message->id);
    struct gw_view *view = view_of(session, message->await.timeline);
    if (!view) {
        gw_session_reproach(session, GW_FAULT_UNKNOWN_FEED, "feed must be one of hello's", id);
        return;
    }
    enum feed_error error = gw_await_open(view, message);
    if (error == FEED_E_FULL)
        gw_session_reproach(session, GW_FAULT_BUSY, "too many awaits of this feed are under way", id);
    else if (error != FEED_OK)
        gw_session_end(session, GW_CLOSE_INTERNAL);
}

/* Whether the claims are of the user whose feeds the session has. The feeds' keys name tenant and user. */
static bool same_user(const struct gw_session *session, const struct feed_token_claims *claims)
{
    const struct gw_feed *feed = session->views[0].feed;
    struct feed_key key = feed_key_timeline(feed->timeline, feed_str_of(claims->tenant), feed_str_of(claims->subject));
    return feed_str_eq(feed_key_str(&key), gw_feed_key(feed));
}

static const char *why_not(const struct gw_session *session, const struct feed_token_claims *claims)
{
    if (!same_user(session, claims))
        return "the token is of another user";
    for (uint8_t i = 0; i < session->view_count; i++) {
        if (!gw_session_allowed(claims, session->views[i].feed->timeline))
            return "the token does not allow all feeds of this connection";
    }
    return NULL;
}

static void refresh(struct gw_session *session, const struct gw_message *message)
{
    struct feed_str id = feed_buf_view(&message->id);
    struct feed_token_claims claims;
    char text[GW_TOKEN_PROBLEM];
    if (!gw_session_check_token(session, message->token, &claims, text)) {
        gw_session_reproach(session, GW_FAULT_UNAUTHORIZED, text, id);
        return;
    }
    const char *problem = why_not(session, &claims);
    if (problem) {
        gw_session_reproach(session, GW_FAULT_FORBIDDEN, problem, id);
        return;
    }
    feed_buf_reset(&session->hub->scratch);
    gw_encode_refreshed(&session->hub->scratch, id, gw_session_vouched(session, &claims));
    gw_session_send_scratch(session);
}

void gw_request(struct gw_session *session, const struct gw_message *message)
{
    feed_assert(session->view_count > 0);
    switch (message->type) {
    case GW_MESSAGE_PAGE:
        page(session, message);
        return;
    case GW_MESSAGE_REFRESH:
        refresh(session, message);
        return;
    case GW_MESSAGE_AWAIT:
        await(session, message);
        return;
    case GW_MESSAGE_UNKNOWN:
    case GW_MESSAGE_HELLO:
    case GW_MESSAGE_TYPES:
        break;
    }
    feed_assert(!"a request");
}
