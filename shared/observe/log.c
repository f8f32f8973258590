/* Writes log lines. The difficulty is that any value may come from outside and be of any length or content: a line must
 * stay one line of valid JSON of bounded length, so values are cut before they are escaped, and a field that would
 * make the line too long is left out and the line says so. */
#include "shared/observe/log.h"

#include "shared/base/assert.h"
#include "shared/base/json_out.h"
#include "shared/base/time_text.h"
#include "shared/observe/log_rate.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* For `"truncated":true`, `"suppressed":..`, the brace and the newline. */
enum { LINE_RESERVE = 96 };

struct feed_log {
    const char *service;
    enum feed_log_level min_level;
    feed_log_write_fn *write_fn;
    feed_log_clock_fn *clock_fn;
    void *arg;
    pthread_mutex_t lock; /* librdkafka logs from threads of its own */
    struct feed_log_rate rate;
    struct feed_buf line;
};

static const char *const level_names[] = {"debug", "info", "warn", "error"};

static void write_stderr(void *arg, struct feed_str line)
{
    (void)arg;
    /* A line that cannot be written is lost: there is nowhere to say it, and logging must not stop the work. */
    while (write(STDERR_FILENO, line.data, line.len) < 0 && errno == EINTR) {
    }
}

static int64_t clock_system(void *arg)
{
    (void)arg;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct feed_log *feed_log_new(const char *service, enum feed_log_level min_level, feed_log_write_fn *write_fn,
                              feed_log_clock_fn *clock_fn, void *arg)
{
    struct feed_log *log = calloc(1, sizeof(*log));
    feed_assert(log);
    log->service = service;
    log->min_level = min_level;
    log->write_fn = write_fn ? write_fn : write_stderr;
    log->clock_fn = clock_fn ? clock_fn : clock_system;
    log->arg = arg;
    pthread_mutex_init(&log->lock, NULL);
    feed_buf_init(&log->line, (size_t)2 * FEED_LOG_LINE_MAX);
    return log;
}

void feed_log_free(struct feed_log *log)
{
    if (!log) {
        return;
    }
    feed_buf_fini(&log->line);
    pthread_mutex_destroy(&log->lock);
    free(log);
}

enum feed_error feed_log_level_from_name(struct feed_str name, enum feed_log_level *out)
{
    for (unsigned i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
        if (feed_str_eq(name, feed_str_of(level_names[i]))) {
            *out = (enum feed_log_level)i;
            return FEED_OK;
        }
    }
    return FEED_E_INVALID;
}

/* Cut at the beginning of a character, so that no half one is left. */
static size_t cut_length(struct feed_str value)
{
    size_t len = FEED_LOG_VALUE_MAX;
    while (len > FEED_LOG_VALUE_MAX - 4 && ((uint8_t)value.data[len] & 0xC0) == 0x80) {
        len--;
    }
    return len;
}

static void put_value(struct feed_json_out *json, struct feed_str value)
{
    if (value.len <= FEED_LOG_VALUE_MAX) {
        feed_json_str(json, value);
        return;
    }
    static const char mark[] = "...(cut)";
    char cut[FEED_LOG_VALUE_MAX + sizeof(mark)];
    size_t len = cut_length(value);
    memcpy(cut, value.data, len);
    memcpy(cut + len, mark, sizeof(mark) - 1);
    feed_json_str(json, (struct feed_str){cut, len + sizeof(mark) - 1});
}

/* False, with nothing written, if the line would become too long. */
static bool put_field(struct feed_json_out *json, const struct feed_log_field *field)
{
    struct feed_json_out before = *json;
    size_t before_len = json->buf->len;
    feed_json_key(json, field->name);
    if (field->text.data) {
        put_value(json, field->text);
    } else {
        feed_json_i64(json, field->number);
    }
    if (json->buf->error == FEED_OK && json->buf->len <= FEED_LOG_LINE_MAX - LINE_RESERVE) {
        return true;
    }
    *json = before;
    json->buf->len = before_len;
    json->buf->error = FEED_OK;
    return false;
}

static void put_fields(struct feed_json_out *json, const struct feed_log_field *fields, size_t field_count)
{
    bool truncated = false;
    for (size_t i = 0; i < field_count; i++) {
        truncated |= !put_field(json, &fields[i]);
    }
    if (truncated) {
        feed_json_key(json, "truncated");
        feed_json_bool(json, true);
    }
}

static void put_head(struct feed_log *log, struct feed_json_out *json, enum feed_log_level level, const char *event,
                     const char *message, int64_t now_ms)
{
    char time_text[FEED_TIME_TEXT + 1];
    feed_time_format(now_ms, time_text);
    feed_json_member(json, "time", feed_str_of(time_text));
    feed_json_member(json, "level", feed_str_of(level_names[level]));
    feed_json_member(json, "service", feed_str_of(log->service));
    feed_json_member(json, "event", feed_str_of(event));
    if (message) {
        feed_json_key(json, "message");
        put_value(json, feed_str_of(message));
    }
}

void feed_log_event(struct feed_log *log, enum feed_log_level level, const char *event, const char *message,
                    const struct feed_log_field *fields, size_t field_count)
{
    if (level < log->min_level) {
        return;
    }
    pthread_mutex_lock(&log->lock);
    int64_t now_ms = log->clock_fn(log->arg);
    uint64_t suppressed = 0;
    if (feed_log_rate_take(&log->rate, event, now_ms, FEED_LOG_EVENT_RATE, &suppressed)) {
        struct feed_json_out json;
        feed_buf_reset(&log->line);
        feed_json_out_init(&json, &log->line);
        feed_json_open(&json);
        put_head(log, &json, level, event, message, now_ms);
        put_fields(&json, fields, field_count);
        if (suppressed > 0) {
            feed_json_key(&json, "suppressed");
            feed_json_u64(&json, suppressed);
        }
        feed_json_close(&json);
        feed_buf_char(&log->line, '\n');
        if (log->line.error == FEED_OK) {
            log->write_fn(log->arg, feed_buf_view(&log->line));
        }
    }
    pthread_mutex_unlock(&log->lock);
}
