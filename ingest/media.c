/* Reads Content-Type (RFC 9110, 8.3): type, and parameters behind semicolons. */
#include "ingest/media.h"

#include <string.h>
#include <strings.h>

static struct feed_str trim(struct feed_str s)
{
    while (s.len > 0 && (*s.data == ' ' || *s.data == '\t')) {
        s.data++;
        s.len--;
    }
    while (s.len > 0 && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t')) {
        s.len--;
    }
    return s;
}

static bool is_word(struct feed_str s, const char *word)
{
    return s.len == strlen(word) && strncasecmp(s.data, word, s.len) == 0;
}

/* Takes what stands before the next semicolon off the front. */
static struct feed_str next_part(struct feed_str *rest)
{
    const char *semicolon = rest->len ? memchr(rest->data, ';', rest->len) : NULL;
    size_t len = semicolon ? (size_t)(semicolon - rest->data) : rest->len;
    struct feed_str part = {rest->data, len};
    size_t used = semicolon ? len + 1 : len;
    *rest = (struct feed_str){rest->data + used, rest->len - used};
    return trim(part);
}

static bool parameter_allowed(struct feed_str parameter)
{
    return parameter.len == 0 || is_word(parameter, "charset=utf-8") || is_word(parameter, "charset=\"utf-8\"");
}

static const struct {
    const char *name;
    enum ing_media media;
} types[] = {
    {"application/json", ING_MEDIA_JSON},
    {"application/x-ndjson", ING_MEDIA_NDJSON},
    {"application/cloudevents+json", ING_MEDIA_EVENT},
    {"application/cloudevents-batch+json", ING_MEDIA_EVENTS},
};

enum ing_media ing_media_of(struct feed_str content_type)
{
    if (content_type.len == 0) {
        return ING_MEDIA_OTHER;
    }
    struct feed_str type = next_part(&content_type);
    while (content_type.len > 0) {
        if (!parameter_allowed(next_part(&content_type))) {
            return ING_MEDIA_OTHER;
        }
    }
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (is_word(type, types[i].name)) {
            return types[i].media;
        }
    }
    return ING_MEDIA_OTHER;
}

bool ing_encoding_is_identity(struct feed_str content_encoding)
{
    return content_encoding.len == 0 || is_word(trim(content_encoding), "identity");
}
