/* Replies of hiredis as the rest of the program sees them. */
#include "shared/redis/client.h"

#include <hiredis/hiredis.h>

static const redisReply *raw(const struct feed_reply *reply)
{
    return (const redisReply *)reply;
}

enum feed_reply_type feed_reply_type(const struct feed_reply *reply)
{
    switch (reply ? raw(reply)->type : REDIS_REPLY_NIL) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_VERB:
    case REDIS_REPLY_DOUBLE:
    case REDIS_REPLY_BIGNUM:
        return FEED_REPLY_STRING;
    case REDIS_REPLY_INTEGER:
    case REDIS_REPLY_BOOL:
        return FEED_REPLY_INTEGER;
    case REDIS_REPLY_ARRAY:
    case REDIS_REPLY_MAP:
    case REDIS_REPLY_SET:
    case REDIS_REPLY_PUSH:
        return FEED_REPLY_ARRAY;
    case REDIS_REPLY_ERROR:
        return FEED_REPLY_ERROR;
    default:
        return FEED_REPLY_NIL;
    }
}

struct feed_str feed_reply_str(const struct feed_reply *reply)
{
    enum feed_reply_type type = feed_reply_type(reply);
    if (type != FEED_REPLY_STRING && type != FEED_REPLY_ERROR) {
        return (struct feed_str){NULL, 0};
    }
    return (struct feed_str){raw(reply)->str, raw(reply)->len};
}

int64_t feed_reply_int(const struct feed_reply *reply)
{
    if (feed_reply_type(reply) == FEED_REPLY_INTEGER) {
        return raw(reply)->integer;
    }
    struct feed_str text = feed_reply_str(reply);
    bool negative = text.len > 0 && text.data[0] == '-';
    if (negative) {
        text.data++;
        text.len--;
    }
    uint64_t value;
    if (feed_str_to_u64(text, INT64_MAX, &value) != FEED_OK) {
        return 0;
    }
    return negative ? -(int64_t)value : (int64_t)value;
}

size_t feed_reply_count(const struct feed_reply *reply)
{
    return feed_reply_type(reply) == FEED_REPLY_ARRAY ? raw(reply)->elements : 0;
}

const struct feed_reply *feed_reply_at(const struct feed_reply *reply, size_t i)
{
    return i < feed_reply_count(reply) ? (const struct feed_reply *)raw(reply)->element[i] : NULL;
}
