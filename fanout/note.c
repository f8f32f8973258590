/* Reading and writing notes. They come from Kafka, where anybody may have written them: what cannot be read is as if it
 * were not there. */
#include "fanout/note.h"

#include "fanout/replay.h"
#include "shared/base/assert.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The value of a word with that name. */
static bool is(struct feed_str word, struct feed_str name, struct feed_str *value)
{
    if (word.len <= name.len || memcmp(word.data, name.data, name.len) != 0)
        return false;
    *value = (struct feed_str){word.data + name.len, word.len - name.len};
    return true;
}

static bool read_offset(struct feed_str text, int64_t *out)
{
    *out = FAN_REPLAY_BEGINNING;
    if (feed_str_eq(text, FEED_STR("begin")))
        return true;
    uint64_t offset;
    if (feed_str_to_u64(text, INT64_MAX, &offset) != FEED_OK)
        return false;
    *out = (int64_t)offset;
    return true;
}

void fan_note_parse(struct feed_str text, struct fan_note *out)
{
    *out = (struct fan_note){.replay = FAN_REPLAY_BEGINNING};
    /* Some clients count the NUL at the end of their text. */
    while (text.len && text.data[text.len - 1] == '\0')
        text.len--;
    while (text.len) {
        struct feed_str word = feed_str_cut(&text, ' '), value;
        if (is(word, FEED_STR("life="), &value))
            out->life = value;
        else if (is(word, FEED_STR("seen="), &value))
            out->seen = value;
        else if (is(word, FEED_STR("replay="), &value))
            out->replays = read_offset(value, &out->replay);
    }
}

bool fan_note_saw(const struct fan_note *note, const char *id)
{
    struct feed_str seen = note->seen;
    while (seen.len) {
        if (feed_str_eq(feed_str_cut(&seen, ','), feed_str_of(id)))
            return true;
    }
    return false;
}

void fan_note_write(const char *life, int64_t replay, const char *seen, char out[FAN_NOTE_MAX + 1])
{
    char offset[24] = "begin";
    if (replay != FAN_REPLAY_BEGINNING)
        snprintf(offset, sizeof offset, "%" PRId64, replay);
    int len = snprintf(out, FAN_NOTE_MAX + 1, "life=%s replay=%s%s%s", life, offset, seen[0] ? " seen=" : "", seen);
    feed_assert(len > 0 && len <= FAN_NOTE_MAX);
}
