#include "shared/base/digest.h"

#include "shared/base/assert.h"

#include <openssl/crypto.h>
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

bool feed_secret_same(struct feed_str a, struct feed_str b)
{
    /* Of the digests, which are equally long: a comparison of the secrets would have to stop at the shorter one. */
    uint8_t of_a[FEED_DIGEST_BYTES], of_b[FEED_DIGEST_BYTES];
    feed_digest(&a, 1, of_a);
    feed_digest(&b, 1, of_b);
    bool same = CRYPTO_memcmp(of_a, of_b, sizeof of_a) == 0;
    OPENSSL_cleanse(of_a, sizeof of_a);
    OPENSSL_cleanse(of_b, sizeof of_b);
    return same;
}
