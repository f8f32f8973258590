/* A client as schemas/protocol.md describes it: applies slices, pushes and removals in the order of their arrival, and
 * knows nothing else. */
#ifndef TEST_GATEWAY_MODEL_CLIENT_H
#define TEST_GATEWAY_MODEL_CLIENT_H

#include "tests/unit/gateway/world.h"

enum { MODEL_FEEDS = 2, MODEL_ENTRIES_MAX = 20000 };

struct model_feed {
    bool wanted;
    char position[FEED_POSITION_TEXT_MAX + 1]; /* "": none */
    unsigned limit;
    unsigned least;    /* so many entries it must have if the feed has them: those of the last slice that are left */
    bool more, sliced; /* sliced: since the last hello */
    bool paging;       /* a page is under way */
    bool stale;        /* as it was last told; fresh_last: and nothing came of this feed since */
    bool fresh_last;
    unsigned stales, freshes;
    int64_t lag_ms; /* of the last `stale` */
    char last_outcome[16];
    struct model_entry {
        char published[32];
        char id[FEED_ID_TEXT + 1];
    } * entries;              /* newest first; owned */
    struct model_entry floor; /* while more: the oldest entry that it was given, though it may have gone since */
    size_t count;
};

struct model_client {
    const char *user;
    struct feed_ws *ws;                   /* NULL: not connected */
    struct model_feed feeds[MODEL_FEEDS]; /* home, notifications */
    unsigned slices, pushes, pushed_entries, paged_entries, removals, removed_entries, heartbeats, errors, doubles;
    unsigned awaited[3]; /* visible, passed, timeout */
    bool welcomed;
};

void model_client_init(struct model_client *client, const char *user);
void model_client_fini(struct model_client *client);
/* Connects and says hello for the feeds that are wanted, with the positions that it has. */
void model_client_connect(struct model_client *client, struct world *world);
/* Disconnects if it is connected, and frees what it holds. */
void model_client_leave(struct model_client *client);
/* Asks for a page of older entries, if there are any and none is under way. */
void model_client_page(struct model_client *client, unsigned feed, unsigned limit);
void model_client_disconnect(struct model_client *client, unsigned code);
/* Fails the test unless the feed is a piece of the timeline without a hole: its newest entries are the timeline's
 * (those of the union, for a home feed), down to the client's oldest one, or all of them if it was told that there are
 * no more; nothing in it was removed; and its position is the timeline's. */
void model_client_check(const struct model_client *client, unsigned feed, const struct world *world,
                        const struct timeline *timeline);

#endif
