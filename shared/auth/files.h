/* The files of identity: reads the JWK Set and the API keys at the start, and again whenever they change. A file that
 * is away, unreadable or wrong later on changes nothing: the keys that were there stay, and it is logged once. Files
 * are to be replaced by renaming (or as Kubernetes does it); one that is written in place may be read half. */
#ifndef FEED_AUTH_FILES_H
#define FEED_AUTH_FILES_H

#include "shared/auth/auth.h"
#include "shared/auth/options.h"
#include "shared/config/watched.h"

struct feed_log;
struct feed_metrics;
struct feed_auth_files;

enum { FEED_AUTH_POLL_MS = FEED_WATCHED_POLL_MS }; /* call feed_auth_files_poll so often */

/* Makes the object that checks credentials (`remembered` as in feed_auth_settings) and what watches its files; options
 * and log are borrowed. FEED_E_INVALID with a sentence when the options cannot be used or a file is wrong. */
enum feed_error feed_auth_files_open(const struct feed_auth_options *options, struct feed_log *log, size_t remembered,
                                     struct feed_auth_files **out, char *problem, size_t problem_size) FEED_MUST_USE;
void feed_auth_files_close(struct feed_auth_files *files); /* frees feed_auth_files_auth too; NULL is ignored */

struct feed_auth *feed_auth_files_auth(struct feed_auth_files *files);
/* Reads what has changed: two stat(2) when nothing has. */
void feed_auth_files_poll(struct feed_auth_files *files);

/* Brings the daemon's rows up to date: of FEED_AUTH_METRIC_RELOADS and FEED_AUTH_METRIC_KEYS (shared/auth/metrics.h).
 */
void feed_auth_files_measure(struct feed_auth_files *files, struct feed_metrics *metrics, unsigned reloads_row,
                             unsigned keys_row);

#endif
