#include "shared/base/digest.h"

#include "shared/base/assert.h"

#include <openssl/evp.h>

void feed_digest(const struct feed_str *parts, size_t count, uint8_t out[FEED_DIGEST_BYTES])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned len = 0;
    /* These fail for lack of memory or in a libcrypto without SHA-256. */
    feed_assert(context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1);
    for (size_t i = 0; i < count; i++) {
        uint8_t length[8];
        for (unsigned b = 0; b < 8; b++)
            length[b] = (uint8_t)((uint64_t)parts[i].len >> (8 * b));
        feed_assert(EVP_DigestUpdate(context, length, sizeof length) == 1);
        feed_assert(EVP_DigestUpdate(context, parts[i].data, parts[i].len) == 1);
    }
    feed_assert(EVP_DigestFinal_ex(context, out, &len) == 1 && len == FEED_DIGEST_BYTES);
    EVP_MD_CTX_free(context);
}
