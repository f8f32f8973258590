/* The inside of the model, shared by its files: redis_model.c (timelines, settings), redis_model_pages.c (edges),
 * redis_model_relation.c (what goes to the topic graph, and comes back) and redis_model_sleep.c (feeds that wake). */
#ifndef TESTS_UNIT_FANOUT_REDIS_MODEL_INSIDE_H
#define TESTS_UNIT_FANOUT_REDIS_MODEL_INSIDE_H

#include "fanout/steps.h"
#include "redis_model.h"

struct model_function {
    const char *name;
    void (*call)(struct model *model, struct world_command *command);
};

struct model_zset *model_zset_of(struct model *model, struct feed_str key); /* made where it is not */
void model_zadd(struct model_zset *zset, struct feed_str bytes, int64_t score);
void model_zrem(struct model_zset *zset, struct feed_str bytes);
int64_t model_score_of(const struct model_zset *zset, struct feed_str member); /* 0: not there */
int64_t model_number_of(struct feed_str text);
void model_answer_int(struct world_command *command, int64_t integer);
void model_begin_list(struct world_command *command);
void model_add_item(struct world_command *command, struct feed_str text, int64_t number);
/* The model may change before the answer arrives, so texts move into the command. Last of all. */
void model_keep_texts(struct world_command *command);

/* NULL when there is none, and it is not to be made. */
struct model_registers *model_registers_of(struct model *model, struct feed_str key, struct feed_str field, bool make);
enum model_letter model_letter_of(char letter);
/* Of a pair of letters, on and off, the one for the first end after it was on. */
enum model_letter model_first_end_of(enum model_letter on);

/* redis_model_relation.c: false when it is none of its functions. */
bool model_execute_relation(struct model *model, struct world_command *command);

/* A member of an outbox that a wake brings into a home feed. */
struct model_fill {
    struct feed_str home, settings, author;
    int64_t since_ms; /* of the edge */
    int64_t score;
    struct feed_str member;
};
/* What fill answers for it. */
int64_t model_fill(struct model *model, const struct model_fill *fill, int64_t cap, int64_t slack);

/* redis_model_sleep.c: false when it is none of its functions. */
bool model_execute_sleep(struct model *model, struct world_command *command);

/* redis_model_pages.c: false when it is none of its functions. */
bool model_execute_page(struct model *model, struct world_command *command);
bool model_edges_in(const struct model *a, const struct model *b);

#endif
