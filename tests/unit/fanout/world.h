/* A world for the engine: keeps the commands that it sends, in order, until a test or a model of Redis answers them;
 * with several shards, there is order only among those of one shard;
 * keeps its dead letters; remembers what else it was told. */
#ifndef TESTS_UNIT_FANOUT_WORLD_H
#define TESTS_UNIT_FANOUT_WORLD_H

#include "fanout/engine.h"
#include "sample.h"

struct world_command {
    struct world_command *next;
    struct fan_seat *seat;
    unsigned shard;
    size_t argc;
    struct feed_str *argv; /* owned, with what they point to */
    char text[400]; /* for comparisons: "add o:{demo/bob} 1000 #1", "follow g:{..} k:{..} ann 10", "ZREM h:{..} bob" */
    bool executed;  /* by the model; answer is what it said */
    struct fan_answer answer;
    struct fan_value *items;
    struct feed_buf items_memory;
};

struct world_letter {
    struct fan_letter *letter;
    char reason[32], detail[256];
    enum fan_letter_cut cut;
};

/* A relation on its way to Kafka, e.g. "demo/follow/ann/bob 10 0" or "demo/settings/ann/bob m10|". */
struct world_relation {
    struct fan_job *job;
    char text[700];
    char key[FEED_RELATION_KEY_MAX + 1], value[512]; /* the record */
    size_t value_len;
};

enum { WORLD_LETTERS_MAX = 64, WORLD_RELATIONS_MAX = 64, WORLD_SHARDS_MAX = 3 };

struct world {
    struct fan_engine *engine;
    struct world_command *first, *last; /* without an answer */
    size_t commands;
    struct world_letter letters[WORLD_LETTERS_MAX]; /* without an acknowledgement */
    size_t letter_count;
    enum feed_error letter_error;                         /* what posting answers; FEED_OK as a rule */
    struct world_relation relations[WORLD_RELATIONS_MAX]; /* without an acknowledgement */
    size_t relation_count;
    enum feed_error relation_error; /* what sending answers; FEED_OK as a rule */
    unsigned held_percent;          /* of what is sent again */
    size_t again, held;             /* commands that were sent again; times that one was held back */
    unsigned share;                 /* commands under way of each tenant; 0: any number */
    struct fan_job *purge;          /* the port is at it; NULL: none */
    size_t room;                    /* commands that are taken until the port is full */
    unsigned shards;                /* 1 as a rule */
    bool away[WORLD_SHARDS_MAX];
    unsigned answering;
    bool consuming;
    bool unchecked; /* nobody looks after each answer whether Redis has lost anything */
    unsigned halts, failings;
    enum fan_trouble halted_for;
    uint64_t random;
    int64_t now_ms;
};

/* Small windows by default: 8 records, 16 commands. settings may be NULL. */
void world_init(struct world *world, const struct fan_settings *settings);
/* Commands that have no answer are dropped, as in a crash. */
void world_fini(struct world *world);
/* Ready, and with these partitions. */
void world_start(struct world *world, const int32_t *partitions, size_t count);
void world_record(struct world *world, const struct sample *sample);
void world_tick(struct world *world, int64_t ms);
/* Answers to the oldest command. */
void world_answer(struct world *world, const struct fan_answer *answer);
void world_answer_int(struct world *world, int64_t integer);
void world_answer_error(struct world *world, const char *text);
/* A list; each text that is all digits has its number too. Of an answer about an edge or a part of a page, what is said
 * of the page may be left out: its level is 0, and nothing is to be done. A single integer stands for such a list too.
 */
void world_answer_list(struct world *world, const char *const *texts, size_t count);
/* The connection breaks: every command is answered as lost, then Redis is gone. */
void world_lose(struct world *world);
void world_ready(struct world *world);
/* ---- several shards ---- */
/* The oldest command of the shard; NULL: none. */
struct world_command *world_oldest(const struct world *world, unsigned shard);
void world_answer_shard(struct world *world, unsigned shard, const struct fan_answer *answer);
void world_lose_shard(struct world *world, unsigned shard);
void world_ready_shard(struct world *world, unsigned shard);
/* To which shard the keys of a user belong. */
unsigned world_shard_of(const struct world *world, struct feed_str key);
/* Acknowledges the oldest letter. */
void world_letter_done(struct world *world, enum feed_error error);
/* The same for the oldest relation. */
void world_relation_done(struct world *world, enum feed_error error);
/* Answers the reading of an edge with these times, and acknowledges what comes of it. */
void world_graph_done(struct world *world, const char *since, const char *ended);
/* Takes what may be committed, now that nothing was lost. */
/* Redis has been found whole. It is after each answer, unless it is unchecked. */
void world_check(struct world *world);
size_t world_take_commits(struct world *world, struct fan_position *out, size_t max);
/* The position of a partition. */
int64_t world_position(const struct world *world, int32_t partition);
/* A number below max, from the world's seed. */
uint64_t world_random(struct world *world, uint64_t max);

#endif
