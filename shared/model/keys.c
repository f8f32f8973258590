/* Redis keys. The braces make everything of one user, or of one page of followers, live on one server of a cluster. */
#include "shared/model/keys.h"

#include "shared/base/assert.h"
#include "shared/model/names.h"

#include <stdio.h>
#include <string.h>

static const char *const timeline_names[] = {"home", "notifications", "outbox"};
static const char timeline_letters[] = {'f', 'n', 'o'};

static char *put(char *at, struct feed_str s)
{
    memcpy(at, s.data, s.len);
    return at + s.len;
}

/* By hand, because each write to a feed begins with this. page_suffix: "" or "/page" */
static struct feed_key make_key(char letter, struct feed_str tenant, struct feed_str user, struct feed_str page_suffix)
{
    feed_assert(feed_tenant_valid(tenant) && feed_user_valid(user));
    struct feed_key key;
    char *at = key.text;
    *at++ = letter;
    *at++ = ':';
    *at++ = '{';
    at = put(at, tenant);
    *at++ = '/';
    at = put(at, user);
    at = put(at, page_suffix);
    *at++ = '}';
    *at = '\0';
    key.len = (size_t)(at - key.text);
    return key;
}

static struct feed_key make_page_key(char letter, struct feed_str tenant, struct feed_str author, unsigned page)
{
    char suffix[1 + 10 + 1];
    int len = snprintf(suffix, sizeof suffix, "/%u", page);
    return make_key(letter, tenant, author, (struct feed_str){suffix, (size_t)len});
}

struct feed_key feed_key_timeline(enum feed_timeline timeline, struct feed_str tenant, struct feed_str user)
{
    feed_assert((unsigned)timeline < sizeof(timeline_letters));
    return make_key(timeline_letters[timeline], tenant, user, FEED_STR(""));
}

struct feed_key feed_key_followers(struct feed_str tenant, struct feed_str author, unsigned page)
{
    return make_page_key('g', tenant, author, page);
}

struct feed_key feed_key_ended(struct feed_str tenant, struct feed_str author, unsigned page)
{
    return make_page_key('k', tenant, author, page);
}

struct feed_key feed_key_latest(struct feed_str tenant, struct feed_str author, unsigned page)
{
    return make_page_key('l', tenant, author, page);
}

struct feed_key feed_key_page(struct feed_str tenant, struct feed_str author, unsigned page)
{
    return make_page_key('q', tenant, author, page);
}

struct feed_key feed_key_settings(struct feed_str tenant, struct feed_str user)
{
    return make_key('m', tenant, user, FEED_STR(""));
}

struct feed_key feed_key_followees(struct feed_str tenant, struct feed_str user)
{
    return make_key('h', tenant, user, FEED_STR(""));
}

struct feed_key feed_key_author(struct feed_str tenant, struct feed_str author)
{
    return make_key('a', tenant, author, FEED_STR(""));
}

struct feed_key feed_key_sources(struct feed_str tenant, struct feed_str user)
{
    return make_key('b', tenant, user, FEED_STR(""));
}

struct feed_key feed_key_crossings(struct feed_str tenant, struct feed_str user)
{
    return make_key('c', tenant, user, FEED_STR(""));
}

size_t feed_key_progress(struct feed_str topic, char out[FEED_PROGRESS_KEY_MAX + 1])
{
    feed_assert(feed_topic_valid(topic));
    int len = snprintf(out, FEED_PROGRESS_KEY_MAX + 1, "p:{%.*s}", (int)topic.len, topic.data);
    feed_assert(len > 0 && len <= FEED_PROGRESS_KEY_MAX);
    return (size_t)len;
}

struct feed_str feed_key_tenant(struct feed_str key)
{
    feed_str_cut(&key, '{');
    return feed_str_cut(&key, '/');
}

struct feed_str feed_key_str(const struct feed_key *key)
{
    return (struct feed_str){key->text, key->len};
}

enum feed_error feed_timeline_from_name(struct feed_str name, enum feed_timeline *out)
{
    if (feed_str_eq(name, FEED_STR("home")))
        *out = FEED_TIMELINE_HOME;
    else if (feed_str_eq(name, FEED_STR("notifications")))
        *out = FEED_TIMELINE_NOTIFICATIONS;
    else
        return FEED_E_INVALID; /* clients may not read an outbox as such */
    return FEED_OK;
}

const char *feed_timeline_name(enum feed_timeline timeline)
{
    feed_assert((unsigned)timeline < sizeof(timeline_letters));
    return timeline_names[timeline];
}
