/* What the shards say of their replication: asked when one is connected to, and with each check of the life. From it
 * follow commits (a round that is through confirms what was marked at its beginning), and what is done again after a
 * failover. The decisions are in replication.c, replay.c and starts.c.
 *
 * An answer counts for what was answered before the question on the same connection, since Redis answers in order. */
#include "fanout/purge_port.h"
#include "fanout/service_state.h"

#include "shared/base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long partitions wait at the start for shards that cannot be reached. One that comes later with an id that nobody
 * has met makes work be done again, needlessly if it was only late. */
enum { INTRODUCE_MS = 5000 };

struct question {
    struct fan_service *service;
    int shard;
    uint64_t round;
};

static void log_shard(struct fan_service *service, int shard, enum feed_log_level level, const char *event,
                      const char *message)
{
    char name[FEED_REDIS_HOST_MAX + 8];
    fan_redis_port_name(service, shard, name, sizeof name);
    FEED_LOG(service->log, level, event, message, FEED_LOG_TEXT("server", feed_str_of(name)));
}

/* ---- after a failover ---- */

/* What stands before the positions is perhaps not there any more: the newest of it is done again. A master without
 * slots has just joined the cluster, and had nothing to lose. */
static void replay(struct fan_service *service, int shard)
{
    if (feed_redis_shard_slots(service->redis, shard) == 0)
        return;
    bool reading = false;
    struct fan_position position;
    for (size_t i = 0; fan_engine_position(service->engine, i, &position); i++)
        reading |= fan_starts_replay(&service->starts, position.partition, position.replay_from);
    fan_starts_doubt(&service->starts);
    fan_witness_drop(&service->witness);
    fan_purge_port_moved(service);
    if (!reading)
        return;
    log_shard(service, shard, FEED_LOG_WARN, "redis_failed_over",
              "a server of Redis has begun a new history of its data; the newest work is done again");
    fan_engine_replay(service->engine);
    fan_progress_port_publish(service);
    fan_kafka_port_gate(service);
}

/* ---- rounds ---- */

/* A shard without slots holds nothing that a commit could stand for. */
static bool matters(const struct fan_service *service, int shard)
{
    return feed_redis_shard_slots(service->redis, shard) > 0;
}

static void settle_whole(struct fan_service *service)
{
    uint64_t check = service->whole_check;
    if (check == 0 || service->alive_check < check || !fan_marks_port_good(service, check))
        return;
    service->whole_check = 0;
    fan_engine_checked(service->engine);
}

static void settle_round(struct fan_service *service)
{
    struct fan_witness *witness = &service->witness;
    uint64_t check = service->round_check;
    if (!witness->under_way || service->alive_check < check || !fan_marks_port_good(service, check))
        return;
    for (int i = 0; i < FEED_SHARDS_MAX; i++) {
        if (matters(service, i) && !fan_witness_through(witness, i))
            return;
    }
    fan_witness_drop(witness);
    fan_engine_confirm(service->engine, fan_witness_alone(witness) == 0);
}

void fan_witness_port_settle(struct fan_service *service)
{
    settle_whole(service);
    settle_round(service);
}

static void took(struct fan_service *service, int shard, const struct fan_replication *said, uint64_t round)
{
    switch (fan_witness_took(&service->witness, shard, said, round, feed_loop_now_ms(service->loop))) {
    case FAN_WITNESS_SAME:
        break;
    case FAN_WITNESS_STRANGE:
        replay(service, shard);
        /* The functions are to carry the new id. Nothing happens where they are being loaded anyway. */
        fan_redis_port_halt(service, shard, FAN_TROUBLE_NO_FUNCTION, FEED_STR("it has a new replication id"));
        break;
    case FAN_WITNESS_ALONE:
        log_shard(service, shard, FEED_LOG_WARN, "redis_replica_away",
                  "no replica takes what is written any more; commits go on, and a failover makes all since be done "
                  "again");
        break;
    case FAN_WITNESS_CAUGHT:
        log_shard(service, shard, FEED_LOG_INFO, "redis_replica_back", "a replica has what was written again");
        break;
    }
    fan_witness_port_settle(service);
}

/* True with what the master has said. */
static bool understood(enum feed_error error, const struct feed_reply *reply, struct fan_replication *said,
                       const char **reason)
{
    *reason = "it was lost";
    if (error != FEED_OK)
        return false;
    *reason = "it does not answer INFO replication";
    if (feed_reply_type(reply) == FEED_REPLY_ERROR || !fan_replication_parse(feed_reply_str(reply), said))
        return false;
    *reason = "it is a replica";
    return said->master;
}

