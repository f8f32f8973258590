/* The state machine of one feed. What makes it hard is that notices and windows come over two connections in any order:
 * a window may be older or newer than the notices around it. Two rules keep it right: a window counts only with all
 * notices that came after it was asked for, and nothing is taken for known unless every seq before it was. */
#include "gateway/feed.h"

#include "gateway/turns.h"
#include "shared/base/assert.h"

#include <stdlib.h>
#include <string.h>

const char *const gw_feed_state_names[GW_FEED_STATES + 1] = {"subscribing", "reading", "live", "refreshing", NULL};
const char *const gw_notice_result_names[GW_NOTICE_RESULTS + 1] = {"next", "old",     "kept", "early",
                                                                   "gap",  "sources", "full", NULL};

struct gw_feed *gw_feed_new(enum feed_timeline timeline, struct feed_str key)
{
    struct gw_feed *feed = calloc(1, sizeof *feed + key.len + 1);
    if (!feed)
        return NULL;
    feed->timeline = timeline;
    feed->key_len = key.len;
    memcpy(feed->key, key.data, key.len);
    feed->share = (uint8_t)gw_turns_share(feed_key_tenant(key));
    gw_link_init(&feed->by_check);
    gw_link_init(&feed->by_read);
    gw_link_init(&feed->by_doubt);
    gw_link_init(&feed->by_delivery);
    gw_link_init(&feed->views);
    return feed;
}

void gw_feed_free(struct gw_feed *feed)
{
    if (!feed)
        return;
    feed_assert(!feed->source && !feed->sources && !feed->next_sources);
    gw_backlog_free(feed->backlog);
    free(feed);
}

struct feed_str gw_feed_key(const struct gw_feed *feed)
{
    return (struct feed_str){feed->key, feed->key_len};
}

bool gw_feed_followed(const struct gw_feed *feed)
{
    return feed->state == GW_FEED_LIVE || feed->state == GW_FEED_REFRESHING;
}

/* The arrows of the picture in the header; any other move is our own mistake. */
static void move(struct gw_feed *feed, enum gw_feed_state to)
{
    static const bool allowed[GW_FEED_STATES][GW_FEED_STATES] = {
        [GW_FEED_SUBSCRIBING] = {[GW_FEED_READING] = true},
        [GW_FEED_READING] = {[GW_FEED_SUBSCRIBING] = true, [GW_FEED_LIVE] = true},
        [GW_FEED_LIVE] = {[GW_FEED_SUBSCRIBING] = true, [GW_FEED_READING] = true, [GW_FEED_REFRESHING] = true},
        [GW_FEED_REFRESHING] = {[GW_FEED_SUBSCRIBING] = true, [GW_FEED_READING] = true, [GW_FEED_LIVE] = true},
    };
    feed_assert(allowed[feed->state][to]);
    feed->state = to;
    feed->doubted = feed->doubted && to != GW_FEED_SUBSCRIBING && to != GW_FEED_READING;
}

static void drop_backlog(struct gw_feed *feed)
{
    gw_backlog_free(feed->backlog);
    feed->backlog = NULL;
    feed->ready = 0;
}

void gw_feed_confirmed(struct gw_feed *feed)
{
    if (feed->state != GW_FEED_SUBSCRIBING)
        gw_feed_lost(feed); /* subscribed anew: what was published between is missing */
    move(feed, GW_FEED_READING);
    if (feed->read == GW_READ_NONE)
        feed->read = GW_READ_WANTED;
}

void gw_feed_lost(struct gw_feed *feed)
{
    if (feed->state == GW_FEED_SUBSCRIBING)
        return;
    drop_backlog(feed);
    feed->tainted = false;
    if (feed->read == GW_READ_ASKED)
        feed->stale = true;
    else
        feed->read = GW_READ_NONE;
    move(feed, GW_FEED_SUBSCRIBING);
}

