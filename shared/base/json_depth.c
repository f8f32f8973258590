/* Counts brackets outside of strings. Of text that is no JSON it may tell any depth: the parser refuses that anyway. */
#include "shared/base/json_depth.h"

enum feed_error feed_json_check_depth(struct feed_str json, unsigned depth_max)
{
    unsigned depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < json.len; i++) {
        char c = json.data[i];
        if (in_string) {
            if (c == '\\')
                i++; /* whatever is escaped, it does not end the string */
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > depth_max)
                return FEED_E_TOO_LARGE;
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return FEED_OK;
}
