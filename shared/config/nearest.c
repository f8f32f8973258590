/* Edit distance (Levenshtein) in one row of numbers. Names are short, and this runs once before the program gives up.
 */
#include "shared/config/nearest.h"

#include <limits.h>
#include <string.h>

enum { NAME_MAX_COMPARED = 64 };

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned ab = a < b ? a : b;
    return ab < c ? ab : c;
}

static unsigned distance(struct feed_str a, struct feed_str b)
{
    unsigned row[NAME_MAX_COMPARED + 1];
    for (unsigned j = 0; j <= b.len; j++) {
        row[j] = j;
    }
    for (unsigned i = 1; i <= a.len; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            unsigned above = row[j];
            row[j] = least(above + 1, row[j - 1] + 1, diagonal + (a.data[i - 1] != b.data[j - 1]));
            diagonal = above;
        }
    }
    return row[b.len];
}

/* Smaller is nearer. A name that only lacks the part before its last dot ("brokers") is near, however short. */
static unsigned score(struct feed_str said, struct feed_str name)
{
    if (said.len > NAME_MAX_COMPARED || name.len > NAME_MAX_COMPARED) {
        return UINT_MAX;
    }
    const char *dot = memrchr(name.data, '.', name.len);
    if (dot && feed_str_eq(said, (struct feed_str){dot + 1, (size_t)(name.data + name.len - dot - 1)})) {
        return 1;
    }
    return distance(said, name);
}

const char *feed_option_nearest(const struct feed_option *table, struct feed_str name)
{
    static const char *const always[] = {"config", "help", "version"};
    const char *best = NULL;
    unsigned best_score = (unsigned)(name.len / 3 + 2); /* beyond a third of its letters it is a guess */
    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
        unsigned s = score(name, feed_str_of(always[i]));
        if (s < best_score) {
            best_score = s;
            best = always[i];
        }
    }
    for (const struct feed_option *row = table; row->name; row++) {
        unsigned s = score(name, feed_str_of(row->name));
        if (s < best_score) {
            best_score = s;
            best = row->name;
        }
    }
    return best;
}
