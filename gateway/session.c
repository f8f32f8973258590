/* The life of a connection, from the handshake to the close frame. Ends are asked for anywhere and carried out in one
 * place, gw_session_try_close at the end of a turn, so that nobody who walks a list loses the ground under his feet. */
#include "gateway/session.h"

#include "gateway/await.h"
#include "gateway/encode.h"
#include "gateway/metrics.h"
#include "gateway/page.h"
#include "gateway/request.h"
#include "gateway/stale.h"
#include "shared/base/assert.h"
#include "shared/observe/log.h"

#include <stdio.h>
#include <stdlib.h>

static void move(struct gw_session *session, enum gw_session_state to, int64_t deadline_in_ms)
{
    feed_assert(to > session->state);
    session->state = to;
    session->deadline_ms = gw_hub_now(session->hub) + deadline_in_ms;
}

bool gw_session_ending(const struct gw_session *session)
{
    return session->state >= GW_SESSION_CLOSING;
}

void gw_session_end(struct gw_session *session, enum gw_close close)
{
    if (gw_session_ending(session))
        return;
    session->close = close;
    if (close == GW_CLOSE_SLOW_CLIENT)
        gw_outbox_clear(&session->outbox, session->hub->port);
    move(session, GW_SESSION_CLOSING, GW_DRAIN_MS);
    gw_list_append(&session->hub->closings, &session->by_closing);
}

/* What the feeds have become is told anew, when the socket has taken what is left: until then nothing of them is sent,
 * as it would follow on something that was dropped. */
static void fall_behind(struct gw_session *session)
{
    if (!session->behind)
        feed_metrics_add(session->hub->metrics, GW_M_FELL_BEHIND, 0, 1);
    session->behind = true;
    gw_outbox_drop_feeds(&session->outbox, session->hub->port);
    for (uint8_t i = 0; i < session->view_count; i++) {
        if (session->views[i].state != GW_VIEW_JOINING)
            session->views[i].state = GW_VIEW_BEHIND;
    }
}

static void catch_up(struct gw_session *session)
{
    session->behind = false;
    for (uint8_t i = 0; i < session->view_count; i++) {
        struct gw_view *view = &session->views[i];
        if (view->state != GW_VIEW_BEHIND)
            continue;
        view->state = GW_VIEW_STALE;
        view->dropped = true;
        gw_hub_want_window(session->hub, view->feed);
    }
}

static enum feed_error queue(struct gw_session *session, struct feed_frame *frame, enum gw_outbox_rule rule)
{
    return gw_outbox_push(&session->outbox, session->hub->port, frame, session->hub->settings.queue_bytes_max, rule);
}

void gw_session_send(struct gw_session *session, struct feed_frame *frame, enum gw_outbox_rule rule)
{
    if (gw_session_ending(session))
        return;
    if (session->behind && rule != GW_OUTBOX_ANSWER) {
        fall_behind(session);
        return;
    }
    enum feed_error error = frame ? queue(session, frame, rule) : FEED_E_MEMORY;
    if (error == FEED_E_FULL) {
        fall_behind(session);
        if (rule != GW_OUTBOX_ANSWER)
            return;
        error = queue(session, frame, rule);
    }
    if (error != FEED_OK) {
        gw_session_end(session, error == FEED_E_FULL ? GW_CLOSE_SLOW_CLIENT : GW_CLOSE_INTERNAL);
        return;
    }
    session->drained = false;
    if (gw_link_alone(&session->by_write))
        gw_list_append(&session->hub->writes, &session->by_write);
}

static void send_scratch_as(struct gw_session *session, enum gw_outbox_rule rule)
{
    struct feed_frame *frame = gw_hub_frame(session->hub);
    gw_session_send(session, frame, rule);
    session->hub->port->frame_unref_fn(frame);
}

void gw_session_send_scratch(struct gw_session *session)
{
    send_scratch_as(session, GW_OUTBOX_ANSWER);
}

static void send_error(struct gw_session *session, enum gw_fault fault, const char *text, struct feed_str id)
{
    feed_buf_reset(&session->hub->scratch);
    gw_encode_error(&session->hub->scratch, fault, text, id);
    gw_session_send_scratch(session);
}

void gw_session_reproach(struct gw_session *session, enum gw_fault fault, const char *text, struct feed_str id)
{
    send_error(session, fault, text, id);
    if (++session->errors > GW_ERRORS_MAX)
        gw_session_end(session, GW_CLOSE_BAD_MESSAGE);
}

