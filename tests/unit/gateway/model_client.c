/* The client of model_client.h. It reads the frames as JSON text, so it also tests what they say. */
#include "tests/unit/gateway/model_client.h"

#include "shared/base/assert.h"
#include "shared/base/time_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

static const char *const names[MODEL_FEEDS] = {"home", "notifications"};

static const char *text(yyjson_val *object, const char *key)
{
    const char *value = yyjson_get_str(yyjson_obj_get(object, key));
    feed_assert(value);
    return value;
}

static struct model_feed *feed_of(struct model_client *client, yyjson_val *root)
{
    for (unsigned i = 0; i < MODEL_FEEDS; i++) {
        if (strcmp(text(root, "feed"), names[i]) == 0 && client->feeds[i].wanted)
            return &client->feeds[i];
    }
    feed_assert(!"a feed that was asked for");
    return NULL;
}

static int order(const char *published, const char *id, const struct model_entry *entry)
{
    int by_time = strcmp(published, entry->published);
    return by_time ? by_time : strcmp(id, entry->id);
}

static bool has(const struct model_feed *feed, const char *id)
{
    for (size_t i = 0; i < feed->count; i++) {
        if (strcmp(feed->entries[i].id, id) == 0)
            return true;
    }
    return false;
}

static size_t put(struct model_feed *feed, const char *published, const char *id)
{
    size_t at = 0;
    while (at < feed->count && order(published, id, &feed->entries[at]) < 0)
        at++;
    feed_assert(feed->count < MODEL_ENTRIES_MAX);
    memmove(&feed->entries[at + 1], &feed->entries[at], (feed->count - at) * sizeof feed->entries[0]);
    snprintf(feed->entries[at].published, sizeof feed->entries[at].published, "%s", published);
    snprintf(feed->entries[at].id, sizeof feed->entries[at].id, "%s", id);
    feed->count++;
    return at;
}

static void insert(struct model_client *client, struct model_feed *feed, yyjson_val *entry, bool oldest_last)
{
    const char *published = text(entry, "published"), *id = text(entry, "id");
    /* After a resume with `current` the gateway does not know where this client's entries end, but the client does. */
    if (!oldest_last && feed->more && order(published, id, &feed->floor) < 0)
        return;
    if (has(feed, id)) {
        client->doubles++;
        return;
    }
    size_t at = put(feed, published, id);
    feed_assert(!oldest_last || at == feed->count - 1);
}

static void on_slice(struct model_client *client, yyjson_val *root)
{
    struct model_feed *feed = feed_of(client, root);
    client->slices++;
    feed->fresh_last = false;
    feed->sliced = true;
    snprintf(feed->last_outcome, sizeof feed->last_outcome, "%s", text(root, "outcome"));
    snprintf(feed->position, sizeof feed->position, "%s", text(root, "position"));
    yyjson_val *entries = yyjson_obj_get(root, "entries"), *entry;
    bool reset = yyjson_get_bool(yyjson_obj_get(root, "reset"));
    feed_assert(reset == (strcmp(feed->last_outcome, "current") != 0));
    feed_assert(reset || yyjson_arr_size(entries) == 0);
    feed_assert(yyjson_arr_size(entries) <= (strcmp(feed->last_outcome, "window") == 0 ? FEED_CAP : feed->limit));
    if (!reset)
        return;
    feed->count = 0;
    feed->least = strcmp(feed->last_outcome, "window") == 0 ? FEED_CAP : feed->limit;
    feed->more = yyjson_get_bool(yyjson_obj_get(root, "more"));
    size_t i, n;
    yyjson_arr_foreach(entries, i, n, entry)
    {
        insert(client, feed, entry, true);
    }
    feed_assert(!feed->more || feed->count > 0);
    if (feed->more)
        feed->floor = feed->entries[feed->count - 1];
}

static void on_push(struct model_client *client, yyjson_val *root)
{
    struct model_feed *feed = feed_of(client, root);
    feed_assert(feed->sliced); /* never before the slice */
    client->pushes++;
    feed->fresh_last = false;
    snprintf(feed->position, sizeof feed->position, "%s", text(root, "position"));
    yyjson_val *entry;
    size_t i, n;
    yyjson_arr_foreach(yyjson_obj_get(root, "entries"), i, n, entry)
    {
        client->pushed_entries++;
        insert(client, feed, entry, false);
    }
}

static void on_page(struct model_client *client, yyjson_val *root)
{
    struct model_feed *feed = feed_of(client, root);
    yyjson_val *entry, *next = yyjson_obj_get(root, "next");
    size_t i, n;
    feed_assert(feed->sliced && feed->paging);
    feed->paging = false;
    yyjson_arr_foreach(yyjson_obj_get(root, "entries"), i, n, entry)
    {
        const char *published = text(entry, "published"), *id = text(entry, "id");
        if (has(feed, id)) /* a slice came before the page */
            continue;
        put(feed, published, id); /* mostly at the end; above it when a slice before the page was dropped */
        feed->floor = feed->entries[feed->count - 1];
        feed->least++;
        client->paged_entries++;
    }
    feed->more = feed->more && yyjson_get_bool(yyjson_obj_get(root, "more"));
    feed_assert(yyjson_is_null(next) == (yyjson_obj_get(root, "end") != NULL));
    feed_assert(yyjson_is_null(next) ||
                strcmp(text(next, "id"), text(yyjson_arr_get_last(yyjson_obj_get(root, "entries")), "id")) == 0);
}

