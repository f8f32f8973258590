#include "ingest/idempotency.h"

#include "shared/base/assert.h"
#include "shared/base/digest.h"
#include "shared/model/names.h"

#include <stdio.h>
#include <string.h>

/* Of the grammar of users, and the slash, which base64 has. */
static bool key_valid(struct feed_str key)
{
    if (key.len == 0 || key.len > FEED_IDEMPOTENCY_KEY_MAX)
        return false;
    for (size_t i = 0; i < key.len; i++) {
        if (key.data[i] != '/' && !feed_user_valid((struct feed_str){key.data + i, 1}))
            return false;
    }
    return true;
}

enum feed_error ing_idempotency_parse(struct feed_str header, struct feed_str *key)
{
    struct feed_str text = header;
    if (text.len >= 2 && text.data[0] == '"' && text.data[text.len - 1] == '"')
        text = (struct feed_str){text.data + 1, text.len - 2};
    if (!key_valid(text))
        return FEED_E_INVALID;
    *key = text;
    return FEED_OK;
}

struct ing_claim_key ing_claim_key(const struct feed_token_claims *claims, struct feed_str key)
{
    struct ing_claim_key out;
    feed_assert(key_valid(key));
    int len =
        snprintf(out.text, sizeof out.text, "i:{%s/%s/%.*s}", claims->tenant, claims->subject, (int)key.len, key.data);
    feed_assert(len > 0 && (size_t)len < sizeof out.text);
    out.len = (size_t)len;
    return out;
}

void ing_fingerprint(const struct feed_http_request *http, uint8_t out[ING_FINGERPRINT_BYTES])
{
    const char method = (char)('0' + http->method);
    const struct feed_str parts[] = {
        {&method, 1},
        http->path,
        http->query,
        http->headers[FEED_HTTP_CONTENT_TYPE],
        http->headers[FEED_HTTP_CE_SPECVERSION],
        http->headers[FEED_HTTP_CE_ID],
        http->headers[FEED_HTTP_CE_SOURCE],
        http->headers[FEED_HTTP_CE_TYPE],
        http->headers[FEED_HTTP_CE_TIME],
        http->body,
    };
    uint8_t digest[FEED_DIGEST_BYTES];
    feed_digest(parts, sizeof parts / sizeof parts[0], digest);
    memcpy(out, digest, ING_FINGERPRINT_BYTES);
}

struct ing_stamp ing_stamp_of(const struct ing_claim_key *key, int64_t first_ms)
{
    struct ing_stamp stamp = {.first_ms = first_ms};
    uint8_t digest[FEED_DIGEST_BYTES];
    char time[24];
    int len = snprintf(time, sizeof time, "%lld", (long long)first_ms);
    const struct feed_str parts[] = {{key->text, key->len}, {time, (size_t)len}};
    feed_digest(parts, 2, digest);
    memcpy(stamp.seed, digest, sizeof stamp.seed);
    return stamp;
}

void ing_places_write(const struct ing_batch *batch, struct feed_buf *out)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct ing_item *item = &batch->items[i];
        feed_assert(item->state == ING_ITEM_ACKNOWLEDGED);
        if (i > 0)
            feed_buf_char(out, ' ');
        feed_buf_i64(out, item->partition);
        feed_buf_char(out, ':');
        feed_buf_i64(out, item->offset);
    }
}

static struct feed_str until(struct feed_str *rest, char end)
{
    const char *found = rest->len ? memchr(rest->data, end, rest->len) : NULL;
    size_t len = found ? (size_t)(found - rest->data) : rest->len;
    struct feed_str part = {rest->data, len};
    size_t used = found ? len + 1 : len;
    *rest = (struct feed_str){rest->data + used, rest->len - used};
    return part;
}

/* Calls for each place; false when the text is not `count` places. batch NULL: only looks. */
static bool walk_places(struct feed_str places, size_t count, struct ing_batch *batch)
{
    for (size_t i = 0; i < count; i++) {
        struct feed_str offset = until(&places, ' ');
        struct feed_str partition = until(&offset, ':');
        uint64_t p, o;
        if (feed_str_to_u64(partition, INT32_MAX, &p) != FEED_OK || feed_str_to_u64(offset, INT64_MAX, &o) != FEED_OK)
            return false;
        if (batch)
            ing_batch_known(batch, i, (int32_t)p, (int64_t)o);
    }
    return places.len == 0;
}

enum feed_error ing_places_read(struct feed_str places, struct ing_batch *batch)
{
    if (!walk_places(places, batch->count, NULL))
        return FEED_E_INVALID;
    walk_places(places, batch->count, batch);
    return FEED_OK;
}