static void refuse(struct gw_session *session, enum gw_fault fault, const char *text, struct feed_str id,
                   enum gw_close close)
{
    send_error(session, fault, text, id);
    gw_session_end(session, close);
}

static const struct feed_str no_id = {NULL, 0};

/* ---- open ---- */

bool gw_session_check_token(struct gw_session *session, struct feed_str token, struct feed_token_claims *claims,
                            char text[GW_TOKEN_PROBLEM])
{
    const struct gw_hub *hub = session->hub;
    int64_t now_s = hub->port->wall_ms_fn(hub->port->arg) / 1000;
    const char *reason = NULL;
    if (feed_auth_check(hub->settings.auth, token, now_s, claims, &reason) == FEED_OK)
        return true;
    feed_metrics_add(hub->metrics, GW_M_AUTH_REFUSED, feed_token_reason_index(reason), 1);
    snprintf(text, GW_TOKEN_PROBLEM, "the token is not accepted (%s)", reason);
    return false;
}

static bool verify(struct gw_session *session, struct feed_str token, struct feed_token_claims *claims,
                   struct feed_str id)
{
    char text[GW_TOKEN_PROBLEM];
    if (gw_session_check_token(session, token, claims, text))
        return true;
    refuse(session, GW_FAULT_UNAUTHORIZED, text, id, GW_CLOSE_UNAUTHORIZED);
    return false;
}

static void check_header(struct gw_session *session, struct feed_str authorization)
{
    struct feed_str token;
    enum feed_error error = feed_token_from_authorization(authorization, &token);
    if (error == FEED_E_MISSING)
        return;
    if (error != FEED_OK) {
        refuse(session, GW_FAULT_UNAUTHORIZED, "the Authorization header must be Bearer and a token", no_id,
               GW_CLOSE_UNAUTHORIZED);
        return;
    }
    session->claims = malloc(sizeof *session->claims);
    if (!session->claims)
        gw_session_end(session, GW_CLOSE_INTERNAL);
    else
        (void)verify(session, token, session->claims, no_id);
}

struct gw_session *gw_session_open(struct gw_hub *hub, struct feed_ws *ws, const struct feed_address *address,
                                   struct feed_str authorization)
{
    struct gw_session *session = calloc(1, sizeof *session);
    if (!session)
        return NULL;
    session->hub = hub;
    session->ws = ws;
    session->close = GW_CLOSE_NONE;
    session->drained = true;
    session->deadline_ms = gw_hub_now(hub) + GW_HELLO_TIMEOUT_MS;
    gw_outbox_init(&session->outbox);
    gw_link_init(&session->by_hub);
    gw_link_init(&session->by_write);
    gw_link_init(&session->by_closing);
    gw_list_append(&hub->sessions, &session->by_hub);
    hub->session_count++;
    gw_quota_hold_address(&hub->quota, &session->holding, address);
    if (hub->draining)
        gw_session_bye(session);
    else
        check_header(session, authorization);
    return session;
}

/* ---- hello ---- */

int64_t gw_session_vouched(struct gw_session *session, const struct feed_token_claims *claims)
{
    int64_t expires_s = claims->expires_s < FEED_TIME_MAX_MS / 1000 ? claims->expires_s : FEED_TIME_MAX_MS / 1000;
    session->expires_s = expires_s + FEED_TOKEN_LEEWAY_S;
    session->key_tag = claims->key_tag;
    session->auth_generation = 0; /* with the first look: the keys may have changed since the token was checked */
    return expires_s * 1000;
}

static void welcome(struct gw_session *session, const struct feed_token_claims *claims, struct feed_str id)
{
    struct gw_hub *hub = session->hub;
    uint8_t bytes[GW_SESSION_ID_BYTES];
    char name[GW_SESSION_ID_TEXT + 1];
    hub->port->random_fn(hub->port->arg, bytes, sizeof bytes);
    feed_hex(bytes, sizeof bytes, name);
    int64_t expires_ms = gw_session_vouched(session, claims);
    struct gw_welcome message = {.id = id,
                                 .session = name,
                                 .tenant = claims->tenant,
                                 .user = claims->subject,
                                 .heartbeat_ms = hub->settings.heartbeat_ms,
                                 .expires_ms = expires_ms};
    feed_buf_reset(&hub->scratch);
    gw_encode_welcome(&hub->scratch, &message);
    gw_session_send_scratch(session);
    FEED_LOG(hub->log, FEED_LOG_DEBUG, "session_opened", NULL, FEED_LOG_TEXT("session", feed_str_of(name)),
             FEED_LOG_TEXT("tenant", feed_str_of(claims->tenant)), FEED_LOG_TEXT("user", feed_str_of(claims->subject)),
             FEED_LOG_TEXT("api_key", feed_str_of(claims->credential)));
}

