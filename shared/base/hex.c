/* Hexadecimal text of bytes. Written by hand because the C library's functions follow the locale and take signs. */
#include "shared/base/str.h"

void feed_hex(const uint8_t *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

enum feed_error feed_unhex(struct feed_str text, uint8_t *out, size_t len)
{
    if (text.len % 2 != 0 || text.len / 2 != len)
        return FEED_E_INVALID;
    for (size_t i = 0; i < len; i++) {
        int high = digit_of(text.data[2 * i]);
        int low = digit_of(text.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return FEED_E_INVALID;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return FEED_OK;
}