void gw_feed_joined(struct gw_feed *feed)
{
    if (feed->state != GW_FEED_LIVE)
        return; /* the read that is to come, or on its way, serves it too, or another follows */
    move(feed, GW_FEED_REFRESHING);
    feed->read = GW_READ_WANTED;
}

void gw_feed_asked(struct gw_feed *feed)
{
    feed_assert(feed->read == GW_READ_WANTED && feed->state != GW_FEED_SUBSCRIBING);
    drop_backlog(feed);
    feed->read = GW_READ_ASKED;
    feed->tainted = false;
    feed->asked_at = feed->position;
    feed->base_seq = feed->position.seq;
}

/* Into READING, keeping what an answer on its way may be joined with. */
static void reread(struct gw_feed *feed)
{
    if (feed->state != GW_FEED_READING)
        move(feed, GW_FEED_READING);
    if (feed->read == GW_READ_NONE)
        feed->read = GW_READ_WANTED;
}

void gw_feed_distrust(struct gw_feed *feed)
{
    if (feed->state == GW_FEED_SUBSCRIBING)
        return;
    reread(feed);
    if (feed->read == GW_READ_ASKED)
        feed->tainted = true;
}

static enum gw_notice_result keep(struct gw_feed *feed, const struct feed_notice *notice)
{
    if (gw_backlog_append(&feed->backlog, notice) != FEED_OK)
        feed->tainted = true;
    return GW_NOTICE_KEPT;
}

static enum gw_notice_result follow(struct gw_feed *feed, const struct feed_notice *notice)
{
    bool same_life = memcmp(feed->position.epoch, notice->epoch, FEED_EPOCH_BYTES) == 0;
    if (same_life && notice->seq <= feed->position.seq)
        return GW_NOTICE_OLD;
    if (!gw_position_next(&feed->position, notice->epoch, notice->seq)) {
        reread(feed);
        if (feed->read == GW_READ_ASKED)
            (void)keep(feed, notice);
        return GW_NOTICE_GAP;
    }
    if (gw_backlog_append(&feed->backlog, notice) != FEED_OK)
        return GW_NOTICE_FULL;
    memcpy(feed->position.epoch, notice->epoch, FEED_EPOCH_BYTES);
    feed->position.seq = notice->seq;
    feed->ready++;
    return GW_NOTICE_NEXT;
}

/* It carries nothing that could be joined with a window, so a window that was asked for before it does not count. */
static enum gw_notice_result sources_changed(struct gw_feed *feed, const struct feed_notice *notice)
{
    if (feed->state == GW_FEED_SUBSCRIBING)
        return GW_NOTICE_EARLY;
    if (gw_feed_followed(feed) && memcmp(feed->position.epoch, notice->epoch, FEED_EPOCH_BYTES) == 0 &&
        notice->seq <= feed->position.seq)
        return GW_NOTICE_OLD;
    gw_feed_distrust(feed);
    return GW_NOTICE_SOURCES;
}

enum gw_notice_result gw_feed_notice(struct gw_feed *feed, const struct feed_notice *notice)
{
    if (notice->kind == FEED_NOTICE_SOURCES)
        return sources_changed(feed, notice);
    if (gw_feed_followed(feed))
        return follow(feed, notice);
    if (feed->state == GW_FEED_READING && feed->read == GW_READ_ASKED && !feed->stale)
        return keep(feed, notice);
    return GW_NOTICE_EARLY;
}

void gw_feed_delivered(struct gw_feed *feed)
{
    if (feed->read != GW_READ_ASKED || feed->stale)
        drop_backlog(feed);
}

void gw_feed_forget(struct gw_feed *feed)
{
    feed_assert(gw_feed_followed(feed));
    drop_backlog(feed);
    feed->base_seq = feed->position.seq;
}