static void claim(struct gw_view *view, const struct gw_hello_feed *asked)
{
    view->limit = (uint8_t)asked->limit;
    view->claim = GW_CLAIM_NONE;
    if (asked->position.data)
        view->claim =
            feed_position_parse(asked->position, &view->position) == FEED_OK ? GW_CLAIM_POSITION : GW_CLAIM_UNREADABLE;
}

static void join_feeds(struct gw_session *session, const struct gw_message *message,
                       const struct feed_token_claims *claims)
{
    feed_assert(message->feed_count > 0);
    session->views = calloc(message->feed_count, sizeof *session->views);
    if (!session->views) {
        gw_session_end(session, GW_CLOSE_INTERNAL);
        return;
    }
    for (size_t i = 0; i < message->feed_count; i++) {
        struct gw_view *view = &session->views[i];
        view->session = session;
        gw_link_init(&view->awaits);
        claim(view, &message->feeds[i]);
        if (gw_hub_join(session->hub, view, message->feeds[i].timeline, feed_str_of(claims->tenant),
                        feed_str_of(claims->subject)) != FEED_OK) {
            gw_session_end(session, GW_CLOSE_INTERNAL);
            return;
        }
        session->view_count++;
        session->joining++;
    }
}

bool gw_session_allowed(const struct feed_token_claims *claims, enum feed_timeline timeline)
{
    if (!claims->may_read)
        return false;
    if (claims->all_feeds)
        return true;
    return timeline == FEED_TIMELINE_HOME ? claims->home : claims->notifications;
}

/* Refuses what the tenant's tier does not allow. */
static bool within_quota(struct gw_session *session, size_t feeds, const struct feed_token_claims *claims,
                         struct feed_str id)
{
    struct gw_quota *quota = &session->hub->quota;
    struct feed_metrics *metrics = session->hub->metrics;
    session->tenant_label = (uint8_t)feed_metrics_tenant(metrics, feed_str_of(claims->tenant));
    size_t feeds_max = gw_quota_feeds(quota, feed_str_of(claims->tenant));
    char text[80];
    int64_t limit = 0;
    if (feeds > feeds_max) {
        feed_metrics_add(metrics, GW_M_TENANT_REFUSED, session->tenant_label, 1);
        snprintf(text, sizeof text, "the tier of this tenant allows %zu feeds of one connection", feeds_max);
        refuse(session, GW_FAULT_FORBIDDEN, text, id, GW_CLOSE_TOO_MANY_FEEDS);
        return false;
    }
    enum gw_close close = gw_quota_hold(quota, &session->holding, claims, &limit);
    if (close == GW_CLOSE_NONE)
        return true;
    if (close == GW_CLOSE_INTERNAL) {
        gw_session_end(session, close);
        return false;
    }
    feed_metrics_add(metrics, GW_M_TENANT_REFUSED, session->tenant_label, 1);
    snprintf(text, sizeof text, "this %s has %lld connections here, as many as it may have",
             close == GW_CLOSE_USER_FULL ? "user" : "tenant", (long long)limit);
    refuse(session, GW_FAULT_TOO_MANY, text, id, close);
    return false;
}

static void hello(struct gw_session *session, const struct gw_message *message, const struct feed_token_claims *claims)
{
    struct feed_str id = feed_buf_view(&message->id);
    for (size_t i = 0; i < message->feed_count; i++) {
        if (gw_session_allowed(claims, message->feeds[i].timeline))
            continue;
        char text[64];
        snprintf(text, sizeof text, "the token does not allow feeds[%zu]", i);
        refuse(session, GW_FAULT_FORBIDDEN, text, id, GW_CLOSE_FORBIDDEN);
        return;
    }
    if (!within_quota(session, message->feed_count, claims, id))
        return;
    session->hub->port->known_fn(session->ws);
    move(session, GW_SESSION_OPENING, GW_READ_TIMEOUT_MS);
    welcome(session, claims, id);
    if (!gw_session_ending(session))
        join_feeds(session, message, claims);
}

static void authenticate(struct gw_session *session, const struct gw_message *message)
{
    struct feed_str id = feed_buf_view(&message->id);
    struct feed_token_claims claims;
    if (message->token.data) {
        if (!verify(session, message->token, &claims, id))
            return;
    } else if (session->claims) {
        claims = *session->claims;
    } else {
        refuse(session, GW_FAULT_UNAUTHORIZED, "a token is needed, in hello or in the Authorization header", id,
               GW_CLOSE_UNAUTHORIZED);
        return;
    }
    free(session->claims);
    session->claims = NULL;
    hello(session, message, &claims);
}