static void remove_id(struct model_feed *feed, const char *id)
{
    for (size_t i = 0; i < feed->count; i++) {
        if (strcmp(feed->entries[i].id, id) != 0)
            continue;
        memmove(&feed->entries[i], &feed->entries[i + 1], (--feed->count - i) * sizeof feed->entries[0]);
        feed->least -= feed->least > 0;
        return;
    }
}

static void on_remove(struct model_client *client, yyjson_val *root)
{
    struct model_feed *feed = feed_of(client, root);
    feed_assert(feed->sliced);
    client->removals++;
    snprintf(feed->position, sizeof feed->position, "%s", text(root, "position"));
    feed_assert(yyjson_is_bool(yyjson_obj_get(root, "final")));
    yyjson_val *id;
    size_t i, n;
    yyjson_arr_foreach(yyjson_obj_get(root, "ids"), i, n, id)
    {
        client->removed_entries++;
        remove_id(feed, yyjson_get_str(id));
    }
}

/* It tells of nothing that was not sent before it. */
static void on_heartbeat(struct model_client *client, yyjson_val *root)
{
    yyjson_val *positions = yyjson_obj_get(root, "positions");
    client->heartbeats++;
    for (unsigned i = 0; i < MODEL_FEEDS; i++) {
        const struct model_feed *feed = &client->feeds[i];
        const char *position = yyjson_get_str(yyjson_obj_get(positions, names[i]));
        feed_assert(!position || (feed->sliced && strcmp(position, feed->position) == 0));
    }
}

static void on_error(struct model_client *client, yyjson_val *root)
{
    client->errors++;
    for (unsigned i = 0; i < MODEL_FEEDS; i++)
        client->feeds[i].paging = client->feeds[i].paging && strcmp(text(root, "code"), "unavailable") != 0;
}

static void on_staleness(struct model_client *client, yyjson_val *root, bool stale)
{
    struct model_feed *feed = feed_of(client, root);
    feed_assert(feed->sliced && feed->stale != stale); /* never said twice */
    feed->stale = stale;
    feed->fresh_last = !stale;
    feed->stales += stale;
    feed->freshes += !stale;
    if (stale)
        feed->lag_ms = yyjson_get_sint(yyjson_obj_get(root, "lag_ms"));
}

static void on_frame(void *arg, struct feed_str json)
{
    struct model_client *client = arg;
    yyjson_doc *doc = yyjson_read(json.data, json.len, 0);
    feed_assert(doc);
    yyjson_val *root = yyjson_doc_get_root(doc);
    const char *type = text(root, "type");
    if (strcmp(type, "slice") == 0)
        on_slice(client, root);
    else if (strcmp(type, "push") == 0)
        on_push(client, root);
    else if (strcmp(type, "remove") == 0)
        on_remove(client, root);
    else if (strcmp(type, "page") == 0)
        on_page(client, root);
    else if (strcmp(type, "welcome") == 0)
        client->welcomed = true;
    else if (strcmp(type, "visible") == 0)
        client->awaited[0]++;
    else if (strcmp(type, "passed") == 0)
        client->awaited[1]++;
    else if (strcmp(type, "timeout") == 0)
        client->awaited[2]++;
    else if (strcmp(type, "stale") == 0 || strcmp(type, "fresh") == 0)
        on_staleness(client, root, type[0] == 's');
    else if (strcmp(type, "heartbeat") == 0)
        on_heartbeat(client, root);
    else if (strcmp(type, "error") == 0)
        on_error(client, root);
    else
        feed_assert(strcmp(type, "bye") == 0);
    yyjson_doc_free(doc);
}

void model_client_init(struct model_client *client, const char *user)
{
    *client = (struct model_client){.user = user};
    for (unsigned i = 0; i < MODEL_FEEDS; i++) {
        client->feeds[i].limit = FEED_SLICE;
        client->feeds[i].entries = calloc(MODEL_ENTRIES_MAX, sizeof client->feeds[i].entries[0]);
    }
}

void model_client_fini(struct model_client *client)
{
    for (unsigned i = 0; i < MODEL_FEEDS; i++)
        free(client->feeds[i].entries);
}

