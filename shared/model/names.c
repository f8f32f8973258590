/* Grammars as tables of characters would be shorter to run, but these are read more often than they are slow. */
#include "shared/model/names.h"

#include "shared/base/limits.h"

#include <string.h>

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_user_char(char c)
{
    return is_lower(c) || is_digit(c) || is_upper(c) || (c != '\0' && strchr("_.:@|+=~-", c));
}

bool feed_tenant_valid(struct feed_str name)
{
    if (name.len < 1 || name.len > FEED_TENANT_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        if (!is_lower(name.data[i]) && !is_digit(name.data[i]) && name.data[i] != '-')
            return false;
    }
    return true;
}

bool feed_user_valid(struct feed_str name)
{
    if (name.len < 1 || name.len > FEED_USER_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        if (!is_user_char(name.data[i]))
            return false;
    }
    return true;
}

bool feed_verb_valid(struct feed_str name)
{
    if (name.len < 1 || name.len > FEED_VERB_MAX || !is_lower(name.data[0]))
        return false;
    for (size_t i = 1; i < name.len; i++) {
        char c = name.data[i];
        if (!is_lower(c) && !is_digit(c) && c != '_' && c != '-')
            return false;
    }
    return true;
}

/* UTF-8 of some length without control characters: what goes through logs, headers and terminals unharmed. */
static bool is_plain_text(struct feed_str text, size_t max)
{
    if (text.len < 1 || text.len > max)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < 0x20 || c == 0x7f)
            return false;
    }
    return feed_str_utf8(text);
}

bool feed_object_id_valid(struct feed_str id)
{
    return is_plain_text(id, FEED_OBJECT_ID_MAX);
}

bool feed_activity_id_valid(struct feed_str id)
{
    return is_plain_text(id, FEED_ACTIVITY_ID_MAX);
}

bool feed_source_valid(struct feed_str source)
{
    return is_plain_text(source, FEED_SOURCE_MAX);
}

bool feed_topic_valid(struct feed_str name)
{
    if (name.len < 1 || name.len > FEED_TOPIC_MAX || feed_str_eq(name, FEED_STR(".")) ||
        feed_str_eq(name, FEED_STR("..")))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        if (!is_lower(c) && !is_upper(c) && !is_digit(c) && c != '.' && c != '_' && c != '-')
            return false;
    }
    return true;
}