/* A client has little to say. One that says much costs the others, at a server that answers each message. */
static bool too_busy(struct gw_session *session)
{
    int64_t now_ms = gw_hub_now(session->hub);
    int64_t grown = (now_ms - session->messages_ms) * GW_MESSAGES_PER_S / 1000;
    if (grown > 0) {
        session->messages = grown < session->messages ? (uint8_t)(session->messages - grown) : 0;
        session->messages_ms = now_ms;
    }
    return session->messages++ >= GW_MESSAGES_BURST;
}

void gw_session_message(struct gw_session *session, struct feed_str payload, bool binary)
{
    if (gw_session_ending(session))
        return;
    if (too_busy(session)) {
        gw_session_end(session, GW_CLOSE_TOO_BUSY);
        return;
    }
    if (binary) {
        refuse(session, GW_FAULT_BAD_MESSAGE, "messages of feedwire.v1.json come in text frames", no_id,
               GW_CLOSE_BAD_MESSAGE);
        return;
    }
    struct gw_message message;
    char text[160] = "";
    enum gw_fault fault = gw_message_parse(payload, &message, text, sizeof text);
    struct feed_str id = feed_buf_view(&message.id);
    bool greeted = session->state != GW_SESSION_CONNECTED;
    if (greeted && message.type == GW_MESSAGE_HELLO)
        refuse(session, GW_FAULT_BAD_MESSAGE, "hello comes once", id, GW_CLOSE_BAD_MESSAGE);
    else if (greeted && (fault == GW_FAULT_UNKNOWN_TYPE || fault == GW_FAULT_UNKNOWN_FEED))
        gw_session_reproach(session, fault, text, id);
    else if (!greeted && message.type > GW_MESSAGE_HELLO)
        refuse(session, GW_FAULT_BAD_MESSAGE, "hello comes first", id, GW_CLOSE_BAD_MESSAGE);
    else if (fault)
        refuse(session, fault, text, id, GW_CLOSE_BAD_MESSAGE);
    else if (message.type == GW_MESSAGE_HELLO)
        authenticate(session, &message);
    else
        gw_request(session, &message);
    gw_message_fini(&message);
}

void gw_session_joined(struct gw_session *session)
{
    feed_assert(session->joining > 0);
    session->joining--;
    if (session->joining > 0 || session->state != GW_SESSION_OPENING)
        return;
    /* The first heartbeat comes somewhere in the interval: clients that came together do not beat together. */
    int64_t interval = session->hub->settings.heartbeat_ms;
    move(session, GW_SESSION_LIVE, 1 + (int64_t)gw_hub_random(session->hub, (uint64_t)interval));
}

/* ---- time ---- */

static void heartbeat(struct gw_session *session)
{
    struct gw_feed_position positions[FEED_CLIENT_FEEDS_MAX];
    size_t count = 0;
    for (uint8_t i = 0; i < session->view_count; i++) {
        const struct gw_view *view = &session->views[i];
        if (view->state == GW_VIEW_LIVE) /* the others' were perhaps never sent */
            positions[count++] = (struct gw_feed_position){view->feed->timeline, view->position};
    }
    feed_buf_reset(&session->hub->scratch);
    gw_encode_heartbeat(&session->hub->scratch, positions, count);
    send_scratch_as(session, GW_OUTBOX_CHANGE);
    session->deadline_ms = gw_hub_now(session->hub) + session->hub->settings.heartbeat_ms;
}

/* A key that was taken away ends what it vouched for. */
static bool key_holds(struct gw_session *session)
{
    const struct feed_auth *auth = session->hub->settings.auth;
    uint32_t generation = feed_auth_generation(auth);
    if (session->auth_generation != generation && feed_auth_key_holds(auth, session->key_tag))
        session->auth_generation = generation;
    return session->auth_generation == generation;
}

static bool waits_for_wake(const struct gw_session *session)
{
    for (uint8_t i = 0; i < session->view_count; i++) {
        if (session->views[i].state == GW_VIEW_JOINING && session->views[i].feed->asleep)
            return true;
    }
    return false;
}

static void give_up_pages(struct gw_session *session)
{
    for (uint8_t i = 0; i < session->view_count; i++) {
        struct gw_page *page = session->views[i].page;
        if (!page || gw_hub_now(session->hub) < page->deadline_ms)
            continue;
        session->views[i].page = NULL;
        send_error(session, GW_FAULT_UNAVAILABLE, "the feed cannot be read at the moment", feed_buf_view(&page->id));
        gw_page_free(page);
    }
}

