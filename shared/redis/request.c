/* Two passes: how many bytes at most, then the bytes, so that nothing is checked on the way. */
#include "shared/redis/request.h"

#include "shared/base/assert.h"

#include <stdlib.h>
#include <string.h>

enum { HEAD_MAX = 1 + 20 + 2, CRLF_BYTES = 2 }; /* '*' or '$', a number, the end of the line */

static size_t size_at_most(const struct feed_str *argv, size_t argc)
{
    size_t size = HEAD_MAX;
    for (size_t i = 0; i < argc; i++) {
        feed_assert(argv[i].len < SIZE_MAX / 2 - size - HEAD_MAX - CRLF_BYTES);
        size += HEAD_MAX + argv[i].len + CRLF_BYTES;
    }
    return size;
}

static void make_room(struct feed_redis_request *request, size_t size)
{
    if (size <= request->capacity && request->capacity <= FEED_REDIS_REQUEST_KEPT)
        return;
    free(request->bytes);
    request->capacity = size > 1024 ? size : 1024;
    request->bytes = malloc(request->capacity);
    feed_assert(request->bytes);
}

static char *put_line_end(char *at)
{
    *at++ = '\r';
    *at++ = '\n';
    return at;
}

static char *put_head(char *at, char kind, size_t number)
{
    char digits[20];
    size_t from = sizeof digits;
    do {
        digits[--from] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    *at++ = kind;
    while (from < sizeof digits)
        *at++ = digits[from++];
    return put_line_end(at);
}

void feed_redis_request_set(struct feed_redis_request *request, const struct feed_str *argv, size_t argc)
{
    make_room(request, size_at_most(argv, argc));
    char *at = put_head(request->bytes, '*', argc);
    for (size_t i = 0; i < argc; i++) {
        at = put_head(at, '$', argv[i].len);
        if (argv[i].len)
            memcpy(at, argv[i].data, argv[i].len);
        at = put_line_end(at + argv[i].len);
    }
    request->len = (size_t)(at - request->bytes);
}

void feed_redis_request_fini(struct feed_redis_request *request)
{
    free(request->bytes);
    *request = (struct feed_redis_request){0};
}
