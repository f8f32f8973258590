#include "shared/model/purged.h"

#include "shared/base/assert.h"
#include "shared/model/names.h"

#include <stdio.h>

struct feed_id feed_purged_id(struct feed_str tenant, struct feed_str user)
{
    /* With a blank in it, which no UUID has: a name that is a UUID would be taken as it is. */
    char source[FEED_TENANT_MAX + 8], name[FEED_USER_MAX + 8];
    feed_assert(feed_tenant_valid(tenant) && feed_user_valid(user));
    int source_len = snprintf(source, sizeof source, "purge %.*s", (int)tenant.len, tenant.data);
    int name_len = snprintf(name, sizeof name, "user %.*s", (int)user.len, user.data);
    return feed_id_from_text((struct feed_str){source, (size_t)source_len}, (struct feed_str){name, (size_t)name_len});
}

void feed_purged_name(const struct feed_id *id, char out[FEED_PURGED_NAME + 1])
{
    feed_hex(id->bytes, sizeof id->bytes, out);
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum feed_error feed_purged_parse(struct feed_str name, struct feed_id *out)
{
    if (name.len != FEED_PURGED_NAME)
        return FEED_E_INVALID;
    for (size_t i = 0; i < FEED_ID_BYTES; i++) {
        int high = digit(name.data[2 * i]), low = digit(name.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return FEED_E_INVALID;
        out->bytes[i] = (uint8_t)(high << 4 | low);
    }
    return FEED_OK;
}

void feed_purge_report_key(const struct feed_id *id, char out[FEED_PURGE_REPORT_KEY_MAX + 1])
{
    char name[FEED_PURGED_NAME + 1];
    feed_purged_name(id, name);
    snprintf(out, FEED_PURGE_REPORT_KEY_MAX + 1, "%s/%s", FEED_PURGES_KEY, name);
}
