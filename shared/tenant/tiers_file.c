/* Tiers from a file that is watched. */
#include "shared/tenant/tiers_file.h"

#include "shared/observe/log.h"

#include <stdio.h>
#include <stdlib.h>

struct feed_tiers_file {
    struct feed_watched watched;
    struct feed_tier base;
    struct feed_tiers *tiers;
    struct feed_log *log;
    unsigned loaded, failed; /* since they were measured */
};

const char *const feed_tiers_reload_results[] = {"ok", "failed", NULL};

static enum feed_error set(void *arg, struct feed_str text, char *problem, size_t problem_size)
{
    struct feed_tiers_file *file = arg;
    struct feed_tiers *tiers;
    enum feed_error error = feed_tiers_parse(text, &file->base, &tiers, problem, problem_size);
    if (error == FEED_OK) {
        feed_tiers_free(file->tiers);
        file->tiers = tiers;
    }
    return error;
}

enum feed_error feed_tiers_file_open(const char *path, const struct feed_tier *base, struct feed_log *log,
                                     struct feed_tiers_file **out, char *problem, size_t problem_size)
{
    char text[200] = "there is not enough memory";
    enum feed_error error = FEED_E_MEMORY;
    struct feed_tiers_file *file = calloc(1, sizeof *file);
    *out = NULL;
    if (file) {
        file->base = *base;
        file->log = log;
        file->watched = (struct feed_watched){.path = path, .bytes_max = FEED_TIERS_BYTES_MAX, .fn = set, .arg = file};
        file->tiers = feed_tiers_new(base);
    }
    if (file && file->tiers)
        error = feed_watched_load(&file->watched, text, sizeof text);
    if (error == FEED_OK) {
        *out = file;
    } else {
        snprintf(problem, problem_size, "tiers.file: %s", text);
        feed_tiers_file_close(file);
    }
    return error;
}

void feed_tiers_file_close(struct feed_tiers_file *file)
{
    if (file)
        feed_tiers_free(file->tiers);
    free(file);
}

void feed_tiers_file_poll(struct feed_tiers_file *file)
{
    char problem[200] = "";
    enum feed_watched_news news = feed_watched_look(&file->watched, true, problem, sizeof problem);
    if (news == FEED_WATCHED_FAILED) {
        file->failed++;
        FEED_LOG(file->log, FEED_LOG_ERROR, "tiers_not_loaded", problem,
                 FEED_LOG_TEXT("effect", FEED_STR("the tiers loaded before stay in use")));
    } else if (news != FEED_WATCHED_NONE) {
        file->loaded++;
        FEED_LOG(file->log, FEED_LOG_INFO, "tiers_loaded", NULL,
                 FEED_LOG_NUMBER("tiers", (int64_t)feed_tiers_count(file->tiers)),
                 FEED_LOG_NUMBER("tenants", (int64_t)feed_tiers_tenants(file->tiers)));
    }
}

const struct feed_tier *feed_tiers_file_of(const struct feed_tiers_file *file, struct feed_str tenant)
{
    return feed_tiers_of(file->tiers, tenant);
}

void feed_tiers_file_measure(struct feed_tiers_file *file, struct feed_metrics *metrics, unsigned reloads_row)
{
    feed_metrics_add(metrics, reloads_row, 0, file->loaded);
    feed_metrics_add(metrics, reloads_row, 1, file->failed);
    file->loaded = file->failed = 0;
}
