/* Logs: one JSON object a line. A line is at most FEED_LOG_LINE_MAX bytes; longer values are cut at FEED_LOG_VALUE_MAX
 * and marked. Values are escaped, so no input can make a second line. Lines of one `event` beyond FEED_LOG_EVENT_RATE a
 * second are counted, not written; the next line of that event that is written says how many (`suppressed`). Any thread
 * may log. */
#ifndef FEED_OBSERVE_LOG_H
#define FEED_OBSERVE_LOG_H

#include "shared/base/str.h"

enum feed_log_level { FEED_LOG_DEBUG, FEED_LOG_INFO, FEED_LOG_WARN, FEED_LOG_ERROR };
enum { FEED_LOG_LINE_MAX = 8192, FEED_LOG_VALUE_MAX = 1024, FEED_LOG_EVENT_RATE = 20 };

/* One field of a line: text, unless text.data is NULL, then number. */
struct feed_log_field {
    const char *name; /* "tenant", "user", "error_code", .. */
    struct feed_str text;
    int64_t number;
};

/* For compound literals in calls: FEED_LOG_TEXT("tenant", tenant), FEED_LOG_NUMBER("port", 80). */
#define FEED_LOG_TEXT(n, s) ((struct feed_log_field){.name = (n), .text = (s)})
#define FEED_LOG_NUMBER(n, v) ((struct feed_log_field){.name = (n), .number = (v)})

struct feed_log; /* level, service name, sink, clock */

typedef void feed_log_write_fn(void *arg, struct feed_str line); /* the line ends with a newline */
typedef int64_t feed_log_clock_fn(void *arg);                    /* wall clock in ms */

/* write_fn NULL: stderr, one write(2) a line. clock_fn NULL: the system's. `service` is borrowed. */
struct feed_log *feed_log_new(const char *service, enum feed_log_level min_level, feed_log_write_fn *write_fn,
                              feed_log_clock_fn *clock_fn, void *arg);
void feed_log_free(struct feed_log *log);
/* "debug", "info", "warn", "error"; FEED_E_INVALID otherwise. */
enum feed_error feed_log_level_from_name(struct feed_str name, enum feed_log_level *out) FEED_MUST_USE;
/* event: a short fixed word, e.g. "kafka_unavailable" (static). message: a sentence for people (may be NULL). */
void feed_log_event(struct feed_log *log, enum feed_log_level level, const char *event, const char *message,
                    const struct feed_log_field *fields, size_t field_count);

/* FEED_LOG(log, FEED_LOG_INFO, "started", "listening", FEED_LOG_NUMBER("port", port)) */
#define FEED_LOG(log, level, event, message, ...)                                                                      \
    feed_log_event((log), (level), (event), (message), (const struct feed_log_field[]){__VA_ARGS__},                   \
                   sizeof((const struct feed_log_field[]){__VA_ARGS__}) / sizeof(struct feed_log_field))

#endif