void model_client_connect(struct model_client *client, struct world *world)
{
    struct feed_buf token;
    char hello[FEED_CLIENT_MESSAGE_MAX];
    world_token(world, client->user, 100000, &token);
    int len = snprintf(hello, sizeof hello, "{\"type\":\"hello\",\"id\":1,\"token\":\"%s\",\"feeds\":[", token.data);
    const char *comma = "";
    for (unsigned i = 0; i < MODEL_FEEDS; i++) {
        struct model_feed *feed = &client->feeds[i];
        feed->sliced = feed->paging = feed->stale = feed->fresh_last = false;
        if (!feed->wanted)
            continue;
        len += snprintf(hello + len, sizeof hello - (size_t)len, "%s{\"feed\":\"%s\",\"limit\":%u", comma, names[i],
                        feed->limit);
        if (feed->position[0])
            len += snprintf(hello + len, sizeof hello - (size_t)len, ",\"position\":\"%s\"", feed->position);
        len += snprintf(hello + len, sizeof hello - (size_t)len, "}");
        comma = ",";
    }
    snprintf(hello + len, sizeof hello - (size_t)len, "]}");
    client->welcomed = false;
    client->ws = world_connect(world, on_frame, client, NULL);
    world_say(client->ws, hello);
    feed_buf_fini(&token);
}

void model_client_leave(struct model_client *client)
{
    if (client->ws)
        model_client_disconnect(client, 1000);
    model_client_fini(client);
}

void model_client_page(struct model_client *client, unsigned which, unsigned limit)
{
    struct model_feed *feed = &client->feeds[which];
    char json[256];
    if (!feed->wanted || !feed->sliced || !feed->more || feed->paging)
        return;
    feed->paging = true;
    snprintf(json, sizeof json,
             "{\"type\":\"page\",\"id\":2,\"feed\":\"%s\",\"limit\":%u,"
             "\"before\":{\"published\":\"%s\",\"id\":\"%s\"}}",
             names[which], limit, feed->floor.published, feed->floor.id);
    world_say(client->ws, json);
}

void model_client_disconnect(struct model_client *client, unsigned code)
{
    world_disconnect(client->ws, code);
    client->ws = NULL;
}

static struct model_entry entry_of(const struct world_entry *from)
{
    struct model_entry entry;
    feed_time_format(from->published_ms, entry.published);
    feed_id_format(&from->id, entry.id);
    return entry;
}

/* The client's entries from *at on begin with this one, or it is older than all that the client was given. After a
 * purge there is room in the timeline for entries that are older than what was trimmed, which the client still has. */
static void check_entry(const struct model_feed *feed, const struct model_entry *entry, bool purged, size_t *at)
{
    size_t found = *at;
    while (purged && found < feed->count && order(entry->published, entry->id, &feed->entries[found]) < 0)
        found++;
    if (found < feed->count && order(entry->published, entry->id, &feed->entries[found]) == 0)
        *at = found + 1;
    else
        feed_assert(feed->more && order(entry->published, entry->id, &feed->floor) < 0);
}

static size_t expected_of(const struct world *world, const struct timeline *timeline, struct world_entry out[FEED_CAP])
{
    if (timeline < world->timelines + WORLD_HOMES)
        return world_union(world, (unsigned)(timeline - world->timelines), out);
    size_t count = 0;
    for (size_t i = 0; i < timeline->count && i < FEED_CAP; i++) {
        if (!timeline->entries[i].mark)
            out[count++] = (struct world_entry){timeline->entries[i].published_ms, timeline->entries[i].id};
    }
    return count;
}

/* What an outbox is too short for is not taken from clients: what was pushed out of it, or out of those that are older
 * than the follow. */
static bool may_have_more(const struct world *world, const struct timeline *timeline)
{
    size_t home = (size_t)(timeline - world->timelines);
    for (unsigned a = 0; home < WORLD_HOMES && a < WORLD_AUTHORS; a++) {
        if (world->followees[home].authors[a].follows && world->timelines[WORLD_OUTBOX + a].count > FEED_BACKFILL)
            return true;
    }
    return timeline->purged;
}

static void check_position(const struct model_feed *feed, const struct world *world, const struct timeline *timeline)
{
    struct feed_position position, expected = timeline->position;
    enum feed_error error = feed_position_parse(feed_str_of(feed->position), &position);
    feed_assert(error == FEED_OK);
    const struct gw_feed *known = gw_feed_map_find(&world->hub.feeds, feed_key_str(&timeline->key));
    if (known && known->sources)
        expected.seen = known->sources->seen;
    feed_assert(feed_position_eq(&position, &expected));
}

void model_client_check(const struct model_client *client, unsigned which, const struct world *world,
                        const struct timeline *timeline)
{
    const struct model_feed *feed = &client->feeds[which];
    feed_assert(feed->sliced);
    check_position(feed, world, timeline);
    struct world_entry expected[FEED_CAP];
    size_t at = 0, window = expected_of(world, timeline, expected);
    bool loose = may_have_more(world, timeline);
    for (size_t i = 0; i < window; i++) {
        struct model_entry entry = entry_of(&expected[i]);
        check_entry(feed, &entry, loose, &at);
    }
    feed_assert(feed->more || feed->count >= window);
    feed_assert(feed->count >= (window < feed->least ? window : feed->least));
    for (size_t i = 0; i < feed->count; i++)
        feed_assert(!world_removed(world, feed->entries[i].id));
}
