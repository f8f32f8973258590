/* A hash table of those that hold something. */
#include "shared/tenant/tally.h"

#include "shared/base/assert.h"

#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct feed_tally_row {
    UT_hash_handle hh;
    int64_t held;
    char name[]; /* not terminated */
};

static struct feed_tally_row *find(const struct feed_tally *tally, struct feed_str name)
{
    struct feed_tally_row *row;
    HASH_FIND(hh, tally->rows, name.data, (unsigned)name.len, row);
    return row;
}

static bool add(struct feed_tally *tally, struct feed_str name, int64_t n)
{
    struct feed_tally_row *row = calloc(1, sizeof *row + name.len);
    if (!row)
        return false;
    memcpy(row->name, name.data, name.len);
    row->held = n;
    HASH_ADD_KEYPTR(hh, tally->rows, row->name, (unsigned)name.len, row);
    if (row->hh.tbl)
        return true;
    free(row);
    return false;
}

bool feed_tally_take(struct feed_tally *tally, struct feed_str name, int64_t n, int64_t max)
{
    feed_assert(n > 0 && name.len > 0 && name.len <= FEED_TALLY_NAME_MAX);
    struct feed_tally_row *row = find(tally, name);
    if (!row)
        return add(tally, name, n);
    if (n > max - row->held)
        return false;
    row->held += n;
    return true;
}

void feed_tally_give(struct feed_tally *tally, struct feed_str name, int64_t n)
{
    struct feed_tally_row *row = find(tally, name);
    feed_assert(row && n > 0 && n <= row->held);
    row->held -= n;
    if (row->held > 0)
        return;
    HASH_DEL(tally->rows, row);
    free(row);
}

int64_t feed_tally_of(const struct feed_tally *tally, struct feed_str name)
{
    const struct feed_tally_row *row = find(tally, name);
    return row ? row->held : 0;
}

void feed_tally_fini(struct feed_tally *tally)
{
    struct feed_tally_row *row, *next;
    HASH_ITER(hh, tally->rows, row, next)
    {
        HASH_DEL(tally->rows, row);
        free(row);
    }
}
