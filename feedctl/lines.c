/* A line that stands whole in one part is given out where it stands, without being copied. */
#include "feedctl/lines.h"

#include "shared/base/assert.h"

#include <string.h>

void ctl_lines_init(struct ctl_lines *lines, size_t max)
{
    *lines = (struct ctl_lines){.max = max};
    feed_buf_init(&lines->held, max + 1); /* and a CR */
}

void ctl_lines_fini(struct ctl_lines *lines)
{
    feed_buf_fini(&lines->held);
}

static void hold(struct ctl_lines *lines, struct feed_str part)
{
    if (!lines->over)
        feed_buf_str(&lines->held, part);
    feed_assert(lines->held.error != FEED_E_MEMORY);
    if (lines->held.error == FEED_OK)
        return;
    lines->over = true;
    feed_buf_reset(&lines->held);
}

static void give(struct ctl_lines *lines, struct feed_str text, struct ctl_line *out)
{
    if (text.len > 0 && text.data[text.len - 1] == '\r')
        text.len--;
    bool too_long = lines->over || text.len > lines->max;
    *out = (struct ctl_line){.text = too_long ? (struct feed_str){"", 0} : text, .too_long = too_long};
    lines->number++;
    lines->over = false;
}

bool ctl_lines_next(struct ctl_lines *lines, struct feed_str *rest, struct ctl_line *out)
{
    const char *newline = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    if (!newline) {
        hold(lines, *rest);
        rest->len = 0;
        return false;
    }
    struct feed_str part = {rest->data, (size_t)(newline - rest->data)};
    *rest = (struct feed_str){newline + 1, rest->len - part.len - 1};
    if (lines->held.len > 0 || lines->over) {
        hold(lines, part);
        part = feed_buf_view(&lines->held);
    }
    give(lines, part, out);
    lines->held.len = 0; /* its memory stays until the next call */
    return true;
}

bool ctl_lines_last(struct ctl_lines *lines, struct ctl_line *out)
{
    if (lines->held.len == 0 && !lines->over)
        return false;
    give(lines, feed_buf_view(&lines->held), out);
    lines->held.len = 0;
    return true;
}
