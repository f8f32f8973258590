/* Turns text into values. The difficulty is secrets: they come from files only, and no fault that is told here repeats
 * a value that could hold one. */
#include "shared/config/value.h"

#include "shared/base/assert.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *field_of(const struct feed_option *row, void *options)
{
    return (char *)options + row->offset;
}

static bool holds_text(const struct feed_option *row)
{
    return row->type != FEED_OPTION_INTEGER && row->type != FEED_OPTION_BOOLEAN;
}

static bool has_range(const struct feed_option *row)
{
    return row->min != 0 || row->max != 0;
}

void feed_option_range(const struct feed_option *row, struct feed_buf *out)
{
    if (row->type == FEED_OPTION_BOOLEAN || !has_range(row)) {
        return;
    }
    feed_buf_i64(out, row->min);
    feed_buf_text(out, "..");
    feed_buf_i64(out, row->max);
    if (holds_text(row)) {
        feed_buf_text(out, " bytes");
    }
}

void feed_option_clear(const struct feed_option *row, void *options)
{
    if (!holds_text(row)) {
        return;
    }
    char **field = field_of(row, options);
    if (*field && row->type == FEED_OPTION_SECRET_FILE) {
        explicit_bzero(*field, strlen(*field));
    }
    free(*field);
    *field = NULL;
}

static enum feed_error set_text(const struct feed_option *row, const char *text, size_t len, void *options,
                                struct feed_buf *fault)
{
    if (has_range(row) && ((int64_t)len < row->min || (int64_t)len > row->max)) {
        feed_buf_printf(fault, "must be %lld to %lld bytes long, but has %zu", (long long)row->min, (long long)row->max,
                        len);
        return FEED_E_INVALID;
    }
    feed_option_clear(row, options);
    char *copy = malloc(len + 1);
    feed_assert(copy);
    memcpy(copy, text, len);
    copy[len] = '\0';
    *(char **)field_of(row, options) = copy;
    return FEED_OK;
}

static enum feed_error set_integer(const struct feed_option *row, const char *text, void *options,
                                   struct feed_buf *fault)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    /* strtoll also takes leading blanks and a plus sign; one way of writing a number is enough. */
    bool starts_well = (*text >= '0' && *text <= '9') || *text == '-';
    if (!starts_well || *end != '\0' || end == text || errno == ERANGE) {
        feed_buf_text(fault, "must be an integer");
    } else if (has_range(row) && (value < row->min || value > row->max)) {
        feed_buf_text(fault, "is out of range: it must be an integer");
    } else {
        *(int64_t *)field_of(row, options) = value;
        return FEED_OK;
    }
    if (has_range(row)) {
        feed_buf_printf(fault, " from %lld to %lld", (long long)row->min, (long long)row->max);
    }
    return FEED_E_INVALID;
}

static enum feed_error set_boolean(const struct feed_option *row, const char *text, void *options,
                                   struct feed_buf *fault)
{
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
        feed_buf_text(fault, "must be true or false");
        return FEED_E_INVALID;
    }
    *(bool *)field_of(row, options) = text[0] == 't';
    return FEED_OK;
}

/* Reads at most size bytes; -1 with errno when that fails. */
static ssize_t read_file(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t n = fd < 0 ? -1 : 1;
    while (n > 0 && len < size) {
        n = read(fd, out + len, size - len);
        len += n > 0 ? (size_t)n : 0;
    }
    int error = errno;
    if (fd >= 0) {
        close(fd);
    }
    errno = error;
    return n < 0 ? -1 : (ssize_t)len;
}

static enum feed_error set_secret(const struct feed_option *row, const char *path, void *options,
                                  struct feed_buf *fault)
{
    enum { SIZE = FEED_OPTION_SECRET_BYTES_MAX + 1 };
    char *content = malloc(SIZE);
    feed_assert(content);
    ssize_t n = read_file(path, content, SIZE);
    size_t len = n > 0 ? (size_t)n : 0;
    enum feed_error error = FEED_E_INVALID;
    while (len > 0 && (content[len - 1] == '\n' || content[len - 1] == '\r')) {
        len--;
    }
    if (n < 0) {
        feed_buf_printf(fault, "names the file %s, which cannot be read: %s", path, strerror(errno));
    } else if (n == SIZE) {
        feed_buf_printf(fault, "names the file %s, which is larger than %d bytes", path, FEED_OPTION_SECRET_BYTES_MAX);
    } else if (len == 0 || memchr(content, '\0', len)) {
        feed_buf_printf(fault, "names the file %s, which %s", path, len == 0 ? "is empty" : "has NUL bytes");
    } else {
        size_t before = fault->len;
        error = set_text(row, content, len, options, fault);
        if (error != FEED_OK) {
            fault->len = before;
            feed_buf_printf(fault, "names the file %s, whose content must be %lld to %lld bytes long, but has %zu",
                            path, (long long)row->min, (long long)row->max, len);
        }
    }
    explicit_bzero(content, SIZE);
    free(content);
    return error;
}

enum feed_error feed_option_set(const struct feed_option *row, const char *text, void *options, struct feed_buf *fault)
{
    switch (row->type) {
    case FEED_OPTION_INTEGER:
        return set_integer(row, text, options, fault);
    case FEED_OPTION_BOOLEAN:
        return set_boolean(row, text, options, fault);
    case FEED_OPTION_SECRET_FILE:
        if (*text == '\0') { /* an empty variable of the environment: as if it were not there */
            return FEED_OK;
        }
        return set_secret(row, text, options, fault);
    default:
        return set_text(row, text, strlen(text), options, fault);
    }
}

/* user:password@ anywhere behind ://, so that a password with a slash in it is found too. */
static bool url_shows_password(const char *text)
{
    const char *authority = strstr(text, "://");
    const char *colon = authority ? strchr(authority + 3, ':') : NULL;
    return colon && strchr(colon + 1, '@') != NULL;
}

bool feed_option_shows_password(const struct feed_option *row, const char *text)
{
    if (row->type == FEED_OPTION_URL) {
        return url_shows_password(text);
    }
    return row->type == FEED_OPTION_TEXT && (url_shows_password(text) || strcasestr(text, "password=") ||
                                             strcasestr(text, "secret=") || strcasestr(text, "sasl.jaas.config="));
}