/* Sorts out the notices that came while the window was on its way, as if they came now. */
static void let_through(struct gw_feed *feed, struct gw_backlog *kept)
{
    for (uint32_t i = 0; i < gw_backlog_count(kept); i++) {
        struct feed_notice notice = gw_backlog_at(kept, i);
        switch (gw_feed_notice(feed, &notice)) {
        case GW_NOTICE_FULL: /* out of memory, for it cannot hold more than `kept` */
            gw_feed_distrust(feed);
            break;
        case GW_NOTICE_NEXT:
        case GW_NOTICE_OLD:
        case GW_NOTICE_KEPT:
        case GW_NOTICE_EARLY: /* after a gap: the read to come covers the rest */
        case GW_NOTICE_GAP:
        case GW_NOTICE_SOURCES:
        case GW_NOTICE_RESULTS:
            break;
        }
    }
    gw_backlog_free(kept);
}

static enum gw_answer answered_reading(struct gw_feed *feed, const struct feed_position *answer)
{
    if (feed->tainted) {
        feed->read = GW_READ_WANTED;
        return GW_ANSWER_AGAIN;
    }
    struct gw_backlog *kept = feed->backlog;
    feed->backlog = NULL;
    feed->ready = 0;
    feed->read = GW_READ_NONE;
    feed->position = *answer;
    feed->base_seq = answer->seq;
    move(feed, GW_FEED_LIVE);
    let_through(feed, kept);
    return GW_ANSWER_TRUTH;
}

/* The answer must lie between where the backlog begins and anything later of the same life. Behind the position at
 * which it was asked for, or in another life, it says that the timeline was replaced. */
static enum gw_answer answered_refreshing(struct gw_feed *feed, const struct feed_position *answer)
{
    bool replaced = !gw_position_reaches(&feed->asked_at, answer) ||
                    (!gw_position_reaches(&feed->position, answer) && !gw_position_reaches(answer, &feed->position));
    feed->read = GW_READ_WANTED;
    if (replaced) {
        reread(feed);
        return GW_ANSWER_AGAIN;
    }
    if (answer->seq < feed->base_seq)
        return GW_ANSWER_AGAIN;
    feed->read = GW_READ_NONE;
    move(feed, GW_FEED_LIVE);
    return GW_ANSWER_JOIN;
}

enum gw_answer gw_feed_answered(struct gw_feed *feed, const struct feed_position *answer)
{
    feed_assert(feed->read == GW_READ_ASKED);
    if (feed->stale) {
        gw_feed_read_failed(feed);
        return GW_ANSWER_STALE;
    }
    return feed->state == GW_FEED_READING ? answered_reading(feed, answer) : answered_refreshing(feed, answer);
}

void gw_feed_read_failed(struct gw_feed *feed)
{
    feed_assert(feed->read == GW_READ_ASKED);
    feed->stale = false;
    feed->read = feed->state == GW_FEED_SUBSCRIBING ? GW_READ_NONE : GW_READ_WANTED;
}

void gw_feed_checking(struct gw_feed *feed)
{
    feed_assert(feed->state == GW_FEED_LIVE && !feed->checking);
    feed->checking = true;
    feed->checked_at = feed->position;
}

void gw_feed_check_failed(struct gw_feed *feed)
{
    feed_assert(feed->checking);
    feed->checking = false;
}

bool gw_feed_checked(struct gw_feed *feed, const struct feed_position *answer)
{
    feed_assert(feed->checking);
    feed->checking = false;
    if (!gw_feed_followed(feed) || feed->doubted)
        return false;
    bool behind = !gw_position_reaches(&feed->checked_at, answer); /* it went backwards, or is another */
    if (!behind && gw_position_reaches(answer, &feed->position))
        return false;
    feed->doubted = true;
    feed->doubt = *answer;
    return true;
}

bool gw_feed_still_doubted(struct gw_feed *feed)
{
    if (!feed->doubted || !gw_feed_followed(feed)) {
        feed->doubted = false;
        return false;
    }
    feed->doubted = false;
    bool arrived = gw_position_reaches(&feed->doubt, &feed->position) && feed->doubt.seq >= feed->checked_at.seq;
    if (arrived)
        return false;
    gw_feed_distrust(feed);
    return true;
}
