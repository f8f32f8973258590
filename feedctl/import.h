/* Import: what is made of the lines of a follow graph that was made elsewhere: an edge, nothing, or a fault that is
 * told with its reason; how many there may be; and which followers have been seen. Pure: command_import.c reads and
 * sends. */
#ifndef CTL_IMPORT_H
#define CTL_IMPORT_H

#include "feedctl/lines.h"
#include "shared/model/edge.h"

enum ctl_import_format { CTL_IMPORT_AUTO, CTL_IMPORT_NDJSON, CTL_IMPORT_CSV };

struct ctl_import_settings {
    enum ctl_import_format format; /* AUTO: as the first line that says anything looks */
    int64_t since_ms;              /* of edges that give no time */
    int64_t now_ms;                /* no edge is younger, but for the difference of clocks */
    uint64_t bad_max;              /* with more bad lines, it stops */
};

struct yyjson_doc;

struct ctl_import {
    struct ctl_import_settings settings;
    uint64_t edges, bad, skipped;         /* lines by what came of them; skipped: blank ones, and a head */
    struct feed_activity_problem problem; /* of the last bad one */
    struct yyjson_doc *document;          /* what the last edge's views point to */
};

enum ctl_import_verdict { CTL_IMPORT_EDGE, CTL_IMPORT_SKIPPED, CTL_IMPORT_BAD };

void ctl_import_init(struct ctl_import *import, const struct ctl_import_settings *settings);
void ctl_import_fini(struct ctl_import *import);
/* EDGE: *edge is whole, with its time; borrowed from the line and from import until the next call. */
enum ctl_import_verdict ctl_import_take(struct ctl_import *import, const struct ctl_line *line, struct feed_edge *edge);
/* There are more bad lines than may be. */
bool ctl_import_stops(const struct ctl_import *import);
/* The word for a format: auto, ndjson, csv. False: it is none. */
bool ctl_import_format_read(const char *word, enum ctl_import_format *out);

/* Followers that have been seen, by hash, in bounded memory (128 MiB): with more than twelve million it forgets all of
 * them, and some are told as new once more. */
struct ctl_seen {
    uint64_t *hashes; /* 0: free */
    size_t size, count;
};
/* True when the name was not there; it is then. */
bool ctl_seen_add(struct ctl_seen *seen, struct feed_str name);
void ctl_seen_fini(struct ctl_seen *seen);

#endif