void gw_session_look(struct gw_session *session)
{
    const struct gw_hub *hub = session->hub;
    if (gw_session_ending(session))
        return; /* gw_session_try_close looks at the deadline of these */
    if (session->state != GW_SESSION_CONNECTED &&
        (hub->port->wall_ms_fn(hub->port->arg) / 1000 >= session->expires_s || !key_holds(session))) {
        gw_session_end(session, GW_CLOSE_TOKEN_EXPIRED);
        return;
    }
    give_up_pages(session);
    gw_awaits_look(session);
    if (session->state == GW_SESSION_LIVE)
        gw_stale_look(session);
    if (gw_hub_now(hub) < session->deadline_ms || gw_session_ending(session))
        return;
    if (session->state == GW_SESSION_OPENING && !session->waited_for_wake && waits_for_wake(session)) {
        session->waited_for_wake = true;
        session->deadline_ms += GW_WAKE_TIMEOUT_MS - GW_READ_TIMEOUT_MS;
        return;
    }
    if (session->state == GW_SESSION_CONNECTED)
        gw_session_end(session, GW_CLOSE_HELLO_TIMEOUT);
    else if (session->state == GW_SESSION_OPENING)
        refuse(session, GW_FAULT_UNAVAILABLE,
               session->waited_for_wake ? "the feed is still being made; come back"
                                        : "the feeds cannot be read at the moment",
               no_id, GW_CLOSE_UNAVAILABLE);
    else
        heartbeat(session);
}

/* ---- end ---- */

void gw_session_bye(struct gw_session *session)
{
    int64_t retry_ms = GW_RETRY_MIN_MS + (int64_t)gw_hub_random(session->hub, GW_RETRY_SPREAD_MS + 1);
    feed_buf_reset(&session->hub->scratch);
    gw_encode_bye(&session->hub->scratch, gw_close_row(GW_CLOSE_SHUTDOWN)->name, retry_ms);
    gw_session_send_scratch(session);
    gw_session_end(session, GW_CLOSE_SHUTDOWN);
}

static void leave_feeds(struct gw_session *session)
{
    for (uint8_t i = 0; i < session->view_count; i++)
        gw_hub_leave(session->hub, &session->views[i]);
    free(session->views);
    session->views = NULL;
    session->view_count = 0;
}

bool gw_session_try_close(struct gw_session *session)
{
    feed_assert(session->state == GW_SESSION_CLOSING);
    leave_feeds(session);
    bool drained = session->drained && session->outbox.count == 0;
    bool late = gw_hub_now(session->hub) >= session->deadline_ms;
    if (!drained && !late && session->close != GW_CLOSE_SLOW_CLIENT)
        return false;
    session->state = GW_SESSION_CLOSED;
    gw_link_remove(&session->by_closing);
    const struct gw_close_row *row = gw_close_row(session->close);
    session->hub->port->close_fn(session->ws, row->code, row->name);
    return true;
}

struct feed_frame *gw_session_next_frame(struct gw_session *session)
{
    struct feed_frame *frame = gw_outbox_pop(&session->outbox, session->hub->port);
    if (frame) {
        feed_metrics_add(session->hub->metrics, GW_M_MESSAGES_SENT, session->tenant_label, 1);
        return frame;
    }
    session->drained = true;
    if (session->behind && !gw_session_ending(session))
        catch_up(session);
    return NULL;
}

void gw_session_closed(struct gw_session *session, unsigned code)
{
    struct gw_hub *hub = session->hub;
    enum gw_close close = session->close != GW_CLOSE_NONE ? session->close : gw_close_of_peer(code);
    feed_metrics_add(hub->metrics, GW_M_CLOSES, close, 1);
    FEED_LOG(hub->log, FEED_LOG_DEBUG, "session_closed", NULL,
             FEED_LOG_TEXT("tenant", gw_holding_tenant(&session->holding)),
             FEED_LOG_TEXT("reason", feed_str_of(gw_close_row(close)->name)), FEED_LOG_NUMBER("code", code));
    gw_quota_release(&hub->quota, &session->holding);
    leave_feeds(session);
    gw_outbox_clear(&session->outbox, hub->port);
    gw_link_remove(&session->by_hub);
    gw_link_remove(&session->by_write);
    gw_link_remove(&session->by_closing);
    hub->session_count--;
    free(session->claims);
    free(session);
}
