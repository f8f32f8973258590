/* Library: the text of the Redis functions as it is loaded into one master: with the generation of its data, which is
 * made of its replication id. The functions put it into the epochs of timelines (schemas/redis.md). Pure. */
#ifndef FANOUT_LIBRARY_H
#define FANOUT_LIBRARY_H

#include "shared/base/str.h"

enum { FAN_GENERATION_BYTES = 3 };

/* Gives the text in out, which the caller frees; source has the place for it (asserted), and id at least six
 * hexadecimal digits (asserted). */
void fan_library_write(struct feed_str source, const char *id, struct feed_buf *out);

#endif
