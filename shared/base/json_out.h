/* Writes JSON text into a feed_buf, in the order in which it is called; commas are put by the writer.
 * Text that is not UTF-8 is written with U+FFFD in place of each bad byte, so that the result is always valid JSON. */
#ifndef FEED_BASE_JSON_OUT_H
#define FEED_BASE_JSON_OUT_H

#include "shared/base/str.h"

enum { FEED_JSON_OUT_DEPTH_MAX = 40 };

struct feed_json_out {
    struct feed_buf *buf; /* borrowed */
    unsigned depth;
    uint64_t has_element; /* bit d: something was written at depth d */
    bool after_key;
};

void feed_json_out_init(struct feed_json_out *out, struct feed_buf *buf);
void feed_json_open(struct feed_json_out *out);                         /* { */
void feed_json_close(struct feed_json_out *out);                        /* } */
void feed_json_open_list(struct feed_json_out *out);                    /* [ */
void feed_json_close_list(struct feed_json_out *out);                   /* ] */
void feed_json_key(struct feed_json_out *out, const char *key);         /* a literal; escaped like any text */
void feed_json_key_str(struct feed_json_out *out, struct feed_str key); /* a key that comes from outside */
void feed_json_str(struct feed_json_out *out, struct feed_str value);
void feed_json_text(struct feed_json_out *out, const char *value);
void feed_json_i64(struct feed_json_out *out, int64_t value);
void feed_json_u64(struct feed_json_out *out, uint64_t value);
void feed_json_double(struct feed_json_out *out,
                      double value); /* shortest form that reads back; NaN and infinities as null */
void feed_json_bool(struct feed_json_out *out, bool value);
void feed_json_null(struct feed_json_out *out);
void feed_json_raw(struct feed_json_out *out, struct feed_str json); /* one complete JSON value, written as it is */

/* One member of an object: key and text, the commonest case. */
void feed_json_member(struct feed_json_out *out, const char *key, struct feed_str value);

#endif
