/* The commands that look after the marks of shards, with each check of the life. A mark that is lost ends the life for
 * all members: the graph is loaded and the log is read again from its beginning, into all shards, which changes nothing
 * where nothing was lost. */
#include "fanout/service_state.h"

#include "shared/base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char list_key[] = "life:{feedwire}/marks";

struct question {
    struct fan_service *service;
    int shard, slot;
    uint64_t check;
    enum fan_mark_state state;
    char life[FAN_LIFE_TEXT + 1];
};

static void end_life(struct fan_service *service, int shard)
{
    char name[FEED_REDIS_HOST_MAX + 8];
    fan_redis_port_name(service, shard, name, sizeof name);
    FEED_LOG(service->log, FEED_LOG_WARN, "redis_shard_lost_everything",
             "a shard of Redis is empty; feeds are made again from Kafka", FEED_LOG_TEXT("server", feed_str_of(name)));
    const struct feed_str argv[] = {FEED_STR("FCALL"), FEED_STR("feedwire_v1_life_end"), FEED_STR("1"),
                                    FEED_STR("life:{feedwire}"), feed_str_of(service->life.id)};
    /* Not sent, or lost: the next look at the mark finds the same. */
    if (feed_redis_command(service->redis, argv, 5, NULL, NULL) != FEED_OK)
        return;
}

static void on_answer(void *arg, enum feed_error error, const struct feed_reply *reply)
{
    struct question question = *(struct question *)arg;
    struct fan_service *service = question.service;
    struct fan_mark *mark = &service->marks[question.shard];
    free(arg);
    bool about_it = mark->slot == question.slot && mark->asking && mark->state == question.state &&
                    strcmp(service->life.id, question.life) == 0;
    if (!about_it)
        return;
    if (error != FEED_OK || feed_reply_type(reply) == FEED_REPLY_ERROR) {
        mark->asking = false; /* again with the next check */
        return;
    }
    if (!fan_mark_took(mark, feed_reply_str(reply), question.life, question.check))
        end_life(service, question.shard);
    else
        fan_witness_port_settle(service);
}

static void ask(struct fan_service *service, int shard)
{
    struct fan_mark *mark = &service->marks[shard];
    char slot_text[8];
    snprintf(slot_text, sizeof slot_text, "%d", mark->slot);
    struct feed_str life = feed_str_of(service->life.id), key = feed_str_of(mark->key);
    struct feed_str list = feed_str_of(list_key), slot = feed_str_of(slot_text);
    const struct feed_str get[] = {FEED_STR("GET"), key}, set[] = {FEED_STR("SET"), key, life};
    const struct feed_str hget[] = {FEED_STR("HGET"), list, slot}, hset[] = {FEED_STR("HSET"), list, slot, life};
    const struct {
        const struct feed_str *argv;
        size_t argc;
    } commands[] = {[FAN_MARK_LISTED] = {hget, 3},
                    [FAN_MARK_LOOK] = {get, 2},
                    [FAN_MARK_WRITE] = {set, 3},
                    [FAN_MARK_LIST] = {hset, 4},
                    [FAN_MARK_MARKED] = {get, 2}};
    struct question *question = malloc(sizeof *question);
    feed_assert(question);
    *question = (struct question){
        .service = service, .shard = shard, .slot = mark->slot, .check = service->checks, .state = mark->state};
    enum feed_error error = feed_str_copy(life, question->life, sizeof question->life);
    feed_assert(error == FEED_OK);
    mark->asking = feed_redis_command(service->redis, commands[mark->state].argv, commands[mark->state].argc, on_answer,
                                      question) == FEED_OK;
    if (!mark->asking)
        free(question);
}

/* The shard of the life needs no mark of its own. */
static void choose(struct fan_service *service)
{
    int of_life = feed_redis_shard_of_key(service->redis, FEED_STR("life:{feedwire}"));
    for (int i = 0; i < FEED_SHARDS_MAX; i++)
        fan_mark_want(&service->marks[i],
                      i == of_life ? FAN_MARK_NONE : feed_redis_shard_first_slot(service->redis, i));
}

void fan_marks_port_ask(struct fan_service *service)
{
    if (service->marks_unchosen)
        choose(service);
    service->marks_unchosen = false;
    for (int i = 0; i < FEED_SHARDS_MAX; i++) {
        if (service->marks[i].slot != FAN_MARK_NONE && !service->marks[i].asking)
            ask(service, i);
    }
}

void fan_marks_port_open(struct fan_service *service)
{
    for (int i = 0; i < FEED_SHARDS_MAX; i++)
        service->marks[i].slot = FAN_MARK_NONE;
    service->marks_unchosen = true;
}

void fan_marks_port_forget(struct fan_service *service)
{
    for (int i = 0; i < FEED_SHARDS_MAX; i++)
        fan_mark_forget(&service->marks[i]);
    service->marks_unchosen = true;
}

bool fan_marks_port_good(const struct fan_service *service, uint64_t check)
{
    for (int i = 0; i < FEED_SHARDS_MAX; i++) {
        if (!fan_mark_good(&service->marks[i], check))
            return false;
    }
    return !service->marks_unchosen;
}
