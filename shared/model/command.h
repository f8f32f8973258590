/* Command: what is to be done about one user. It is a record of the topic `feed.commands`: the key is `tenant/user`,
 * the value the msgpack array [version, kind], or [version, kind, until ms] of a purge. See schemas/kafka.md. */
#ifndef FEED_MODEL_COMMAND_H
#define FEED_MODEL_COMMAND_H

#include "shared/base/limits.h"
#include "shared/base/str.h"

/* A record of that topic with this header is no command of the kinds below, but an activity (its key, value and other
 * headers) that is to be worked off once more. */
#define FEED_COMMAND_HEADER "feed_command"
#define FEED_COMMAND_APPLY "apply"

enum feed_command_kind {
    FEED_COMMAND_WAKE,    /* "wake": make the home feed if it is not there */
    FEED_COMMAND_REBUILD, /* "rebuild": bring into the home feed, if it is there, what is missing in it */
    FEED_COMMAND_PURGE,   /* "purge": erase the user, and all that they did or that was done to them until then */
    FEED_COMMAND_KINDS
};

struct feed_command {
    enum feed_command_kind kind;
    struct feed_str tenant, user; /* borrowed; valid names */
    int64_t until_ms;             /* of a purge; else 0 */
};

/* Appends the key, and the value. The names are valid (asserted). */
void feed_command_key(const struct feed_command *command, struct feed_buf *out);
void feed_command_value(const struct feed_command *command, struct feed_buf *out);

/* Reads a record; the views point into key. FEED_E_UNSUPPORTED: a version or a kind that this code does not know.
 * FEED_E_INVALID for anything else that is no command. */
enum feed_error feed_command_read(struct feed_str key, struct feed_str value, struct feed_command *out) FEED_MUST_USE;

#endif
