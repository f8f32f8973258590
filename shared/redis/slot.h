/* Slots: which of a cluster's 16,384 a key or a channel belongs to. Pure. */
#ifndef FEED_REDIS_SLOT_H
#define FEED_REDIS_SLOT_H

#include "shared/base/str.h"

enum { FEED_SLOTS = 16384 };

/* CRC16 of the text between the first `{` and the next `}`, or of the whole key when there is none or it is empty. */
unsigned feed_slot_of(struct feed_str key);
/* The key by which a command is routed, a view of one of its arguments; data NULL when it has none (PING). Feedwire
 * calls functions (FCALL, FCALL_RO: the first key after their number), and else commands whose key comes first. */
struct feed_str feed_slot_key(const struct feed_str *argv, size_t argc);

#endif
