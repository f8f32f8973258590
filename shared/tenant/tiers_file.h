/* The file of tiers of a daemon: read at the start and again whenever it changes. One that is wrong later on changes
 * nothing: the tiers that were there stay, it is logged (tiers_not_loaded) and counted. */
#ifndef FEED_TENANT_TIERS_FILE_H
#define FEED_TENANT_TIERS_FILE_H

#include "shared/config/options.h"
#include "shared/config/watched.h"
#include "shared/observe/metrics.h"
#include "shared/tenant/tiers.h"

struct feed_log;
struct feed_tiers_file;

enum { FEED_TIERS_POLL_MS = FEED_WATCHED_POLL_MS }; /* call feed_tiers_file_poll so often */

/* Row for the tables of the daemons; the field is a char *. */
#define FEED_TIERS_OPTION_ROW(field_offset)                                                                            \
    {                                                                                                                  \
        "tiers.file", FEED_OPTION_TEXT, (field_offset), "", "", 0, 4096,                                               \
            "A file (JSON) that says which tenant has which tier, and what a tier allows; read again when it changes." \
    }

#define FEED_TIERS_METRIC_RELOADS                                                                                      \
    {                                                                                                                  \
        "tiers_reloads_total", FEED_METRIC_COUNTER,                                                                    \
            "Times that a changed file of tiers was read again; failed = it was wrong, and the tiers before it stay "  \
            "in use.",                                                                                                 \
            "result", feed_tiers_reload_results, NULL                                                                  \
    }
extern const char *const feed_tiers_reload_results[]; /* ok, failed */

/* path (borrowed) "": all tenants have the base tier. FEED_E_INVALID with a sentence when the file is wrong. */
enum feed_error feed_tiers_file_open(const char *path, const struct feed_tier *base, struct feed_log *log,
                                     struct feed_tiers_file **out, char *problem, size_t problem_size) FEED_MUST_USE;
void feed_tiers_file_close(struct feed_tiers_file *file); /* NULL is ignored */

void feed_tiers_file_poll(struct feed_tiers_file *file);
/* Borrowed until the next poll. */
const struct feed_tier *feed_tiers_file_of(const struct feed_tiers_file *file, struct feed_str tenant);
/* Brings the row of FEED_TIERS_METRIC_RELOADS up to date. */
void feed_tiers_file_measure(struct feed_tiers_file *file, struct feed_metrics *metrics, unsigned reloads_row);

#endif
