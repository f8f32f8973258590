/* Views of bytes. An empty view may have no address at all, and memcpy and memcmp must not be given one: so every
 * function asks for the length first. */
#include "shared/base/str.h"

#include "shared/base/assert.h"

#include <string.h>

struct feed_str feed_str_of(const char *text)
{
    return (struct feed_str){text, text ? strlen(text) : 0};
}

bool feed_str_eq(struct feed_str a, struct feed_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

struct feed_str feed_str_cut(struct feed_str *text, char separator)
{
    const char *end = text->len ? memchr(text->data, separator, text->len) : NULL;
    if (!end) {
        struct feed_str all = *text;
        *text = (struct feed_str){NULL, 0};
        return all;
    }
    struct feed_str part = {text->data, (size_t)(end - text->data)};
    *text = (struct feed_str){end + 1, text->len - part.len - 1};
    return part;
}

int feed_str_cmp(struct feed_str a, struct feed_str b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common > 0 ? memcmp(a.data, b.data, common) : 0;
    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

enum feed_error feed_str_copy(struct feed_str s, char *out, size_t out_size)
{
    feed_assert(out_size > 0);
    out[0] = '\0';
    if (s.len >= out_size)
        return FEED_E_TOO_LARGE;
    if (s.len > 0)
        memcpy(out, s.data, s.len);
    out[s.len] = '\0';
    return FEED_OK;
}

enum feed_error feed_str_to_u64(struct feed_str s, uint64_t max, uint64_t *out)
{
    if (s.len == 0)
        return FEED_E_INVALID;
    uint64_t value = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9')
            return FEED_E_INVALID;
        uint64_t digit = (uint64_t)(s.data[i] - '0');
        if (value > max / 10 || digit > max - value * 10)
            return FEED_E_INVALID;
        value = value * 10 + digit;
    }
    *out = value;
    return FEED_OK;
}
