/* This member's knowledge of who was erased. It asks Redis each second, and says in the same call which version stands
 * behind all that it has in hand, so that whoever erases knows when nothing of the erased is under way anywhere.
 *
 * The difficulty is the members that one does not hear of. Who has not said so for GONE_MS is waited for no more: it is
 * dead, or cut off from Redis, and does nothing before it has asked again. */
#include "fanout/purges_port.h"

#include "fanout/purges.h"
#include "fanout/service_state.h"
#include "shared/base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    GONE_MS = 20000, /* two sessions of the group: its partitions are somebody else's long since */
    LATE_MS = GONE_MS / 2,
    ASK_MS = 1000,
    ASK_SOON_MS = 200 /* while somebody waits for what a member says */
};

static const char workers_key[] = FEED_PURGES_KEY "/workers";

struct fan_purges_port {
    struct fan_service *service;
    bool known, asking, leaving, left;
    uint64_t version, least; /* known; the least of all members, as of the last answer */
    int64_t ask_at_ms, told_ms;
};

static bool take_purges(struct fan_purges_port *port, const struct feed_reply *reply)
{
    struct fan_purges purges;
    bool good = true;
    fan_purges_init(&purges);
    for (size_t i = 2; good && i + 1 < feed_reply_count(reply); i += 2) {
        struct feed_str id_text = feed_reply_str(feed_reply_at(reply, i));
        struct feed_id id;
        good = id_text.len == sizeof id.bytes;
        if (good)
            memcpy(id.bytes, id_text.data, sizeof id.bytes);
        good = good && fan_purges_add(&purges, &id, feed_reply_int(feed_reply_at(reply, i + 1)));
    }
    if (good) {
        port->version = (uint64_t)feed_reply_int(feed_reply_at(reply, 0));
        fan_engine_know_purges(port->service->engine, &purges, port->version);
    }
    fan_purges_fini(&purges);
    return good;
}

static void on_told(void *arg, enum feed_error error, const struct feed_reply *reply)
{
    struct fan_purges_port *port = arg;
    struct fan_service *service = port->service;
    port->asking = false;
    port->ask_at_ms =
        feed_loop_now_ms(port->service->loop) + (!port->known || port->least < port->version ? ASK_SOON_MS : ASK_MS);
    if (error != FEED_OK || feed_reply_count(reply) < 2 || service->life.state != FAN_LIFE_KNOWN)
        return;
    bool news = (uint64_t)feed_reply_int(feed_reply_at(reply, 0)) != port->version;
    if (news && !take_purges(port, reply)) {
        FEED_LOG(service->log, FEED_LOG_ERROR, "purges_unreadable",
                 "who was erased cannot be read from Redis, or there are too many; nothing is written until it can",
                 FEED_LOG_TEXT("key", FEED_STR(FEED_PURGES_KEY)));
        return;
    }
    port->least = (uint64_t)feed_reply_int(feed_reply_at(reply, 1));
    port->told_ms = feed_loop_now_ms(port->service->loop);
    if (!port->known) {
        port->known = service->purges_known = true;
        fan_engine_redis_ready(service->engine);
        fan_kafka_port_gate(service);
    }
}

/* A member with a name is the same one after a restart, and nobody waits for the one before. */
static struct feed_str member(const struct fan_service *service)
{
    return feed_str_of(service->options->kafka_instance[0] ? service->options->kafka_instance : service->loader_token);
}

static void ask(struct fan_purges_port *port)
{
    struct fan_service *service = port->service;
    char quiet[24], known[24], gone[12];
    if (port->asking || port->leaving || !service->redis)
        return;
    uint64_t version = port->version ? fan_engine_knows_purges(service->engine) : 0;
    snprintf(quiet, sizeof quiet, "%llu", (unsigned long long)version);
    snprintf(known, sizeof known, "%llu", (unsigned long long)port->version);
    snprintf(gone, sizeof gone, "%d", GONE_MS);
    const struct feed_str argv[] = {FEED_STR("FCALL"),
                                    FEED_STR("feedwire_v1_purges"),
                                    FEED_STR("2"),
                                    FEED_STR(FEED_PURGES_KEY),
                                    feed_str_of(workers_key),
                                    member(service),
                                    feed_str_of(quiet),
                                    feed_str_of(known),
                                    feed_str_of(gone)};
    port->asking = feed_redis_command(service->redis, argv, sizeof argv / sizeof argv[0], on_told, port) == FEED_OK;
    port->ask_at_ms = feed_loop_now_ms(port->service->loop) + ASK_SOON_MS;
}

void fan_purges_port_ready(struct fan_service *service)
{
    if (service->purges_known)
        fan_engine_redis_ready(service->engine);
    else
        ask(service->purges);
}

void fan_purges_port_gone(struct fan_service *service)
{
    service->purges->known = service->purges_known = false;
}

static void on_left(void *arg, enum feed_error error, const struct feed_reply *reply)
{
    struct fan_purges_port *port = arg;
    (void)error, (void)reply;
    port->left = true;
}

bool fan_purges_port_left(struct fan_service *service)
{
    struct fan_purges_port *port = service->purges;
    const struct feed_str argv[] = {FEED_STR("HDEL"), feed_str_of(workers_key), member(service)};
    if (port->leaving || port->asking)
        return port->left;
    port->leaving = true;
    port->left = feed_redis_command(service->redis, argv, 3, on_left, port) != FEED_OK;
    return port->left;
}

void fan_purges_port_another_life(struct fan_service *service)
{
    fan_purges_port_gone(service);
    service->purges->version = 0;
}

void fan_purges_port_ask(struct fan_service *service)
{
    service->purges->ask_at_ms = 0;
}

uint64_t fan_purges_port_least(const struct fan_service *service)
{
    return service->purges->least;
}

void fan_purges_port_tick(struct fan_service *service)
{
    struct fan_purges_port *port = service->purges;
    int64_t now_ms = feed_loop_now_ms(service->loop);
    if (service->life.state != FAN_LIFE_KNOWN)
        return;
    if (port->known && now_ms - port->told_ms > LATE_MS) {
        /* Others may take us for gone by now. */
        fan_purges_port_gone(service);
        fan_engine_redis_gone(service->engine);
        fan_kafka_port_gate(service);
    }
    if (now_ms >= port->ask_at_ms)
        ask(port);
}

void fan_purges_port_open(struct fan_service *service)
{
    service->purges = calloc(1, sizeof *service->purges);
    feed_assert(service->purges);
    service->purges->service = service;
}

void fan_purges_port_close(struct fan_service *service)
{
    free(service->purges);
    service->purges = NULL;
}
