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
    size_t len;
    char name[]; /* not terminated */
};

static struct feed_tally_row *find(const struct feed_tally *tally, struct feed_str name)
{
    struct feed_tally_row *row;
    HASH_FIND(hh, tally->rows, name.data, (unsigned)name.len, row);
    return row;
}

static struct feed_tally_row *add(struct feed_tally *tally, struct feed_str name, int64_t n)
{
    struct feed_tally_row *row = calloc(1, sizeof *row + name.len);
    if (!row)
        return NULL;
    memcpy(row->name, name.data, name.len);
    row->len = name.len;
    row->held = n;
    HASH_ADD_KEYPTR(hh, tally->rows, row->name, (unsigned)name.len, row);
    if (row->hh.tbl)
        return row;
    free(row);
    return NULL;
}

static struct feed_tally_row *take(struct feed_tally *tally, struct feed_str name, int64_t n, int64_t max)
{
    feed_assert(n > 0 && name.len > 0 && name.len <= FEED_TALLY_NAME_MAX);
    struct feed_tally_row *row = find(tally, name);
    if (!row)
        return add(tally, name, n);
    if (n > max - row->held)
        return NULL;
    row->held += n;
    return row;
}

static void give(struct feed_tally *tally, struct feed_tally_row *row, int64_t n)
{
    feed_assert(row && n > 0 && n <= row->held);
    row->held -= n;
    if (row->held > 0)
        return;
    HASH_DEL(tally->rows, row);
    free(row);
}

bool feed_tally_take(struct feed_tally *tally, struct feed_str name, int64_t n, int64_t max)
{
    return take(tally, name, n, max) != NULL;
}

void feed_tally_give(struct feed_tally *tally, struct feed_str name, int64_t n)
{
    give(tally, find(tally, name), n);
}

struct feed_tally_row *feed_tally_hold(struct feed_tally *tally, struct feed_str name, int64_t max)
{
    return take(tally, name, 1, max);
}

void feed_tally_release(struct feed_tally *tally, struct feed_tally_row *row)
{
    if (row)
        give(tally, row, 1);
}

struct feed_str feed_tally_name(const struct feed_tally_row *row)
{
    return (struct feed_str){row->name, row->len};
}

int64_t feed_tally_of(const struct feed_tally *tally, struct feed_str name)
{
    const struct feed_tally_row *row = find(tally, name);
    return row ? row->held : 0;
}

void feed_tally_fini(struct feed_tally *tally)
{
    struct feed_tally_row *row = tally->rows, *next;
    HASH_CLEAR(hh, tally->rows);
    for (; row; row = next) {
        next = row->hh.next;
        free(row);
    }
}
