/* Lines: cuts a stream of bytes that comes in parts into lines, of bounded length. What is longer is read over to its
 * end, and told as too long. A line ends with LF or CR LF, the last one also without. */
#ifndef CTL_LINES_H
#define CTL_LINES_H

#include "shared/base/str.h"

struct ctl_lines {
    struct feed_buf held; /* the beginning of a line whose end has not come */
    size_t max;
    uint64_t number; /* of the line that was given out last, from 1 */
    bool over;       /* the present line is longer than max */
};

struct ctl_line {
    struct feed_str text; /* borrowed until the next call; of one that is too long, nothing */
    bool too_long;
};

void ctl_lines_init(struct ctl_lines *lines, size_t max);
void ctl_lines_fini(struct ctl_lines *lines);
/* Takes bytes off the front of *rest. False when there is no whole line in them; then all were taken. */
bool ctl_lines_next(struct ctl_lines *lines, struct feed_str *rest, struct ctl_line *out);
/* After the last part: a line without an end; false: there is none. */
bool ctl_lines_last(struct ctl_lines *lines, struct ctl_line *out);

#endif
