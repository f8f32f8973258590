/* A model of what fan-out asks of Redis: sorted sets and the functions of feedwire_v1, in plain and slow C. The
 * functions themselves are tested against a real server; here they serve to try interleavings by the thousand. */
#ifndef TESTS_UNIT_FANOUT_REDIS_MODEL_H
#define TESTS_UNIT_FANOUT_REDIS_MODEL_H

#include "world.h"

struct model_member {
    char *bytes;
    size_t len;
    int64_t score;
};

struct model_zset {
    char key[200];
    struct model_member *members; /* by (score, bytes) */
    size_t count;
    uint64_t seq; /* of a timeline */
};

enum { MODEL_ZSETS_MAX = 512, MODEL_REGISTERS_MAX = 128, MODEL_PAGES_MAX = 128 };

/* A field of a hash m: with its registers. */
enum model_letter {
    MODEL_U,
    MODEL_F,
    MODEL_M,
    MODEL_N,
    MODEL_B,
    MODEL_C,
    MODEL_OTHER_B,
    MODEL_OTHER_C,
    MODEL_X,
    MODEL_I,
    MODEL_V,
    MODEL_D,
    MODEL_OTHER_D
};
enum { MODEL_LETTERS = MODEL_OTHER_D + 1 };
struct model_registers {
    char key[200], field[160];
    int64_t at[MODEL_LETTERS]; /* 0: not there */
};

/* A hash q:. */
struct model_page {
    char key[200];
    unsigned level;
    bool moving, filling;
};

struct model {
    struct model_page pages[MODEL_PAGES_MAX];
    size_t page_count;
    struct model_registers registers[MODEL_REGISTERS_MAX];
    size_t register_count;
    struct model_zset zsets[MODEL_ZSETS_MAX];
    size_t count;
    uint64_t notices;
};

void model_init(struct model *model);
void model_fini(struct model *model);
/* Executes the command and puts the answer into it. */
void model_execute(struct model *model, struct world_command *command);
/* NULL when there is no such key. */
const struct model_zset *model_find(const struct model *model, const char *key);
/* The edge, from whichever pages have something of it. */
struct model_edge {
    int64_t since, ended, latest; /* 0: none */
};
struct model_edge model_edge(const struct model *model, struct feed_str author, struct feed_str follower);
/* How many pages of it have been split. */
size_t model_splits(const struct model *model);
/* Whether all keys, members and seqs of the two are the same, but for marks, which nobody sees, and for the page in
 * which an edge stands. */
bool model_equal(const struct model *a, const struct model *b);
/* *out is made by it. */
void model_copy(const struct model *model, struct model *out);

#endif
