/* The commands that look after the life of Redis, and what follows from their answers: when the engine may write, from
 * where partitions are read. The decisions are in life.c and starts.c. */
#include "fanout/purge_port.h"
#include "fanout/purges_port.h"
#include "fanout/service_state.h"

#include "shared/base/assert.h"

#include <stdio.h>

enum {
    PARTITIONS_AT_ONCE = 64, /* asked for, or rewound, in one call */
    ASK_AGAIN_MS = 1000,
    REWIND_AGAIN_FIRST_MS = 100, /* each failure in a row doubles it */
    REWIND_AGAIN_MAX_MS = 5000
};

/* One hash tag, so that both are on one server. */
static const char life_key[] = "life:{feedwire}", loader_key[] = "life:{feedwire}/loader";

static void follow(struct fan_service *service, enum fan_life_do what);

static void set_reason(struct fan_service *service, const char *reason)
{
    feed_health_set(&service->health, service->graph_condition, reason == NULL, reason);
}

/* ---- questions ---- */

/* False when there is no answer, or Redis has refused. */
static bool answered(struct fan_service *service, enum feed_error error, const struct feed_reply *reply)
{
    if (error == FEED_OK && feed_reply_type(reply) != FEED_REPLY_ERROR)
        return true;
    if (error != FEED_OK) /* the connection broke; perhaps not that of all shards */
        fan_life_unasked(&service->life, feed_loop_now_ms(service->loop));
    else
        fan_life_port_refused(service, feed_reply_str(reply));
    return false;
}

static void on_looked(void *arg, enum feed_error error, const struct feed_reply *reply)
{
    struct fan_service *service = arg;
    if (!answered(service, error, reply))
        return;
    struct feed_str id = feed_reply_count(reply) == 2 ? feed_reply_str(feed_reply_at(reply, 0)) : FEED_STR("");
    int64_t lease = feed_reply_count(reply) == 2 ? feed_reply_int(feed_reply_at(reply, 1)) : 0;
    enum fan_life_lease known_lease = lease == 2   ? FAN_LIFE_LEASE_TAKEN
                                      : lease == 1 ? FAN_LIFE_LEASE_RENEWED
                                                   : FAN_LIFE_LEASE_OTHERS;
    enum fan_life_do what = fan_life_looked(&service->life, id, known_lease, feed_loop_now_ms(service->loop));
    if (what == FAN_LIFE_WAIT)
        set_reason(service, "another member is loading the graph");
    follow(service, what);
}

static void on_began(void *arg, enum feed_error error, const struct feed_reply *reply)
{
    struct fan_service *service = arg;
    if (!answered(service, error, reply))
        return;
    enum fan_life_do what = fan_life_began(&service->life, feed_reply_str(reply));
    service->recoveries += what == FAN_LIFE_GO;
    follow(service, what);
}

static void on_checked(void *arg, enum feed_error error, const struct feed_reply *reply)
{
    struct fan_service *service = arg;
    if (!answered(service, error, reply))
        return;
    enum fan_life_do what = fan_life_checked(&service->life, feed_reply_str(reply));
    if (what == FAN_LIFE_NOTHING && service->life.state == FAN_LIFE_KNOWN)
        fan_witness_port_alive(service);
    follow(service, what);
}

static void ask(struct fan_service *service, const struct feed_str *argv, size_t argc, feed_redis_fn *fn)
{
    if (feed_redis_command(service->redis, argv, argc, fn, service) != FEED_OK)
        fan_life_unasked(&service->life, feed_loop_now_ms(service->loop));
}

static void look(struct fan_service *service)
{
    char lease_text[16];
    snprintf(lease_text, sizeof lease_text, "%d", (int)FAN_LIFE_LEASE_MS);
    const struct feed_str argv[] = {
        FEED_STR("FCALL"),       FEED_STR("feedwire_v1_life"),       FEED_STR("2"),          feed_str_of(life_key),
        feed_str_of(loader_key), feed_str_of(service->loader_token), feed_str_of(lease_text)};
    ask(service, argv, sizeof argv / sizeof argv[0], on_looked);
}

static void random_text(char out[FAN_LIFE_TEXT + 1])
{
    uint8_t bytes[FAN_LIFE_BYTES];
    feed_random_bytes(bytes, sizeof bytes);
    feed_hex(bytes, sizeof bytes, out);
}

