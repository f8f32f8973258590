/* The activity is written as JSON and read like any other, so that there is one set of rules, and one way on. */
#include "ingest/relate.h"

#include "ingest/query.h"
#include "shared/base/json_out.h"
#include "shared/model/names.h"

#include <string.h>

static const struct relation {
    struct feed_str prefix, begin, end;
} relations[] = {
    {{"/v1/follows/", 12}, {"follow", 6}, {"unfollow", 8}},
    {{"/v1/blocks/", 11}, {"block", 5}, {"unblock", 7}},
    {{"/v1/mutes/", 10}, {"mute", 4}, {"unmute", 6}},
};

static const struct relation *find(struct feed_str path)
{
    for (size_t i = 0; i < sizeof relations / sizeof relations[0]; i++) {
        struct feed_str prefix = relations[i].prefix;
        if (path.len > prefix.len && memcmp(path.data, prefix.data, prefix.len) == 0)
            return &relations[i];
    }
    return NULL;
}

bool ing_relate_path(struct feed_str path)
{
    return find(path) != NULL;
}

static void write(struct feed_str actor, struct feed_str verb, struct feed_str object, struct feed_str entries,
                  struct feed_buf *out)
{
    struct feed_json_out json;
    feed_json_out_init(&json, out);
    feed_json_open(&json);
    feed_json_member(&json, "actor", actor);
    feed_json_member(&json, "verb", verb);
    feed_json_key(&json, "object");
    feed_json_open(&json);
    feed_json_member(&json, "type", FEED_STR("user"));
    feed_json_member(&json, "id", object);
    feed_json_close(&json);
    if (entries.data) {
        feed_json_key(&json, "data");
        feed_json_open(&json);
        feed_json_member(&json, "entries", entries);
        feed_json_close(&json);
    }
    feed_json_close(&json);
}

const char *ing_relate_activity(bool put, struct feed_str path, struct feed_str query, struct feed_buf *out)
{
    const struct relation *relation = find(path);
    struct feed_str rest = {NULL, 0}, entries;
    if (relation)
        rest = (struct feed_str){path.data + relation->prefix.len, path.len - relation->prefix.len};
    const char *slash = rest.len ? memchr(rest.data, '/', rest.len) : NULL;
    struct feed_str actor = {rest.data, slash ? (size_t)(slash - rest.data) : 0};
    struct feed_str object = {slash ? slash + 1 : NULL, slash ? rest.len - actor.len - 1 : 0};
    if (!feed_user_valid(actor) || !feed_user_valid(object))
        return "The path must end with two users, ACTOR/OBJECT: 1 to 128 characters of A-Z a-z 0-9 _ . : @ | + = ~ -.";
    if (ing_query_find(query, FEED_STR("entries"), &entries) != FEED_OK)
        return "The parameter entries must be there once, and be keep or purge.";
    bool unfollow = !put && relation == &relations[0];
    if (entries.data && !unfollow)
        return "The parameter entries belongs to DELETE of a follow.";
    write(actor, put ? relation->begin : relation->end, object, entries, out);
    return NULL;
}
