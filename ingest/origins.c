/* The list of origins. No patterns: an origin that somebody can register next to ours must not match. */
#include "ingest/origins.h"

#include <string.h>

static bool starts_with(struct feed_str s, struct feed_str head)
{
    return s.len > head.len && memcmp(s.data, head.data, head.len) == 0;
}

static bool origin_valid(struct feed_str origin)
{
    size_t scheme = starts_with(origin, FEED_STR("http://")) ? 7 : starts_with(origin, FEED_STR("https://")) ? 8 : 0;
    if (scheme == 0) {
        return false;
    }
    for (size_t i = scheme; i < origin.len; i++) {
        char c = origin.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr(".-:[]", c)) || c == '\0') {
            return false;
        }
    }
    return true;
}

static struct feed_str next_member(struct feed_str *rest)
{
    const char *comma = rest->len ? memchr(rest->data, ',', rest->len) : NULL;
    struct feed_str member = {rest->data, comma ? (size_t)(comma - rest->data) : rest->len};
    size_t used = member.len + (comma ? 1 : 0);
    *rest = (struct feed_str){rest->data + used, rest->len - used};
    while (member.len > 0 && *member.data == ' ') {
        member.data++;
        member.len--;
    }
    while (member.len > 0 && member.data[member.len - 1] == ' ') {
        member.len--;
    }
    return member;
}

enum feed_error ing_origins_parse(struct feed_str text, struct ing_origins *out)
{
    out->count = 0;
    while (text.len > 0) {
        struct feed_str origin = next_member(&text);
        if (origin.len == 0) {
            continue;
        }
        if (!origin_valid(origin)) {
            return FEED_E_INVALID;
        }
        if (out->count == ING_ORIGINS_MAX) {
            return FEED_E_TOO_LARGE;
        }
        out->list[out->count++] = origin;
    }
    return FEED_OK;
}

struct feed_str ing_origins_find(const struct ing_origins *origins, struct feed_str origin)
{
    for (size_t i = 0; i < origins->count; i++) {
        if (feed_str_eq(origins->list[i], origin)) {
            return origins->list[i];
        }
    }
    return (struct feed_str){NULL, 0};
}
