#include "ingest/query.h"

#include <string.h>

/* The value, if the pair has this name; data NULL otherwise. */
static struct feed_str value_of(struct feed_str pair, struct feed_str name)
{
    const char *equals = pair.len ? memchr(pair.data, '=', pair.len) : NULL;
    if (!equals || !feed_str_eq((struct feed_str){pair.data, (size_t)(equals - pair.data)}, name))
        return (struct feed_str){NULL, 0};
    return (struct feed_str){equals + 1, pair.len - name.len - 1};
}

enum feed_error ing_query_find(struct feed_str query, struct feed_str name, struct feed_str *value)
{
    *value = (struct feed_str){NULL, 0};
    while (query.len > 0) {
        const char *end = memchr(query.data, '&', query.len);
        struct feed_str pair = {query.data, end ? (size_t)(end - query.data) : query.len};
        struct feed_str found = value_of(pair, name);
        if (found.data && value->data)
            return FEED_E_INVALID;
        if (found.data)
            *value = found;
        size_t used = pair.len + (end ? 1 : 0);
        query = (struct feed_str){query.data + used, query.len - used};
    }
    return feed_str_utf8(*value) ? FEED_OK : FEED_E_INVALID;
}
