/* Watches files by stat(2): it needs no descriptor, and sees a rename, a changed symbolic link (Kubernetes replaces
 * mounted secrets so) and a rewritten file alike. The clock of a file system is coarse: a file may change twice within
 * one tick, so one that changed just now is read again until it is older. */
#include "shared/auth/files.h"

#include "shared/auth/metrics.h"
#include "shared/base/digest.h"
#include "shared/observe/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { YOUNG_S = 2, FILES = 2 };

typedef enum feed_error set_fn(struct feed_auth *auth, struct feed_str text, char *problem, size_t problem_size);

struct watched {
    const char *option;
    const char *path; /* borrowed; "": not used */
    size_t bytes_max;
    set_fn *set_fn;
    struct stat seen; /* st_ino 0: nothing yet, or it was away */
    bool young;       /* changed so lately that the next change may look the same */
    bool trouble;     /* logged already */
    uint8_t digest[FEED_DIGEST_BYTES];
};

struct feed_auth_files {
    struct feed_auth *auth;
    struct feed_log *log;
    struct watched files[FILES];
    unsigned loaded, failed; /* since they were measured */
};

static bool same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static bool read_all(int fd, struct feed_buf *out)
{
    char chunk[16384];
    ssize_t n;
    while (out->error == FEED_OK && (n = read(fd, chunk, sizeof chunk)) != 0) {
        if (n < 0 && errno != EINTR)
            return false;
        feed_buf_append(out, chunk, n > 0 ? (size_t)n : 0);
    }
    return true;
}

/* out gets the content, *info the identity of what was read. */
static bool read_file(const struct watched *file, struct feed_buf *out, struct stat *info, char *problem,
                      size_t problem_size)
{
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool good = fd >= 0 && fstat(fd, info) == 0;
    if (good && !S_ISREG(info->st_mode)) {
        good = false;
        errno = EINVAL;
    }
    good = good && read_all(fd, out);
    if (!good)
        snprintf(problem, problem_size, "it cannot be read: %s", strerror(errno));
    else if (out->error != FEED_OK)
        snprintf(problem, problem_size, "it is larger than %zu bytes", file->bytes_max);
    if (fd >= 0)
        close(fd);
    return good && out->error == FEED_OK;
}

/* FEED_OK with *changed: whether it said something new. */
static enum feed_error load(struct feed_auth *auth, struct watched *file, bool *changed, char *problem,
                            size_t problem_size)
{
    struct feed_buf text;
    struct stat info = {.st_ino = 0};
    uint8_t digest[FEED_DIGEST_BYTES];
    enum feed_error error = FEED_E_INVALID;
    *changed = false;
    file->young = false;
    feed_buf_init(&text, file->bytes_max);
    if (read_file(file, &text, &info, problem, problem_size)) {
        struct feed_str content = feed_buf_view(&text);
        feed_digest(&content, 1, digest);
        *changed = memcmp(digest, file->digest, sizeof digest) != 0;
        error = *changed ? file->set_fn(auth, content, problem, problem_size) : FEED_OK;
        if (error == FEED_OK)
            memcpy(file->digest, digest, sizeof digest);
        file->young = time(NULL) - info.st_mtim.tv_sec <= YOUNG_S;
    }
    file->seen = info;
    feed_buf_fini(&text);
    return error;
}

/* now: what stat said, NULL when there is no file. True when it has set something. */
static bool reload(struct feed_auth_files *files, struct watched *file, const struct stat *now)
{
    char problem[256] = "";
    bool changed;
    if (load(files->auth, file, &changed, problem, sizeof problem) != FEED_OK) {
        files->failed += !file->trouble;
        if (!file->trouble)
            FEED_LOG(files->log, FEED_LOG_ERROR, "credentials_not_loaded", problem,
                     FEED_LOG_TEXT("option", feed_str_of(file->option)),
                     FEED_LOG_TEXT("effect", FEED_STR("the keys loaded before stay in use")));
        file->trouble = true;
        if (now && file->seen.st_ino == 0)
            file->seen = *now; /* it could not even be opened: not again until it changes */
        return false;
    }
    if (changed || file->trouble) {
        files->loaded++;
        FEED_LOG(files->log, FEED_LOG_INFO, "credentials_loaded", NULL,
                 FEED_LOG_TEXT("option", feed_str_of(file->option)),
                 FEED_LOG_NUMBER("token_keys", (int64_t)feed_auth_jwks_count(files->auth)),
                 FEED_LOG_NUMBER("token_keys_left_out", (int64_t)feed_auth_jwks_left_out(files->auth)),
                 FEED_LOG_NUMBER("api_keys", (int64_t)feed_auth_api_keys_count(files->auth)));
    }
    file->trouble = false;
    return changed;
}

static bool look(struct feed_auth_files *files, bool at_young_too)
{
    bool any = false;
    for (size_t i = 0; i < FILES; i++) {
        struct watched *file = &files->files[i];
        struct stat now;
        if (!file->path[0])
            continue;
        bool there = stat(file->path, &now) == 0;
        bool moved = there ? !same(&now, &file->seen) : file->seen.st_ino != 0;
        if (moved)
            file->trouble = false;
        if (moved || (at_young_too && file->young))
            any |= reload(files, file, there ? &now : NULL);
    }
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
        struct watched *file = &files->files[i];
        char text[200] = "";
        bool changed;
        if (!file->path[0])
            continue;
        enum feed_error error = load(files->auth, file, &changed, text, sizeof text);
        if (error != FEED_OK) {
            snprintf(problem, problem_size, "%s: %s", file->option, text);
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
    files->files[0] = (struct watched){.option = "auth.jwks_file",
                                       .path = options->jwks_file,
                                       .bytes_max = FEED_JWKS_BYTES_MAX,
                                       .set_fn = feed_auth_set_jwks};
    files->files[1] = (struct watched){.option = "auth.api_keys_file",
                                       .path = options->api_keys_file,
                                       .bytes_max = FEED_API_KEYS_BYTES_MAX,
                                       .set_fn = feed_auth_set_api_keys};
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
