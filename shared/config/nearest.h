/* Which option somebody may have meant. */
#ifndef FEED_CONFIG_NEAREST_H
#define FEED_CONFIG_NEAREST_H

#include "shared/config/options.h"

/* The name in the table (or "config", "help", "version") that is nearest to `name` by edits of one character; NULL if
 * none is near. */
const char *feed_option_nearest(const struct feed_option *table, struct feed_str name);

#endif
