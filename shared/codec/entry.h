/* Entry v1: one activity as it stands in a timeline. 16 id bytes, then the msgpack array
 *   [verb, actor, object type, object id, target type, target id, owner, data]
 * with nil for an absent field and trailing nils left out. All fields but data are str. The bytes are canonical: equal
 * activities give equal bytes, whatever wrote them, because a timeline holds an entry as a member of a set. Unknown
 * elements after the eighth are ignored. See schemas/entry.md. */
#ifndef FEED_CODEC_ENTRY_H
#define FEED_CODEC_ENTRY_H

#include "shared/base/id.h"
#include "shared/base/limits.h"
#include "shared/base/str.h"

/* All views are borrowed. An absent field has data NULL (an empty but present field is not allowed anywhere). */
struct feed_entry {
    struct feed_id id;
    struct feed_str verb, actor, object_type, object_id; /* always present */
    struct feed_str target_type, target_id;              /* both or none */
    struct feed_str owner;                               /* object.owner */
    struct feed_str data;                                /* one msgpack value, encoded */
};

/* Appends the canonical bytes to out. The entry's fields are within base/limits.h (asserted); data is one complete
 * msgpack value. */
void feed_entry_encode(const struct feed_entry *entry, struct feed_buf *out);

/* Reads the bytes; the views point into them. FEED_E_INVALID for anything that is not an entry, FEED_E_TOO_LARGE beyond
 * FEED_ENTRY_MAX. */
enum feed_error feed_entry_decode(struct feed_str bytes, struct feed_entry *out) FEED_MUST_USE;

/* The copy in the author's outbox has a ninth element: the users that the activity is addressed to, if there are any.
 * Whoever removes it must know them. Home feeds and notifications get the entry without it. */
void feed_entry_encode_outbox(const struct feed_entry *entry, const struct feed_str *to, size_t to_count,
                              struct feed_buf *out);
/* Reads an entry of an outbox, with that element or without. FEED_E_TOO_LARGE beyond FEED_OUTBOX_ENTRY_MAX. */
enum feed_error feed_entry_decode_outbox(struct feed_str bytes, struct feed_entry *out, struct feed_str to[FEED_TO_MAX],
                                         size_t *to_count) FEED_MUST_USE;

/* What stands in a timeline where an entry was removed: the id bytes and byte 0, which begins no array. */
enum { FEED_MARK_BYTES = FEED_ID_BYTES + 1 };
void feed_mark_encode(const struct feed_id *id, struct feed_buf *out);
bool feed_mark_is(struct feed_str member);

/* Writes the JSON object that clients and operators see: id, actor, verb, object {type, id, owner?}, target?,
 * published, data?. published_ms is within the limits of base/limits.h (asserted). */
struct feed_json_out;
void feed_entry_to_json(const struct feed_entry *entry, int64_t published_ms, struct feed_json_out *out);

/* Order of a timeline: by (published, id bytes); >0 if a is newer. */
int feed_entry_order(int64_t a_ms, const struct feed_id *a, int64_t b_ms, const struct feed_id *b);

#endif