static void on_told(void *arg, enum feed_error error, const struct feed_reply *reply)
{
    struct question question = *(struct question *)arg;
    struct fan_service *service = question.service;
    free(arg);
    struct fan_replication said;
    const char *reason;
    service->witness_asked[question.shard] = false;
    if (understood(error, reply, &said, &reason))
        took(service, question.shard, &said, question.round);
    else if (error == FEED_OK)
        fan_redis_port_halt(service, question.shard, FAN_TROUBLE_AWAY, feed_str_of(reason));
}

static void on_introduced(void *arg, enum feed_error error, const struct feed_reply *reply)
{
    struct question question = *(struct question *)arg;
    free(arg);
    struct fan_replication said;
    const char *reason;
    bool good = understood(error, reply, &said, &reason);
    if (good)
        took(question.service, question.shard, &said, 0);
    fan_redis_port_introduced(question.service, question.shard, good, reason);
}

static bool ask(struct fan_service *service, int shard, feed_redis_fn *fn)
{
    static const struct feed_str argv[] = {{"INFO", 4}, {"replication", 11}};
    struct question *question = malloc(sizeof *question);
    feed_assert(question);
    *question = (struct question){service, shard, service->witness.round};
    if (feed_redis_command_to(service->redis, shard, argv, 2, fn, question) == FEED_OK)
        return true;
    free(question);
    return false;
}

bool fan_witness_port_introduce(struct fan_service *service, int shard)
{
    return ask(service, shard, on_introduced);
}

bool fan_witness_port_settled(const struct fan_service *service)
{
    if (service->ready_ms && feed_loop_now_ms(service->loop) - service->ready_ms >= INTRODUCE_MS)
        return true;
    for (int i = 0; i < FEED_SHARDS_MAX; i++) {
        if (matters(service, i) && !fan_witness_knows(&service->witness, i))
            return false;
    }
    return true;
}

void fan_witness_port_ask(struct fan_service *service)
{
    struct fan_witness *witness = &service->witness;
    service->checks++;
    if (service->whole_check == 0) {
        service->whole_check = service->checks;
        fan_engine_check(service->engine);
    }
    if (!witness->under_way) {
        service->round_check = service->checks;
        fan_engine_mark(service->engine);
        fan_witness_begin(witness, feed_loop_now_ms(service->loop));
    }
    for (int i = 0; i < FEED_SHARDS_MAX; i++) {
        if (!matters(service, i))
            fan_witness_forget(witness, i);
        else if (service->links[i].state == FAN_LINK_READY && !service->witness_asked[i])
            service->witness_asked[i] = ask(service, i, on_told);
    }
}

void fan_witness_port_alive(struct fan_service *service)
{
    service->alive_check = service->checks;
    fan_witness_port_settle(service);
}

/* ---- commits ---- */

static bool lost_something(const struct fan_service *service, const struct fan_note *note)
{
    for (int i = 0; i < FEED_SHARDS_MAX && note->seen.len; i++) {
        const char *id = service->witness.shards[i].id;
        if (matters(service, i) && id[0] && !fan_note_saw(note, id))
            return true;
    }
    return false;
}

int64_t fan_witness_port_start(struct fan_service *service, const struct feed_kafka_committed *row)
{
    struct fan_note note;
    fan_note_parse(row->note, &note);
    int64_t replay_from = note.replays ? note.replay : row->next_offset, until = 0, from = FAN_START_COMMITTED;
    if (row->next_offset < 0) {
        replay_from = FAN_REPLAY_BEGINNING;
    } else if (!feed_str_eq(note.life, feed_str_of(service->life_begun))) {
        replay_from = FAN_REPLAY_BEGINNING;
        until = row->next_offset;
        from = FAN_START_ANEW;
    } else if (lost_something(service, &note)) {
        until = row->next_offset;
        from = replay_from;
    }
    fan_engine_starts_at(service->engine, row->partition, replay_from, until);
    return from;
}

void fan_witness_port_seen(const struct fan_service *service, char out[FAN_NOTE_MAX + 1])
{
    size_t len = 0;
    out[0] = '\0';
    for (int i = 0; i < FEED_SHARDS_MAX; i++) {
        const char *id = service->witness.shards[i].id;
        if (matters(service, i) && id[0])
            len += (size_t)snprintf(out + len, FAN_NOTE_MAX + 1 - len, "%s%s", len ? "," : "", id);
    }
}
