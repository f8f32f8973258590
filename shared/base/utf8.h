/* One step over UTF-8 text; what "well-formed" means is written down here once. */
#ifndef FEED_BASE_UTF8_H
#define FEED_BASE_UTF8_H

#include "shared/base/str.h"

/* How many bytes (1-4) the well-formed character at the start of s has; 0 if s is empty or starts with a bad byte. */
size_t feed_utf8_step(struct feed_str s);

#endif