static void begin(struct fan_service *service)
{
    char id[FAN_LIFE_TEXT + 1];
    random_text(id);
    const struct feed_str argv[] = {
        FEED_STR("FCALL"),       FEED_STR("feedwire_v1_life_begin"), FEED_STR("2"),  feed_str_of(life_key),
        feed_str_of(loader_key), feed_str_of(service->loader_token), feed_str_of(id)};
    ask(service, argv, sizeof argv / sizeof argv[0], on_began);
}

/* What is finished now was answered before this question is asked, so it was written before it is answered. */
static void check(struct fan_service *service)
{
    fan_witness_port_ask(service);
    fan_marks_port_ask(service);
    const struct feed_str argv[] = {FEED_STR("GET"), feed_str_of(life_key)};
    ask(service, argv, 2, on_checked);
}

/* ---- from where partitions are read ---- */

static void log_rewound(struct fan_service *service, size_t anew, size_t replayed)
{
    if (anew)
        FEED_LOG(service->log, FEED_LOG_WARN, "partitions_rewound",
                 "Redis had lost what came of these partitions; they are read again from their beginning",
                 FEED_LOG_NUMBER("partitions", (int64_t)anew));
    if (replayed)
        FEED_LOG(service->log, FEED_LOG_WARN, "partitions_replayed",
                 "Redis may have lost the newest of what came of these partitions; it is done again",
                 FEED_LOG_NUMBER("partitions", (int64_t)replayed));
    service->rewinds += anew;
    service->replays += replayed;
}

static void rest_from_rewinding(struct fan_service *service, bool failed)
{
    int64_t rest_ms = REWIND_AGAIN_FIRST_MS;
    for (unsigned i = 0; i < service->rewind_failures && rest_ms < REWIND_AGAIN_MAX_MS; i++)
        rest_ms *= 2;
    if (rest_ms > REWIND_AGAIN_MAX_MS)
        rest_ms = REWIND_AGAIN_MAX_MS;
    service->rewind_failures = failed ? service->rewind_failures + 1 : 0;
    service->rewind_at_ms = failed ? feed_loop_now_ms(service->loop) + rest_ms : 0;
}

_Static_assert((int)FAN_START_BEGINNING == (int)FEED_KAFKA_BEGINNING &&
                   (int)FAN_START_BEGINNING == (int)FAN_REPLAY_BEGINNING,
               "one number for the beginning");

/* A rewind that Kafka's library does not take may hold up the loop for a second: then it rests. */
static void rewind_some(struct fan_service *service)
{
    int32_t partitions[PARTITIONS_AT_ONCE];
    if (feed_loop_now_ms(service->loop) < service->rewind_at_ms)
        return;
    size_t count = fan_starts_take(&service->starts, FAN_START_REWIND, partitions, PARTITIONS_AT_ONCE);
    size_t done = 0, anew = 0;
    while (done < count) {
        int64_t from = fan_starts_from(&service->starts, partitions[done]);
        if (feed_kafka_rewind(service->consumer, partitions[done],
                              from == FAN_START_ANEW ? FEED_KAFKA_BEGINNING : from) != FEED_OK)
            break;
        anew += from == FAN_START_ANEW;
        fan_starts_rewound(&service->starts, partitions[done++]);
    }
    rest_from_rewinding(service, done < count);
    log_rewound(service, anew, done - anew);
}

void fan_life_port_settle(struct fan_service *service)
{
    if (!service->consumer || service->life.state != FAN_LIFE_KNOWN || !fan_witness_port_settled(service))
        return;
    int32_t partitions[PARTITIONS_AT_ONCE];
    size_t count = 0;
    if (feed_loop_now_ms(service->loop) >= service->ask_at_ms)
        count = fan_starts_take(&service->starts, FAN_START_ASK, partitions, PARTITIONS_AT_ONCE);
    if (count)
        feed_kafka_ask_committed(service->consumer, partitions, count);
    rewind_some(service);
    fan_kafka_port_gate(service);
}

void fan_life_port_asked(void *arg, enum feed_error error, const char *reason, const struct feed_kafka_committed *rows,
                         size_t count)
{
    struct fan_service *service = arg;
    for (size_t i = 0; i < count; i++)
        fan_starts_answer(&service->starts, rows[i].partition, fan_witness_port_start(service, &rows[i]));
    if (error != FEED_OK) {
        FEED_LOG(service->log, FEED_LOG_WARN, "committed_unknown",
                 "Kafka has not told what was committed; partitions wait until it does",
                 FEED_LOG_TEXT("reason", feed_str_of(reason)));
        fan_starts_unanswered(&service->starts);
        service->ask_at_ms = feed_loop_now_ms(service->loop) + ASK_AGAIN_MS;
    }
    fan_life_port_settle(service);
}

/* ---- what follows ---- */

