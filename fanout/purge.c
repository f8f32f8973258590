/* The difficulty is to miss nothing. So all keys of the tenant are looked at, and not those that the graph leads to:
 * who was mentioned long ago, who has muted whom, stands nowhere but there. For the same reason the records of the
 * graph are judged by the form of their keys, whatever their kind. */
#include "fanout/purge.h"

#include "fanout/steps.h"
#include "shared/base/assert.h"
#include "shared/model/names.h"

#include <stdio.h>
#include <string.h>

void fan_purge_init(struct fan_purge *purge, struct feed_str tenant, unsigned cap)
{
    enum feed_error error = feed_str_copy(tenant, purge->tenant, sizeof purge->tenant);
    feed_assert(error == FEED_OK);
    purge->count = 0;
    snprintf(purge->cap, sizeof purge->cap, "%u", cap);
}

static const struct fan_purge_user *find(const struct fan_purge *purge, struct feed_str name)
{
    for (size_t i = 0; i < purge->count; i++) {
        if (feed_str_eq(name, feed_str_of(purge->users[i].name)))
            return &purge->users[i];
    }
    return NULL;
}

bool fan_purge_add(struct fan_purge *purge, struct feed_str tenant, struct feed_str user, int64_t until_ms)
{
    if (!feed_str_eq(tenant, feed_str_of(purge->tenant)))
        return false;
    const struct fan_purge_user *known = find(purge, user);
    if (!known && purge->count == FAN_PURGE_USERS_MAX)
        return false;
    struct fan_purge_user *at = known ? &purge->users[known - purge->users] : &purge->users[purge->count++];
    if (known && known->until_ms >= until_ms)
        return true;
    enum feed_error error = feed_str_copy(user, at->name, sizeof at->name);
    feed_assert(error == FEED_OK);
    at->until_ms = until_ms;
    at->id = feed_purged_id(tenant, user);
    snprintf(at->until_text, sizeof at->until_text, "%lld", (long long)until_ms);
    return true;
}

size_t fan_purge_pattern(const struct fan_purge *purge, char out[FAN_PURGE_PATTERN_MAX + 1])
{
    return (size_t)snprintf(out, FAN_PURGE_PATTERN_MAX + 1, "?:{%s/*}",
                            purge->tenant); /* no name has a sign of globs */
}

/* ---- keys ---- */

enum { KEY_MAX = 2 * FEED_KEY_MAX }; /* those of idempotency have two names */

/* letter:{tenant/user}, and letter:{tenant/user/rest}. */
struct parts {
    char letter;
    struct feed_str user, rest;
};

static bool take_apart(const struct fan_purge *purge, struct feed_str key, struct parts *out)
{
    size_t tenant = strlen(purge->tenant), head = 3 + tenant + 1;
    if (key.len < head + 2 || key.len > KEY_MAX || memcmp(key.data + 1, ":{", 2) != 0 ||
        memcmp(key.data + 3, purge->tenant, tenant) != 0 || key.data[head - 1] != '/' || key.data[key.len - 1] != '}')
        return false;
    struct feed_str name = {key.data + head, key.len - head - 1};
    const char *slash = memchr(name.data, '/', name.len);
    *out = (struct parts){.letter = key.data[0], .user = name};
    if (slash) {
        out->user.len = (size_t)(slash - name.data);
        out->rest = (struct feed_str){slash + 1, name.len - out->user.len - 1};
    }
    return feed_user_valid(out->user);
}

static bool page_number(struct feed_str text, unsigned *out)
{
    *out = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || *out > FEED_PAGES_MAX)
            return false;
        *out = *out * 10 + (unsigned)(text.data[i] - '0');
    }
    return text.len > 0;
}

/* The keys of the command: that one, and those that change with it. */
static bool add_keys(const struct fan_purge *purge, struct feed_str key, const struct parts *parts,
                     struct fan_call *call)
{
    unsigned page;
    struct feed_str tenant = feed_str_of(purge->tenant);
    switch (parts->letter) {
    case 'g':
    case 'k':
    case 'l':
    case 'q':
        if (!page_number(parts->rest, &page))
            return false;
        fan_call_arg(call, FEED_STR("4"));
        fan_place_keys(page, tenant, parts->user, call);
        return true;
    case 'b':
        fan_call_arg(call, FEED_STR("2"));
        fan_call_arg(call, key);
        fan_call_key(call, feed_key_timeline(FEED_TIMELINE_HOME, tenant, parts->user));
        return true;
    default:
        fan_call_arg(call, FEED_STR("1"));
        fan_call_arg(call, key);
        return true;
    }
}

bool fan_purge_build(const struct fan_purge *purge, struct feed_str key, struct fan_call *call)
{
    struct parts parts;
    if (!take_apart(purge, key, &parts))
        return false;
    const struct fan_purge_user *own = find(purge, parts.user);
    /* What belongs to one user alone and names no other, and what can name others. */
    if (!strchr(own ? "fnogklqhmabcsi" : "fnogklhmbc", parts.letter))
        return false;
    call->argc = call->key_count = call->number_count = 0;
    fan_call_arg(call, FEED_STR("FCALL"));
    fan_call_arg(call, FEED_STR("feedwire_v1_erase"));
    if (!add_keys(purge, key, &parts, call))
        return false;
    fan_call_arg(call, feed_str_of(purge->cap));
    fan_call_arg(call, own ? feed_str_of(own->until_text) : FEED_STR(""));
    for (size_t i = 0; i < purge->count; i++) {
        fan_call_arg(call, feed_str_of(purge->users[i].name));
        fan_call_arg(call, feed_str_of(purge->users[i].until_text));
    }
    return true;
}

/* ---- records of the graph ---- */

enum { RELATION_TENANT, RELATION_KIND, RELATION_USER, RELATION_SUBJECT, RELATION_PARTS };

static bool split(struct feed_str key, struct feed_str parts[RELATION_PARTS])
{
    for (unsigned i = 0; i < RELATION_PARTS; i++) {
        const char *slash = key.len ? memchr(key.data, '/', key.len) : NULL;
        if ((slash != NULL) != (i < RELATION_PARTS - 1))
            return false;
        size_t len = slash ? (size_t)(slash - key.data) : key.len;
        parts[i] = (struct feed_str){key.data, len};
        if (slash)
            key = (struct feed_str){slash + 1, key.len - len - 1};
    }
    return true;
}

bool fan_purge_ends_relation(const struct fan_purge *purge, struct feed_str key, struct feed_str value)
{
    struct feed_str parts[RELATION_PARTS];
    if (!value.data || !split(key, parts) || !feed_str_eq(parts[RELATION_TENANT], feed_str_of(purge->tenant)) ||
        feed_str_eq(parts[RELATION_KIND], FEED_STR("purge")))
        return false;
    const struct fan_purge_user *user = find(purge, parts[RELATION_USER]),
                                *subject = find(purge, parts[RELATION_SUBJECT]);
    /* What cannot be read, or is of a kind that is not known here, is taken for old. */
    struct feed_relation relation;
    int64_t newest_ms = feed_relation_read(key, value, &relation) == FEED_OK ? feed_relation_newest_ms(&relation) : 0;
    return (user && newest_ms <= user->until_ms) || (subject && newest_ms <= subject->until_ms);
}
