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
    uint64_t seq;                                            /* of a timeline */
    enum { MODEL_ABSENT, MODEL_BUILDING, MODEL_AWAKE } life; /* of a home feed, where feeds sleep */
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
    MODEL_OTHER_D,
    MODEL_E
};
enum { MODEL_LETTERS = MODEL_E + 1 };
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

/* a:, of an author; and a field of c:. */
struct model_author {
    char key[200], state[8];
    int64_t number, on_since_ms, begun_ms;
    uint8_t cause[FEED_ID_BYTES];
};
struct model_crossing {
    char key[200], author[160];
    int64_t number;
};

enum { MODEL_AUTHORS_MAX = 16, MODEL_CROSSINGS_MAX = 64 };

struct model {
    struct model_page pages[MODEL_PAGES_MAX];
    size_t page_count;
    struct model_author authors[MODEL_AUTHORS_MAX];
    struct model_crossing crossings[MODEL_CROSSINGS_MAX];
    size_t author_count, crossing_count;
    int64_t now_ms; /* goes on with each crossing */
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
/* A home feed is gone, as after its time to live; or is there, and empty. */
void model_sleep(struct model *model, const char *key);
void model_wake(struct model *model, const char *key);
/* How the author stands: "", "up", "on" or "down". */
const char *model_broadcast(const struct model *model, const char *author);
/* What the merge of an outbox shows to who has its author in b:, by the words of schemas/redis.md. id: what its bytes
 * begin with. */
bool model_merges(const struct model *model, const char *user, const char *author, unsigned id, size_t backfill);
/* Whether the outbox has a mark for it, which hides a copy from those. */
bool model_marks(const struct model *model, const char *user, const char *author, unsigned id);
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
