/* What the files say goes to the object that checks credentials, and news about them to the log and the metrics. */
#include "shared/auth/files.h"

#include "shared/auth/metrics.h"
#include "shared/config/watched.h"
#include "shared/observe/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES = 2 };

struct watched {
    const char *option;
    struct feed_watched file;
};

struct feed_auth_files {
    struct feed_auth *auth;
    struct feed_log *log;
    struct watched files[FILES];
    unsigned loaded, failed; /* since they were measured */
};

static enum feed_error set_jwks(void *auth, struct feed_str text, char *problem, size_t problem_size)
{
    return feed_auth_set_jwks(auth, text, problem, problem_size);
}

static enum feed_error set_api_keys(void *auth, struct feed_str text, char *problem, size_t problem_size)
{
    return feed_auth_set_api_keys(auth, text, problem, problem_size);
}

/* True when it has set something. */
static bool look_at(struct feed_auth_files *files, struct watched *watched, bool at_young_too)
{
    char problem[256] = "";
    enum feed_watched_news news = feed_watched_look(&watched->file, at_young_too, problem, sizeof problem);
    if (news == FEED_WATCHED_FAILED) {
        files->failed++;
        FEED_LOG(files->log, FEED_LOG_ERROR, "credentials_not_loaded", problem,
                 FEED_LOG_TEXT("option", feed_str_of(watched->option)),
                 FEED_LOG_TEXT("effect", FEED_STR("the keys loaded before stay in use")));
    } else if (news != FEED_WATCHED_NONE) {
        files->loaded++;
        FEED_LOG(files->log, FEED_LOG_INFO, "credentials_loaded", NULL,
                 FEED_LOG_TEXT("option", feed_str_of(watched->option)),
                 FEED_LOG_NUMBER("token_keys", (int64_t)feed_auth_jwks_count(files->auth)),
                 FEED_LOG_NUMBER("token_keys_left_out", (int64_t)feed_auth_jwks_left_out(files->auth)),
                 FEED_LOG_NUMBER("api_keys", (int64_t)feed_auth_api_keys_count(files->auth)));
    }
    return news == FEED_WATCHED_CHANGED;
}

static bool look(struct feed_auth_files *files, bool at_young_too)
{
    bool any = false;
    for (size_t i = 0; i < FILES; i++)
        any |= look_at(files, &files->files[i], at_young_too);
    return any;
}

/* Strangers can make this run as often as they ask, so it reads only what is known to have changed. */
static bool on_unknown(void *arg)
{
    return look(arg, false);
}

void feed_auth_files_poll(struct feed_auth_files *files)
{
    (void)look(files, true);
}

static const char *options_fault(const struct feed_auth_options *options)
{
    if (!options->hs256_secret && !options->jwks_file[0] && !options->api_keys_file[0])
        return "one of auth.jwks_file, auth.api_keys_file and auth.hs256_secret_file is required";
    /* A public key as the secret of HS256 would let everybody sign. */
    if (options->hs256_secret &&
        (strstr(options->hs256_secret, "-----BEGIN") || strstr(options->hs256_secret, "\"kty\"")))
        return "auth.hs256_secret_file must hold a secret, not a key pair's part; public keys belong into "
               "auth.jwks_file";
    return NULL;
}

static enum feed_error load_first(struct feed_auth_files *files, char *problem, size_t problem_size)
{
    for (size_t i = 0; i < FILES; i++) {
        struct watched *watched = &files->files[i];
        char text[200] = "";
        enum feed_error error = feed_watched_load(&watched->file, text, sizeof text);
        if (error != FEED_OK) {
            snprintf(problem, problem_size, "%s: %s", watched->option, text);
            return error;
        }
    }
    return FEED_OK;
}

enum feed_error feed_auth_files_open(const struct feed_auth_options *options, struct feed_log *log, size_t remembered,
                                     struct feed_auth_files **out, char *problem, size_t problem_size)
{
    *out = NULL;
    const char *fault = options_fault(options);
    if (fault) {
        snprintf(problem, problem_size, "%s", fault);
        return FEED_E_INVALID;
    }
    const struct feed_auth_settings settings = {.secret = feed_str_of(options->hs256_secret),
                                                .issuer = feed_str_of(options->issuer),
                                                .audience = feed_str_of(options->audience),
                                                .remembered = remembered};
    struct feed_auth_files *files = calloc(1, sizeof *files);
    if (!files || !(files->auth = feed_auth_new(&settings))) {
        free(files);
        snprintf(problem, problem_size, "there is not enough memory");
        return FEED_E_MEMORY;
    }
    files->log = log;
    files->files[0] = (struct watched){
        .option = "auth.jwks_file",
        .file = {.path = options->jwks_file, .bytes_max = FEED_JWKS_BYTES_MAX, .fn = set_jwks, .arg = files->auth}};
    files->files[1] = (struct watched){.option = "auth.api_keys_file",
                                       .file = {.path = options->api_keys_file,
                                                .bytes_max = FEED_API_KEYS_BYTES_MAX,
                                                .fn = set_api_keys,
                                                .arg = files->auth}};
    enum feed_error error = load_first(files, problem, problem_size);
    if (error == FEED_OK) {
        feed_auth_on_unknown(files->auth, on_unknown, files);
        *out = files;
    } else {
        feed_auth_files_close(files);
    }
    return error;
}

void feed_auth_files_close(struct feed_auth_files *files)
{
    if (files)
        feed_auth_free(files->auth);
    free(files);
}

struct feed_auth *feed_auth_files_auth(struct feed_auth_files *files)
{
    return files->auth;
}

const char *const feed_auth_reload_results[] = {"ok", "failed", NULL};
const char *const feed_auth_key_kinds[] = {"token", "api", NULL};

void feed_auth_files_measure(struct feed_auth_files *files, struct feed_metrics *metrics, unsigned reloads_row,
                             unsigned keys_row)
{
    feed_metrics_add(metrics, reloads_row, 0, files->loaded);
    feed_metrics_add(metrics, reloads_row, 1, files->failed);
    files->loaded = files->failed = 0;
    feed_metrics_set(metrics, keys_row, 0, (double)feed_auth_jwks_count(files->auth));
    feed_metrics_set(metrics, keys_row, 1, (double)feed_auth_api_keys_count(files->auth));
}
