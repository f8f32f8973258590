/* Notice: what the Redis function publishes on a timeline's channel (the channel's name is the timeline's key).
 * The msgpack array [kind, epoch, seq, published ms, entry]: kind 1 = the entry was added, 2 = an entry was removed; in
 * its place are the mark that stands there now, or the bare id where the entry may be added again; 3 = what is merged
 * into a home feed has changed, with neither time nor entry. epoch is str or bin
 * of 8 bytes, entry is str or bin (Redis' cmsgpack writes str). Unknown elements after the fifth are ignored; unknown
 * kinds are FEED_E_UNSUPPORTED, with epoch and seq filled in, so that the reader can read the window instead. See
 * schemas/notice.md. */
#ifndef FEED_CODEC_NOTICE_H
#define FEED_CODEC_NOTICE_H

#include "shared/base/limits.h"
#include "shared/base/str.h"

enum feed_notice_kind {
    FEED_NOTICE_ADD = 1,
    FEED_NOTICE_REMOVE = 2,
    FEED_NOTICE_SOURCES = 3
}; /* 4, awake: to be read */

struct feed_notice {
    enum feed_notice_kind kind;
    uint8_t epoch[FEED_EPOCH_BYTES];
    uint64_t seq;
    int64_t published_ms;  /* 0 for FEED_NOTICE_SOURCES */
    struct feed_str entry; /* empty for FEED_NOTICE_SOURCES; borrowed from the bytes; an entry is not yet decoded */
};

enum feed_error feed_notice_decode(struct feed_str bytes, struct feed_notice *out) FEED_MUST_USE;
void feed_notice_encode(const struct feed_notice *notice,
                        struct feed_buf *out); /* for tests and simulations; Redis writes the real ones */

#endif
