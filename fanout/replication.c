/* Reading INFO and keeping rounds. The text is input from outside: lines that are missing make it unreadable, lines
 * that are unknown are left out. */
#include "fanout/replication.h"

#include "shared/base/assert.h"

#include <string.h>

/* ---- the text ---- */

/* -1: not a number that an offset can be. */
static int64_t number(struct feed_str text)
{
    uint64_t value;
    return feed_str_to_u64(text, INT64_MAX, &value) == FEED_OK ? (int64_t)value : -1;
}

/* ip=127.0.0.1,port=6379,state=online,offset=1234,lag=0 */
static void read_replica(struct feed_str value, struct fan_replication *out)
{
    bool online = false;
    int64_t offset = -1;
    while (value.len) {
        struct feed_str pair = feed_str_cut(&value, ','), name = feed_str_cut(&pair, '=');
        if (feed_str_eq(name, FEED_STR("state")))
            online = feed_str_eq(pair, FEED_STR("online"));
        else if (feed_str_eq(name, FEED_STR("offset")))
            offset = number(pair);
    }
    if (!online)
        return;
    out->replicas++;
    if (offset > out->seen)
        out->seen = offset;
}

static bool is_replica(struct feed_str name)
{
    return name.len > 5 && memcmp(name.data, "slave", 5) == 0 &&
           number((struct feed_str){name.data + 5, name.len - 5}) >= 0;
}

bool fan_replication_parse(struct feed_str info, struct fan_replication *out)
{
    bool role = false;
    *out = (struct fan_replication){.offset = -1, .seen = -1};
    while (info.len) {
        struct feed_str line = feed_str_cut(&info, '\n');
        if (line.len && line.data[line.len - 1] == '\r')
            line.len--;
        struct feed_str name = feed_str_cut(&line, ':');
        if (feed_str_eq(name, FEED_STR("role"))) {
            role = true;
            out->master = feed_str_eq(line, FEED_STR("master"));
        } else if (feed_str_eq(name, FEED_STR("master_replid")) && line.len >= FAN_REPLICATION_ID) {
            enum feed_error error =
                feed_str_copy((struct feed_str){line.data, FAN_REPLICATION_ID}, out->id, sizeof out->id);
            feed_assert(error == FEED_OK);
        } else if (feed_str_eq(name, FEED_STR("master_repl_offset"))) {
            out->offset = number(line);
        } else if (is_replica(name)) {
            read_replica(line, out);
        }
    }
    /* Ids stand in notes, between blanks and commas. */
    return role && out->id[0] && strspn(out->id, "0123456789abcdef") == FAN_REPLICATION_ID && out->offset >= 0;
}

/* ---- rounds ---- */

void fan_witness_init(struct fan_witness *witness, int64_t wait_ms)
{
    *witness = (struct fan_witness){.wait_ms = wait_ms};
}

void fan_witness_begin(struct fan_witness *witness, int64_t now_ms)
{
    witness->round++;
    witness->round_ms = now_ms;
    witness->under_way = true;
    for (int i = 0; i < FEED_SHARDS_MAX; i++) {
        witness->shards[i].through = false;
        witness->shards[i].target = -1;
    }
}

void fan_witness_drop(struct fan_witness *witness)
{
    witness->under_way = false;
}

static bool met(struct fan_witness *witness, const char *id)
{
    for (size_t i = 0; i < FAN_REPLICATION_KNOWN; i++) {
        if (strcmp(witness->known[i], id) == 0)
            return true;
    }
    memcpy(witness->known[witness->known_next], id, sizeof witness->known[0]);
    witness->known_next = (witness->known_next + 1) % FAN_REPLICATION_KNOWN;
    return false;
}

/* Whether the shard became alone, or is not any more. */
static enum fan_witness_said judge(const struct fan_witness *witness, struct fan_witness_shard *shard,
                                   const struct fan_replication *said, int64_t now_ms)
{
    shard->replicated = shard->replicated || said->replicas > 0;
    if (!shard->replicated || said->seen >= shard->target || witness->wait_ms == 0) {
        shard->through = true;
        if (!shard->alone)
            return FAN_WITNESS_SAME;
        shard->alone = false;
        return FAN_WITNESS_CAUGHT;
    }
    if (shard->alone && said->seen >= shard->catch_up) {
        shard->alone = false; /* from now on it is waited for again */
        return FAN_WITNESS_CAUGHT;
    }
    if (shard->alone) {
        shard->through = true;
        return FAN_WITNESS_SAME;
    }
    if (now_ms - witness->round_ms < witness->wait_ms)
        return FAN_WITNESS_SAME;
    shard->alone = shard->through = true;
    shard->catch_up = said->offset;
    return FAN_WITNESS_ALONE;
}

enum fan_witness_said fan_witness_took(struct fan_witness *witness, int shard, const struct fan_replication *said,
                                       uint64_t round, int64_t now_ms)
{
    feed_assert(shard >= 0 && shard < FEED_SHARDS_MAX && said->master);
    struct fan_witness_shard *of = &witness->shards[shard];
    bool strange = !met(witness, said->id);
    if (strcmp(of->id, said->id) != 0) {
        *of = (struct fan_witness_shard){.target = -1};
        memcpy(of->id, said->id, sizeof of->id);
    }
    if (strange) {
        of->replicated = said->replicas > 0;
        return FAN_WITNESS_STRANGE;
    }
    if (!witness->under_way || round != witness->round || of->through)
        return FAN_WITNESS_SAME;
    if (of->target < 0)
        of->target = said->offset;
    return judge(witness, of, said, now_ms);
}

void fan_witness_forget(struct fan_witness *witness, int shard)
{
    witness->shards[shard] = (struct fan_witness_shard){.target = -1};
}

bool fan_witness_knows(const struct fan_witness *witness, int shard)
{
    return witness->shards[shard].id[0] != '\0';
}

bool fan_witness_through(const struct fan_witness *witness, int shard)
{
    return witness->under_way && witness->shards[shard].through;
}

unsigned fan_witness_alone(const struct fan_witness *witness)
{
    unsigned count = 0;
    for (int i = 0; i < FEED_SHARDS_MAX; i++)
        count += witness->shards[i].alone;
    return count;
}
