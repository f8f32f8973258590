/* Redis keys. The braces make everything of one user, or of one page of followers, live on one server of a cluster. */
#include "shared/model/keys.h"

#include "shared/base/assert.h"
#include "shared/model/names.h"

#include <stdio.h>

static const char *const timeline_names[] = {"home", "notifications", "outbox"};
static const char timeline_letters[] = {'f', 'n', 'o'};

/* page_suffix: "" or "/page" */
static struct feed_key make_key(char letter, struct feed_str tenant, struct feed_str user, const char *page_suffix)
{
    feed_assert(feed_tenant_valid(tenant) && feed_user_valid(user));
    struct feed_key key;
    int len = snprintf(key.text, sizeof(key.text), "%c:{%.*s/%.*s%s}", letter, (int)tenant.len, tenant.data,
                       (int)user.len, user.data, page_suffix);
    feed_assert(len > 0 && len <= FEED_KEY_MAX);
    key.len = (size_t)len;
    return key;
}

static struct feed_key make_page_key(char letter, struct feed_str tenant, struct feed_str author, unsigned page)
{
    char suffix[16];
    snprintf(suffix, sizeof(suffix), "/%u", page);
    return make_key(letter, tenant, author, suffix);
}

struct feed_key feed_key_timeline(enum feed_timeline timeline, struct feed_str tenant, struct feed_str user)
{
    feed_assert((unsigned)timeline < sizeof(timeline_letters));
    return make_key(timeline_letters[timeline], tenant, user, "");
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

struct feed_key feed_key_settings(struct feed_str tenant, struct feed_str user)
{
    return make_key('m', tenant, user, "");
}

struct feed_key feed_key_followees(struct feed_str tenant, struct feed_str user)
{
    return make_key('h', tenant, user, "");
}

size_t feed_key_progress(struct feed_str topic, int32_t partition, char out[FEED_PROGRESS_KEY_MAX + 1])
{
    feed_assert(feed_topic_valid(topic) && partition >= 0);
    int len = snprintf(out, FEED_PROGRESS_KEY_MAX + 1, "p:{%.*s/%d}", (int)topic.len, topic.data, (int)partition);
    feed_assert(len > 0 && len <= FEED_PROGRESS_KEY_MAX);
    return (size_t)len;
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
