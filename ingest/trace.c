/* traceparent: version "-" trace id "-" parent id "-" flags, in lower-case hexadecimal. What is invalid is dropped, as
 * the specification says, and never a reason to refuse an activity. */
#include "ingest/trace.h"

#include <string.h>

/* Lower-case hexadecimal; *zero tells whether all digits are 0. */
static bool hex_field(const char *text, size_t len, bool *zero)
{
    *zero = true;
    for (size_t i = 0; i < len; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (!digit && !(text[i] >= 'a' && text[i] <= 'f')) {
            return false;
        }
        *zero = *zero && text[i] == '0';
    }
    return true;
}

static bool valid(struct feed_str s)
{
    bool trace_zero, parent_zero, any;
    if (s.len < ING_TRACEPARENT_TEXT || s.data[2] != '-' || s.data[35] != '-' || s.data[52] != '-') {
        return false;
    }
    if (!hex_field(s.data, 2, &any) || !hex_field(s.data + 3, 32, &trace_zero) ||
        !hex_field(s.data + 36, 16, &parent_zero) || !hex_field(s.data + 53, 2, &any) || trace_zero || parent_zero) {
        return false;
    }
    if (memcmp(s.data, "ff", 2) == 0) {
        return false;
    }
    bool version_00 = memcmp(s.data, "00", 2) == 0;
    return s.len == ING_TRACEPARENT_TEXT || (!version_00 && s.data[ING_TRACEPARENT_TEXT] == '-');
}

void ing_traceparent(struct feed_str received, const uint8_t random[ING_TRACE_RANDOM],
                     char out[ING_TRACEPARENT_TEXT + 1])
{
    if (valid(received)) {
        memcpy(out, received.data, ING_TRACEPARENT_TEXT);
        memcpy(out, "00", 2);
        out[ING_TRACEPARENT_TEXT] = '\0';
        return;
    }
    uint8_t ids[ING_TRACE_RANDOM];
    memcpy(ids, random, sizeof(ids));
    ids[15] |= 1; /* neither may be all zeros */
    ids[23] |= 1;
    memcpy(out, "00-", 3);
    feed_hex(ids, 16, out + 3);
    out[35] = '-';
    feed_hex(ids + 16, 8, out + 36);
    memcpy(out + 52, "-00", 4);
}
