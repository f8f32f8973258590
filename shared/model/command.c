/* Records of commands. Whoever may write to the topic wrote them, so they are checked like anything from outside. */
#include "shared/model/command.h"

#include "shared/base/assert.h"
#include "shared/codec/msgpack_read.h"
#include "shared/codec/msgpack_scan.h"
#include "shared/codec/msgpack_write.h"
#include "shared/model/names.h"

#include <string.h>

enum { VERSION = 1, ELEMENTS = 2, ELEMENTS_OF_PURGE = 3 };

static const char *const kind_names[FEED_COMMAND_KINDS] = {
    [FEED_COMMAND_WAKE] = "wake", [FEED_COMMAND_REBUILD] = "rebuild", [FEED_COMMAND_PURGE] = "purge"};

static const struct feed_msgpack_limits limits = {8, FEED_COMMAND_VALUE_MAX};

void feed_command_key(const struct feed_command *command, struct feed_buf *out)
{
    feed_assert(feed_tenant_valid(command->tenant) && feed_user_valid(command->user));
    feed_buf_str(out, command->tenant);
    feed_buf_char(out, '/');
    feed_buf_str(out, command->user);
}

void feed_command_value(const struct feed_command *command, struct feed_buf *out)
{
    bool purge = command->kind == FEED_COMMAND_PURGE;
    feed_assert(command->kind < FEED_COMMAND_KINDS && (!purge || command->until_ms > 0));
    feed_msgpack_array(out, purge ? ELEMENTS_OF_PURGE : ELEMENTS);
    feed_msgpack_u64(out, VERSION);
    feed_msgpack_str(out, feed_str_of(kind_names[command->kind]));
    if (purge)
        feed_msgpack_i64(out, command->until_ms);
}

static enum feed_error read_key(struct feed_str key, struct feed_command *out)
{
    const char *slash = key.len ? memchr(key.data, '/', key.len) : NULL;
    if (!slash)
        return FEED_E_INVALID;
    size_t len = (size_t)(slash - key.data);
    out->tenant = (struct feed_str){key.data, len};
    out->user = (struct feed_str){slash + 1, key.len - len - 1};
    return feed_tenant_valid(out->tenant) && feed_user_valid(out->user) ? FEED_OK : FEED_E_INVALID;
}

static bool read_until(struct feed_str rest, size_t elements, struct feed_command *out)
{
    struct feed_msgpack_item until;
    if (elements < ELEMENTS_OF_PURGE || feed_msgpack_next(&rest, &until) != FEED_OK ||
        until.type != FEED_MSGPACK_UINT || until.uint < (uint64_t)FEED_TIME_MIN_MS ||
        until.uint > (uint64_t)FEED_TIME_MAX_MS)
        return false;
    out->until_ms = (int64_t)until.uint;
    return true;
}

static enum feed_error read_value(struct feed_str value, struct feed_command *out)
{
    size_t used = 0;
    struct feed_msgpack_item array, version, kind;
    if (!value.data || value.len > FEED_COMMAND_VALUE_MAX || feed_msgpack_scan(value, &limits, &used) != FEED_OK ||
        used != value.len || feed_msgpack_next(&value, &array) != FEED_OK || array.type != FEED_MSGPACK_ARRAY ||
        array.count < 1 || feed_msgpack_next(&value, &version) != FEED_OK || version.type != FEED_MSGPACK_UINT)
        return FEED_E_INVALID;
    if (version.uint != VERSION)
        return FEED_E_UNSUPPORTED;
    if (array.count < ELEMENTS || feed_msgpack_next(&value, &kind) != FEED_OK || kind.type != FEED_MSGPACK_STR)
        return FEED_E_INVALID;
    for (unsigned i = 0; i < FEED_COMMAND_KINDS; i++) {
        if (feed_str_eq(kind.bytes, feed_str_of(kind_names[i]))) {
            out->kind = (enum feed_command_kind)i;
            return i != FEED_COMMAND_PURGE || read_until(value, array.count, out) ? FEED_OK : FEED_E_INVALID;
        }
    }
    return FEED_E_UNSUPPORTED;
}

enum feed_error feed_command_read(struct feed_str key, struct feed_str value, struct feed_command *out)
{
    *out = (struct feed_command){.kind = FEED_COMMAND_WAKE};
    enum feed_error error = read_key(key, out);
    return error == FEED_OK ? read_value(value, out) : error;
}
