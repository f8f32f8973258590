/* Base64url. Trailing bits are checked because two texts for the same token would defeat whoever compares or revokes
 * tokens as text. */
#include "shared/auth/base64url.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void feed_base64url_encode(struct feed_str bytes, struct feed_buf *out)
{
    uint32_t bits = 0;
    unsigned bit_count = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        bits = (bits << 8 | (uint8_t)bytes.data[i]) & 0xFFFF;
        bit_count += 8;
        while (bit_count >= 6) {
            bit_count -= 6;
            feed_buf_char(out, alphabet[bits >> bit_count & 63]);
        }
    }
    if (bit_count > 0) {
        feed_buf_char(out, alphabet[bits << (6 - bit_count) & 63]);
    }
}

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

enum feed_error feed_base64url_decode(struct feed_str text, char *out, size_t out_size, size_t *out_len)
{
    uint32_t bits = 0;
    unsigned bit_count = 0;
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        int value = value_of(text.data[i]);
        if (value < 0) {
            return FEED_E_INVALID;
        }
        bits = (bits << 6 | (uint32_t)value) & 0xFFFF;
        bit_count += 6;
        if (bit_count >= 8) {
            if (len == out_size) {
                return FEED_E_TOO_LARGE;
            }
            bit_count -= 8;
            out[len++] = (char)(bits >> bit_count & 0xFF);
        }
    }
    if (bit_count == 6 || (bits & ((1u << bit_count) - 1)) != 0) {
        return FEED_E_INVALID;
    }
    *out_len = len;
    return FEED_OK;
}
