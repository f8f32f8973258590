/* UTF-8 by RFC 3629, section 4. The difficulty is in the second byte: its range depends on the first, which is what
 * keeps out overlong forms (E0, F0), surrogates (ED) and what lies beyond U+10FFFF (F4). */
#include "shared/base/utf8.h"

static bool is_tail(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

size_t feed_utf8_step(struct feed_str s)
{
    if (s.len == 0)
        return 0;
    const unsigned char *c = (const unsigned char *)s.data;
    if (c[0] < 0x80)
        return 1;
    if (c[0] < 0xC2 || c[0] > 0xF4)
        return 0;
    if (c[0] < 0xE0)
        return s.len >= 2 && is_tail(c[1]) ? 2 : 0;
    if (s.len < 3 || !is_tail(c[1]) || !is_tail(c[2]))
        return 0;
    if (c[0] < 0xF0) {
        bool overlong = c[0] == 0xE0 && c[1] < 0xA0;
        bool surrogate = c[0] == 0xED && c[1] > 0x9F;
        return overlong || surrogate ? 0 : 3;
    }
    if (s.len < 4 || !is_tail(c[3]))
        return 0;
    bool overlong = c[0] == 0xF0 && c[1] < 0x90;
    bool beyond = c[0] == 0xF4 && c[1] > 0x8F;
    return overlong || beyond ? 0 : 4;
}

bool feed_str_utf8(struct feed_str s)
{
    while (s.len > 0) {
        size_t step = feed_utf8_step(s);
        if (step == 0)
            return false;
        s.data += step;
        s.len -= step;
    }
    return true;
}
