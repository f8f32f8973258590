/* Watches by stat(2): it needs no descriptor, and sees a rename, a changed symbolic link (Kubernetes replaces mounted
 * secrets so) and a rewritten file alike. The clock of a file system is coarse: a file may change twice within one
 * tick, so one that changed just now is read again until it is older. */
#include "shared/config/watched.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { YOUNG_S = 2 };

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
static bool read_file(const struct feed_watched *file, struct feed_buf *out, struct stat *info, char *problem,
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
static enum feed_error load(struct feed_watched *file, bool *changed, char *problem, size_t problem_size)
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
        error = *changed ? file->fn(file->arg, content, problem, problem_size) : FEED_OK;
        if (error == FEED_OK)
            memcpy(file->digest, digest, sizeof digest);
        file->young = time(NULL) - info.st_mtim.tv_sec <= YOUNG_S;
    }
    file->seen = info;
    feed_buf_fini(&text);
    return error;
}

enum feed_error feed_watched_load(struct feed_watched *file, char *problem, size_t problem_size)
{
    bool changed;
    return file->path[0] ? load(file, &changed, problem, problem_size) : FEED_OK;
}

/* now: what stat said, NULL when there is no file. moved: it is another one than before, so that what is wrong with it
 * is news. */
static enum feed_watched_news reload(struct feed_watched *file, const struct stat *now, bool moved, char *problem,
                                     size_t problem_size)
{
    bool changed, trouble = file->trouble;
    file->trouble = load(file, &changed, problem, problem_size) != FEED_OK;
    if (file->trouble) {
        if (now && file->seen.st_ino == 0)
            file->seen = *now; /* it could not even be opened: not again until it changes */
        return trouble && !moved ? FEED_WATCHED_NONE : FEED_WATCHED_FAILED;
    }
    if (changed)
        return FEED_WATCHED_CHANGED;
    return trouble ? FEED_WATCHED_RECOVERED : FEED_WATCHED_NONE;
}

enum feed_watched_news feed_watched_look(struct feed_watched *file, bool at_young_too, char *problem,
                                         size_t problem_size)
{
    struct stat now;
    if (!file->path[0])
        return FEED_WATCHED_NONE;
    bool there = stat(file->path, &now) == 0;
    bool moved = there ? !same(&now, &file->seen) : file->seen.st_ino != 0;
    if (!moved && !(at_young_too && file->young))
        return FEED_WATCHED_NONE;
    return reload(file, there ? &now : NULL, moved, problem, problem_size);
}
