/* Note: the text that a commit carries beside its offset: under which circumstances everything before the offset was
 * written. Words with a blank between; unknown ones are left out.
 *
 *   life=0123456789abcdef replay=1200 seen=8f2c0e6b1a9d4477,03bd...
 *
 * life: the life of Redis (life.h). replay: from where to read again if the newest of it was lost; `begin` is the
 * beginning. seen: the replication ids (replication.h) of the shards. A note without `replay` and `seen` is of a
 * version that did not know them. Pure. */
#ifndef FANOUT_NOTE_H
#define FANOUT_NOTE_H

#include "fanout/life.h"
#include "fanout/replication.h"

/* 128 shards, each with an id and a comma, and the other words: below the 4,096 bytes that Kafka takes by default. */
enum { FAN_NOTE_MAX = FEED_SHARDS_MAX * (FAN_REPLICATION_ID + 1) + 100 };

struct fan_note {
    struct feed_str life, seen; /* views of the text; empty: not there */
    bool replays;               /* replay was there */
    int64_t replay;             /* or FAN_REPLAY_BEGINNING */
};

void fan_note_parse(struct feed_str text, struct fan_note *out);
/* Whether the id is among those seen. */
bool fan_note_saw(const struct fan_note *note, const char *id);
/* seen: ids with commas between; "" leaves the word out. Cuts nothing: out has room for every note. */
void fan_note_write(const char *life, int64_t replay, const char *seen, char out[FAN_NOTE_MAX + 1]);

#endif
