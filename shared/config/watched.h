/* Watched: one file that is read at the start and again whenever it changes. One that is away, unreadable or wrong
 * later on changes nothing: what was set before stays. Files are to be replaced by renaming (or as Kubernetes does it);
 * one that is written in place may be read half. */
#ifndef FEED_CONFIG_WATCHED_H
#define FEED_CONFIG_WATCHED_H

#include "shared/base/digest.h"
#include "shared/base/str.h"

#include <sys/stat.h>

enum { FEED_WATCHED_POLL_MS = 1000 }; /* look so often */

/* Takes the whole text or, with a sentence in problem, nothing. */
typedef enum feed_error feed_watched_fn(void *arg, struct feed_str text, char *problem, size_t problem_size);

struct feed_watched {
    /* set by the holder; the rest is zero */
    const char *path; /* borrowed; "": there is none */
    size_t bytes_max;
    feed_watched_fn *fn;
    void *arg;

    struct stat seen; /* st_ino 0: nothing yet, or it was away */
    bool young;       /* changed so lately that the next change may look the same */
    bool trouble;     /* told already */
    uint8_t digest[FEED_DIGEST_BYTES];
};

enum feed_watched_news {
    FEED_WATCHED_NONE,
    FEED_WATCHED_CHANGED,   /* fn has taken a new text */
    FEED_WATCHED_RECOVERED, /* it says again what is set, after a failure */
    FEED_WATCHED_FAILED     /* problem says why; told once, until the file changes */
};

/* Reads it for the first time; does nothing where there is none. */
enum feed_error feed_watched_load(struct feed_watched *file, char *problem, size_t problem_size) FEED_MUST_USE;
/* Reads it if it has changed: one stat(2) when it has not. at_young_too: also when it may have changed within one tick
 * of the file system's clock; not for what strangers can ask for as often as they like. */
enum feed_watched_news feed_watched_look(struct feed_watched *file, bool at_young_too, char *problem,
                                         size_t problem_size);

#endif
