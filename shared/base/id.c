/* Activity ids: the 16 bytes that identify an activity everywhere inside. The hash keeps (source, id) apart from
 * (source', id') because neither may contain the byte 0 that stands between them (model/activity checks that). */
#include "shared/base/id.h"

#include "shared/base/assert.h"

#include <openssl/evp.h>
#include <string.h>

static bool is_dash_place(size_t at)
{
    return at == 8 || at == 13 || at == 18 || at == 23;
}

enum feed_error feed_id_parse(struct feed_str text, struct feed_id *out)
{
    if (text.len != FEED_ID_TEXT)
        return FEED_E_INVALID;
    char digits[2 * FEED_ID_BYTES];
    size_t count = 0;
    for (size_t i = 0; i < FEED_ID_TEXT; i++) {
        if (!is_dash_place(i))
            digits[count++] = text.data[i];
        else if (text.data[i] != '-')
            return FEED_E_INVALID;
    }
    return feed_unhex((struct feed_str){digits, count}, out->bytes, FEED_ID_BYTES);
}

struct feed_id feed_id_from_text(struct feed_str source, struct feed_str id)
{
    struct feed_id result;
    if (feed_id_parse(id, &result) == FEED_OK)
        return result;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_len = 0;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    /* These fail for lack of memory or in a libcrypto without SHA-256; no id can be made then. */
    feed_assert(context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1);
    feed_assert(EVP_DigestUpdate(context, source.data, source.len) == 1);
    feed_assert(EVP_DigestUpdate(context, "", 1) == 1);
    feed_assert(EVP_DigestUpdate(context, id.data, id.len) == 1);
    feed_assert(EVP_DigestFinal_ex(context, digest, &digest_len) == 1 && digest_len >= FEED_ID_BYTES);
    EVP_MD_CTX_free(context);
    memcpy(result.bytes, digest, FEED_ID_BYTES);
    return result;
}

void feed_id_format(const struct feed_id *id, char out[FEED_ID_TEXT + 1])
{
    char digits[2 * FEED_ID_BYTES + 1];
    feed_hex(id->bytes, FEED_ID_BYTES, digits);
    const char *from = digits;
    for (size_t i = 0; i < FEED_ID_TEXT; i++)
        out[i] = is_dash_place(i) ? '-' : *from++;
    out[FEED_ID_TEXT] = '\0';
}

struct feed_id feed_id_v7(int64_t unix_ms, const uint8_t random[10])
{
    feed_assert(unix_ms >= 0 && unix_ms < INT64_C(1) << 48);
    struct feed_id id;
    for (int i = 0; i < 6; i++)
        id.bytes[i] = (uint8_t)(unix_ms >> (40 - 8 * i));
    memcpy(id.bytes + 6, random, 10);
    id.bytes[6] = (uint8_t)(0x70 | (id.bytes[6] & 0x0F)); /* version 7 */
    id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3F)); /* variant of RFC 9562 */
    return id;
}

int64_t feed_id_time_ms(const struct feed_id *id)
{
    int64_t ms = 0;
    if (id->bytes[6] >> 4 != 7 || id->bytes[8] >> 6 != 2)
        return 0;
    for (int i = 0; i < 6; i++)
        ms = ms << 8 | id->bytes[i];
    return ms;
}

int feed_id_cmp(const struct feed_id *a, const struct feed_id *b)
{
    return memcmp(a->bytes, b->bytes, FEED_ID_BYTES);
}