static void go(struct fan_service *service)
{
    fan_graph_port_give_up(service);
    bool another = !feed_str_eq(feed_str_of(service->life_begun), feed_str_of(service->life.id));
    if (another) {
        /* Before the name changes, which commits carry. */
        fan_witness_drop(&service->witness);
        fan_marks_port_forget(service);
        service->whole_check = 0;
        fan_engine_begin_anew(service->engine);
        fan_purges_port_another_life(service);
        fan_purge_port_another_life(service);
        fan_starts_another_life(&service->starts);
        enum feed_error error =
            feed_str_copy(feed_str_of(service->life.id), service->life_begun, sizeof service->life_begun);
        feed_assert(error == FEED_OK);
    }
    FEED_LOG(service->log, FEED_LOG_INFO, "life_known", NULL, FEED_LOG_TEXT("life", feed_str_of(service->life.id)));
    set_reason(service, NULL);
    if (another)
        fan_progress_port_publish(service);
    fan_purges_port_ready(service);
    fan_life_port_settle(service);
}

static void stop_writing(struct fan_service *service)
{
    FEED_LOG(service->log, FEED_LOG_WARN, "redis_lost_everything",
             "Redis is empty or another one; feeds are made again from Kafka");
    set_reason(service, "Redis has lost everything");
    fan_engine_redis_gone(service->engine);
    fan_kafka_port_gate(service);
}

static void follow(struct fan_service *service, enum fan_life_do what)
{
    switch (what) {
    case FAN_LIFE_NOTHING:
        break;
    case FAN_LIFE_LOOK:
        look(service);
        break;
    case FAN_LIFE_LOAD:
        set_reason(service, "loading the graph");
        fan_graph_port_load(service);
        break;
    case FAN_LIFE_BEGIN:
        begin(service);
        break;
    case FAN_LIFE_CHECK:
        check(service);
        break;
    case FAN_LIFE_STOP:
        stop_writing(service);
        look(service);
        break;
    case FAN_LIFE_WAIT:
        fan_graph_port_give_up(service);
        break;
    case FAN_LIFE_GO:
        go(service);
        break;
    }
}

void fan_life_port_loaded(struct fan_service *service, bool good)
{
    follow(service, fan_life_loaded(&service->life, good, feed_loop_now_ms(service->loop)));
}

/* Nothing is written before it is known whether anything was lost. */
static void doubt(struct fan_service *service)
{
    fan_life_port_gone(service);
    fan_engine_redis_gone(service->engine);
}

void fan_life_port_refused(struct fan_service *service, struct feed_str text)
{
    enum fan_trouble trouble = fan_trouble_of(text);
    if (trouble == FAN_TROUBLE_MOVING) {
        fan_life_unasked(&service->life, feed_loop_now_ms(service->loop));
        return;
    }
    doubt(service);
    fan_redis_port_halted(service, trouble, text);
}

void fan_life_port_up(struct fan_service *service, int shard)
{
    /* The shard that has the mark of life was away: it may have come back empty. */
    if (service->life.state == FAN_LIFE_KNOWN &&
        shard == feed_redis_shard_of_key(service->redis, feed_str_of(life_key)))
        doubt(service);
    if (service->life.state == FAN_LIFE_KNOWN)
        fan_purges_port_ready(service); /* one more shard: what waits for it can go on */
    if (service->life.state != FAN_LIFE_DOWN)
        return;
    set_reason(service, "looking whether Redis has lost anything");
    follow(service, fan_life_up(&service->life));
}

void fan_life_port_gone(struct fan_service *service)
{
    fan_life_gone(&service->life);
    set_reason(service, "waiting for Redis");
    fan_purges_port_gone(service);
    fan_graph_port_give_up(service);
    fan_kafka_port_gate(service);
}

void fan_life_port_tick(struct fan_service *service)
{
    fan_graph_port_tick(service);
    if (service->life.state == FAN_LIFE_DOWN && service->shards_ready > 0)
        fan_life_port_up(service, FEED_SHARD_NONE); /* the mark may be on another shard by now */
    follow(service, fan_life_tick(&service->life, feed_loop_now_ms(service->loop)));
    fan_life_port_settle(service);
}

bool fan_life_port_quiet(const struct fan_service *service)
{
    return service->life.state != FAN_LIFE_KNOWN || fan_engine_confirmed(service->engine);
}

void fan_life_port_open(struct fan_service *service)
{
    fan_starts_init(&service->starts);
    fan_marks_port_open(service);
    random_text(service->loader_token);
    set_reason(service, "waiting for Redis");
}
